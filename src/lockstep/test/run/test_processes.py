"""Whatever a run has started ends with it, wherever it went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lockstep.run.processes import Processes

# Double-forks and calls setsid, as a daemon does, and becomes what it is told.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1], "w") as file:
            file.write(str(os.getpid()))
        os.execvp(sys.argv[2], sys.argv[2:])
    os._exit(0)
"""
SLEEP = ("sleep", "60")
DEAF = ("sh", "-c", "trap '' INT TERM; exec sleep 60")
"""Ends on nothing but SIGKILL."""


def pid_in(file: Path) -> int:
    deadline = time.monotonic() + 10
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int(file.read_text())


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def start(processes: Processes, folder: Path, command: tuple[str, ...]) -> int:
    """Start what leaves a daemon behind; returns its process ID."""
    words = [sys.executable, "-c", DAEMON, str(folder / "pid"), *command]
    processes.start("node", words, folder / "log")
    return pid_in(folder / "pid")


@pytest.mark.parametrize("command", [SLEEP, DEAF], ids=["ordinary", "deaf"])
def test_a_daemon_ends_with_its_run_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, command: tuple[str, ...]
) -> None:
    with Processes(os.environ) as processes:
        pid = start(processes, tmp_path, command)
        assert runs(pid)
        time.sleep(0.1)  # until it is what it becomes
    assert not runs(pid)
    assert caplog.messages == [f"node left process {pid} (sleep), which was ended"]


def test_a_daemon_of_another_run_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Processes(os.environ) as processes:
        pid = start(processes, tmp_path, SLEEP)
        with Processes(os.environ) as others:
            others.start("other", ["sleep", "60"], tmp_path / "other.log")
        assert runs(pid)
        assert caplog.messages == []


def test_a_daemon_is_killed_with_its_process(tmp_path: Path) -> None:
    with Processes(os.environ) as processes:
        words = [sys.executable, "-c", DAEMON, str(tmp_path / "pid"), *DEAF]
        process = processes.start("node", words, tmp_path / "log")
        pid = pid_in(tmp_path / "pid")
        process.kill()
        deadline = time.monotonic() + 5
        while runs(pid):
            assert time.monotonic() < deadline


def test_what_stays_in_its_group_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Processes(os.environ) as processes:
        command = ["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; sleep 60"]
        processes.start("node", command, tmp_path / "log")
        pid = pid_in(tmp_path / "pid")
    time.sleep(0.01)
    assert not runs(pid)
    assert caplog.messages == []


HARNESS = f"""
import os, sys, time
from pathlib import Path
from lockstep.run.processes import Processes
folder = Path(sys.argv[1])
with Processes(os.environ) as processes:
    words = [sys.executable, "-c", {DAEMON!r}, str(folder / "pid"), *{DEAF!r}]
    processes.start("node", words, folder / "log")
    time.sleep(60)
"""


def test_a_daemon_ends_after_a_harness_that_is_killed(tmp_path: Path) -> None:
    harness = subprocess.Popen([sys.executable, "-c", HARNESS, tmp_path])
    pid = pid_in(tmp_path / "pid")
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    deadline = time.monotonic() + 10
    while runs(pid):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


ADOPTING = """
import os, sys
from lockstep.run.strays import adopt, end_adopted
assert end_adopted() is None
adopt()
os.system("exec env -i " + sys.argv[1])
for stray in end_adopted():
    print(stray.pid, stray.has_ended)
assert end_adopted() == []
"""


def test_a_daemon_without_its_environment_is_found_by_a_command(tmp_path: Path) -> None:
    program = tmp_path / "daemon.py"
    program.write_text(DAEMON)
    words = f"{sys.executable} {program} {tmp_path}/pid {' '.join(SLEEP)}"
    done = subprocess.run(
        [sys.executable, "-c", ADOPTING, words], capture_output=True, text=True, check=True
    )
    pid = pid_in(tmp_path / "pid")
    assert done.stdout == f"{pid} True\n"
    assert not runs(pid)
