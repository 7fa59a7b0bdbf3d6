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
