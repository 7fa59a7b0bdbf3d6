"""Direct runs of several processes with nodes as one system."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ...bag import BagWriter
from ...errors import RunError
from ...host.frames import Frames
from ...host.protocol import ACKNOWLEDGEMENT_TOPIC, Kind
from ...progress import Progress
from ..recording import Recording
from ..request import RunRequest
from ..resources import Meter
from ..result import NodeTopics, RunResult, check_counts
from .endpoints import OF_EVERY_NODE, differences, is_matched, made_later, not_deterministic
from .gathering import Connection
from .system import Output, System

_BATCH_BYTES = 1 << 22
_BATCH = 4096
_PROGRESS_S = 0.1


def run_system(
    request: RunRequest,
    connections: Sequence[Connection],
    start_ns: int,
    progress: Progress | None = None,
) -> RunResult:
    """Run a system, whose processes have connected, on the inputs and record its outputs into
    `folder`/bag; afterwards it has ended.

    Raises RunError as `run_node` does.
    """
    bag = request.folder / "bag"
    inputs = _Inputs(request, progress)
    with BagWriter(bag) as writer:
        recording = Recording(writer, request.contract, with_cause=request.with_cause)
        start_s = time.perf_counter()
        system = System(connections, request.contract, start_ns, request.options.timeout)
        meter = Meter(*(connection.pid for connection in connections))
        meter.look(0)
        for outputs in _batches(_outputs(system, inputs, meter)):
            recording.write([outputs], system.consumed)
        wall_s = time.perf_counter() - start_s
        recorded = writer.counts
    recorded.pop(ACKNOWLEDGEMENT_TOPIC, None)
    _check(request, system)
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
        resources=meter.found(),
        remarks=(
            *_remarks(request.name, system),
            *made_later(request, [endpoint for _, endpoint in system.known]),
        ),
        nodes=_nodes(system),
    )


class _Inputs:
    """The steps of a run one by one, and what of them was given."""

    def __init__(self, request: RunRequest, progress: Progress | None) -> None:
        self._topics = request.inputs.topics
        self._port = request.inputs.ports(request.contract)
        self._timeline = request.inputs.timeline()
        self._progress = progress
        self.sent = dict.fromkeys(self._topics.values(), 0)
        self.first_ns = 0

    def steps(self) -> Iterator[tuple[int, int | None, bytes]]:
        """(time in ns, input port or None if only time steps, message in CDR)."""
        total, shown_s, is_first = self._timeline.total(), 0.0, True
        for event in self._timeline.events():
            if is_first:
                self.first_ns, is_first = event.time_ns, False
            if event.topic:
                self.sent[self._topics[event.topic]] += 1
                yield event.time_ns, self._port[event.topic], event.data
            else:
                yield event.time_ns, None, b""
            if self._progress and time.monotonic() - shown_s > _PROGRESS_S:
                shown_s = time.monotonic()
                self._progress(sum(self.sent.values()), total)
        if self._progress:
            self._progress(sum(self.sent.values()), total)


def _outputs(system: System, inputs: _Inputs, meter: Meter) -> Iterator[Output]:
    yield from system.start()
    for time_ns, port, data in inputs.steps():
        if port is None:
            yield from system.advance(time_ns)
        else:
            yield from system.deliver(port, time_ns, data)
        meter.look(system.consumed)
    meter.look(system.consumed, at_once=True)  # in the end they are gone
    yield from system.end()


def _batches(outputs: Iterable[Output]) -> Iterator[Frames]:
    """Some thousand outputs at a time, as columns."""
    waiting: list[Output] = []
    size = 0
    for output in outputs:
        waiting.append(output)
        size += len(output.data)
        if len(waiting) == _BATCH or size > _BATCH_BYTES:
            yield _columns(waiting)
            waiting, size = [], 0
    if waiting:
        yield _columns(waiting)


def _columns(outputs: Sequence[Output]) -> Frames:
    length = np.array([len(one.data) for one in outputs], np.int64)
    return Frames(
        kind=np.full(len(outputs), int(Kind.OUTPUT), np.int64),
        port=np.array([one.port for one in outputs], np.int64),
        step=np.array([one.step for one in outputs], np.int64),
        time_ns=np.array([one.time_ns for one in outputs], np.int64),
        buffer=np.frombuffer(b"".join(one.data for one in outputs), np.uint8),
        offset=np.cumsum(length) - length,
        length=length,
    )


def _check(request: RunRequest, system: System) -> None:
    name = request.name
    known = [endpoint for _, endpoint in system.known]
    if found := differences(request.contract, known, request.silent):
        raise RunError(f"{name} does not keep the contract: {'; '.join(found)}")
    uncontrolled = [
        f"{member.name}: {note.what}"
        for member in system.members
        for note in member.notes
        if note.kind == "uncontrolled"
    ]
    if uncontrolled and not request.options.allow_uncontrolled:
        raise not_deterministic(name, uncontrolled)


def _remarks(name: str, system: System) -> Iterator[str]:
    for member in system.members:
        yield from (note.sentence(member.name) for note in member.notes if note.kind != "unread")
        if member.ended_by_itself:
            yield f"{member.name} ended by itself, and the others went on without it"
    for topic, count in system.unread.items():
        yield f"{name}: {count} messages of {topic} came before anybody subscribed"
    if system.unanswered:
        yield f"{name}: {system.unanswered} of {system.requests} requests were not answered"
    yield from _unmatched(name, system)
    yield from _of_one_name(name, system)


def _unmatched(name: str, system: System) -> Iterator[str]:
    """Publishers and subscriptions of one topic that cannot meet, as on no middleware."""
    found = dict.fromkeys(endpoint for _, endpoint in system.known)
    publishers = [one for one in found if one.kind == "publisher"]
    subscriptions = [one for one in found if one.kind == "subscription"]
    for publisher in publishers:
        for other in subscriptions:
            if publisher.name != other.name or is_matched(publisher, other):
                continue
            if publisher.type != other.type:
                why = f"{publisher.type} and {other.type}"
            else:
                offered = f"{publisher.reliability}, {publisher.durability}"
                why = f"{offered}, but {other.reliability}, {other.durability} is wanted"
            yield (
                f"{name}: {other.node} gets nothing of {publisher.name} from {publisher.node} "
                f"({why})"
            )


def _of_one_name(name: str, system: System) -> Iterator[str]:
    processes: dict[str, set[int]] = {}
    for member, endpoint in system.known:
        processes.setdefault(endpoint.node, set()).add(member.number)
    for node, numbers in sorted(processes.items()):
        if len(numbers) > 1:
            yield f"{name}: {len(numbers)} nodes are called {node}"


def _nodes(system: System) -> dict[str, NodeTopics]:
    found: dict[str, dict[str, set[str]]] = {}
    for _, one in system.known:
        if one.name not in OF_EVERY_NODE:
            topics = found.setdefault(one.node, {"publisher": set(), "subscription": set()})
            topics.setdefault(one.kind, set()).add(one.name)
    return {
        node: NodeTopics(tuple(sorted(of["publisher"])), tuple(sorted(of["subscription"])))
        for node, of in sorted(found.items())
    }
