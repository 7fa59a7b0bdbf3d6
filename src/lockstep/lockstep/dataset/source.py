"""What a dataset reads from: a backend, or a view of other sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..bag import Topic
from ..bag.convert import Keeper, Recording
from ..bag.enclosed import Enclosed
from ..bag.metadata import Origin
from ..errors import DatasetError
from ..message.arrays import Column, Int64s, Mask
from .columns import column, joined
from .form import Encoded, Form

_ROWS_AT_ONCE = 4096
_BYTES_AT_ONCE = 64 << 20
_ROWS_ONE_BY_ONE = 64


class Record(NamedTuple):
    """A value with its log time and publish time in ns.

    Sources may hand out values that are still Encoded.
    """

    key: str
    stamp_ns: int
    publish_ns: int
    value: Any

    def decoded(self) -> Record:
        """The same with a value that is not Encoded."""
        if isinstance(self.value, Encoded):
            return self._replace(value=self.value.form.decode(self.value.data))
        return self


class Source(Recording, Protocol):
    """Records by key, and what a recording holds beside them.

    `records` come in the order they were appended, which need not be the order of their times.
    """

    def names(self) -> list[str]:
        """The keys, in the order of their first records."""

    def topic(self, key: str) -> Topic | None:
        """How a bag describes the key; None for values that are kept as they are."""

    def count(self, key: str) -> int: ...

    def span(self) -> tuple[int, int] | None:
        """The earliest and the latest log time of all records; None without any."""

    def stamps(self, key: str) -> Int64s:
        """The log time of each record of a key, (n,) in ns."""

    def publish_times(self, key: str) -> Int64s:
        """The publish time of each record of a key, (n,) in ns."""

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        """Records of `keys` (default: all) with start_ns <= log time < end_ns; values may be
        Encoded."""

    def read(self, key: str, rows: Int64s) -> Iterator[Record]:
        """The records of a key at `rows` (m,), in that order; rows may repeat."""

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        """One field of the records of a key with start_ns <= log time < end_ns; see
        `columns.column`."""


@runtime_checkable
class Divisible(Protocol):
    """A source of which several readers need not read all each."""

    def part(self, turn: int, of: int) -> Source | None:
        """The share of one of so many readers, which have all records between them, each once;
        None if it cannot be divided after all."""


def part_of(source: Source, turn: int, of: int) -> Source | None:
    """The share of one of so many readers; None if each would have to read all of it."""
    return source.part(turn, of) if isinstance(source, Divisible) else None


class Backend(Source, Keeper, Protocol):
    """A source that keeps what is appended; a place that is only read refuses with DatasetError."""

    def append(self, key: str, value: Any, stamp_ns: int, publish_ns: int) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class OnlyRecords:
    """A backend that keeps nothing beside records."""

    @property
    def origin(self) -> Origin:
        return Origin()

    def enclosed(self) -> Iterator[Enclosed]:
        return iter(())

    def describe(self, origin: Origin) -> str:
        return origin.described

    def enclose(self, enclosed: Enclosed) -> bool:
        return False


class Streamed:
    """A source that knows how to stream its records, and derives everything else from that."""

    def names(self) -> list[str]:
        raise NotImplementedError

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        raise NotImplementedError

    def topic(self, key: str) -> Topic | None:
        return None

    def count(self, key: str) -> int:
        return len(self.stamps(key))

    def span(self) -> tuple[int, int] | None:
        return outer_span([_span(self.stamps(key)) for key in self.names()])

    def stamps(self, key: str) -> Int64s:
        return np.fromiter((record.stamp_ns for record in self.records([key])), np.int64)

    def publish_times(self, key: str) -> Int64s:
        return np.fromiter((record.publish_ns for record in self.records([key])), np.int64)

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        return column_of(self.records([key], start_ns, end_ns), path, key)

    def read(self, key: str, rows: Int64s) -> Iterator[Record]:
        if not len(rows):
            return
        stamps = self.stamps(key)
        if np.all(rows[1:] >= rows[:-1]):
            yield from _ascending(self.records, key, rows, stamps)
            return
        at_once = 1 if len(rows) <= _ROWS_ONE_BY_ONE else _ROWS_AT_ONCE
        for start in range(0, len(rows), at_once):
            block = rows[start : start + at_once]
            wanted = np.unique(block)
            found = dict(
                zip(
                    wanted.tolist(),
                    _ascending(self.records, key, wanted, stamps),
                    strict=True,
                )
            )
            yield from map(found.__getitem__, block.tolist())


class View(Streamed):
    """What one other source holds, some of it or otherwise."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def origin(self) -> Origin:
        return self._source.origin

    def enclosed(self) -> Iterator[Enclosed]:
        return self._source.enclosed()

    def names(self) -> list[str]:
        return self._source.names()

    def topic(self, key: str) -> Topic | None:
        return self._source.topic(key)


def outer_span(spans: Iterable[tuple[int, int] | None]) -> tuple[int, int] | None:
    """The span of all spans."""
    there = [span for span in spans if span is not None]
    return (min(first for first, _ in there), max(last for _, last in there)) if there else None


def _span(stamps: Int64s) -> tuple[int, int] | None:
    return (int(stamps.min()), int(stamps.max())) if len(stamps) else None


def column_of(records: Iterable[Record], path: str, key: str) -> Column:
    """One field of records of a key, of which no more than a part is held at once."""
    parts: list[Column] = []
    for form, values in _runs(records):
        if form is None:
            parts.append(column(values, path, key))
        else:
            parts.append(form.column(values, path, key))
    return joined(parts)


def _runs(records: Iterable[Record]) -> Iterator[tuple[Form | None, list[Any]]]:
    """Values that are plain (no form), and payloads of one form, in runs of some megabytes."""
    of: Form | None = None
    held: list[Any] = []
    size = 0
    for record in records:
        form, value = None, record.value
        if isinstance(value, Encoded):
            value, form = value
            size += len(value)
        if held and (form is not of or size > _BYTES_AT_ONCE):
            yield of, held
            held, size = [], 0
        of = form
        held.append(value)
    yield of, held


def within(stamps: Int64s, start_ns: int | None, end_ns: int | None) -> Mask:
    """Which of n times lie in start_ns <= t < end_ns, (n,)."""
    inside: Mask = np.ones(len(stamps), bool)
    if start_ns is not None:
        inside &= stamps >= start_ns
    if end_ns is not None:
        inside &= stamps < end_ns
    return inside


def _ascending(
    records: Callable[..., Iterator[Record]], key: str, rows: Int64s, stamps: Int64s
) -> Iterator[Record]:
    """Records at rows that never descend, with one pass through the times between which they
    lie."""
    first, last = stamps[rows].min(), stamps[rows].max()
    inside = np.flatnonzero((stamps >= first) & (stamps <= last))
    wanted = np.searchsorted(inside, rows).tolist()
    at = 0
    for place, record in enumerate(records([key], int(first), int(last) + 1)):
        while at < len(wanted) and wanted[at] == place:
            yield record
            at += 1
        if at == len(wanted):
            return
    raise DatasetError(f"key {key} changed while it was read; load the dataset again")
