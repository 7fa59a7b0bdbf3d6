"""Errors that end a command, and the exit codes they stand for."""

from __future__ import annotations

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
