"""Live runs: player → node → recorder, each its own process, on an isolated domain of the real ROS graph."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..component import Contract
from ..errors import RunError
from ..host.protocol import resolved
from ..progress import Progress
from ..verify.check import silent_topics
from ..verify.model import Verification
from .domain import isolated_domain
from .implementation import command_of
from .model import Implementation, Inputs, Run
from .ports import bag_topics
from .processes import Process, Processes, wait_for
from .result import RunResult, check_counts, whole_bag

START_PATIENCE_S = 30.0
# A reliable reader that missed a message gets it after Fast DDS's heartbeat period of 3 s.
QUIET_S = 3.5


def run_live(
    name: str,
    verification: Verification,
    contract: Contract,
    folder: Path,
    progress: Progress | None = None,
) -> RunResult:
    """Run one implementation on the inputs and record its outputs into `folder`/bag; `folder` is empty.

    Raises RunError, with the tail of the log concerned, if anything crashes, hangs or is lost.
    """
    implementation = verification.implementations[name]
    parameters = parameters_file(folder, verification.parameters | implementation.parameters)
    in_lockstep = implementation.command is None
    with isolated_domain() as environment:
        environment["ROS_LOG_DIR"] = str(folder / "ros_log")
        environment["PYTHONUNBUFFERED"] = "1"
        with Processes(environment) as processes:
            recorder = processes.start(
                f"the recorder of {name}",
                _recorder_command(
                    contract, folder, in_lockstep, verification.compare.align == "cause"
                ),
                folder / "recorder.log",
            )
            node = processes.start(
                name, _node_command(name, implementation, contract, parameters), folder / "node.log"
            )
            player = processes.start(
                f"the player for {name}",
                _player_command(
                    verification.inputs, contract, verification.run, folder, in_lockstep
                ),
                folder / "player.log",
            )
            _play(player, node, recorder, folder, progress)
            _stop(recorder, node, in_lockstep)
    return checked_run(name, folder, in_lockstep, silent_topics(verification, contract))


def checked_run(
    name: str, folder: Path, in_lockstep: bool, silent: Collection[str] = ()
) -> RunResult:
    """Read the reports in `folder` after a run; raises RunError if a message is not accounted for."""
    played: dict[str, Any] = json.loads((folder / "player.json").read_text("utf-8"))
    report: dict[str, Any] = json.loads((folder / "recorder.json").read_text("utf-8"))
    recorded: dict[str, int] = report["recorded"]
    if report["missing"]:
        topic, count = next(iter(report["missing"].items()))
        raise RunError(f"{name}: {count} messages of {topic} were lost on the way to the recorder")
    if not played["finished"]:
        raise RunError(f"{name}: the player was stopped before the end of the bag")
    if in_lockstep and played["acknowledged"] != played["steps"]:
        raise RunError(
            f"{name}: {played['acknowledged']} of {played['steps']} steps were acknowledged"
        )
    for topic, count in played.get("published", {}).items():
        if recorded.get(topic, 0) != count:
            raise RunError(
                f"{name}: published {count} messages on {topic}, but {recorded.get(topic, 0)} were recorded"
            )
    if in_lockstep and played["callbacks"] != sum(played["sent"].values()):
        raise RunError(
            f"{name} took {played['callbacks']} of {sum(played['sent'].values())} messages as its inputs"
        )
    check_counts(name, played["sent"], recorded, silent)
    bag = whole_bag(name, folder / "bag", recorded)
    times = played.get("callback_ns", {})
    return RunResult(
        name=name,
        bag=bag.path,
        sent=played["sent"],
        recorded=recorded,
        first_input_ns=played["first_ns"],
        wall_s=played.get("wall_s"),
        median_ns=times.get("median"),
        p99_ns=times.get("p99"),
    )


def _play(
    player: Process, node: Process, recorder: Process, folder: Path, progress: Progress | None
) -> None:
    last = [0]

    def show() -> None:
        # The player's log ends with lines "progress SENT TOTAL".
        words = player.log.read_bytes().rstrip().rsplit(b"\n", 1)[-1].split()
        if progress and len(words) == 3 and words[0] == b"progress" and int(words[1]) != last[0]:
            last[0] = int(words[1])
            progress(last[0], int(words[2]))

    wait_for(player, [node, recorder], show)
    if player.child.returncode != 0:
        last_line = player.tail().rpartition("\n")[2]
        if player.disk_is_full or not last_line.startswith("error: "):  # or it was killed
            raise RunError(f"{player.name} failed ({player.how_it_ended()}); {player.last_words()}")
        ending = f"; {node.last_words()}" if node.tail() else ""
        raise RunError(f"{node.name}: {last_line.removeprefix('error: ')}{ending}")


def _stop(recorder: Process, node: Process, in_lockstep: bool) -> None:
    """End recorder and node the ordinary way, the recorder first, so that it sees all."""
    if not recorder.interrupt(grace_s=60) or recorder.child.returncode != 0:
        raise RunError(
            f"{recorder.name} failed ({recorder.how_it_ended()}); {recorder.last_words()}"
        )
    if node.ended and node.child.returncode != 0:
        raise RunError(
            f"{node.name} ended during the run ({node.how_it_ended()}); {node.last_words()}"
        )
    if not in_lockstep:
        return  # a black box may end as it likes
    if not node.interrupt():
        raise RunError(f"{node.name} did not end within 5 s of SIGINT")
    if node.child.returncode != 0:
        raise RunError(
            f"{node.name} ended badly on SIGINT ({node.how_it_ended()}); {node.last_words()}"
        )


def parameters_file(folder: Path, parameters: Mapping[str, Any]) -> Path:
    """Write the parameters of a node of a live run, whatever its name, into `folder`; returns the file."""
    path = folder / "parameters.yaml"
    content = {"/**": {"ros__parameters": {**parameters, "use_sim_time": True}}}
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return path


def _node_command(
    name: str, implementation: Implementation, contract: Contract, parameters: Path
) -> list[str]:
    command = command_of(name, implementation)
    ros = ["--ros-args", "--params-file", str(parameters)]
    if implementation.command is None:
        return [*command, "--lockstep", *ros]
    topics = {port.name: port.topic for port in (*contract.inputs, *contract.outputs)}
    for port, topic in implementation.remap.items():
        ros += ["-r", f"{topic}:={resolved(topics[port])}"]
    return [*command, *ros]


def _player_command(
    inputs: Inputs, contract: Contract, run: Run, folder: Path, in_lockstep: bool
) -> list[str]:
    command = [sys.executable, "-m", "lockstep.nodes.player", str(inputs.bag), "--with-recorder"]
    for name, target in bag_topics(inputs, contract).items():
        command += ["--topic", f"{name}:={target}"]
    command += ["--rtf", str(run.rtf), "--window", str(run.window if in_lockstep else 0)]
    command += ["--clock", inputs.clock, "--timeout", str(run.timeout)]
    command += ["--start-timeout", str(START_PATIENCE_S)]
    command += ["--start-offset", str(inputs.start)]
    if inputs.duration is not None:
        command += ["--duration", str(inputs.duration)]
    return [*command, "--progress", "--report", str(folder / "player.json")]


def _recorder_command(
    contract: Contract, folder: Path, in_lockstep: bool, with_cause: bool
) -> list[str]:
    command = [sys.executable, "-m", "lockstep.nodes.recorder", str(folder / "bag")]
    command += ["--report", str(folder / "recorder.json")]
    for port in contract.outputs:
        command += ["--topic", f"{resolved(port.topic)}:{port.type}"]
    if in_lockstep:
        return [*command, "--lockstep", *(["--cause"] if with_cause else [])]
    return [*command, "--quiet", str(QUIET_S), "--ros-args", "-p", "use_sim_time:=true"]
