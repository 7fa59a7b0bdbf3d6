"""Transforms of TF apart: each pair of frames as a topic of its own, whatever message brought it.

Any topic of tf2_msgs/msg/TFMessage becomes topics of the same type whose messages have a single
transform, so that each pair of frames is aligned by its own stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ..bag import Bag, BagError
from ..cdr.message_error import MessageError
from ..message.arrays import Bytes, Column, Floats, Int64s
from ..message.batch import Batch
from ..message.time import NS_PER_S
from .comparison import Comparison
from .tolerance import Tolerances

TRANSFORMS = "tf2_msgs/msg/TFMessage"
Pair: TypeAlias = tuple[str, str]
"""The parent and the child of a transform."""
_KEY = "transforms[].child_frame_id"
_PATHS = (
    "transforms[].header.stamp",
    "transforms[].header.frame_id",
    _KEY,
    *(f"transforms[].transform.translation.{part}" for part in "xyz"),
    *(f"transforms[].transform.rotation.{part}" for part in "xyzw"),
)
_MOST_PAIRS = 1000
"""Of a topic with more pairs of frames than these, messages are compared as they are."""


def transforms_apart(
    bags: tuple[Bag, Bag], tolerances: Tolerances, stays: Callable[[str], bool]
) -> tuple[Bag, Bag]:
    """Both bags, those topics of transforms apart that both have and `tolerances` leave keyed.

    Topics of which `stays` is true are left as they are.
    """
    if isinstance(bags[0], TransformsApart):
        return bags
    sources = [
        topic
        for topic in sorted(bags[0].topics.keys() & bags[1].topics.keys())
        if not stays(topic)
        and _are_keyed(tolerances.at(topic))
        and all(_is_of_transforms(bag, topic) for bag in bags)
    ]
    if not sources:
        return bags
    pairs = [_pairs_of(bag, sources) for bag in bags]
    few = [
        topic
        for topic in sources
        if len(pairs[0][topic].keys() | pairs[1][topic].keys()) <= _MOST_PAIRS
    ]
    apart = [
        TransformsApart(bag, {topic: counts[topic] for topic in few})
        for bag, counts in zip(bags, pairs, strict=True)
    ]
    return apart[0], apart[1]


def _are_keyed(tolerances: Tolerances) -> bool:
    rule = tolerances.of(_KEY)
    return rule.keyed is not False and not rule.unordered


def as_compared(bags: tuple[Bag, Bag], comparison: Comparison) -> tuple[Bag, Bag]:
    """Both bags with the topics that were compared."""
    apart = {source_of(topic) for topic in comparison.keys if source_of(topic) != topic}
    return transforms_apart(bags, comparison.tolerances, lambda topic: topic not in apart)


def source_of(topic: str) -> str:
    """The topic that a pair of frames came on; other topics are their own."""
    return topic.partition(" ")[0] if "→" in topic else topic


class TransformsApart(Bag):
    """A bag whose transforms are on topics of their own, by pair of frames."""

    def __init__(self, bag: Bag, counts: Mapping[str, Mapping[Pair, int]]) -> None:
        self._bag, self._sources = bag, frozenset(counts)
        self.path, self.files = bag.path, bag.files
        self.topics = {name: topic for name, topic in bag.topics.items() if name not in counts}
        for source, pairs in counts.items():
            for pair, count in sorted(pairs.items()):
                name = _name(source, pair)
                self.topics[name] = replace(bag.topics[source], name=name, count=count)

    @property
    def problem(self) -> str | None:
        """As that of the bag."""
        return self._bag.problem

    def close(self) -> None:
        """Leave the bag open, which whoever opened it closes."""

    def batches(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Batch]:
        """As those of the bag, in which each transform is a message of its pair's topic."""
        wanted = self.topics.keys() if topics is None else frozenset(topics)
        inner = {source_of(name) if self._is_apart(name) else name for name in wanted}
        done = dict.fromkeys(self._sources, 0)
        for batch in self._bag.batches(inner, start_ns, end_ns, strict):
            if self._sources.isdisjoint(batch.topics):
                yield batch
                continue
            for name, part in batch.by_topic():
                if name not in self._sources:
                    yield part
                    continue
                try:
                    found = list(self._apart(name, part, wanted))
                except MessageError as error:
                    raise error.of(name, done[name] + error.tick) from error
                done[name] += len(part)
                yield from found

    def _is_apart(self, topic: str) -> bool:
        return source_of(topic) in self._sources

    def _apart(self, source: str, batch: Batch, wanted: Collection[str]) -> Iterator[Batch]:
        rows, columns = _flat(self._bag, source, batch, _PATHS)
        parents, children = (columns[path] for path in _PATHS[1:3])
        for pair, at in _by_pair(parents, children).items():
            name = _name(source, pair)
            if name not in wanted:
                continue
            numbers = np.stack([columns[path][at] for path in _PATHS[3:]], axis=1)
            buffer, size = _encoded(pair, columns[_PATHS[0]][at].astype(np.int64), numbers)
            messages = batch.where(rows[at])
            yield replace(
                messages,
                topics=(name,),
                topic=np.zeros(len(at), np.int64),
                buffer=buffer,
                offset=np.arange(len(at)) * size,
                length=np.full(len(at), size),
            )


def _is_of_transforms(bag: Bag, topic: str) -> bool:
    if bag.topics[topic].type != TRANSFORMS:
        return False
    try:
        return set(bag.codec(topic).fields()) == set(_PATHS)
    except BagError:
        return False  # whoever compares the topic says why


def _pairs_of(bag: Bag, sources: Collection[str]) -> dict[str, dict[Pair, int]]:
    """How many transforms there are of each pair of frames, by topic."""
    counts: dict[str, dict[Pair, int]] = {source: {} for source in sources}
    done = dict.fromkeys(sources, 0)
    for batch in bag.batches(sources):
        for name, part in batch.by_topic():
            try:
                _, columns = _flat(bag, name, part, _PATHS[1:3])
            except MessageError as error:
                raise error.of(name, done[name] + error.tick) from error
            done[name] += len(part)
            for pair, at in _by_pair(*columns.values()).items():
                counts[name][pair] = counts[name].get(pair, 0) + len(at)
    return counts


def _flat(
    bag: Bag, topic: str, batch: Batch, paths: Collection[str]
) -> tuple[Int64s, dict[str, Column]]:
    """The message of each transform, (k,), and the fields of all transforms, (k,) each."""
    columns = bag.codec(topic).columns(batch.buffer, batch.offset, batch.length, list(paths))
    found: dict[str, Column] = {}
    counts: Int64s = np.zeros(len(batch), np.int64)
    for path, column in columns.items():
        counts = np.array([len(row) for row in column], np.int64)
        found[path] = np.concatenate([np.asarray(row) for row in column]) if len(column) else column
    return np.repeat(np.arange(len(batch)), counts), found


def _by_pair(parents: Column, children: Column) -> dict[Pair, Int64s]:
    """The transforms of each pair of frames, (k,)."""
    rows: dict[Pair, list[int]] = {}
    for row, pair in enumerate(zip(parents.tolist(), children.tolist(), strict=True)):
        rows.setdefault(pair, []).append(row)
    return {pair: np.array(at, np.int64) for pair, at in rows.items()}


def _name(source: str, pair: Pair) -> str:
    """`/tf map→odom`; no name of a topic has a space."""
    return f"{source} {pair[0]}→{pair[1]}"


def _encoded(pair: Pair, stamps_ns: Int64s, numbers: Floats) -> tuple[Bytes, int]:
    """Messages of one transform each as CDR, end to end, and the size of each."""
    head = b"\0\1\0\0" + np.uint32(1).tobytes()
    texts = bytes(8)  # the stamp
    for text in pair:
        raw = text.encode("utf-8", "surrogateescape") + b"\0"
        texts += np.uint32(len(raw)).tobytes() + raw
        texts += bytes(-(len(head) + len(texts)) % 4)
    texts += bytes(-(len(head) - 4 + len(texts)) % 8)
    template = np.frombuffer(head + texts + bytes(7 * 8), np.uint8)
    rows = np.tile(template, (len(stamps_ns), 1))
    seconds, nanoseconds = np.divmod(stamps_ns, NS_PER_S)
    rows[:, 8:12] = seconds.astype("<i4")[:, None].view(np.uint8)
    rows[:, 12:16] = nanoseconds.astype("<u4")[:, None].view(np.uint8)
    rows[:, -56:] = np.ascontiguousarray(numbers, "<f8").view(np.uint8)
    return rows.reshape(-1), len(template)
