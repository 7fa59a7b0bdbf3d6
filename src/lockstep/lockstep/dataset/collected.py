"""Many bags as one source, of which each is opened only while something of it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

from ..bag import Topic
from ..bag.enclosed import Enclosed
from ..bag.metadata import Origin
from ..message.arrays import Column, Int64s
from .backends.mcap import BagSource
from .joining import Chained
from .source import Record, Streamed
from .summaries import Summary


class LazyBag(Streamed):
    """Some topics of a bag, of which a summary tells what it can; use it as any source."""

    def __init__(self, summary: Summary, names: Sequence[str]) -> None:
        self.summary = summary
        self._names = list(names)

    @contextmanager
    def _opened(self) -> Iterator[BagSource]:
        source = BagSource(self.summary.path)
        try:
            yield source
        finally:
            source.close()

    @property
    def origin(self) -> Origin:
        with self._opened() as source:
            return source.origin

    def enclosed(self) -> Iterator[Enclosed]:
        with self._opened() as source:
            yield from source.enclosed()

    def names(self) -> list[str]:
        return self._names

    def topic(self, key: str) -> Topic | None:
        with self._opened() as source:
            return source.topic(key)

    def count(self, key: str) -> int:
        if self.summary.problem is None:
            return self.summary.counts[key]
        with self._opened() as source:
            return source.count(key)

    def span(self) -> tuple[int, int] | None:
        is_empty = not any(self.summary.counts.values())
        return None if is_empty else (self.summary.start_ns, self.summary.end_ns)

    def stamps(self, key: str) -> Int64s:
        with self._opened() as source:
            return source.stamps(key)

    def publish_times(self, key: str) -> Int64s:
        with self._opened() as source:
            return source.publish_times(key)

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        with self._opened() as source:
            return source.column(key, path, start_ns, end_ns)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        chosen = self._names if keys is None else [key for key in self._names if key in keys]
        if chosen and overlaps(self.summary, start_ns, end_ns):
            with self._opened() as source:
                yield from source.records(chosen, start_ns, end_ns)


class Collected(Chained):
    """Bags one after the other, in the order of their first messages."""

    def __init__(self, bags: Sequence[LazyBag]) -> None:
        in_time = sorted(bags, key=lambda bag: (bag.summary.start_ns, bag.summary.path))
        super().__init__(in_time)


def chosen_bags(
    found: Sequence[Summary],
    topics: Sequence[str] | None,
    types: Sequence[str] | None,
    labels: Mapping[str, str],
    start_ns: int | None,
    end_ns: int | None,
) -> list[LazyBag]:
    """The bags that have any of the topics, with these; see `Dataset.collect`."""
    bags = []
    for summary in found:
        names = [
            name
            for name, kind in summary.types.items()
            if _is_any(name, topics) and _is_any(kind, types)
        ]
        fits = all(fnmatchcase(summary.labels.get(k, ""), text) for k, text in labels.items())
        if names and fits and overlaps(summary, start_ns, end_ns):
            bags.append(LazyBag(summary, names))
    return bags


def overlaps(summary: Summary, start_ns: int | None, end_ns: int | None) -> bool:
    """Whether a bag may hold something with start_ns <= log time < end_ns."""
    if summary.problem is not None:  # what it holds is known only when it is read
        return True
    return (start_ns is None or summary.end_ns >= start_ns) and (
        end_ns is None or summary.start_ns < end_ns
    )


def _is_any(text: str, patterns: Sequence[str] | None) -> bool:
    return patterns is None or any(fnmatchcase(text, pattern) for pattern in patterns)
