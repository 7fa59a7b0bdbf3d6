"""Contestants that start a program and wait for its end: what each takes of the processor until
then.

They run in the workspace, as whoever enters it calls them. Each returns a Contest as those in
`contestants` do, with a time of its own: the median of some starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from .contestants import Contest, Task

_ROOT = Path(__file__).resolve().parent.parent.parent
_STARTS = 5


def python_alone(task: Task) -> Contest:
    """An interpreter that does nothing."""
    return _contest([sys.executable, "-c", "pass"])


def lockstep_help(task: Task) -> Contest:
    """`lockstep --help`."""
    return _contest([*_lockstep(), "--help"])


def lockstep_info(task: Task) -> Contest:
    """`lockstep info BAG`."""
    return _contest([*_lockstep(), "info", str(task.path)])


def rosbags_help(task: Task) -> Contest:
    """`rosbags-convert --help`."""
    return _contest([_installed("rosbags-convert"), "--help"])


def pymcap_help(task: Task) -> Contest:
    """`pymcap-cli --help`."""
    return _contest([_peer("pymcap-cli"), "--help"])


def pymcap_info(task: Task) -> Contest:
    """`pymcap-cli info BAG`."""
    return _contest([_peer("pymcap-cli"), "info", str(task.path)])


def _lockstep() -> list[str]:
    return [sys.executable, str(_ROOT / "src/lockstep/bin/lockstep")]


def _installed(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def _peer(program: str) -> str:
    return str(_ROOT / ".venv-bench/bin" / program)


def _contest(command: list[str]) -> Contest:
    if not Path(command[0]).is_file():
        raise SystemExit(f"there is no {command[0]} here")
    return Contest(_timed(command), lambda _: (0, 0.0), median)


def _timed(command: list[str]) -> Callable[[], list[float]]:
    def work() -> list[float]:
        """Seconds of user and system time of each start."""
        return [_cpu_s(command) for _ in range(_STARTS)]

    return work


def _cpu_s(command: list[str]) -> float:
    environment = dict(os.environ)
    if ".venv-bench" in command[0]:  # where nothing of the workspace is to be found
        environment.pop("PYTHONPATH", None)
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[0]} failed: {said.decode(errors='replace').strip()[-200:]}")
    return usage.ru_utime + usage.ru_stime
