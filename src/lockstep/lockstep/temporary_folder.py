"""A folder that is there as long as somebody needs it, and not after the process was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from .closing import Closable

if TYPE_CHECKING:
    import subprocess

# Outlives this process, whose end that of its stdin tells, and takes up what others still write.
_REMOVER = """
trap '' HUP INT TERM
read -r _
for _ in 1 2 3 4 5; do rm -rf -- "$0" && exit; sleep 0.2; done
"""


class TemporaryFolder(Closable):
    """An empty folder, `path`, that is removed with all that is in it when it is closed or gone, or
    when this process ends in whatever way."""

    def __init__(self, prefix: str, within: Path | None = None) -> None:
        """Raises OSError if there is no room, in `within` or where temporary files are."""
        import subprocess  # not earlier: few who read a bag need it

        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=within)).absolute()
        remover = subprocess.Popen(
            ["/bin/sh", "-c", _REMOVER, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self._remove = weakref.finalize(self, _remove, self.path, remover, os.getpid())

    def close(self) -> None:
        """Remove it."""
        self._remove()


def _remove(path: Path, remover: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:  # a copy of the process that needs it
        return
    shutil.rmtree(path, ignore_errors=True)
    remover.kill()
    remover.communicate()
