"""What is kept beside each verify.yaml, in its folder .lockstep, and is meant to be committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

NOT_SEARCHED = {"build", "install", "log", "runs", ".git", ".venv", "node_modules"}
"""Folders that hold nobody's sources."""
_PLACE = ".lockstep"


def kept_beside(file: Path, kind: str, suffix: str) -> Path:
    """Where a kind of what is kept of a verify.yaml stands."""
    return file.parent / _PLACE / kind / f"{file.stem}{suffix}"


def all_kept(folder: Path, kind: str, suffix: str) -> Iterator[Path]:
    """The files of a kind below a folder."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in NOT_SEARCHED)
        if Path(place).parts[-2:] == (_PLACE, kind):
            yield from (Path(place, name) for name in sorted(names) if name.endswith(suffix))
