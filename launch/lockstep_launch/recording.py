"""A recorded run: player → implementation → recorder, as `lockstep verify` runs them, told by
launch events."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from launch import Action
from launch.actions import LogInfo
from launch.events.process import ProcessExited
from lockstep.bag import Bag, BagError
from lockstep.component import Contract
from lockstep.errors import RunError, UsageError
from lockstep.host.protocol import resolved
from lockstep.run.implementation import contract_of_command
from lockstep.run.inputs import run_inputs
from lockstep.run.live import checked_run, counted
from lockstep.run.model import Inputs
from lockstep.run.result import RunResult
from lockstep.run.tally import tallied

from . import nodes
from .arguments import Executable, Replay
from .ending import how_it_ended, require_success, stop, unless_shut_down
from .system import program_of

Then = Callable[[RunResult], list[Action]]
_QUIET_S = "1"


def record(
    name: str, executable: Executable, replay: Replay, outputs: list[str], output: Path, then: Then
) -> list[Action]:
    """Run an implementation on a replay and record its outputs into OUTPUT/NAME/bag; then do
    `then`.

    When the player has ended, the recorder is stopped, then the implementation; then every message
    must be accounted for. Whatever else happens raises RunError and so ends the launch. What a node
    that is no component did not take of its inputs is counted, and told.
    """
    in_lockstep = replay.window > 0
    folder = output / name
    folder.mkdir(parents=True)
    tally = folder / "tally"
    variables = {} if in_lockstep else tallied(tally, os.environ)
    recorded: list[RunResult] = []  # when the recorder has ended
    ended: list[ProcessExited] = []  # when the implementation has

    def after_player(event: ProcessExited) -> list[Action]:
        require_success(event, f"the player for {name}")
        return [stop(recorder)]

    def after_recorder(event: ProcessExited) -> list[Action]:
        require_success(event, f"the recorder of {name}")
        if player.return_code is None:
            raise RunError(f"the recorder of {name} ended during the run")
        result = checked_run(name, folder, in_lockstep)
        recorded.append(result if in_lockstep else counted(result, tally))
        return finish() if ended else [stop(implementation)]

    def after_implementation(event: ProcessExited) -> list[Action]:
        if player.return_code is None:
            raise RunError(f"{name} ended during the run ({how_it_ended(event)}); its log is above")
        if in_lockstep:  # a black box may end as it likes
            require_success(event, name)
        ended.append(event)
        return finish() if recorded else []

    def finish() -> list[Action]:
        shutil.rmtree(tally, ignore_errors=True)
        (result,) = recorded
        result.outputs().close()  # which refuses a bag that is not whole
        remarks = [result.untaken, *result.remarks] if result.untaken else result.remarks
        return [*(LogInfo(msg=remark) for remark in remarks), *then(result)]

    recorder = nodes.recorder(
        folder / "bag",
        outputs,
        *("--report", str(folder / "recorder.json")),
        *(["--lockstep"] if in_lockstep else ["--quiet", _QUIET_S]),
        on_exit=unless_shut_down(after_recorder),
    )
    implementation = nodes.implementation(
        name,
        executable,
        replay,
        *(["--lockstep"] if in_lockstep else []),
        additional_env=variables,
        on_exit=unless_shut_down(after_implementation),
    )
    player = nodes.player(
        replay,
        *("--with-recorder", "--report", str(folder / "player.json")),
        on_exit=unless_shut_down(after_player),
    )
    return [recorder, implementation, player]


def checked_outputs(
    replay: Replay, outputs: list[str], executables: dict[str, Executable]
) -> list[str]:
    """What to record, each NAME:TYPE; checks before anything runs that executables, bag and
    contracts fit.

    Raises UsageError, BagError or RunError.
    """
    for name, executable in executables.items():
        if executable.is_launch_file and replay.window > 0:
            raise UsageError(
                f"{name}:={executable} is a launch file, whose nodes cannot acknowledge; give "
                "window:=0, a finite rtf and outputs"
            )
    programs = {name: program_of(name, executable) for name, executable in executables.items()}
    with Bag(replay.bag) as bag:
        return _checked_outputs(replay, bag, outputs, programs)


def _checked_outputs(
    replay: Replay, bag: Bag, outputs: list[str], programs: dict[str, Path]
) -> list[str]:
    if bag.problem:
        raise BagError(bag.problem)
    if replay.window == 0:
        if not outputs:
            raise UsageError(
                "without lockstep (window:=0) give the topics to record with outputs:="
            )
        return outputs
    contracts = [contract_of_command(name, [str(path)]) for name, path in programs.items()]
    for other in contracts[1:]:
        differences = contracts[0].differences(other)
        if differences:
            raise RunError(f"the contracts differ: {differences[0]}")
    _check_topics(replay, bag, contracts[0])
    return outputs or [f"{resolved(port.topic)}:{port.type}" for port in contracts[0].outputs]


def _check_topics(replay: Replay, bag: Bag, contract: Contract) -> None:
    ports = {resolved(port.topic): port.name for port in contract.inputs}
    topics: dict[str, list[str]] = {}
    for text in replay.topics:
        name, _, target = text.partition(":=")
        port = ports.get(resolved(target or name))
        if port is None:
            raise UsageError(
                f"{text} goes to no input of {contract.component}; it has "
                f"{', '.join(ports) or 'none'}"
            )
        topics.setdefault(port, []).append(name)
    run_inputs(Inputs(bag=replay.bag, topics=topics), bag, contract)
