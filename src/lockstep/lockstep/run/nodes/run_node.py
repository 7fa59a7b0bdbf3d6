"""Direct runs of ordinary nodes: inputs from a bag to a node's process and its outputs into a
bag."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from ...bag import BagWriter
from ...errors import RunError
from ...host.frames import Chunk, FrameParser
from ...host.protocol import ACKNOWLEDGEMENT_TOPIC
from ...progress import Progress
from ..processes import Processes
from ..recording import Recording
from ..request import RunRequest
from ..resources import Meter
from ..result import RunResult, check_counts
from ..step_frames import StepFrames
from .endpoints import differences, made_later, not_deterministic
from .node_process import NodeProcess
from .run_system import run_system
from .started import begun_system, start_of, started
from .world import moving_addresses


def run_node(
    request: RunRequest, processes: Processes, progress: Progress | None = None
) -> RunResult:
    """Run a node, or several as one system, on the inputs and record what it puts out into
    `folder`/bag; afterwards it has ended.

    Raises RunError, with the tail of the log concerned, if its process crashes, hangs, or breaks
    the contract, and if something is not under control that the request does not allow.
    """
    result = _run(request, processes, progress)
    moving = moving_addresses()
    if moving is None:
        return result
    return replace(result, remarks=(*result.remarks, f"{request.name}: {moving}"))


def _run(request: RunRequest, processes: Processes, progress: Progress | None) -> RunResult:
    inputs = StepFrames(request.inputs, request.contract, progress)
    start_ns, chunks = _start(inputs.chunks())
    start = start_of(request)
    if request.implementation.nodes is not None:
        with begun_system(start, processes, start_ns) as connected:
            return run_system(request, connected(), start_ns, progress)
    with started(start, processes, start_ns) as process:
        companions = process.companions()
        if companions:
            connections = [process.connection, *companions]
            return run_system(request, connections, start_ns, progress)
        return _run_alone(request, process, inputs, chunks)


def _run_alone(
    request: RunRequest,
    process: NodeProcess,
    inputs: StepFrames,
    chunks: Iterable[Chunk],
) -> RunResult:
    bag = request.folder / "bag"
    with BagWriter(bag) as writer:
        recording = Recording(writer, request.contract, with_cause=request.with_cause)
        start_s = time.perf_counter()
        meter = Meter(process.pid)
        meter.look(0)
        for outputs in process.run(chunks):
            recording.write([outputs], process.consumed)
            meter.look(process.consumed)
        wall_s = time.perf_counter() - start_s
        resources = meter.found()
        process.close()
        recorded = writer.counts
    recorded.pop(ACKNOWLEDGEMENT_TOPIC, None)
    name = request.name
    if found := differences(request.contract, process.endpoints.values(), request.silent):
        raise RunError(f"{name} does not keep the contract: {'; '.join(found)}")
    if not request.options.allow_uncontrolled:
        check_control(name, process)
    check_counts(name, inputs.sent, recorded, request.silent)
    return RunResult(
        name=name,
        bag=bag,
        sent=inputs.sent,
        recorded=recorded,
        first_input_ns=inputs.first_ns,
        wall_s=wall_s,
        median_ns=None,
        p99_ns=None,
        resources=resources,
        remarks=(*_remarks(name, process), *made_later(request, process.endpoints.values())),
    )


def _start(chunks: Iterator[Chunk]) -> tuple[int, Iterable[Chunk]]:
    """The first time that is known, and the chunks again, of which the first has been looked
    at."""
    first = next(chunks, None)
    if first is None:
        return 0, ()
    frames = FrameParser().feed(first[1])
    assert frames is not None
    known = frames.time_ns[frames.time_ns != 0]
    return int(known[0]) if len(known) else 0, chain([first], chunks)


def check_control(name: str, process: NodeProcess) -> None:
    """Raises RunError for what makes the run of a node depend on more than its inputs."""
    found = [note.what for note in process.notes if note.kind == "uncontrolled"]
    if found:
        raise not_deterministic(name, found)


def _remarks(name: str, process: NodeProcess) -> Iterator[str]:
    yield from (note.sentence(name) for note in process.notes)
    if process.ended_by_itself:
        yield (
            f"{name} ended by itself after {process.consumed} steps, so it was not given what came "
            "later"
        )
