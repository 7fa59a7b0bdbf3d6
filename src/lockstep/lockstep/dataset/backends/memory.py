"""Datasets in memory. Values of any kind are kept as they are given, not copied."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...bag import Topic
from ...bag.enclosed import Enclosed
from ...bag.metadata import Origin
from ...message.arrays import Column, Int64s
from ..source import Record, column_of, outer_span


@dataclass
class _Kept:
    stamps: array[int] = field(default_factory=lambda: array("q"))
    publish: array[int] = field(default_factory=lambda: array("q"))
    values: list[Any] = field(default_factory=list)


class MemoryBackend:
    """Lists of values by key, and the order in which they were appended."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Kept] = {}
        self._number: dict[str, int] = {}
        self._order = array("I")
        self._enclosed: list[Enclosed] = []
        self.origin = Origin()

    def enclosed(self) -> Iterator[Enclosed]:
        return iter(self._enclosed)

    def describe(self, origin: Origin) -> str:
        self.origin = origin
        return ""

    def enclose(self, enclosed: Enclosed) -> bool:
        self._enclosed.append(enclosed)
        return True

    def append(self, key: str, value: Any, stamp_ns: int, publish_ns: int) -> None:
        kept = self._by_key.get(key)
        if kept is None:
            kept = self._by_key[key] = _Kept()
            self._number[key] = len(self._number)
        kept.stamps.append(stamp_ns)
        kept.publish.append(publish_ns)
        kept.values.append(value)
        self._order.append(self._number[key])

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        """Nothing is open."""

    def names(self) -> list[str]:
        return list(self._by_key)

    def topic(self, key: str) -> Topic | None:
        return None

    def count(self, key: str) -> int:
        return len(self._by_key[key].values)

    def span(self) -> tuple[int, int] | None:
        return outer_span((min(k.stamps), max(k.stamps)) for k in self._by_key.values())

    def stamps(self, key: str) -> Int64s:
        return np.array(self._by_key[key].stamps, np.int64)

    def publish_times(self, key: str) -> Int64s:
        return np.array(self._by_key[key].publish, np.int64)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        names = list(self._by_key)
        chosen = names if keys is None else [name for name in names if name in keys]
        if len(chosen) == 1:
            records = self._records(chosen[0])
        else:
            each = [self._records(name) if name in chosen else None for name in names]
            order = memoryview(self._order.tobytes()).cast("I")
            records = (next(each[number]) for number in order if each[number] is not None)  # type: ignore[arg-type]
        if start_ns is None and end_ns is None:
            yield from records
            return
        for record in records:
            if (start_ns is None or record.stamp_ns >= start_ns) and (
                end_ns is None or record.stamp_ns < end_ns
            ):
                yield record

    def read(self, key: str, rows: Int64s) -> Iterator[Record]:
        kept = self._by_key[key]
        for row in rows.tolist():
            yield Record(key, kept.stamps[row], kept.publish[row], kept.values[row])

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        return column_of(self.records([key], start_ns, end_ns), path, key)

    def _records(self, key: str) -> Iterator[Record]:
        kept = self._by_key[key]
        for stamp_ns, publish_ns, value in zip(
            kept.stamps, kept.publish, kept.values, strict=False
        ):
            yield Record(key, stamp_ns, publish_ns, value)
