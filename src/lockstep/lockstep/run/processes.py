"""Child processes that always end, with all that they started: with their run, with Ctrl-C, and
with this process."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Crash, Hang, LockstepError, UsageError
from ..host.events import EVENTS, told_error
from ..temporary_folder import TemporaryFolder
from .forks import Child, ForkServer
from .strays import STARTED, end, marked, outside

if TYPE_CHECKING:
    from typing_extensions import Self

_LOG = logging.getLogger(__name__)
GRACE_S = 5.0
TAIL_LINES = 15
FULL_BYTES = 1 << 16
_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Outlives this process if it is killed, which the end of its stdin tells; then it ends the groups
# it was told of, and what has left them. PR_SET_PDEATHSIG would reach neither the children of a
# child nor a child that hangs in its handling of SIGTERM.
_GUARDIAN = f"""
groups=
while read -r group; do groups="$groups -$group"; done
strays() {{ grep -lsF "{STARTED}=$0." /proc/[0-9]*/environ | tr -dc '0-9\\n'; }}
kill -s INT -- $groups $(strays)
over=$(($(date +%s) + {round(GRACE_S)}))  # on a loaded machine a round takes long
while [ "$(date +%s)" -lt $over ]; do
  for one in $groups $(strays); do kill -s 0 -- "$one" && sleep 0.1 && continue 2; done
  break
done
kill -s KILL -- $groups $(strays)
"""


@dataclass
class Process:
    """A running child; its stdout and stderr go to `log`."""

    name: str
    log: Path
    child: Child
    mark: str
    """What it, and whatever it starts, has in its environment (strays.STARTED)."""
    keeps_log: bool = True
    """Whether the log is still there for whoever reads of it."""

    @property
    def events(self) -> Path:
        """What it tells beside its log (host/events.py)."""
        return self.log.with_suffix(".events")

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

    @property
    def disk_is_full(self) -> bool:
        """Whether there is no room left for its log, and for whatever else it writes there."""
        return shutil.disk_usage(self.log.parent).free < FULL_BYTES

    def last_words(self) -> str:
        """`its log FILE ends with: …`, or why it could not write one."""
        if self.disk_is_full:
            return f"the disk of {self.log.parent} is full"
        tail = self.tail()
        if not self.keeps_log:
            return f"it printed last:\n{tail}" if tail else "it printed nothing"
        return f"its log {self.log} ends with:\n{tail}" if tail else f"its log {self.log} is empty"

    def interrupt(self, grace_s: float = GRACE_S) -> bool:
        """Send SIGINT and wait; whether it ended in time."""
        self.ask_to_end()
        return self.ends_within(grace_s)

    def ask_to_end(self) -> None:
        """Send SIGINT."""
        self._signal(signal.SIGINT)

    def ends_within(self, grace_s: float = GRACE_S) -> bool:
        """Wait; whether it ended in time."""
        try:
            self.child.wait(grace_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once, with whatever it started, from any thread; it is still to be waited
        for."""
        if self.child.returncode is None:
            self._signal(signal.SIGKILL)
        for pause_s in (0.0, 0.05):  # whoever becomes another program has no environment meanwhile
            time.sleep(pause_s)
            for pid in self._strays():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        """Make it end, with whatever it started: SIGINT, then SIGTERM, then SIGKILL."""
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                pipe.close()
        if not self.ended and not self.interrupt():
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # SIGKILL follows
                self.child.wait(1)
        self._signal(signal.SIGKILL)
        self.child.wait()
        for stray in end(self._strays):
            _LOG.warning("%s left %s", self.name, stray)

    def _strays(self) -> set[int]:
        """Those of what it started that have left its group, which no signal to it reaches."""
        return outside(self.child.pid, marked(self.mark))

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            return  # the whole group has ended


class Processes:
    """The children of one run; leaving the with-statement ends them all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._mark = uuid.uuid4().hex
        self._numbers = count()
        self._running: list[Process] = []

    def __enter__(self) -> Self:
        # Of a run that this one is a part of, it must not be ended with the others.
        unmarked = {name: value for name, value in os.environ.items() if name != STARTED}
        with _undisturbed():
            self._guardian = subprocess.Popen(
                ["/bin/sh", "-c", _GUARDIAN, self._mark],
                env=unmarked,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def __exit__(self, *error: object) -> None:
        with _undisturbed():
            for process in reversed(self._running):
                process.end()
            self._guardian.kill()
            self._guardian.communicate()

    def start(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        stdin: int = subprocess.DEVNULL,
        pipes: bool = False,
        variables: Mapping[str, str] | None = None,
        forks: ForkServer | None = None,
        keeps_log: bool = True,
    ) -> Process:
        """Start a command in a process group of its own, with some more environment variables.

        It is forked by a server if there is one. A log that is not kept is named nowhere.

        With `pipes`, stdin and stdout are those, and the log has stderr.
        """
        with log.open("wb") as output, _undisturbed():
            streams: dict[str, Any] = (
                {
                    "stdin": subprocess.PIPE,
                    "stdout": subprocess.PIPE,
                    "stderr": output,
                    "bufsize": 0,
                }
                if pipes
                else {"stdin": stdin, "stdout": output, "stderr": subprocess.STDOUT}
            )
            events = log.with_suffix(".events").absolute()
            events.unlink(missing_ok=True)  # of one before that had the same log
            mark = f"{self._mark}.{next(self._numbers)}"
            given = {EVENTS: str(events), STARTED: mark}
            environment = {**self._environment, **(variables or {}), **given}
            child: Child = (
                _start(name, command, env=environment, **streams)
                if forks is None
                else forks.start(command, stdin, output, environment)
            )
            process = Process(name, log, child, mark, keeps_log)
            self._running.append(process)
            assert self._guardian.stdin is not None
            os.write(self._guardian.stdin.fileno(), b"%d\n" % child.pid)
        return process

    def end(self, process: Process) -> None:
        """End one of them before the others."""
        with _undisturbed():
            process.end()
            self._running.remove(process)


@contextlib.contextmanager
def fork_server(processes: Processes) -> Iterator[ForkServer]:
    """One among some processes, for those that others start."""
    with TemporaryFolder("lockstep-forks-") as folder:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:  # it ends when this is closed
            with theirs:
                process = processes.start(
                    "the process that starts players and recorders",
                    ForkServer.COMMAND,
                    folder.path / "log",
                    stdin=theirs.fileno(),
                    variables=ForkServer.VARIABLES,
                    keeps_log=False,
                )
            yield ForkServer(ours, process.last_words)


@dataclass(frozen=True)
class Answer:
    """What a command printed until its end; `error` is what it told of it, if it is a process of
    ours."""

    code: int
    stdout: str
    stderr: str
    error: LockstepError | None


def ask(commands: Mapping[str, Sequence[str]], timeout_s: float) -> dict[str, Answer]:
    """Run commands, by name, at once to their ends; raises Hang after so long, and leaves nothing
    running."""
    deadline = time.monotonic() + timeout_s
    with (
        TemporaryFolder("lockstep-ask-") as folder,
        Processes(os.environ) as processes,
    ):
        children = [
            processes.start(name, command, folder.path / f"{number}.log", pipes=True)
            for number, (name, command) in enumerate(commands.items())
        ]
        return {child.name: _answer(child, timeout_s, deadline) for child in children}


def _answer(process: Process, timeout_s: float, deadline: float) -> Answer:
    child = process.child
    assert isinstance(child, subprocess.Popen)
    try:
        out, _ = child.communicate(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise Hang(f"{process.name} did not end within {timeout_s:g} s") from error
    return Answer(
        child.returncode,
        out.decode("utf-8", "replace"),
        process.log.read_text("utf-8", "replace"),
        told_error(process.events),
    )


def wait_for(process: Process, watched: Sequence[Process], meanwhile: Callable[[], None]) -> None:
    """Wait until `process` ends, calling `meanwhile` now and then; raises RunError if one of
    `watched` ends first."""
    while not process.ended:
        meanwhile()
        for other in watched:
            if other.ended and not process.ended:
                raise Crash(
                    f"{other.name} ended during the run ({other.how_it_ended()}); "
                    f"{other.last_words()}"
                )
        time.sleep(0.02)


def _start(name: str, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    try:
        return subprocess.Popen(
            list(command), start_new_session=True, **{"stdin": subprocess.DEVNULL, **options}
        )
    except FileNotFoundError as error:
        raise UsageError(f"{name}: cannot find '{command[0]}'; {_instead(command[0])}") from error
    except OSError as error:
        raise UsageError(f"{name}: cannot start '{command[0]}': {error.strerror}") from error


def _instead(program: str) -> str:
    """What helps where a program is not found."""
    if program == "ros2":
        return (
            "this environment has no ros2 command line: give 'executable: PACKAGE/EXECUTABLE' "
            "for a component, or the path of the node's executable as the command"
        )
    if os.sep in program:
        return "there is no such file: build it, or correct the path"
    return "no folder of PATH has it: install it, source its workspace, or give its path"


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Holds interruptions back until the end of the with-statement, so that no child is
    forgotten."""
    came: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in _INTERRUPTIONS
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])
