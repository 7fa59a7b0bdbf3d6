"""Views that pick records: in random order, at random, or at a fixed rate."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from typing import Literal
from zlib import crc32

import numpy as np

from ..errors import DatasetError
from ..message.arrays import Column, Int64s, Mask
from .form import Encoded, plain
from .interpolation import interpolated
from .source import Record, Source, View, within

Method = Literal["previous", "nearest", "linear"]
_BYTES_AT_ONCE = 256 << 20
_GUESSED_BYTES = 1_000  # of a value that is no bytes


class Shuffled(View):
    """All records in an order that `seed` decides; each keeps its time.

    The order is exact, and yet memory is bounded: a source of more than `bytes_at_once` is read
    once for each such part.
    """

    def __init__(self, source: Source, seed: int, bytes_at_once: int = _BYTES_AT_ONCE) -> None:
        super().__init__(source)
        self._seed, self._bytes_at_once = seed, bytes_at_once

    def count(self, key: str) -> int:
        return self._source.count(key)

    def span(self) -> tuple[int, int] | None:
        return self._source.span()

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        total = sum(self._source.count(key) for key in self.names())
        place = np.random.default_rng(self._seed).permutation(total)
        done = 0
        while done < total:
            part: list[tuple[int, Record]] = []
            end, size = total, 0
            for to, record in zip(place.tolist(), self._source.records(), strict=False):
                if not done <= to < end:
                    continue
                heapq.heappush(part, (-to, record))
                size += _bytes(record)
                while size > self._bytes_at_once and len(part) > 1:
                    last, dropped = heapq.heappop(part)
                    end, size = -last, size - _bytes(dropped)
            for _, record in sorted(part, reverse=True, key=lambda item: item[0]):
                if (
                    (keys is None or record.key in keys)
                    and (start_ns is None or record.stamp_ns >= start_ns)
                    and (end_ns is None or record.stamp_ns < end_ns)
                ):
                    yield record
            done = end


class Drawn(View):
    """Of each key round(n · share) records that `seed` draws, or, with `others`, all that it does
    not."""

    def __init__(self, source: Source, share: float, seed: int, others: bool) -> None:
        super().__init__(source)
        self._share, self._seed, self._others = share, seed, others
        self._masks: dict[str, Mask] = {}

    def stamps(self, key: str) -> Int64s:
        return self._source.stamps(key)[self._mask(key)]

    def publish_times(self, key: str) -> Int64s:
        return self._source.publish_times(key)[self._mask(key)]

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        column = self._source.column(key, path)[self._mask(key)]
        return column[within(self.stamps(key), start_ns, end_ns)]

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        chosen = [key for key in self.names() if keys is None or key in keys]
        masks = {key: iter(self._mask(key).tolist()) for key in chosen}
        for record in self._source.records(chosen):
            if (
                next(masks[record.key])
                and (start_ns is None or record.stamp_ns >= start_ns)
                and (end_ns is None or record.stamp_ns < end_ns)
            ):
                yield record

    def _mask(self, key: str) -> Mask:
        if key not in self._masks:
            count = self._source.count(key)
            random = np.random.default_rng([self._seed, crc32(key.encode())])
            mask = np.full(count, self._others)
            mask[random.permutation(count)[: round(count * self._share)]] = not self._others
            self._masks[key] = mask
        return self._masks[key]


class Resampled(View):
    """Every key at the same times: one record each `period_ns` from `start_ns` to `end_ns` (both
    included)."""

    def __init__(
        self, source: Source, period_ns: float, start_ns: int, end_ns: int, method: Method
    ) -> None:
        super().__init__(source)
        self._method = method
        count = int((end_ns - start_ns) / period_ns) + 1 if end_ns >= start_ns else 0
        self._grid: Int64s = start_ns + np.rint(np.arange(count) * period_ns).astype(np.int64)

    def names(self) -> list[str]:
        return [key for key in self._source.names() if self._source.count(key)]

    def count(self, key: str) -> int:
        return len(self._grid)

    def stamps(self, key: str) -> Int64s:
        return self._grid

    def publish_times(self, key: str) -> Int64s:
        return self._grid

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        if self._method == "linear":
            return super().column(key, path, start_ns, end_ns)
        rows = self._rows(key)[within(self._grid, start_ns, end_ns)]
        return self._source.column(key, path)[rows]

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        chosen = [key for key in self.names() if keys is None or key in keys]
        first = 0 if start_ns is None else int(np.searchsorted(self._grid, start_ns))
        stop = len(self._grid) if end_ns is None else int(np.searchsorted(self._grid, end_ns))
        make = self._interpolated if self._method == "linear" else self._picked
        for records in zip(*(make(key, slice(first, stop)) for key in chosen), strict=True):
            yield from records

    def _picked(self, key: str, ticks: slice) -> Iterator[Record]:
        times = self._grid[ticks].tolist()
        records = self._source.read(key, self._rows(key)[ticks])
        for time_ns, record in zip(times, records, strict=True):
            yield Record(key, time_ns, time_ns, record.value)

    def _interpolated(self, key: str, ticks: slice) -> Iterator[Record]:
        grid = self._grid[ticks]
        order, stamps = self._sorted(key)
        after = np.clip(np.searchsorted(stamps, grid, "left"), 0, len(stamps) - 1)
        before = np.maximum(np.where(stamps[after] <= grid, after, after - 1), 0)
        span = stamps[after] - stamps[before]
        share = np.where(span > 0, (grid - stamps[before]) / np.maximum(span, 1), 0.0)
        # Pairs in one ascending stream: each value is read and decoded once.
        rows = np.stack([order[before], order[after]], axis=1).reshape(-1)
        values = _each_decoded_once(self._source.read(key, rows))
        for time_ns, weight, value in zip(grid.tolist(), share.tolist(), values, strict=False):
            yield Record(
                key, time_ns, time_ns, interpolated(value, next(values), weight, time_ns, key)
            )

    def _rows(self, key: str) -> Int64s:
        """Which record of the key stands for each time of the grid."""
        order, stamps = self._sorted(key)
        previous = np.maximum(np.searchsorted(stamps, self._grid, "right") - 1, 0)
        if self._method == "nearest":
            following = np.minimum(previous + 1, len(stamps) - 1)
            nearer = stamps[following] - self._grid < self._grid - stamps[previous]
            previous = np.where(nearer, following, previous)
        rows: Int64s = order[previous]
        return rows

    def _sorted(self, key: str) -> tuple[Int64s, Int64s]:
        """The rows of a key by time, and their times."""
        stamps = self._source.stamps(key)
        order = np.argsort(stamps, kind="stable")
        return order, stamps[order]


def grid_limits(source: Source) -> tuple[int, int]:
    """From when to when every key with records has some; raises DatasetError if there are none."""
    limits = []
    for key in source.names():
        stamps = source.stamps(key)
        if len(stamps):
            limits.append((int(stamps.min()), int(stamps.max())))
    if not limits:
        raise DatasetError("an empty dataset cannot be resampled; give it records first")
    return max(first for first, _ in limits), max(last for _, last in limits)


def _each_decoded_once(records: Iterator[Record]) -> Iterator[object]:
    last: object = None
    value: object = None
    for record in records:
        if record.value is not last:
            last, value = record.value, plain(record.value)
        yield value


def _bytes(record: Record) -> int:
    value = record.value
    if isinstance(value, Encoded):
        return len(value.data)
    return int(getattr(value, "nbytes", 0)) or _GUESSED_BYTES
