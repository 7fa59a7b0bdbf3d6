"""The parser of a node's own options."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ..errors import UsageError


class OptionParser(argparse.ArgumentParser):
    """Says in one sentence, by UsageError, what it cannot read."""

    def __init__(self, program: str, description: str, examples: str) -> None:
        super().__init__(
            prog=program,
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """As argparse: what cannot be read."""
        raise UsageError(f"{message}; see --help")
