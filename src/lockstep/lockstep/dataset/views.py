"""Views of one source: fewer records, other names, other times.

Nothing is copied; records stream through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from ..bag import Topic
from ..errors import DatasetError
from ..message.arrays import Column, Int64s, Mask
from .source import Record, Source, View, part_of, within

_BOUND = np.iinfo(np.int64)


class Selected(View):
    """The records of some keys, with start_ns <= log time < end_ns, whose tick (index in the
    source's key) is in `ticks`."""

    def __init__(
        self,
        source: Source,
        keys: Collection[str],
        start_ns: int | None,
        end_ns: int | None,
        ticks: slice | None,
    ) -> None:
        super().__init__(source)
        self._keys = list(keys)
        self._start_ns, self._end_ns, self._ticks = start_ns, end_ns, ticks

    def part(self, turn: int, of: int) -> Source | None:
        part = part_of(self._source, turn, of) if self._ticks is None else None
        if part is None:
            return None
        there = part.names()
        keys = [key for key in self._keys if key in there]
        return Selected(part, keys, self._start_ns, self._end_ns, None)

    def names(self) -> list[str]:
        return self._keys

    def count(self, key: str) -> int:
        if self._start_ns is None and self._end_ns is None:
            return len(range(self._source.count(key))[self._ticks or slice(None)])
        return super().count(key)

    def stamps(self, key: str) -> Int64s:
        return self._source.stamps(key)[self._chosen(key)]

    def publish_times(self, key: str) -> Int64s:
        return self._source.publish_times(key)[self._chosen(key)]

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        start_ns, end_ns = _later(self._start_ns, start_ns), _earlier(self._end_ns, end_ns)
        column = self._source.column(key, path, start_ns, end_ns)
        if self._ticks is None:
            return column
        stamps = self._source.stamps(key)
        ticked = np.zeros(len(stamps), bool)
        ticked[self._ticks] = True
        chosen: Column = column[ticked[within(stamps, start_ns, end_ns)]]
        return chosen

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        chosen = self._keys if keys is None else [key for key in self._keys if key in keys]
        start_ns = _later(self._start_ns, start_ns)
        end_ns = _earlier(self._end_ns, end_ns)
        if self._ticks is None:
            yield from self._source.records(chosen, start_ns, end_ns)
            return
        ticks = {key: range(self._source.count(key))[self._ticks] for key in chosen}
        seen = dict.fromkeys(chosen, 0)
        for record in self._source.records(chosen):
            tick, key = seen[record.key], record.key
            seen[key] += 1
            if (
                tick in ticks[key]
                and (start_ns is None or record.stamp_ns >= start_ns)
                and (end_ns is None or record.stamp_ns < end_ns)
            ):
                yield record

    def _chosen(self, key: str) -> Mask | slice:
        if self._start_ns is None and self._end_ns is None and self._ticks is None:
            return slice(None)
        stamps = self._source.stamps(key)
        ticked = np.zeros(len(stamps), bool)
        ticked[slice(None) if self._ticks is None else self._ticks] = True
        chosen: Mask = ticked & within(stamps, self._start_ns, self._end_ns)
        return chosen


class Renamed(View):
    """The same records under other keys: `names` is old → new."""

    def __init__(self, source: Source, names: Mapping[str, str]) -> None:
        super().__init__(source)
        self._new = {key: names.get(key, key) for key in source.names()}
        self._old = {new: old for old, new in self._new.items()}
        if len(self._old) < len(self._new):
            twice = next(new for old, new in self._new.items() if self._old[new] != old)
            raise DatasetError(f"two keys would be named {twice}; give them different names")

    def part(self, turn: int, of: int) -> Source | None:
        part = part_of(self._source, turn, of)
        return None if part is None else Renamed(part, self._new)

    def names(self) -> list[str]:
        return list(self._old)

    def topic(self, key: str) -> Topic | None:
        return self._source.topic(self._old[key])

    def count(self, key: str) -> int:
        return self._source.count(self._old[key])

    def span(self) -> tuple[int, int] | None:
        return self._source.span()

    def stamps(self, key: str) -> Int64s:
        return self._source.stamps(self._old[key])

    def publish_times(self, key: str) -> Int64s:
        return self._source.publish_times(self._old[key])

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        return self._source.column(self._old[key], path, start_ns, end_ns)

    def read(self, key: str, rows: Int64s) -> Iterator[Record]:
        for record in self._source.read(self._old[key], rows):
            yield record._replace(key=key)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        old = None if keys is None else [self._old[key] for key in keys if key in self._old]
        for record in self._source.records(old, start_ns, end_ns):
            yield record._replace(key=self._new[record.key])


class Retimed(View):
    """The same records at other times: origin_ns + (t - origin_ns) · scale + shift_ns.

    Stamps in values stay.
    """

    def __init__(self, source: Source, origin_ns: int, scale: float, shift_ns: int) -> None:
        super().__init__(source)
        self._origin_ns, self._scale, self._shift_ns = origin_ns, scale, shift_ns

    def part(self, turn: int, of: int) -> Source | None:
        part = part_of(self._source, turn, of)
        moved = self._origin_ns, self._scale, self._shift_ns
        return None if part is None else Retimed(part, *moved)

    def count(self, key: str) -> int:
        return self._source.count(key)

    def span(self) -> tuple[int, int] | None:
        span = self._source.span()
        return None if span is None else (self._time(span[0]), self._time(span[1]))

    def stamps(self, key: str) -> Int64s:
        return self._moved(self._source.stamps(key))

    def publish_times(self, key: str) -> Int64s:
        return self._moved(self._source.publish_times(key))

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        first_ns, stop_ns = self._before(start_ns, -2), self._before(end_ns, 2)
        column = self._source.column(key, path, first_ns, stop_ns)
        if self._scale == 1 or (start_ns is None and end_ns is None):
            return column
        stamps = self._source.stamps(key)
        read = stamps[within(stamps, first_ns, stop_ns)]
        return column[within(self._moved(read), start_ns, end_ns)]

    def read(self, key: str, rows: Int64s) -> Iterator[Record]:
        yield from map(self._move, self._source.read(key, rows))

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        # A little more than asked for, because scaled times are rounded; then exactly what is.
        source = self._source.records(keys, self._before(start_ns, -2), self._before(end_ns, 2))
        for record in map(self._move, source):
            if (start_ns is None or record.stamp_ns >= start_ns) and (
                end_ns is None or record.stamp_ns < end_ns
            ):
                yield record

    def _move(self, record: Record) -> Record:
        return record._replace(
            stamp_ns=self._time(record.stamp_ns), publish_ns=self._time(record.publish_ns)
        )

    def _time(self, time_ns: int) -> int:
        if self._scale == 1:
            return time_ns + self._shift_ns
        return self._origin_ns + round((time_ns - self._origin_ns) * self._scale) + self._shift_ns

    def _moved(self, times: Int64s) -> Int64s:
        if self._scale == 1:
            return times + self._shift_ns
        scaled: Int64s = np.rint((times - self._origin_ns) * self._scale).astype(np.int64)
        return scaled + (self._origin_ns + self._shift_ns)

    def _before(self, time_ns: int | None, margin_ns: int) -> int | None:
        """The source's time that becomes `time_ns`, and a margin."""
        if time_ns is None:
            return None
        if self._scale == 1:
            return time_ns - self._shift_ns
        relative = (time_ns - self._shift_ns - self._origin_ns) / self._scale
        margin = margin_ns * max(1.0, 1 / self._scale)
        bounded = min(max(self._origin_ns + relative + margin, _BOUND.min), _BOUND.max - 1024)
        return int(bounded) + (256 if margin_ns > 0 else -256)  # what a float64 of today's ns lacks


def _later(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else max(one, other)


def _earlier(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else min(one, other)
