#!/usr/bin/env python3
"""What each container of compose.yaml does: service.py comparator|recorder|player|python|cpp.

There are two runs, first of `python`, then of `cpp`, each in a domain of its own: the player plays
the bag, the implementation answers, the recorder records. The comparator is there from the start:
it checks what was asked for, waits for both bags, and its exit code is the verdict. All but it stay
until they are stopped, since compose stops everything as soon as one container ends.

By files in the run's folder of the results they tell each other how far they are: contract.json
(what the implementation takes and publishes), played, recorded, ended. What failed stands in the
file `failure`, by its service.
"""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lockstep.bag import Bag, BagError
from lockstep.compare import CompareError, Tolerances
from lockstep.component import Contract
from lockstep.errors import Crash, Hang, Loss, RunError, UsageError
from lockstep.host.events import EVENTS, told_bytes, told_error
from lockstep.host.protocol import resolved
from lockstep.nodes.playing.pace import checked_rtf
from lockstep.nodes.process import Stop, exit_with
from lockstep.run.implementation import command_of, contract_of_command
from lockstep.run.live import (
    QUIET_AT_MOST_S,
    QUIET_S,
    checked_run,
    parameters_file,
    remaps_of_own_topics,
)
from lockstep.run.model import Implementation
from lockstep.run.participants import descendants, owners_of, sockets_of
from lockstep.run.result import RunResult
from lockstep.run.tally import VARIABLE, is_told, tallied, untaken

RUNS = ("python", "cpp")
SERVICES = ("comparator", "recorder", "player", *RUNS)
POLL_S = 0.1
GRACE_S = 8.0  # compose kills 10 s after it asked to stop
SAVING_S = 60.0  # a recorder may have much to write
START_TIMEOUT_S = 60.0
# Of what a node in a run tells; the player itself waits for a host for `timeout_s`.
SILENCE_S = 60.0
ALONE_S = 30.0
FAILURE, ALIVE, TALLY = "failure", "alive", "tally"


@dataclass(frozen=True)
class Settings:
    """The environment of a service, LOCKSTEP_… as docs/docker.md has it."""

    results: Path
    ready: Path
    bag: Path
    topics: tuple[str, ...]
    outputs: tuple[str, ...]
    implementation: str
    parameters: str
    start_s: float
    duration_s: float
    rtf: float
    window: int
    clock: str
    timeout_s: float
    align: tuple[str, ...]
    tolerance: tuple[str, ...]
    domain: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Raises UsageError for a value that cannot be."""

        def text(name: str, default: str = "") -> str:
            return environment.get(f"LOCKSTEP_{name}") or default

        def words(name: str) -> tuple[str, ...]:
            return tuple(text(name).split())

        try:
            window = int(text("WINDOW", "100"))
            rtf = checked_rtf(float(text("RTF", "inf" if window else "1")))
            timeout_s, domain = float(text("TIMEOUT", "10")), int(text("DOMAIN", "77"))
            start_s, duration_s = float(text("START", "0")), float(text("DURATION", "inf"))
        except ValueError as error:
            raise UsageError(
                "LOCKSTEP_WINDOW, _RTF, _TIMEOUT, _START, _DURATION and _DOMAIN are numbers: "
                f"{error}"
            ) from error
        if not (start_s >= 0 and duration_s > 0):
            raise UsageError("LOCKSTEP_START is 0 s or more, LOCKSTEP_DURATION more than 0 s")
        if math.isinf(rtf) and not window:
            raise UsageError("LOCKSTEP_RTF inf needs a LOCKSTEP_WINDOW; give a finite one without")
        if not 0 <= domain <= 100:
            raise UsageError(f"LOCKSTEP_DOMAIN {domain} is not between 0 and 100")
        return cls(
            results=Path(text("RESULTS", "/results")),
            ready=Path(text("READY", "/tmp/ready")),
            bag=Path(text("BAGS", "/bags"), text("BAG", "husky_gps_imu_odom")),
            topics=words("TOPICS"),
            outputs=words("OUTPUTS"),
            implementation=text("IMPLEMENTATION"),
            parameters=text("PARAMS_FILE"),
            start_s=start_s,
            duration_s=duration_s,
            rtf=rtf,
            window=window,
            clock=text("CLOCK", "auto"),
            timeout_s=timeout_s,
            align=words("ALIGN"),
            tolerance=words("TOLERANCE"),
            domain=domain,
        )

    def folder(self, run: str) -> Path:
        """Where a run writes."""
        return self.results / run

    def environment(self, run: str) -> dict[str, str]:
        """That of a node in a run."""
        return {**os.environ, "ROS_DOMAIN_ID": str(self.domain_of(run))}

    def domain_of(self, run: str) -> int:
        """Two hosts in one domain would both answer the player."""
        return self.domain + RUNS.index(run)


class Ending:
    """When a service is to end: compose stops it, or the comparator has failed or is gone."""

    def __init__(self, settings: Settings, stop: Stop) -> None:
        self._alive = settings.results / ALIVE
        self._failure = settings.results / FAILURE
        self._stop = stop
        self._seen_ns, self._since_s = 0, time.monotonic()

    @property
    def requested(self) -> bool:
        """Whether a stop was requested; raises RunError if there is nobody to go on for."""
        if self._stop.requested:
            return True
        if self._failure.exists():
            raise RunError(self._failure.read_text("utf-8"))
        # Compose goes on starting services while it stops others; those are not stopped any more.
        seen_ns = self._alive.stat().st_mtime_ns if self._alive.exists() else 0
        if seen_ns != self._seen_ns:
            self._seen_ns, self._since_s = seen_ns, time.monotonic()
        if not seen_ns or time.monotonic() - self._since_s > ALONE_S:
            raise RunError("the comparator is gone")
        return False


def compare(settings: Settings, stop: Stop) -> int:
    """Check what was asked for, wait for both runs, compare them; returns the exit code."""
    check(settings)
    clear(settings)
    settings.ready.touch()
    a, b = (completed(run, settings, stop) for run in RUNS)
    if settings.window:
        reference, other = (contract_in(settings.folder(run)) for run in RUNS)
        if differences := reference.differences(other):
            raise RunError(f"the contracts differ: {differences[0]}")
    command = [*node("comparator"), str(a.bag), str(b.bag), "-o", str(settings.results / "diffs")]
    command += ["--origin", str(a.first_input_ns), *repeated("--align", settings.align)]
    command += repeated("--tolerance", settings.tolerance)
    with started(command, dict(os.environ)) as child:
        while child.poll() is None:
            (settings.results / ALIVE).touch()
            if stop.requested:
                raise RunError("all was stopped before the bags were compared")
            time.sleep(POLL_S)
        return child.returncode


def completed(run: str, settings: Settings, stop: Stop) -> RunResult:
    """Wait for a run; raises Loss if not all of it was recorded."""
    folder = settings.folder(run)
    for milestone in ("recorded", "ended"):
        wait_until((folder / milestone).exists, settings, stop, run)
    return checked_run(run, folder, settings.window > 0)


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process that does not outlive the with-statement."""
    with subprocess.Popen(command, env=environment) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def check(settings: Settings) -> None:
    """Raises UsageError or BagError for what cannot be run."""
    if not os.access(settings.results, os.W_OK):
        owner = settings.results.stat().st_uid
        raise UsageError(
            f"{settings.results} belongs to user {owner}, not to user {os.getuid()} who runs this; "
            "give LOCKSTEP_USER=$(id -u):$(id -g), and a folder of yours as LOCKSTEP_RESULTS"
        )
    with Bag(settings.bag) as bag:
        if bag.problem:
            raise BagError(bag.problem)
        for topic in settings.topics:
            bag.topic(topic.partition(":=")[0])
    Tolerances.parse(list(settings.tolerance))
    if not settings.window and not settings.outputs:
        raise UsageError("without lockstep (LOCKSTEP_WINDOW=0), name topics by LOCKSTEP_OUTPUTS")


def clear(settings: Settings) -> None:
    """Remove what an earlier verification wrote, and make room."""
    for name in (*RUNS, "diffs"):
        shutil.rmtree(settings.results / name, ignore_errors=True)
    for name in (FAILURE, ALIVE):
        (settings.results / name).unlink(missing_ok=True)
    for run in RUNS:
        settings.folder(run).mkdir()
    (settings.results / ALIVE).touch()


def wait_until(condition: Callable[[], bool], settings: Settings, stop: Stop, run: str) -> None:
    """Wait for another service; raises RunError if a service has failed, is silent, or all are
    stopped."""
    events = settings.folder(run) / "player.events"
    heard, since_s = told_bytes(events), time.monotonic()
    while not condition():
        failure = settings.results / FAILURE
        if failure.exists():
            raise RunError(failure.read_text("utf-8"))
        (settings.results / ALIVE).touch()
        if stop.requested:
            raise RunError(f"all was stopped before the run of {run} was complete")
        if (now := told_bytes(events)) != heard:
            heard, since_s = now, time.monotonic()
        if time.monotonic() - since_s > settings.timeout_s + SILENCE_S:
            raise Hang(f"the run of {run} stands still: the player tells nothing any more")
        time.sleep(POLL_S)


def record(settings: Settings, stop: Ending) -> int:
    """Record the outputs of one run after the other."""
    for run in RUNS:
        if sockets_of(settings.domain_of(run)):
            raise UsageError(
                f"others use ROS_DOMAIN_ID {settings.domain_of(run)} on this network; "
                "choose two that are free by LOCKSTEP_DOMAIN (it and the next)"
            )
    settings.ready.touch()
    for run in RUNS:
        record_run(settings, stop, run)
        if stop.requested:
            break
    return stay(stop)


def record_run(settings: Settings, stop: Ending, run: str) -> None:
    folder = settings.folder(run)
    outputs: Sequence[str] = settings.outputs
    if settings.window:
        if not await_file(folder / "contract.json", stop):
            return
        ports = contract_in(folder).outputs
        outputs = outputs or [f"{resolved(port.topic)}:{port.type}" for port in ports]
    in_time = ["--quiet", str(QUIET_S), "--quiet-at-most", str(QUIET_AT_MOST_S)]
    in_time += ["--max-cache-size", "0", "--ros-args", "-p", "use_sim_time:=true"]
    command = [*node("recorder"), str(folder / "bag"), "--report", str(folder / "recorder.json")]
    command += [*repeated("--topic", outputs), *(["--lockstep"] if settings.window else in_time)]
    played = folder / "played"
    with started(command, settings.environment(run)) as child:
        while not played.exists() and child.poll() is None and not stop.requested:
            time.sleep(POLL_S)
        code = end(child, SAVING_S)
    if code or not played.exists():
        if not stop.requested:
            raise Crash(f"the recorder failed in the run of {run} ({ending(code)})")
        return
    (folder / "recorded").touch()


def play(settings: Settings, stop: Ending) -> int:
    """Play the bag into one run after the other."""
    settings.ready.touch()
    for run in RUNS:
        folder = settings.folder(run)
        if run != RUNS[0] and not await_file(settings.folder(RUNS[0]) / "recorded", stop):
            break
        command = [*node("player"), str(settings.bag), *repeated("--topic", settings.topics)]
        command += ["--rtf", str(settings.rtf), "--window", str(settings.window)]
        command += ["--clock", settings.clock, "--timeout", str(settings.timeout_s)]
        command += ["--start-timeout", str(START_TIMEOUT_S), "--with-recorder"]
        command += ["--start-offset", str(settings.start_s)]
        command += ["--duration", str(settings.duration_s)]
        command += ["--report", str(folder / "player.json")]
        events = folder / "player.events"
        environment = {**settings.environment(run), EVENTS: str(events)}
        with started(command, environment) as child:
            while child.poll() is None and not stop.requested:
                time.sleep(POLL_S)
            code = end(child)
        if stop.requested:
            break
        if code:
            raise RunError(f"{told_error(events) or ending(code)} (run of {run})")
        (folder / "played").touch()
    return stay(stop)


def implement(settings: Settings, stop: Ending, run: str) -> int:
    """Run the implementation until its run is over."""
    folder = settings.folder(run)
    implementation = parsed(settings.implementation)
    command, ros = command_of(run, implementation), ["--ros-args"]
    if settings.window:
        contract = contract_of_command(run, command)
        ports = (*contract.inputs, *contract.outputs)
        ros += remaps_of_own_topics(port.topic for port in ports)
        command = [*command, "--lockstep"]
    ros += ["--params-file", str(parameters_file(folder, {}))]
    if settings.parameters:
        ros += ["--params-file", settings.parameters]
    recorded, is_ready = folder / "recorded", False
    environment = settings.environment(run)
    if not settings.window:
        environment |= tallied(folder / TALLY, environment)
    with started([*command, *ros], environment) as child:
        if settings.window:
            write(folder / "contract.json", contract.to_json())
        while not recorded.exists() and child.poll() is None and not stop.requested:
            if not is_ready and in_graph(settings.domain_of(run)):
                is_ready = True
                settings.ready.touch()
            time.sleep(POLL_S)
        ended_early = child.poll() is not None
        if not settings.window and recorded.exists():  # at its end it gives its subscriptions up
            check_taken(folder)
        code = end(child)
    shutil.rmtree(folder / TALLY, ignore_errors=True)
    if not stop.requested:
        if ended_early or (code and settings.window):
            raise Crash(
                f"the node ended {'during' if ended_early else 'badly after'} its run "
                f"({ending(code)})"
            )
        (folder / "ended").touch()
    return stay(stop)


def check_taken(folder: Path) -> None:
    """Raises Loss unless a node that is no component has taken all that it was sent."""
    if not is_told(folder / TALLY):
        raise RunError(
            "no process of the node tells what it took of its inputs; start it with the "
            f"environment that it is given (LD_PRELOAD, {VARIABLE})"
        )
    sent = json.loads((folder / "player.json").read_text("utf-8"))["sent"]
    if lost := untaken(folder.name, folder / TALLY, sent):
        raise Loss(lost)


def parsed(text: str) -> Implementation:
    """MODULE:CLASS, PACKAGE/EXECUTABLE, or else the command line of any node."""
    if re.fullmatch(r"[\w.]+:\w+", text):
        return Implementation(component=text)
    if re.fullmatch(r"[\w-]+/[\w.-]+", text):
        return Implementation(executable=text)
    words = shlex.split(text)
    if not words:
        raise UsageError("LOCKSTEP_IMPLEMENTATION is empty; name the node to run")
    if not shutil.which(words[0]):
        raise UsageError(f"there is no program {words[0]} in this image")
    return Implementation(command=words)


def in_graph(domain: int) -> bool:
    """Whether a process of this container takes part in a domain."""
    return bool(owners_of(sockets_of(domain).keys(), descendants(os.getpid())))


def contract_in(folder: Path) -> Contract:
    """The contract that the implementation of a run has told."""
    return Contract.from_json((folder / "contract.json").read_text("utf-8"))


def await_file(file: Path, stop: Ending) -> bool:
    """Wait for a file of another service; False if a stop was requested before."""
    while not file.exists():
        if stop.requested:
            return False
        time.sleep(POLL_S)
    return True


def write(file: Path, text: str) -> None:
    """Write a file that others see whole or not at all."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(file)


def end(child: subprocess.Popen[bytes], grace_s: float = GRACE_S) -> int:
    """End a node the ordinary way, if it has not ended; returns its exit code."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    try:
        return child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def ending(code: int) -> str:
    """`exit code 3` or `SIGSEGV`."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def stay(stop: Ending) -> int:
    """Wait until compose ends this container, which it does when the comparator has ended."""
    while not stop.requested:
        time.sleep(POLL_S)
    return 0


def node(name: str) -> list[str]:
    """The command line of a node of the suite."""
    return [sys.executable, "-m", f"lockstep.nodes.{name}"]


def repeated(option: str, values: Sequence[str]) -> list[str]:
    """The option once for each value."""
    return [word for value in values for word in (option, value)]


def serve(service: str) -> int:
    """Do a service's part; returns its exit code."""
    if service not in SERVICES:
        raise UsageError(f"there is no service '{service}'; there are {', '.join(SERVICES)}")
    settings, stop = Settings.of(os.environ), Stop()
    try:
        if service == "comparator":
            return compare(settings, stop)
        ending_of_all = Ending(settings, stop)
        if not ending_of_all.requested:
            if service == "recorder":
                return record(settings, ending_of_all)
            if service == "player":
                return play(settings, ending_of_all)
            return implement(settings, ending_of_all, service)
        return 0
    except Exception as error:
        failure = settings.results / FAILURE
        with suppress(OSError):  # where results cannot be written, the log alone says so
            if not failure.exists():
                write(failure, f"{service}: {error}")
        raise


if __name__ == "__main__":
    exit_with(lambda: serve(sys.argv[1] if sys.argv[1:] else ""), BagError, CompareError)
