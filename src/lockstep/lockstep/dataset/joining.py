"""Several sources as one: end to end, or merged by time."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256

import numpy as np

from ..bag import Topic
from ..bag.enclosed import Enclosed
from ..bag.metadata import Origin, joined_origins
from ..message.arrays import Column, Int64s
from .columns import joined
from .source import Record, Source, Streamed, outer_span, part_of


class _Joined(Streamed):
    """What all of several sources hold."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def origin(self) -> Origin:
        return joined_origins(source.origin for source in self._sources)

    def enclosed(self) -> Iterator[Enclosed]:
        """What any of them holds: once, as views of one bag may be joined."""
        seen: set[bytes] = set()
        for source in self._sources:
            for one in source.enclosed():
                digest = sha256(one.body).digest()
                if digest not in seen:
                    seen.add(digest)
                    yield one

    def names(self) -> list[str]:
        return list(dict.fromkeys(key for source in self._sources for key in source.names()))

    def topic(self, key: str) -> Topic | None:
        return self._with(key)[0].topic(key)

    def count(self, key: str) -> int:
        return sum(source.count(key) for source in self._with(key))

    def span(self) -> tuple[int, int] | None:
        return outer_span(source.span() for source in self._sources)

    def _with(self, key: str) -> list[Source]:
        return [source for source in self._sources if key in source.names()]


class Chained(_Joined):
    """Sources one after the other, with the times they have."""

    @property
    def sources(self) -> Sequence[Source]:
        """What is one after the other."""
        return self._sources

    def part(self, turn: int, of: int) -> Source | None:
        """Whole sources, of which each reader has as many; those that can be divided are."""
        divided = [part_of(source, turn, of) for source in self._sources]
        whole = sum(part is None for part in divided)
        if 0 < whole < of:
            return None
        mine, seen = [], 0
        for source, part in zip(self._sources, divided, strict=True):
            if part is not None:
                mine.append(part)
                continue
            if seen % of == turn:
                mine.append(source)
            seen += 1
        return Chained(mine)

    def stamps(self, key: str) -> Int64s:
        return np.concatenate([source.stamps(key) for source in self._with(key)])

    def publish_times(self, key: str) -> Int64s:
        return np.concatenate([source.publish_times(key) for source in self._with(key)])

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        columns = [source.column(key, path, start_ns, end_ns) for source in self._with(key)]
        return joined(columns)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        for source in self._sources:
            yield from source.records(_of(source, keys), start_ns, end_ns)


class Merged(_Joined):
    """Sources side by side: always the earliest next record.

    Each source's own order stays as it is.
    """

    def stamps(self, key: str) -> Int64s:
        owners = self._with(key)
        return owners[0].stamps(key) if len(owners) == 1 else super().stamps(key)

    def publish_times(self, key: str) -> Int64s:
        owners = self._with(key)
        return owners[0].publish_times(key) if len(owners) == 1 else super().publish_times(key)

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        owners = self._with(key)
        if len(owners) == 1:
            return owners[0].column(key, path, start_ns, end_ns)
        return super().column(key, path, start_ns, end_ns)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        streams = [source.records(_of(source, keys), start_ns, end_ns) for source in self._sources]
        return heapq.merge(*streams, key=lambda record: record.stamp_ns)


def _of(source: Source, keys: Collection[str] | None) -> list[str] | None:
    return None if keys is None else [key for key in source.names() if key in keys]
