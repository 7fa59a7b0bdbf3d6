"""Runs of references that were made before, which a verification may have instead of making
them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..component import Contract
from ..run.model import Implementation
from ..run.result import RunResult
from .fingerprints import Fingerprint
from .model import Verification
from .plan import Ask


@dataclass(frozen=True)
class KeptRun:
    """A run of a reference that did the same again, if it was to: the contract it told, and what
    came out.

    `made_s` is when, in seconds since 1970.
    """

    contract: Contract
    result: RunResult
    made_s: float

    def sentence(self) -> str:
        """That the run was not made now."""
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.made_s))
        name = self.result.name
        return f"{name}: its run of {made} is taken, of the same sources on the same inputs"


def contracts_beside(kept: KeptRun, reference: str, ask: Ask) -> Ask:
    """Asks for the contracts of all but the reference, whose contract is known."""

    def contracts(implementations: Mapping[str, Implementation]) -> dict[str, Contract]:
        others = {name: one for name, one in implementations.items() if name != reference}
        asked = ask(others)
        known = {reference: kept.contract}
        return {name: known[name] if name in known else asked[name] for name in implementations}

    return contracts


class RunsKept(Protocol):
    """Where runs are kept, by all that they rest on."""

    def find(
        self, verification: Verification, parts: Mapping[str, Fingerprint], folder: Path
    ) -> KeptRun | None:
        """The run of the reference, with its files put into `folder`; None if there is none.

        `parts` are what the implementations consist of on disk, by name.
        """

    def keep(
        self,
        verification: Verification,
        parts: Mapping[str, Fingerprint],
        contract: Contract,
        result: RunResult,
    ) -> None:
        """Keep a run that was just made."""
