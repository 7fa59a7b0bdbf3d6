"""The steps of a run as frames of the direct protocol, some thousand at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..component import Contract
from ..host.frames import Chunk, frames
from ..host.protocol import Kind
from ..message.arrays import Int64s
from ..progress import Progress
from .inputs import RunInputs
from .timeline import Steps

_BATCH = 1 << 12
_PROGRESS_S = 0.1


class StepFrames:
    """The steps of a run as frames, and what of them was sent."""

    def __init__(self, inputs: RunInputs, contract: Contract, progress: Progress | None) -> None:
        self._topics = inputs.topics
        self._port = inputs.ports(contract)
        self._timeline = inputs.timeline()
        self._progress = progress
        self.sent = dict.fromkeys(inputs.topics.values(), 0)
        self.first_ns = 0

    def chunks(self) -> Iterator[Chunk]:
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

    def _frames(self, steps: Steps, chosen: slice, count: int) -> Chunk:
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
