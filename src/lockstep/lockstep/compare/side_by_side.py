"""Messages of two bags that belong together, some thousand at a time, as columns of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..bag import Bag
from ..cdr.codec import Codec
from ..cdr.message_error import MessageError
from ..message.arrays import Bytes, Column, Int64s, Mask
from ..message.batch import Batch
from .align import Alignment

See = Callable[[Batch], None]


@dataclass(frozen=True)
class Watch:
    """Who is shown what is read of a bag: the batches of each topic, and batches as they are, of
    `topics` at least."""

    by_topic: Mapping[str, See] = field(default_factory=dict)
    topics: Collection[str] = ()
    see: See = lambda batch: None

    def __bool__(self) -> bool:
        return bool(self.by_topic or self.topics)


_BUDGET = 64 << 20
_MESSAGE = 48
"""Bytes of a batch for each message, beside its buffer."""
NOBODY = Watch()


@dataclass(frozen=True)
class Side:
    """m messages of one bag: `ticks` (m,), and where their payloads are in `buffer`."""

    ticks: Int64s
    buffer: Bytes
    offset: Int64s
    length: Int64s

    def where(self, chosen: Mask | Int64s) -> Side:
        """The messages that a mask (m,) or indices choose."""
        return Side(self.ticks[chosen], self.buffer, self.offset[chosen], self.length[chosen])

    def payload(self, row: int) -> Bytes:
        """The bytes of one message, not copied."""
        start = int(self.offset[row])
        return self.buffer[start : start + int(self.length[row])]


def paired_topics(
    a: Bag,
    b: Bag,
    aligned: Mapping[str, Alignment],
    watches: tuple[Watch, Watch] = (NOBODY, NOBODY),
    *,
    to_the_end: bool = True,
    budget: int = _BUDGET,
) -> Iterator[tuple[str, Side, Side]]:
    """The aligned messages of several topics, in order within each: row i belongs to row i.

    Each bag is read once, in file order. Messages wait for their partners in at most `budget`
    bytes, beside the last batch of each bag; what is left of topics that need more, as where one
    bag is ordered by topic and the other by time, is read by itself in the end. With `to_the_end`
    all other messages are read as well, so that damage there is noticed. `watches` are shown all
    batches that are read, of A and of B.
    """
    topics = {name: _Topic(name, found) for name, found in aligned.items()}
    sides = [_Reading(number, bag, topics, watches[number]) for number, bag in enumerate((a, b))]
    alone: list[_Topic] = []
    while not all(side.ended for side in sides):
        if not to_the_end and all(topic.is_done for topic in topics.values()):
            break
        for topic in min(sides, key=lambda side: (side.ended, side.waiting)).read():
            yield from topic.pairs()
        while sum(side.waiting_before_last for side in sides) > budget:
            largest = max(topics.values(), key=lambda topic: topic.waiting)
            alone.append(topics.pop(largest.name))
            largest.forget()
    for topic in alone:
        yield from paired_topics(a, b, {topic.name: topic.rest()}, to_the_end=False)


def pairs(
    a: Bag, b: Bag, topic: str, aligned: Alignment, *, to_the_end: bool = True
) -> Iterator[tuple[Side, Side]]:
    """The aligned messages of one topic; see `paired_topics`."""
    for _, side_a, side_b in paired_topics(a, b, {topic: aligned}, to_the_end=to_the_end):
        yield side_a, side_b


def columns_of(side: Side, codec: Codec, topic: str, paths: Sequence[str]) -> dict[str, Column]:
    """Fields of the messages of one side; raises BagError that names a message that is none."""
    try:
        return codec.columns(side.buffer, side.offset, side.length, paths)
    except MessageError as error:
        raise error.of(topic, int(side.ticks[error.tick])) from error


@dataclass
class _Held:
    """A batch of which `parts` wait for their partners; `size` is in bytes."""

    size: int
    parts: int = 0


@dataclass(frozen=True)
class _Part:
    """The messages of one topic in a batch, from tick `start` on.

    `end` pairs begin in it or before.
    """

    batch: Batch
    start: int
    end: int
    held: _Held

    def take(self, ticks: Int64s) -> Side:
        """The messages of ticks in it."""
        batch = self.batch
        if len(ticks) == len(batch):
            return Side(ticks, batch.buffer, batch.offset, batch.length)
        rows = ticks - self.start
        return Side(ticks, batch.buffer, batch.offset[rows], batch.length[rows])


class _Topic:
    """The messages of one topic, of A and of B, that wait for their partners."""

    def __init__(self, name: str, aligned: Alignment) -> None:
        self.name = name
        self._aligned = aligned
        self._ticks = aligned.a, aligned.b
        self._parts: tuple[deque[_Part], deque[_Part]] = deque(), deque()
        self._read = [0, 0]
        self._done = 0

    @property
    def is_done(self) -> bool:
        """Whether all pairs have been given."""
        return self._done == len(self._ticks[0])

    @property
    def waiting(self) -> int:
        """Bytes of the messages that wait."""
        return sum(int(part.batch.length.sum()) for parts in self._parts for part in parts)

    def add(self, side: int, batch: Batch, held: _Held) -> None:
        """Take the next messages of one side, if there are partners for them."""
        start = self._read[side]
        self._read[side] += len(batch)
        first, end = np.searchsorted(self._ticks[side], (start, self._read[side])).tolist()
        if end > first:
            held.parts += 1
            self._parts[side].append(_Part(batch, start, end, held))

    def pairs(self) -> Iterator[tuple[str, Side, Side]]:
        """The pairs of which both messages are there."""
        of_a, of_b = self._parts
        while of_a and of_b:
            end = min(of_a[0].end, of_b[0].end)
            chosen = slice(self._done, end)
            yield (
                self.name,
                of_a[0].take(self._ticks[0][chosen]),
                of_b[0].take(self._ticks[1][chosen]),
            )
            self._done = end
            for parts in self._parts:
                if parts[0].end == end:
                    parts.popleft().held.parts -= 1

    def forget(self) -> None:
        """Let no message wait any more."""
        for parts in self._parts:
            for part in parts:
                part.held.parts -= 1
            parts.clear()

    def rest(self) -> Alignment:
        """What has not been given."""
        return replace(
            self._aligned, a=self._ticks[0][self._done :], b=self._ticks[1][self._done :]
        )


class _Reading:
    """One of the bags: its batches one after the other, and what waits of them."""

    def __init__(self, side: int, bag: Bag, topics: dict[str, _Topic], watch: Watch) -> None:
        self._side = side
        self._topics = topics
        self._watch = watch
        wanted = {*topics, *watch.by_topic, *watch.topics}
        self._batches = bag.batches(wanted)
        self._held: list[_Held] = []
        self.ended = not wanted

    def read(self) -> list[_Topic]:
        """Take the next batch; gives the topics of which it holds messages."""
        batch = next(self._batches, None)
        if batch is None:
            self.ended = True
            return []
        self._watch.see(batch)
        there = []
        held = _Held(batch.buffer.nbytes + _MESSAGE * len(batch))
        for name, part in batch.by_topic():
            if name in self._watch.by_topic:
                self._watch.by_topic[name](part)
            if name in self._topics:
                self._topics[name].add(self._side, part, held)
                there.append(self._topics[name])
        self._held = [*(one for one in self._held if one.parts), held]
        return there

    @property
    def waiting(self) -> int:
        """Bytes of the batches that are kept because something in them waits."""
        return sum(held.size for held in self._held if held.parts)

    @property
    def waiting_before_last(self) -> int:
        """The same without the last batch."""
        return sum(held.size for held in self._held[:-1] if held.parts)
