"""Errors that end a command, and the exit codes they stand for."""

from __future__ import annotations

import traceback
from pathlib import Path

MATCH = 0
DIFFERENT = 1
USAGE = 2
FAILED = 3
INTERRUPTED = 130


class UsageError(Exception):
    """The caller asked for something that cannot be; ends with exit code 2."""


class RunError(Exception):
    """A run failed (crash, hang, loss); ends with exit code 3."""


class Interrupted(BaseException):
    """Someone asked this process to end (Ctrl-C, SIGTERM, a closed terminal); ends with exit code 130.

    Not KeyboardInterrupt, which command-line libraries answer in their own way.
    """


def unforeseen(error: Exception) -> str:
    """One sentence for an error that nobody thought of, with the place in the source for whoever mends it."""
    if isinstance(error, OSError) and error.strerror:  # a full disk, a folder taken away
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno}); please report this"
