"""Processes that another one forks are started, fed and ended like any other."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.errors import Crash
from lockstep.run.forks import ForkServer
from lockstep.run.processes import Process, Processes, fork_server

pytestmark = pytest.mark.skipif(not find_spec("rclpy"), reason="there is no rclpy here")
PLAYER = ("python3", "-m", "lockstep.nodes.player")
# More than a packet takes.
ENVIRONMENT = {**os.environ, **{f"LONG_{n}": "x" * 100_000 for n in range(4)}}


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes(ENVIRONMENT) as processes:
        yield processes


@pytest.fixture
def forks(processes: Processes) -> Iterator[ForkServer]:
    with fork_server(processes) as forks:
        yield forks


def started(
    processes: Processes, forks: ForkServer, folder: Path, *arguments: str, **options: int
) -> Process:
    return processes.start(
        "the player", [*PLAYER, *arguments], folder / "log", forks=forks, **options
    )


def test_arguments_go_in_and_log_and_exit_code_come_out(
    processes: Processes, forks: ForkServer, tmp_path: Path
) -> None:
    asked = started(processes, forks, tmp_path, "--help")
    assert asked.child.wait(30) == 0
    assert "player bags/drive --clock 100" in asked.tail()
    refused = started(processes, forks, tmp_path, "missing.mcap", "--rtf", "-1")
    assert refused.child.wait(30) == 2
    assert "real-time factor -1 is not greater than 0" in refused.tail()


def test_each_has_an_environment_of_its_own(
    processes: Processes, forks: ForkServer, tmp_path: Path
) -> None:
    bag = str(tmp_path / "missing.mcap")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert started(processes, forks, tmp_path / name, bag).child.wait(30) == 2
        assert '"kind": "refused"' in (tmp_path / name / "log.events").read_text()


def test_a_signal_ends_one_and_not_its_siblings(
    processes: Processes, forks: ForkServer, tmp_path: Path
) -> None:
    names = ("one", "two")
    for name in names:
        (tmp_path / name).mkdir()
    one, two = (
        processes.start(
            name,
            ["python3", "-m", "lockstep.nodes.recorder", str(tmp_path / name / "bag")],
            tmp_path / name / "log",
            forks=forks,
        )
        for name in names
    )
    os.kill(one.child.pid, signal.SIGKILL)
    assert one.child.wait(30) == -signal.SIGKILL
    assert one.how_it_ended() == "SIGKILL"
    with pytest.raises(subprocess.TimeoutExpired):
        two.child.wait(0.2)
    assert not two.ended


def test_without_the_server_nothing_starts_and_nothing_seems_to_run(
    processes: Processes, forks: ForkServer, tmp_path: Path
) -> None:
    command = ["python3", "-m", "lockstep.nodes.recorder", str(tmp_path / "bag")]
    left = processes.start("the recorder", command, tmp_path / "log", forks=forks)
    server = int(Path(f"/proc/{left.child.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    assert left.child.wait(30) == 255
    with pytest.raises(Crash, match="the process that starts players and recorders has ended"):
        started(processes, forks, tmp_path, "--help")
