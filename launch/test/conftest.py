"""Runs `ros2 launch` as a user does, in a process group of its own, and looks at what is left of
it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

MARK = "LOCKSTEP_LAUNCH_TEST"


class Launch:
    """A running `ros2 launch` of a file of lockstep_launch or, by its whole path, of any other; its
    log is stdout and stderr together."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
        self._path = log
        self._mark = f"{MARK}={uuid.uuid4()}"
        name, _, value = self._mark.partition("=")
        package = [] if arguments[0].startswith("/") else ["lockstep_launch"]
        with log.open("wb") as output:
            self.child = subprocess.Popen(
                ["ros2", "launch", *package, *arguments],
                env={**environment, name: value},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._path.read_text("utf-8", "replace")

    @property
    def error(self) -> str:
        """The sentence that launch itself ended with."""
        mark = "Caught exception in launch (see debug for traceback): "
        found = [line.split(mark, 1)[1] for line in self.log.splitlines() if mark in line]
        assert len(found) == 1, self.log
        return found[0]

    def end(self, within_s: float = 120) -> int:
        """Wait for the end; gives the exit code."""
        return self.child.wait(within_s)

    def wait_until(self, condition: Callable[[], Any], within_s: float = 60) -> Any:
        deadline = time.monotonic() + within_s
        while not (seen := condition()):
            assert self.child.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return seen

    def processes(self) -> dict[str, dict[str, str]]:
        """Command line → environment of all that runs for this launch, but `ros2 launch` itself and
        its forks that are not yet another program."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                variables = (folder / "environ").read_bytes().decode().split("\0")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if " launch " in command and "/ros2 " in command:
                    continue
            except (OSError, UnicodeDecodeError):
                continue  # ended, or not ours
            if self._mark in variables and int(folder.name) != self.child.pid:
                found[command] = dict(v.partition("=")[::2] for v in variables if v)
        return found

    def all_gone(self) -> bool:
        """Whether every process has ended, within ten seconds."""
        deadline = time.monotonic() + 10
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.processes()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of `ros2 launch`; tests may add to it."""
    return {**os.environ, "ROS_LOG_DIR": str(tmp_path / "ros_log")}


@pytest.fixture
def launch(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Launch]]:
    """Start a launch file; afterwards nothing of it may be running."""
    launches: list[Launch] = []

    def start(*arguments: str) -> Launch:
        started = Launch(arguments, environment, tmp_path / f"launch{len(launches)}.log")
        launches.append(started)
        return started

    yield start
    for started in launches:
        if started.child.poll() is None:
            os.killpg(started.child.pid, signal.SIGKILL)
            started.child.wait()
        assert started.all_gone(), started.processes()


@pytest.fixture
def faulty(tmp_path: Path, environment: dict[str, str]) -> Callable[[str], str]:
    """Make a package with a VectorNormalizer whose `on_vector` is the given code; gives
    PACKAGE/EXECUTABLE."""

    def make(code: str) -> str:
        prefix = tmp_path / "prefix"
        index = prefix / "share/ament_index/resource_index/packages"
        program = prefix / "lib/faulty/vector_normalizer"
        index.mkdir(parents=True)
        program.parent.mkdir(parents=True)
        (index / "faulty").touch()
        program.write_text(
            f"#!{sys.executable}\n"
            "import os, time\n"
            "import lockstep_examples\n"
            "from lockstep.nodes.host import host\n"
            "class VectorNormalizer(lockstep_examples.VectorNormalizer):\n"
            "    count = 0\n"
            "    def on_vector(self, msg):\n"
            "        self.count += 1\n"
            f"        {code}\n"
            "        super().on_vector(msg)\n"
            "host(VectorNormalizer)\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        environment["AMENT_PREFIX_PATH"] = f"{prefix}:{environment['AMENT_PREFIX_PATH']}"
        return "faulty/vector_normalizer"

    return make
