"""Segments of shared memory whose owners were killed are removed, and no others."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest
from lockstep.run.shared_memory import closed_ports, remove_what_nobody_owns

SEGMENT = "fastrtps_0123456789abcdef"


def segment(folder: Path, name: str = SEGMENT, age_s: float = 60.0) -> Path:
    lock = folder / f"{name}_el"
    for file in (folder / name, lock):
        file.touch()
        os.utime(file, (time.time() - age_s,) * 2)
    return lock


def test_a_segment_without_an_owner_is_removed(tmp_path: Path) -> None:
    segment(tmp_path)
    remove_what_nobody_owns(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_port_without_an_owner_is_removed_and_its_lock_stays(tmp_path: Path) -> None:
    lock = segment(tmp_path, "fastrtps_port7411")
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        remove_what_nobody_owns(tmp_path)
        assert len(os.listdir(tmp_path)) == 2
    remove_what_nobody_owns(tmp_path)
    assert os.listdir(tmp_path) == [lock.name]


def test_ports_of_another_user_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment(tmp_path, "fastrtps_port7411")
    segment(tmp_path)
    assert list(closed_ports(tmp_path)) == []
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert list(closed_ports(tmp_path)) == [7411]
    assert list(closed_ports(tmp_path / "nowhere")) == []


def test_others_stay(tmp_path: Path) -> None:
    segment(tmp_path, "fastrtps_port7411", age_s=5.0)
    segment(tmp_path, "fastrtps_0000000000000001", age_s=0.0)  # not yet locked
    with segment(tmp_path).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = sorted(os.listdir(tmp_path))
        remove_what_nobody_owns(tmp_path)
        assert sorted(os.listdir(tmp_path)) == before
    remove_what_nobody_owns(tmp_path / "nowhere")
