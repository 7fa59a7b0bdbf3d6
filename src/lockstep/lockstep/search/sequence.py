"""A sequence of inputs: messages for the ports of a component, each at a time of the run. Short
enough for memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..bag import BagWriter
from ..bag.text import lines_with
from ..cdr.codec import Codec, installed_codec
from ..component import Contract
from ..host.frames import FrameParser, Kind, frame
from ..host.protocol import resolved
from ..message.definitions import definition, type_hash
from ..message.time import seconds
from ..run.timeline import JITTER_NS, TIME_LIMIT_NS, Timeline


@dataclass(frozen=True)
class Step:
    """Time steps to `time_ns`, then input `port` (its index in the contract) gets a message in
    CDR."""

    port: int
    time_ns: int
    data: bytes


Inputs = tuple[Step, ...]


def to_frames(steps: Sequence[Step]) -> bytes:
    """The INPUT frames of a direct run."""
    return b"".join(
        frame(Kind.INPUT, step.data, step.port, at, step.time_ns) for at, step in enumerate(steps)
    )


def from_frames(data: bytes) -> Inputs:
    """The steps of INPUT frames; raises FrameError for bytes that are none."""
    found = FrameParser().feed(data)
    if found is None:
        return ()
    columns = zip(found.port.tolist(), found.time_ns.tolist(), strict=True)
    return tuple(Step(port, at, found.payload(i)) for i, (port, at) in enumerate(columns))


def is_playable(steps: Sequence[Step]) -> bool:
    """Whether a bag can hold the sequence so that a run has just these times: see `Timeline`.

    Time stands, goes on, or steps back by so much that it starts anew, and then at a port that had
    a message before.
    """
    now_ns, seen = 0, set()
    for step in steps:
        if not 0 < step.time_ns < TIME_LIMIT_NS:
            return False
        if step.time_ns < now_ns and (now_ns - step.time_ns <= JITTER_NS or step.port not in seen):
            return False
        seen.add(step.port)
        now_ns = step.time_ns
    return True


def codecs_of(ports: Sequence[object]) -> list[Codec]:
    """The codecs of the messages of ports of a contract."""
    types = [str(getattr(port, "type", "")) for port in ports]
    return [installed_codec(name) for name in types]


def write_bag(steps: Sequence[Step], contract: Contract, path: Path) -> dict[str, str]:
    """Write a bag with a topic for each input, also for those without a message; gives input →
    topic."""
    topics = [resolved(port.topic) for port in contract.inputs]
    with BagWriter(path, timed=False) as writer:
        for topic, port in zip(topics, contract.inputs, strict=True):
            writer.add_topic(topic, port.type, definition(port.type), type_hash(port.type) or "")
        for step in steps:
            writer.write(topics[step.port], step.data, step.time_ns)
    return {port.name: topic for port, topic in zip(contract.inputs, topics, strict=True)}


def read_bag(ports: Mapping[str, int], timeline: Timeline, most: int, most_bytes: int) -> Inputs:
    """The first inputs of the bag of a timeline; `ports` are those of its topics."""
    found: list[Step] = []
    size = 0
    for event in timeline.events():
        if not event.topic:
            continue
        size += len(event.data)
        if found and (len(found) >= most or size > most_bytes):
            break
        if event.time_ns > 0:
            found.append(Step(ports[event.topic], event.time_ns, bytes(event.data)))
    return tuple(found)


def lines(steps: Sequence[Step], contract: Contract) -> Iterator[str]:
    """The steps as text, messages as `lockstep text` prints them; times are those since the first
    step."""
    written = [lines_with(codec) for codec in codecs_of(contract.inputs)]
    origin_ns = steps[0].time_ns if steps else 0
    for at, step in enumerate(steps):
        when = seconds(step.time_ns - origin_ns)
        yield f"step {at}: {contract.inputs[step.port].name} at t {when}"
        yield from (f"  {line}" for line in written[step.port](step.data))


def span_ns(steps: Sequence[Step]) -> int:
    """The median time between steps, at least 1 ns; 10 ms for less than two of them."""
    apart = np.diff([step.time_ns for step in steps])
    apart = apart[apart > 0]
    return int(np.median(apart)) if len(apart) else 10_000_000
