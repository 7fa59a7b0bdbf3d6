"""What participants of Fast DDS that were killed left in shared memory.

Each of its segments is half a megabyte with a file beside it, NAME_el, that its owner holds locked
(flock(2)) as long as it lives; each port that it listens on is another one, with NAME_el or
NAME_sl. Nobody else removes one but `fastdds shm clean`, in the same way, and of a port whoever
wants to listen there: several that do at once, as the nodes of a run, are in each other's way, and
say so on stderr.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_LOCK = re.compile(r"(fastrtps_[0-9a-f]{16})_el")
_PORT_LOCK = re.compile(r"(fastrtps_port\d+)_[es]l")
_PORT = re.compile(r"fastrtps_port(\d+)")
_YOUNG_S = 1.0  # its owner might not have locked it yet
_YOUNG_PORT_S = 10.0  # nor on a machine with other work; and that would never be made good


def remove_what_nobody_owns(folder: Path = SHARED_MEMORY) -> None:
    """Remove the segments whose owners have ended, also those of ports.

    The lock of a port stays, since who has opened it may be about to lock it.
    """
    names = os.listdir(folder) if folder.is_dir() else []
    for segment in (match[1] for name in names if (match := _LOCK.fullmatch(name))):
        lock = folder / f"{segment}_el"
        # Its owner lives, or it is another user's.
        with contextlib.suppress(OSError), lock.open("rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime > _YOUNG_S:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / segment).unlink(missing_ok=True)
                lock.unlink()
    for name, port in ((name, match[1]) for name in names if (match := _PORT_LOCK.fullmatch(name))):
        segment_of_port = folder / port
        with contextlib.suppress(OSError), (folder / name).open("rb") as file:
            if time.time() - segment_of_port.stat().st_mtime > _YOUNG_PORT_S:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                segment_of_port.unlink()


def closed_ports(folder: Path = SHARED_MEMORY) -> Iterator[int]:
    """The ports that another user holds or has left, where no node of ours can listen."""
    for name in os.listdir(folder) if folder.is_dir() else []:
        if (match := _PORT.fullmatch(name)) and not os.access(folder / name, os.R_OK | os.W_OK):
            yield int(match[1])
