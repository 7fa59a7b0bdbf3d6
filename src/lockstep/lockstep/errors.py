"""The errors that end a command, each one sentence that says what to do, and the exit codes they
stand for."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import ClassVar

MATCH = 0
DIFFERENT = 1
USAGE = 2
FAILED = 3
INTERRUPTED = 130


class LockstepError(Exception):
    """Base of all: the text is one sentence for whoever asked, `exit_code` is what a command ends
    with."""

    exit_code: ClassVar[int] = USAGE


class UsageError(LockstepError):
    """The caller asked for something that cannot be."""


class PortError(UsageError):
    """Bad input of prompt, scaffold and the like."""


class BagError(LockstepError):
    """A bag cannot be read or written; the message names it and says what to do."""


class DatasetError(LockstepError):
    """A dataset cannot be read, written or made; the message names the key or place and says what
    to do."""


class DistError(LockstepError, ValueError):
    """A distribution makes no sense or does not fit a message; the text names the field and says
    what to do."""


class CompareError(LockstepError):
    """What was asked for cannot be compared; the message says what to do."""


class ReportError(LockstepError, ValueError):
    """What was asked for cannot be shown; the message names the field, key or file and says what to
    do."""


class RunError(LockstepError):
    """A run failed, in another way than those below."""

    exit_code: ClassVar[int] = FAILED


class Hang(RunError):
    """Nothing came for as long as one waits."""


class Crash(RunError):
    """A process ended, or broke the protocol, during a run."""


class Loss(RunError):
    """A message is not accounted for."""


class CallbackError(RunError):
    """A component's callback raised, during a step of a direct run if one is given."""

    def __init__(self, sentence: str, step: int | None = None) -> None:
        super().__init__(sentence)
        self.step = step


class Interrupted(BaseException):
    """Someone asked this process to end (Ctrl-C, SIGTERM, a closed terminal); ends with exit code
    130.

    Not KeyboardInterrupt, which command-line libraries answer in their own way.
    """


def unforeseen(error: Exception) -> str:
    """One sentence for an error that nobody thought of, with the place in the source for whoever
    mends it."""
    if isinstance(error, OSError) and error.strerror:  # a full disk, a folder taken away
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return (
        f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno}); please "
        "report this"
    )
