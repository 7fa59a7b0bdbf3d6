"""Direct runs of ordinary nodes: inputs from a bag to a node's process and its outputs into a
bag."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from ...bag import BagWriter
from ...errors import RunError
from ...host.frames import FrameParser
from ...host.protocol import ACKNOWLEDGEMENT_TOPIC, resolved
from ...progress import Progress
from ...temporary_folder import TemporaryFolder
from ..implementation import command_of
from ..live import parameters_file, remaps_of_own_topics
from ..processes import Process, Processes
from ..recording import Recording
from ..request import RunRequest
from ..result import RunResult, check_counts
from ..step_frames import StepFrames
from .endpoints import differences
from .node_process import NodeProcess
from .world import fixed_addresses, variables

_LOG = logging.getLogger(__name__)


def run_node(
    request: RunRequest, processes: Processes, progress: Progress | None = None
) -> RunResult:
    """Run a node on the inputs and record its outputs into `folder`/bag; afterwards it has ended.

    Raises RunError, with the tail of the log concerned, if its process crashes, hangs, or breaks
    the contract, and if something is not under control that the request does not allow.
    """
    bag = request.folder / "bag"
    inputs = StepFrames(request.inputs, request.contract, progress)
    start_ns, chunks = _start(inputs.chunks())
    with TemporaryFolder("lockstep-node-") as folder, socket.socket(socket.AF_UNIX) as listening:
        path = folder.path / "socket"
        listening.bind(str(path))
        listening.listen()
        child = _started(request, processes, path, start_ns)
        process = NodeProcess(child, listening, request.contract, request.options.timeout)
        with BagWriter(bag) as writer:
            recording = Recording(writer, request.contract, with_cause=request.with_cause)
            start_s = time.perf_counter()
            for outputs in process.run(chunks):
                recording.write([outputs], process.consumed)
            wall_s = time.perf_counter() - start_s
            process.close()
            recorded = writer.counts
    processes.end(child)
    recorded.pop(ACKNOWLEDGEMENT_TOPIC, None)
    _check(request, process)
    check_counts(request.name, inputs.sent, recorded, request.silent)
    return RunResult(
        name=request.name,
        bag=bag,
        sent=inputs.sent,
        recorded=recorded,
        first_input_ns=inputs.first_ns,
        wall_s=wall_s,
        median_ns=None,
        p99_ns=None,
        remarks=tuple(_remarks(request.name, process)),
    )


def node_command(request: RunRequest) -> list[str]:
    """The command line that starts a node with its parameters, and its topics as in the
    contract."""
    implementation, contract = request.implementation, request.contract
    ports = {port.name: port.topic for port in (*contract.inputs, *contract.outputs)}
    ros = ["--ros-args"]
    if request.parameters:
        ros += ["--params-file", str(parameters_file(request.folder, request.parameters))]
    ros += remaps_of_own_topics(ports.values())
    for port, topic in implementation.remap.items():
        ros += ["-r", f"{topic}:={resolved(ports[port])}"]
    return [*command_of(request.name, implementation), *(ros if len(ros) > 1 else [])]


def _started(request: RunRequest, processes: Processes, path: Path, start_ns: int) -> Process:
    with fixed_addresses() as is_fixed:
        if not is_fixed:
            _LOG.warning(
                "%s: this system does not let memory lie at fixed addresses, so what depends on "
                "them may differ from run to run",
                request.name,
            )
        return processes.start(
            request.name,
            node_command(request),
            request.folder / "node.log",
            variables=variables(path, start_ns),
        )


def _start(chunks: Iterator[tuple[int, bytes]]) -> tuple[int, Iterable[tuple[int, bytes]]]:
    """The first time that is known, and the chunks again, of which the first has been looked
    at."""
    first = next(chunks, None)
    if first is None:
        return 0, ()
    frames = FrameParser().feed(first[1])
    assert frames is not None
    known = frames.time_ns[frames.time_ns != 0]
    return int(known[0]) if len(known) else 0, chain([first], chunks)


def _check(request: RunRequest, process: NodeProcess) -> None:
    name = request.name
    if found := differences(request.contract, process.endpoints, request.silent):
        raise RunError(f"{name} does not keep the contract: {'; '.join(found)}")
    uncontrolled = [note.what for note in process.notes if note.kind == "uncontrolled"]
    if uncontrolled and not request.options.allow_uncontrolled:
        raise RunError(
            f"{name} is not deterministic: {'; '.join(uncontrolled)}; what comes of that may "
            "differ from run to run, so take it out of the node, or accept it with run: "
            "{allow_uncontrolled: true}"
        )


def _remarks(name: str, process: NodeProcess) -> Iterator[str]:
    yield from (note.sentence(name) for note in process.notes)
    if process.ended_by_itself:
        yield (
            f"{name} ended by itself after {process.consumed} steps, so it was not given what came "
            "later"
        )
