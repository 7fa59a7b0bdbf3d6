"""Turns on a machine: one that is exclusive waits until no other is taken, and keeps all others
waiting; by locks of files (flock), which all suites of a user on the machine have in common,
whoever starts their cases, and which end with their processes."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(exclusive: bool) -> Iterator[None]:
    """Wait for a turn, and have it until the end."""
    place = Path(tempfile.gettempdir(), f"lockstep-{os.getuid()}-turns")
    place.mkdir(mode=0o700, exist_ok=True)
    with (place / "room").open("ab") as room:
        with (place / "gate").open("ab") as gate:
            # Who waits for an exclusive turn stands in the gate, so that no one else enters.
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
