"""What participants of Fast DDS that were killed left in shared memory.

Each of its segments is half a megabyte with a file beside it, NAME_el, that its owner holds locked
(flock(2)) as long as it lives. Nobody else removes one but `fastdds shm clean`, in the same way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_LOCK = re.compile(r"(fastrtps_[0-9a-f]{16})_el")
_YOUNG_S = 1.0  # its owner might not have locked it yet


def remove_what_nobody_owns(folder: Path = SHARED_MEMORY) -> None:
    """Remove the segments whose owners have ended."""
    names = os.listdir(folder) if folder.is_dir() else []
    for segment in (match[1] for name in names if (match := _LOCK.fullmatch(name))):
        lock = folder / f"{segment}_el"
        # Its owner lives, or it is another user's.
        with contextlib.suppress(OSError), lock.open("rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime > _YOUNG_S:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / segment).unlink(missing_ok=True)
                lock.unlink()
