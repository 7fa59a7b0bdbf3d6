"""The folders that runs are written to."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..errors import UsageError


def create_folder(folder: Path) -> None:
    """Create the output folder; an existing one is never written into."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise UsageError(f"{folder} exists already; choose another folder or delete it") from error
    except OSError as error:
        raise UsageError(f"cannot create {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{folder} is not writable")


def default_folder(stem: str) -> Path:
    """A folder for results below the current one that no other run chooses:
    runs/STEM-DATE-TIME-PID."""
    return Path("runs", f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
