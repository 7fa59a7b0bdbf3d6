"""Which commit of the user's sources something was made of."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

EDITED = "+"
"""At the end of a commit: files that it holds have been edited since."""
_PATIENCE_S = 5


def commit_of(folder: Path) -> str | None:
    """The commit that is checked out in a folder, with a + if tracked files are edited; None where
    there is none."""
    with suppress(OSError, subprocess.SubprocessError):
        commit = _git(folder, "rev-parse", "HEAD").strip()
        edited = _git(folder, "status", "--porcelain", "--untracked-files=no")
        return commit + (EDITED if edited else "")
    return None


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=True,
    ).stdout
