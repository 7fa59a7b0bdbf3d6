"""Child processes that always end: with their run, with Ctrl-C, and with this process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .errors import RunError, UsageError

if TYPE_CHECKING:
    from typing_extensions import Self

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
GRACE_S = 5.0
TAIL_LINES = 15


@dataclass
class Process:
    """A running child; its stdout and stderr go to `log`."""

    name: str
    log: Path
    child: subprocess.Popen[bytes]

    @property
    def ended(self) -> bool:
        """Whether it is no longer running."""
        return self.child.poll() is not None

    def how_it_ended(self) -> str:
        """`exit code 1` or `SIGSEGV`."""
        code = self.child.returncode
        if code is None:
            return "running"
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text("utf-8", "replace").rstrip().splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def interrupt(self, grace_s: float = GRACE_S) -> bool:
        """Send SIGINT and wait; whether it ended in time."""
        self._signal(signal.SIGINT)
        try:
            self.child.wait(grace_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Make it end, with whatever it started: SIGINT, then SIGTERM, then SIGKILL."""
        if not self.ended and not self.interrupt():
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # SIGKILL follows
                self.child.wait(1)
        self._signal(signal.SIGKILL)
        self.child.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            return  # the whole group has ended


class Processes:
    """The children of one run; leaving the with-statement ends them all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        previous = signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # a second Ctrl-C must not leave orphans
        try:
            for process in reversed(self._running):
                process.end()
        finally:
            signal.signal(signal.SIGINT, previous)

    def start(self, name: str, command: Sequence[str], log: Path) -> Process:
        """Start a command in a process group of its own."""
        try:
            with log.open("wb") as output:
                child = subprocess.Popen(
                    list(command),
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,  # noqa: PLW1509 - it only calls prctl
                )
        except FileNotFoundError as error:
            raise UsageError(
                f"{name}: cannot find '{command[0]}'; build it or check the name"
            ) from error
        except OSError as error:
            raise UsageError(f"{name}: cannot start '{command[0]}': {error.strerror}") from error
        process = Process(name, log, child)
        self._running.append(process)
        return process


def wait_for(process: Process, watched: Sequence[Process], meanwhile: Callable[[], None]) -> None:
    """Wait until `process` ends, calling `meanwhile` now and then; raises RunError if one of `watched` ends first."""
    while not process.ended:
        meanwhile()
        for other in watched:
            if other.ended and not process.ended:
                raise RunError(
                    f"{other.name} ended during the run ({other.how_it_ended()}); "
                    f"its log {other.log} ends with:\n{other.tail()}"
                )
        time.sleep(0.02)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
