"""Nothing of a temporary folder is left, whatever ends its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lockstep.temporary_folder import TemporaryFolder

FOLDER = """
import sys, time
from pathlib import Path
from lockstep.temporary_folder import TemporaryFolder
folder = TemporaryFolder("lockstep-")
(folder.path / "file").touch()
print("ready", flush=True)
time.sleep(60)
"""
FORKS = """
import os, time
from lockstep.run.processes import Processes, fork_server
with Processes(os.environ) as processes, fork_server(processes) as forks:
    print("ready", flush=True)
    time.sleep(60)
"""


def test_it_is_there_until_it_is_closed(tmp_path: Path) -> None:
    with TemporaryFolder("some-", within=tmp_path) as folder:
        (folder.path / "below").mkdir()
        (folder.path / "below/file").touch()
        assert os.listdir(tmp_path) == [folder.path.name]
    assert os.listdir(tmp_path) == []
    folder.close()


def test_it_goes_with_whoever_needs_it(tmp_path: Path) -> None:
    folder = TemporaryFolder("some-", within=tmp_path)
    assert folder.path.is_dir()
    del folder
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("code", [FOLDER, FORKS], ids=["a folder", "the fork server"])
def test_a_killed_process_leaves_nothing(tmp_path: Path, code: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    (folder,) = os.listdir(tmp_path)
    assert folder.startswith("lockstep-")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 3
    while os.listdir(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.02)
