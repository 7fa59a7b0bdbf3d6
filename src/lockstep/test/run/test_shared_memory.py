"""Segments of shared memory whose owners were killed are removed, and no others."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from lockstep.run.shared_memory import remove_what_nobody_owns

SEGMENT = "fastrtps_0123456789abcdef"


def segment(folder: Path, name: str = SEGMENT, age_s: float = 60.0) -> Path:
    (folder / name).touch()
    lock = folder / f"{name}_el"
    lock.touch()
    os.utime(lock, (time.time() - age_s,) * 2)
    return lock


def test_a_segment_without_an_owner_is_removed(tmp_path: Path) -> None:
    segment(tmp_path)
    remove_what_nobody_owns(tmp_path)
    assert os.listdir(tmp_path) == []


def test_others_stay(tmp_path: Path) -> None:
    segment(tmp_path, "fastrtps_port7411")
    segment(tmp_path, "fastrtps_0000000000000001", age_s=0.0)  # not yet locked
    with segment(tmp_path).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = sorted(os.listdir(tmp_path))
        remove_what_nobody_owns(tmp_path)
        assert sorted(os.listdir(tmp_path)) == before
    remove_what_nobody_owns(tmp_path / "nowhere")
