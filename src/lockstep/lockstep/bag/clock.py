"""The /clock that a bag holds: its times, its epochs, and how fast a simulation ran."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..cdr.message_error import MessageError
from ..errors import BagError
from ..message.arrays import Int64s
from ..message.batch import Batch
from ..message.time import NS_PER_S, seconds
from .reader import WALL_CLOCKS_BEGIN_NS, Bag

CLOCK_TYPE = "rosgraph_msgs/msg/Clock"


def clock_topic(bag: Bag) -> str | None:
    """The topic that tells the time; None if the bag holds none."""
    topics = [name for name, topic in bag.topics.items() if topic.type == CLOCK_TYPE]
    return ("/clock" if "/clock" in topics else topics[0]) if topics else None


@dataclass(frozen=True)
class ClockTimes:
    """The messages of /clock in file order: what each says, and its log and publish time; ns,
    (n,)."""

    said_ns: Int64s
    log_ns: Int64s
    publish_ns: Int64s

    @property
    def epochs(self) -> int:
        """How often time begins: once, and again with each jump back."""
        return 1 + int(np.count_nonzero(np.diff(self.said_ns) < 0))

    @property
    def wall_ns(self) -> Int64s | None:
        """When each was heard, in wall time: its log time, or its publish time where log times are
        simulated; None if neither is wall time."""
        for times in (self.log_ns, self.publish_ns):
            if len(times) and times[0] >= WALL_CLOCKS_BEGIN_NS:
                return times
        return None

    def rtf_by_second(self) -> list[float]:
        """The real-time factor in each second of wall time in which time went on, but for what was
        less than half of one; pauses and jumps back do not count."""
        wall_ns = self.wall_ns
        if wall_ns is None:
            return []
        second = (wall_ns - wall_ns[0]) // NS_PER_S
        steps_ns, taken_ns = np.diff(self.said_ns), np.diff(wall_ns)
        went_on = steps_ns > 0
        simulated, taken = (
            np.bincount(second[1:][went_on], weights=of[went_on]) for of in (steps_ns, taken_ns)
        )
        enough = taken > NS_PER_S / 2
        found: list[float] = (simulated[enough] / taken[enough]).tolist()
        return found

    def rtf(self) -> float | None:
        """The real-time factor of the whole, without the times at which it stood still or jumped
        back; None if it is not known."""
        if self.wall_ns is None:
            return None
        steps_ns = np.diff(self.said_ns)
        went_on = steps_ns > 0
        taken_ns = int(np.diff(self.wall_ns)[went_on].sum())
        return int(steps_ns[went_on].sum()) / taken_ns if taken_ns > 0 else None

    def __str__(self) -> str:
        begin, end = (seconds(int(self.said_ns[index])) for index in (0, -1))
        told = [f"from {begin} to {end} s"]
        if self.epochs > 1:
            told.append(f"in {self.epochs} epochs: it went back {self.epochs - 1} times")
        rtf, by_second = self.rtf(), self.rtf_by_second()
        if rtf is not None:
            told.append(f"real-time factor {rtf:.3g}")
        if by_second:
            told[-1] += f" ({min(by_second):.3g} to {max(by_second):.3g} by second)"
        return ", ".join(told)

    def missing(self, step_ns: int) -> int:
        """How many steps of so many ns each left no message, of those between others."""
        gaps = np.diff(self.said_ns)
        return int(np.maximum(np.rint(gaps[gaps > 0] / step_ns) - 1, 0).sum())


class Jump(NamedTuple):
    """In a batch time goes back by so many ns with the message of a row; `log_too`: and log times
    with it, which are simulated then."""

    row: int
    back_ns: int
    log_too: bool


class ClockReader:
    """Takes the batches of a bag, in its order, and what they hold of its /clock."""

    def __init__(self, bag: Bag) -> None:
        self.topic = clock_topic(bag)
        """None if there is none, or none that can be read."""
        try:
            self._codec = None if self.topic is None else bag.codec(self.topic)
        except BagError:
            self.topic = None
        none: Int64s = np.empty(0, np.int64)
        self._columns: list[tuple[Int64s, Int64s, Int64s]] = [(none, none, none)]
        self._last: tuple[int, int] | None = None

    def said(self, batch: Batch) -> tuple[Int64s, Int64s]:
        """The rows of a batch that hold a time, and these times in ns, (n,) each."""
        none = np.empty(0, np.int64), np.empty(0, np.int64)
        if self.topic is None or self.topic not in batch.topics or self._codec is None:
            return none
        rows = np.flatnonzero(batch.topic == batch.topics.index(self.topic))
        try:
            columns = self._codec.columns(
                batch.buffer, batch.offset[rows], batch.length[rows], ["clock"]
            )
        except (BagError, MessageError):
            return none
        return rows, columns["clock"]

    def jumps(self, batch: Batch) -> Iterator[Jump]:
        """Where time goes back in the next messages, of any topics."""
        rows, said_ns = self.said(batch)
        log_ns = batch.log_time_ns[rows]
        if self._last is not None:
            said_ns, log_ns = np.append(self._last[0], said_ns), np.append(self._last[1], log_ns)
        said_back_ns, log_back_ns = -np.diff(said_ns), -np.diff(log_ns)
        rows = rows[len(rows) - len(said_back_ns) :]
        for index in np.flatnonzero(said_back_ns > 0).tolist():
            back_ns = int(said_back_ns[index])
            yield Jump(int(rows[index]), back_ns, bool(2 * log_back_ns[index] > back_ns))
        if len(said_ns):
            self._last = int(said_ns[-1]), int(log_ns[-1])

    def add(self, batch: Batch) -> None:
        """Take the next messages, of any topics; what is no time is left out."""
        rows, said_ns = self.said(batch)
        self._columns.append((said_ns, batch.log_time_ns[rows], batch.publish_time_ns[rows]))

    def times(self) -> ClockTimes:
        """All that has come."""
        said_ns, log_ns, publish_ns = (
            np.concatenate([column[index] for column in self._columns]) for index in range(3)
        )
        return ClockTimes(said_ns, log_ns, publish_ns)


def clock_times(bag: Bag) -> ClockTimes | None:
    """Read the bag's /clock; None if there is none."""
    reader = ClockReader(bag)
    if reader.topic is None:
        return None
    for batch in bag.batches([reader.topic]):
        reader.add(batch)
    return reader.times()
