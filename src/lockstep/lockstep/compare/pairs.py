"""Messages of two bags that belong together, some thousand at a time, as columns of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import Bag
from ..bag.batch import Batch, Bytes
from ..bag.codec import Codec
from ..bag.message_error import MessageError
from .align import Alignment, Times

Column = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
See = Callable[[Batch], None]
_WORD = 8
_LARGE = 1 << 16


@dataclass(frozen=True)
class Side:
    """m messages of one bag: `ticks` (m,), and where their payloads are in `buffer`."""

    ticks: Times
    buffer: Bytes
    offset: Times
    length: Times

    def where(self, chosen: Mask | Times) -> Side:
        """The messages that a mask (m,) or indices choose."""
        return Side(self.ticks[chosen], self.buffer, self.offset[chosen], self.length[chosen])

    def payload(self, row: int) -> Bytes:
        """The bytes of one message, not copied."""
        start = int(self.offset[row])
        return self.buffer[start : start + int(self.length[row])]


def pairs(
    a: Bag,
    b: Bag,
    topic: str,
    aligned: Alignment,
    *,
    to_the_end: bool = True,
    seen: tuple[See, See] | None = None,
) -> Iterator[tuple[Side, Side]]:
    """The aligned messages of a topic, in order: row i of one side belongs to row i of the other.

    With `to_the_end` all other messages are read as well, so that damage there is noticed. `seen` is shown all
    batches of A and of B that are read.
    """
    sees = seen or (_ignore, _ignore)
    sides = [_Reading(bag, topic, see) for bag, see in zip((a, b), sees, strict=True)]
    done, count = 0, len(aligned.a)
    while done < count:
        ends = [
            side.upto(ticks, done)
            for side, ticks in zip(sides, (aligned.a, aligned.b), strict=True)
        ]
        end = min(ends)
        if end > done:
            yield (
                sides[0].take(aligned.a[done:end]),
                sides[1].take(aligned.b[done:end]),
            )
        done = end
    for side in sides if to_the_end else ():
        side.finish()


def paired_columns(
    a: Bag, b: Bag, topic: str, aligned: Alignment, paths: Sequence[str]
) -> Iterator[tuple[Times, dict[str, Column], dict[str, Column]]]:
    """Fields of the aligned messages of a topic, some thousand at a time: ticks of A (m,), and columns of A and of B.

    See `Bag.columns`; raises BagError as that does.
    """
    codecs = a.codec(topic), b.codec(topic)
    for side_a, side_b in pairs(a, b, topic, aligned, to_the_end=False):
        columns_a, columns_b = (
            columns_of(side, codec, topic, paths)
            for side, codec in zip((side_a, side_b), codecs, strict=True)
        )
        yield side_a.ticks, columns_a, columns_b


def columns_of(side: Side, codec: Codec, topic: str, paths: Sequence[str]) -> dict[str, Column]:
    """Fields of the messages of one side; raises BagError that names a message that is none."""
    try:
        return codec.columns(side.buffer, side.offset, side.length, paths)
    except MessageError as error:
        raise error.of(topic, int(side.ticks[error.tick])) from error


def _ignore(batch: Batch) -> None:
    """Nobody looks at the batches."""


class _Reading:
    """The batches of one topic, one after the other, and which ticks the current one holds."""

    def __init__(self, bag: Bag, topic: str, see: See) -> None:
        self._batches = bag.batches([topic])
        self._see = see
        self._batch: Batch | None = None
        self._start = self._end = 0

    def upto(self, ticks: Times, first: int) -> int:
        """Up to which index of `ticks` they are in the current batch, which holds at least that of `first`."""
        while ticks[first] >= self._end:
            self._batch = None  # before the next one takes its memory
            self._batch = next(self._batches)
            self._see(self._batch)
            self._start, self._end = self._end, self._end + len(self._batch)
        return int(np.searchsorted(ticks, self._end))

    def take(self, ticks: Times) -> Side:
        """The messages of ticks in the current batch."""
        assert self._batch is not None
        rows = ticks - self._start
        if len(rows) == len(self._batch):
            return Side(ticks, self._batch.buffer, self._batch.offset, self._batch.length)
        return Side(ticks, self._batch.buffer, self._batch.offset[rows], self._batch.length[rows])

    def finish(self) -> None:
        """Read the rest."""
        for batch in self._batches:
            self._see(batch)


def equal_payloads(a: Side, b: Side) -> Mask:
    """Which messages have the same bytes on both sides, (m,)."""
    same: Mask = a.length == b.length
    for size in np.unique(a.length[same]).tolist():
        rows = np.flatnonzero(same & (a.length == size))
        same[rows] = _equal(a.where(rows), b.where(rows), size)
    return same


def _equal(a: Side, b: Side, size: int) -> Mask:
    """Which messages of one size are equal: compared as rows of words where they lie evenly, else one by one."""
    strides = [_stride(side, size) for side in (a, b)]
    if size >= _LARGE or None in strides:
        return np.fromiter(
            (_same(a.payload(row), b.payload(row)) for row in range(len(a.ticks))),
            np.bool_,
            len(a.ticks),
        )
    whole = size - size % _WORD
    equal: Mask = np.ones(len(a.ticks), np.bool_)
    for dtype, start, count in (("u8", 0, whole // _WORD), ("u1", whole, size - whole)):
        rows: list[npt.NDArray[Any]] = [
            np.ndarray(
                (len(side.ticks), count),
                dtype,
                side.buffer.data,
                int(side.offset[0]) + start,
                (stride or 0, np.dtype(dtype).itemsize),
            )
            for side, stride in zip((a, b), strides, strict=True)
        ]
        equal &= (rows[0] == rows[1]).all(axis=1)
    return equal


def _same(a: Bytes, b: Bytes) -> bool:
    whole = len(a) - len(a) % _WORD
    words_a: npt.NDArray[Any] = np.ndarray((whole // _WORD,), "u8", a.data)
    words_b: npt.NDArray[Any] = np.ndarray((whole // _WORD,), "u8", b.data)
    return np.array_equal(words_a, words_b) and np.array_equal(a[whole:], b[whole:])


def _stride(side: Side, size: int) -> int | None:
    """How far apart messages are; None if that varies."""
    steps = np.diff(side.offset)
    if not len(steps):
        return size
    return int(steps[0]) if (steps == steps[0]).all() else None
