"""The command as a stranger uses it: real files, real processes, and a look
at what is left of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ACCELERATION = ROOT / "bags" / "husky_acceleration"
MARK = "LOCKSTEP_TEST"

# Whoever runs the tests in the background may have signals ignored, which their children would
# inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one sentence on stderr; fails if there is more, or a traceback, or none."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, f"not one line:\n{self.err}"
        return lines[0]


class Command:
    """A running command, in a process group of its own, as a shell starts it."""

    def __init__(self, words: list[str], environment: dict[str, str], cwd: Path) -> None:
        self.child = subprocess.Popen(
            words,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def signal(self, number: int) -> None:
        """To the command alone, as `kill PID` does."""
        self.child.send_signal(number)

    def signal_group(self, number: int) -> None:
        """To the command and its group, as a terminal does on Ctrl-C."""
        os.killpg(self.child.pid, number)

    def wait_until(
        self, condition: Callable[[], Any], what: str = "", timeout_s: float = 30
    ) -> Any:
        """Wait for something to be seen while the command runs; gives what the condition gave."""
        deadline = time.monotonic() + timeout_s
        while not (seen := condition()):
            if self.child.poll() is not None:
                out, err = self.child.communicate()
                pytest.fail(
                    f"ended ({self.child.returncode}) before {what or condition}:\n{out}{err}"
                )
            assert time.monotonic() < deadline, f"{what or condition} did not come about"
            time.sleep(0.005)
        return seen

    def end(self, timeout_s: float = 30) -> Done:
        """Wait for its end."""
        try:
            out, err = self.child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.child.kill()
            out, err = self.child.communicate()
            pytest.fail(f"did not end within {timeout_s:g} s:\n{out}{err}")
        return Done(self.child.returncode, out, err)


@dataclass(frozen=True)
class Left:
    """A process that a command of this test started, however indirectly."""

    pid: int
    command: str


class Stranger:
    """Someone at a shell: starts `lockstep`, and everything so started can be found again."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self._mark = uuid.uuid4().hex
        self._commands: list[Command] = []

    def start(
        self,
        *words: str | Path,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        program: tuple[str, ...] = ("lockstep",),
    ) -> Command:
        """Start `lockstep WORDS…` (or another program) and go on."""
        environment = {k: v for k, v in os.environ.items() if k != "ROS_DOMAIN_ID"}
        environment |= {MARK: self._mark, "COLUMNS": "200", **(env or {})}
        command = Command([*program, *map(str, words)], environment, cwd or self.cwd)
        self._commands.append(command)
        return command

    def run(self, *words: str | Path, timeout_s: float = 60, **options: Any) -> Done:
        """Run `lockstep WORDS…` to its end."""
        return self.start(*words, **options).end(timeout_s)

    def processes(self, part: str = "") -> list[Left]:
        """What runs of all that was started, with `part` in its command line or its name."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                command += (folder / "comm").read_text("utf-8").strip()
            except OSError:
                continue  # it has just ended, or is another user's
            if f"{MARK}={self._mark}".encode() in environment and part in command:
                found.append(Left(int(folder.name), command))
        return found

    def assert_nothing_left(self, within_s: float = 0) -> None:
        """No process of ours runs any more."""
        deadline = time.monotonic() + within_s
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not left, f"still running: {left}"

    def end_all(self) -> None:
        """Whatever a failed test left behind must not disturb the next."""
        for command in self._commands:
            if command.child.poll() is None:
                command.child.kill()
        for process in self.processes():
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for command in self._commands:
            command.child.communicate()


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Stranger]:
    """Someone at a shell in an empty folder; leaves no process behind, whatever the test did."""
    someone = Stranger(tmp_path)
    yield someone
    someone.end_all()


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
