"""Direct runs of whole bags: inputs from a bag to a component's process and its outputs into a bag,
without DDS."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import BagWriter
from ..bag.metadata import OfferedQoS
from ..cdr.codec import codec
from ..component import Contract
from ..errors import CallbackError, RunError
from ..host.frames import Frames, frames
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, TIMER_PORTS, Kind, resolved
from ..message.arrays import Int64s
from ..message.batch import Batch
from ..message.definitions import definition, type_hash
from ..message.time import NS_PER_S
from ..progress import Progress
from .direct_process import DirectProcess
from .direct_program import DirectProgram
from .inputs import RunInputs
from .request import RunRequest
from .result import Failure, RunResult, check_counts
from .timeline import Steps

_ACKNOWLEDGEMENT_TYPE = "lockstep_interfaces/msg/Acknowledgement"
_BATCH = 1 << 12
_PROGRESS_S = 0.1


def run_direct(
    request: RunRequest, program: DirectProgram, progress: Progress | None = None
) -> RunResult:
    """Run a program on the inputs and record its outputs into `folder`/bag; afterwards it has
    ended.

    A callback that raises ends the run, whose result then has a `failure`. Raises RunError, with
    the tail of the log concerned, if the process crashes, hangs, or breaks the protocol or its
    contract.
    """
    name, bag = request.name, request.folder / "bag"
    failure: Failure | None = None
    process = program.process
    if differences := request.contract.differences(process.contract):
        raise RunError(f"{name} does not keep the contract: {'; '.join(differences)}")
    inputs = _Steps(request.inputs, process.contract, progress)
    with BagWriter(bag) as writer:
        recording = _Recording(writer, process.contract, with_cause=request.with_cause)
        start_s = time.perf_counter()
        try:
            recording.write(process.start(request.parameters), 0)
            for outputs in process.run(inputs.chunks()):
                recording.write([outputs], process.consumed)
            wall_s = time.perf_counter() - start_s
            process.end()
            process.close()
        except CallbackError as error:
            wall_s = time.perf_counter() - start_s
            failure = Failure(error.step or 0, request.inputs.steps(), str(error))
        recorded = writer.counts
    program.end()
    recorded.pop(ACKNOWLEDGEMENT_TOPIC, None)
    if failure is None:
        check_counts(name, inputs.sent, recorded, request.silent)
    return RunResult(
        name=name,
        bag=bag,
        sent=inputs.sent,
        recorded=recorded,
        first_input_ns=inputs.first_ns,
        wall_s=wall_s,
        failure=failure,
        **_times(process),
    )


class _Steps:
    """The steps of a run as frames, and what of them was sent."""

    def __init__(self, inputs: RunInputs, contract: Contract, progress: Progress | None) -> None:
        self._topics = inputs.topics
        self._port = inputs.ports(contract)
        self._timeline = inputs.timeline()
        self._progress = progress
        self.sent = dict.fromkeys(inputs.topics.values(), 0)
        self.first_ns = 0

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Steps, some thousand at a time: how many, and their frames."""
        total, count, shown_s = self._timeline.total(), 0, 0.0
        for steps in self._timeline.steps():
            for start in range(0, len(steps.time_ns), _BATCH):
                chosen = slice(start, start + _BATCH)
                yield self._frames(steps, chosen, count)
                count += len(steps.time_ns[chosen])
                if self._progress and time.monotonic() - shown_s > _PROGRESS_S:
                    shown_s = time.monotonic()
                    self._progress(sum(self.sent.values()), total)
        if self._progress:
            self._progress(sum(self.sent.values()), total)

    def _frames(self, steps: Steps, chosen: slice, count: int) -> tuple[int, bytes]:
        is_input, time_ns = steps.is_input[chosen], steps.time_ns[chosen]
        if not count:
            self.first_ns = int(time_ns[0])
        batch = steps.messages
        topic = batch.topic[chosen]
        seen = np.bincount(topic[is_input], minlength=len(batch.topics)).tolist()
        for name, number in zip(batch.topics, seen, strict=True):
            if number:
                self.sent[self._topics[name]] += number
        to_port: Int64s = np.array([self._port.get(name, 0) for name in batch.topics], np.int64)
        part = batch.where(np.arange(len(batch))[chosen])
        part = replace(part, length=np.where(is_input, part.length, 0))
        kind = np.where(is_input, Kind.INPUT, Kind.ADVANCE)
        port = np.where(is_input, to_port[topic], 0)
        step = np.arange(count, count + len(kind))
        return len(kind), frames(kind, port, step, time_ns, part)


class _Recording:
    """Writes outputs in the order in which they were published, logged at the run's time."""

    def __init__(self, writer: BagWriter, contract: Contract, *, with_cause: bool) -> None:
        self._writer = writer
        self._topics = tuple(resolved(port.topic) for port in contract.outputs)
        self._counts = np.zeros(len(self._topics), np.int64)
        for port in contract.outputs:
            qos = OfferedQoS(
                depth=port.qos.depth,
                reliability=port.qos.reliability,
                durability=port.qos.durability,
            )
            described = definition(port.type), type_hash(port.type)
            writer.add_topic(resolved(port.topic), port.type, *described, (qos,))
        self._acknowledge = None
        if with_cause:
            described = definition(_ACKNOWLEDGEMENT_TYPE), type_hash(_ACKNOWLEDGEMENT_TYPE)
            writer.add_topic(ACKNOWLEDGEMENT_TOPIC, _ACKNOWLEDGEMENT_TYPE, *described)
            self._acknowledge = codec(_ACKNOWLEDGEMENT_TYPE, described[0]).encode

    def write(self, blocks: Iterable[Frames], consumed: int) -> None:
        """Append outputs; `consumed` steps were done when they came."""
        for outputs in blocks:
            sequence = np.zeros(len(outputs), np.int64)
            for port in np.unique(outputs.port).tolist():
                its = outputs.port == port
                number = int(np.count_nonzero(its))
                sequence[its] = np.arange(self._counts[port], self._counts[port] + number)
                self._counts[port] += number
            self._writer.write_batch(
                Batch(
                    topics=self._topics,
                    topic=outputs.port,
                    log_time_ns=outputs.time_ns,
                    publish_time_ns=outputs.time_ns,
                    sequence=sequence,
                    buffer=outputs.buffer,
                    offset=outputs.offset,
                    length=outputs.length,
                )
            )
            if self._acknowledge is not None:
                seconds, nanoseconds = np.divmod(outputs.time_ns, NS_PER_S)
                message = {
                    "node": "",
                    "ready": True,
                    "steps": consumed,
                    "topics": list(self._topics),
                    "published_topic": outputs.port.astype(np.uint32),
                    "published_stamp": [
                        {"sec": sec, "nanosec": nanosec}
                        for sec, nanosec in zip(seconds.tolist(), nanoseconds.tolist(), strict=True)
                    ],
                    "published_step": outputs.step.astype(np.uint64),
                    "duration_ns": np.empty(0, np.uint64),
                }
                at_ns = int(outputs.time_ns[-1])
                self._writer.write(ACKNOWLEDGEMENT_TOPIC, self._acknowledge(message), at_ns)


def _times(process: DirectProcess) -> dict[str, Any]:
    of_inputs = [times for port, times in process.durations_ns.items() if port < TIMER_PORTS]
    if not of_inputs:
        return {"median_ns": None, "p99_ns": None}
    durations: npt.NDArray[np.uint32] = np.concatenate(of_inputs)
    median_ns, p99_ns = np.percentile(durations, [50, 99]).tolist()
    return {"median_ns": median_ns, "p99_ns": p99_ns}
