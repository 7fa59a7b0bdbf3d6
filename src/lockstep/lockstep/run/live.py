"""Live runs: player → node → recorder, each its own process, on an isolated domain of the real ROS
graph."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ..errors import Crash, Hang, LockstepError, Loss, RunError
from ..host.events import told_bytes, told_error, told_progress
from ..host.protocol import resolved
from ..progress import Progress
from .forks import ForkServer
from .graph import own_graph
from .implementation import command_of
from .model import Run
from .prepared import PreparedHost
from .processes import Process, wait_for
from .request import RunRequest
from .resources import Resources
from .result import RunResult, check_counts
from .tally import is_told, tallied, untaken

START_PATIENCE_S = 30.0
# Times the timeout of the run, which the player itself has with a host; it may also read a lot.
_PLAYER_PATIENCE = 6
_RECORDER_PATIENCE_S = 60
_TALLY = "tally"
# A reliable reader that missed a message gets it after Fast DDS's heartbeat period of 3 s.
QUIET_S, QUIET_AT_MOST_S = 3.5, 30.0
"""The silence after which a black box has answered all, at least and at most."""


class LiveRun:
    """A run of an implementation, whose outputs are recorded into `folder`/bag."""

    def __init__(
        self,
        request: RunRequest,
        forks: ForkServer,
        variables: Mapping[str, str] | None = None,
        prepared: PreparedHost | None = None,
    ) -> None:
        """Starts the processes; when all have met, the player waits until it is let go.

        `variables` are more of the environment of the implementation, unless its host is `prepared`
        already.
        """
        self._request = request
        self._prepared = prepared
        self._variables = variables
        self._forks = forks
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()

    def _start(self, stack: ExitStack) -> None:
        request = self._request
        name, folder = request.name, request.folder
        self._publishing: list[Process] = []
        tally = folder / _TALLY
        stack.callback(shutil.rmtree, tally, ignore_errors=True)
        graph = stack.enter_context(
            own_graph(
                folder,
                self._silence,
                in_lockstep=not request.implementation.is_node,
                guarded=not request.options.allow_foreign_nodes,
            )
        )
        self._guard, processes = graph.guard, graph.processes
        self._recorder = processes.start(
            f"the recorder of {name}",
            _recorder_command(request),
            folder / "recorder.log",
            forks=self._forks,
        )
        if self._prepared is not None:
            stack.callback(self._prepared.end)
            self._node = self._prepared.run(_node_arguments(request), graph.environment)
        else:
            command = [*command_of(name, request.implementation), *_node_arguments(request)]
            variables = dict(self._variables or {})
            if request.implementation.is_node:
                variables |= tallied(tally, graph.environment)
            self._node = processes.start(name, command, folder / "node.log", variables=variables)
        self._publishing.append(self._node)
        self._player = processes.start(
            f"the player for {name}",
            [*_player_command(request), "--measure", str(self._node.child.pid)],
            folder / "player.log",
            stdin=subprocess.PIPE,
            forks=self._forks,
        )
        self._publishing.append(self._player)

    def _silence(self) -> None:
        for process in self._publishing:
            process.kill()

    def let_go(self) -> None:
        """Let the player play as soon as all have met."""
        assert self._player.child.stdin is not None
        self._player.child.stdin.close()

    def play(self, progress: Progress | None = None) -> None:
        """Play all; raises RunError, with the tail of the log concerned, if a process crashes or
        hangs."""
        self.let_go()
        patience_s = _PLAYER_PATIENCE * self._request.options.timeout
        with self._alone():
            _play(self._player, self._node, self._recorder, patience_s, progress)

    def finish(self) -> RunResult:
        """End recorder and node after all was played; raises RunError if something was lost."""
        request = self._request
        in_lockstep = not request.implementation.is_node
        with self._stack, self._alone():
            _stop(self._recorder, self._node, in_lockstep, _quiet_s(request.options)[1])
            result = checked_run(request.name, request.folder, in_lockstep, request.silent)
            return result if in_lockstep else counted(result, request.folder / _TALLY)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Whoever joins the domain is the cause of whatever fails, and fails the run in any
        case."""
        try:
            yield
        except RunError:
            self._guard.check()
            raise
        self._guard.check()

    def end(self) -> None:
        """End all processes, if they have not."""
        self._stack.close()


def checked_run(
    name: str, folder: Path, in_lockstep: bool, silent: Collection[str] = ()
) -> RunResult:
    """Read the reports in `folder` after a run; raises Loss if a message is not accounted for."""
    played: dict[str, Any] = json.loads((folder / "player.json").read_text("utf-8"))
    report: dict[str, Any] = json.loads((folder / "recorder.json").read_text("utf-8"))
    recorded: dict[str, int] = report["recorded"]
    if report["missing"]:
        topic, count = next(iter(report["missing"].items()))
        raise Loss(f"{name}: {count} messages of {topic} were lost on the way to the recorder")
    if not played["finished"]:
        raise Loss(f"{name}: the player was stopped before the end of the bag")
    if in_lockstep and played["acknowledged"] != played["steps"]:
        raise Loss(f"{name}: {played['acknowledged']} of {played['steps']} steps were acknowledged")
    for topic, count in played.get("published", {}).items():
        if recorded.get(topic, 0) != count:
            raise Loss(
                f"{name}: published {count} messages on {topic}, but {recorded.get(topic, 0)} were "
                "recorded"
            )
    for topic, count in {**played["sent"], **played["ticks"]}.items():
        if recorded.get(topic, count) < count:  # of what the player plays, too, if it is recorded
            raise Loss(
                f"{name}: the player sent {count} messages on {topic}, but {recorded[topic]} were "
                "recorded"
            )
    if in_lockstep and played["callbacks"] != sum(played["sent"].values()):
        raise Loss(
            f"{name} took {played['callbacks']} of {sum(played['sent'].values())} messages as its "
            "inputs"
        )
    check_counts(name, played["sent"], recorded, silent)
    times, taken = played.get("callback_ns", {}), played["resources"]
    return RunResult(
        name=name,
        bag=folder / "bag",
        sent=played["sent"],
        recorded=recorded,
        first_input_ns=played["first_ns"],
        wall_s=played.get("wall_s"),
        median_ns=times.get("median"),
        p99_ns=times.get("p99"),
        resources=None if taken is None else Resources(**taken),
        black_box=not in_lockstep,
    )


def counted(result: RunResult, tally: Path) -> RunResult:
    """A run of a black box with what is known of the inputs that it did not take, by the tallies in
    a folder; to be called while it runs, since at its end it gives its subscriptions up."""
    if is_told(tally):
        return replace(result, untaken=untaken(result.name, tally, result.sent))
    remark = (
        f"{result.name}: nobody knows what it took of its inputs, as none of its processes was "
        "started with LD_PRELOAD as given"
    )
    return replace(result, remarks=(*result.remarks, remark))


def _play(
    player: Process,
    node: Process,
    recorder: Process,
    patience_s: float,
    progress: Progress | None,
) -> None:
    heard = -1, time.monotonic()

    def show() -> None:
        nonlocal heard
        size, now_s = told_bytes(player.events), time.monotonic()
        if size == heard[0]:
            if now_s - heard[1] > patience_s:
                raise Hang(
                    f"{player.name} hangs: it told nothing for {patience_s:g} s; "
                    f"{player.last_words()}"
                )
            return
        heard = size, now_s
        told = told_progress(player.events)
        if progress and told is not None:
            progress(*told)

    wait_for(player, [node, recorder], show)
    if player.child.returncode != 0:
        told = told_error(player.events)
        if player.disk_is_full or told is None:  # or it was killed
            raise Crash(f"{player.name} failed ({player.how_it_ended()}); {player.last_words()}")
        ending = f"; {node.last_words()}" if node.tail() else ""
        raise _of_a_run(told)(f"{node.name}: {told}{ending}")


def _of_a_run(told: LockstepError) -> type[RunError]:
    """What an error of the player is for a run that has begun."""
    return type(told) if isinstance(told, RunError) else RunError


def _quiet_s(options: Run) -> tuple[float, float]:
    """The silence after which a black box has answered all, at least and at most."""
    return (QUIET_S, QUIET_AT_MOST_S) if options.quiet is None else (options.quiet, options.quiet)


def _stop(recorder: Process, node: Process, in_lockstep: bool, quiet_s: float) -> None:
    """End recorder and node the ordinary way, the recorder first, so that it sees all; it waits for
    so long a silence at most.

    Both at once in lockstep, where the player has waited until the recorder had all.
    """
    ended = node.ended
    if in_lockstep and not ended:
        node.ask_to_end()
    if (
        not recorder.interrupt(grace_s=quiet_s + _RECORDER_PATIENCE_S)
        or recorder.child.returncode != 0
    ):
        raise RunError(
            f"{recorder.name} failed ({recorder.how_it_ended()}); {recorder.last_words()}"
        )
    if not in_lockstep:
        ended = node.ended
    elif not node.ends_within():
        raise RunError(f"{node.name} did not end within 5 s of SIGINT")
    if node.ended and node.child.returncode != 0:
        when = "ended during the run" if ended else "ended badly on SIGINT"
        raise RunError(f"{node.name} {when} ({node.how_it_ended()}); {node.last_words()}")


def parameters_file(folder: Path, parameters: Mapping[str, Any]) -> Path:
    """Write the parameters of a node of a live run, whatever its name, into `folder`; returns the
    file."""
    path = folder / "parameters.yaml"
    content = {"/**": {"ros__parameters": dict(parameters)}}
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return path


def remaps_of_own_topics(topics: Iterable[str]) -> list[str]:
    """ROS arguments that give a node's own topics (~/…) the names that they have in a run."""
    own = sorted({topic for topic in topics if topic.startswith("~/")})
    return [word for topic in own for word in ("-r", f"{topic}:={resolved(topic)}")]


def _node_arguments(request: RunRequest) -> list[str]:
    implementation, contract = request.implementation, request.contract
    parameters = parameters_file(request.folder, {**request.parameters, "use_sim_time": True})
    topics = {port.name: port.topic for port in (*contract.inputs, *contract.outputs)}
    ros = ["--ros-args", "--params-file", str(parameters), *remaps_of_own_topics(topics.values())]
    if not implementation.is_node:
        return ["--lockstep", *ros]
    for port, topic in implementation.remap.items():
        ros += ["-r", f"{topic}:={resolved(topics[port])}"]
    return ros


def _player_command(request: RunRequest) -> list[str]:
    inputs, options = request.inputs, request.options
    window = 0 if request.implementation.is_node else options.window
    command = [sys.executable, "-m", "lockstep.nodes.player", str(inputs.bag.path)]
    for name, target in inputs.topics.items():
        command += ["--topic", f"{name}:={target}"]
    if window:  # a black box does not tell what it waits for
        played = {resolved(target) for target in inputs.topics.values()}
        for port in request.contract.inputs:
            if (topic := resolved(port.topic)) not in played:
                command += ["--silent", f"{topic}:{port.type}"]
    command += ["--rtf", str(options.rtf), "--window", str(window)]
    command += ["--clock", inputs.clock, "--timeout", str(options.timeout)]
    command += ["--start-timeout", str(START_PATIENCE_S)]
    command += ["--start-offset", str(inputs.start_s), "--duration", str(inputs.duration_s)]
    return [*command, "--hold", "--with-recorder", "--report", str(request.folder / "player.json")]


def _recorder_command(request: RunRequest) -> list[str]:
    folder = request.folder
    command = [sys.executable, "-m", "lockstep.nodes.recorder", str(folder / "bag")]
    command += ["--report", str(folder / "recorder.json")]
    for port in request.contract.outputs:
        command += ["--topic", f"{resolved(port.topic)}:{port.type}"]
    if request.implementation.is_node:
        least_s, most_s = _quiet_s(request.options)
        command += ["--quiet", str(least_s), "--quiet-at-most", str(most_s)]
        command += ["--max-cache-size", "0"]  # it waits for the disk and loses nothing to it
        return [*command, "--ros-args", "-p", "use_sim_time:=true"]
    return [*command, "--lockstep", *(["--cause"] if request.with_cause else [])]
