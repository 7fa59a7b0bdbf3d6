"""Reading bags: rosbag2 folders (MCAP or SQLite), bare files of them, ROS 1 bags;
from disk or from a URL.

Messages come in file order, which is the order they were recorded in: log times of a simulation
repeat and jump, so they are no order.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..cdr.codec import Codec
from ..cdr.columns import Gathering
from ..cdr.message_error import MessageError
from ..closing import Closable
from ..errors import BagError
from ..message.arrays import Column, Int64s
from ..message.batch import Batch
from ..message.time import NS_PER_S
from ..printable import html_table
from . import metadata
from .bag_files import bag_files
from .enclosed import RECORDER, Enclosed
from .source import open_source
from .storage import EMPTY, BagFile, open_file
from .topic import Topic, codec_of, place

TimeKind = Literal["log", "publish", "header"]
_STAMP = "header.stamp"
WALL_CLOCKS_BEGIN_NS = 10**18  # in 2001, before ROS


class Message(NamedTuple):
    """One recorded message; times in ns, `data` is its CDR with the 4-byte encapsulation header."""

    topic: str
    log_time_ns: int
    publish_time_ns: int
    data: bytes


_message: Any = partial(tuple.__new__, Message)  # Message._make without its check of the length


class Bag(Closable):
    """A bag opened for reading: a folder, a file, a glob of them, or a URL (`s3://…`, `https://…`).

    `problem` is a sentence when the bag is not whole: its recorder was killed, the copy is
    incomplete, its metadata.yaml tells of messages that are not there. Reading it yields all that
    is whole and then raises BagError, unless it is told not to be strict. Damage in the midst of a
    file shows only on reading.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(path) if "://" in str(path) else Path(path)
        self.files, information = bag_files(path)
        self._open: list[BagFile] = []
        self._size = 0
        self._names: list[str] = []
        self.topics: dict[str, Topic] = {}
        """Topics by name."""
        self._empty: str | None = None
        try:
            for name in self.files:
                source = open_source(name)
                if len(self.files) > 1 and not source.size:
                    source.close()
                    self._empty = self._empty or f"{name} {EMPTY}"
                    continue
                with _enough_memory(name):
                    self._open.append(open_file(source))
                self._names.append(name)
                self._size += source.size
        except BaseException:
            self.close()
            raise
        self._placed: list[dict[str, str]] = [{} for _ in self._open]
        for file, placed in zip(self._open, self._placed, strict=True):
            for topic in file.topics.values():
                self._place(topic, placed).count += topic.count
        self._information = information
        _take_metadata(information, self.topics)
        self._disagreement = _disagreement(self.path, information, self.topics)
        self._miscount: str | None = None

    def _repr_html_(self) -> str:
        duration_s = (self.end_ns - self.start_ns) / NS_PER_S
        caption = f"{self.path}: {self.count} messages in {duration_s:.3f} s"
        return html_table(
            f"{caption}. {self.problem}" if self.problem else caption,
            ("topic", "type", "messages"),
            ((name, topic.type, topic.count) for name, topic in self.topics.items()),
        )

    def close(self) -> None:
        """Close all files; nothing can be read any more."""
        for file in self._open:
            file.close()

    @property
    def problem(self) -> str | None:
        """Why the bag is not whole, as far as it is known; None if it is."""
        in_files = (file.problem for file in self._open)
        problems = (*in_files, self._empty, self._disagreement, self._miscount)
        return next(filter(None, problems), None)

    @cached_property
    def origin(self) -> metadata.Origin:
        """What metadata.yaml, or else what the files repeat of it, tells of the whole recording."""
        if self._information:
            return metadata.origin(self._information)
        return metadata.joined_origins(file.origin() for file in self._open)

    @property
    def count(self) -> int:
        """Number of messages."""
        return sum(topic.count for topic in self.topics.values())

    @property
    def start_ns(self) -> int:
        """The earliest log time; 0 for an empty bag."""
        return min((f.start_ns for f in self._open if f.start_ns is not None), default=0)

    @property
    def end_ns(self) -> int:
        """The latest log time; 0 for an empty bag."""
        return max((f.end_ns for f in self._open if f.end_ns is not None), default=0)

    @property
    def misplaced(self) -> str | None:
        """The first file of a split bag that was recorded before the one that it comes after, by
        the wall clock, which no simulation sets back; None if there is none.
        """
        if len(self._open) < 2 or not os.path.isdir(self.path):
            return None
        spans = [
            (name, file.start_ns, file.end_ns)
            for name, file in zip(self._names, self._open, strict=True)
            if file.start_ns is not None and file.end_ns is not None
        ]
        for (_, before_ns, _), (name, start_ns, end_ns) in pairwise(spans):
            if start_ns > WALL_CLOCKS_BEGIN_NS and end_ns < before_ns:
                return name
        return None

    def topic(self, name: str) -> Topic:
        """One topic; raises BagError that lists what there is if it is not in the bag."""
        if name not in self.topics:
            there = ", ".join(sorted(self.topics)) or "no topics"
            raise BagError(f"{self.path} has no topic {name}; it has {there}")
        return self.topics[name]

    def batches(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Batch]:
        """Messages as columns, in file order: of `topics` (default: all), with
        start_ns <= log time < end_ns.

        Strict: raises BagError at the end, or where the file is damaged, unless all that the bag
        counts was there. Otherwise yields all that is whole; `problem` then says what was lost. A
        topic that the index of a damaged file leaves out is among `topics` from its first batch on.
        """
        chosen = None if topics is None else frozenset(topics)
        seen: dict[str, int] = {}
        for name, file, placed in zip(self._names, self._open, self._placed, strict=True):
            wanted = chosen
            if chosen is not None and any(there != here for here, there in placed.items()):
                wanted = frozenset(here for here, there in placed.items() if there in chosen)
            with _enough_memory(name):
                for batch in file.batches(wanted, start_ns, end_ns, strict):
                    batch = self._named(batch, file, placed)
                    _count(batch, seen)
                    yield batch
        if start_ns is None and end_ns is None:
            self._compare(seen, self.topics.keys() if chosen is None else chosen)
            if strict and self.problem:
                raise BagError(self.problem)

    def enclosed(self) -> Iterator[Enclosed]:
        """What the files hold beside messages, but for what repeats metadata.yaml."""
        for file in self._open:
            yield from (one for one in file.enclosed() if one.name != RECORDER)

    def messages(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Message]:
        """Messages one by one; see `batches`."""
        for batch in self.batches(topics, start_ns, end_ns, strict):
            names = map(batch.topics.__getitem__, batch.topic.tolist())
            times = batch.log_time_ns.tolist(), batch.publish_time_ns.tolist()
            yield from map(_message, zip(names, *times, batch.payloads(), strict=True))

    def codec(self, topic: str) -> Codec:
        """What decodes the messages of a topic; raises BagError if nothing can."""
        return codec_of(self.topic(topic))

    def columns(
        self,
        topic: str,
        paths: Sequence[str],
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> dict[str, Column]:
        """Fields of all n messages of a topic as arrays by path, with
        start_ns <= log time < end_ns.

        A number has (n,) values of its own type, an array (n, k), a time int64 nanoseconds, a
        string objects. Where sizes differ between messages the column has n objects, each the array
        of one message. Raises BagError as `batches` does, for a path that the type does not have,
        and for a message that is not of the type.
        """
        none = np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64)
        empty = self.codec(topic).columns(*none, paths)
        expected = self.topic(topic).count if start_ns is None and end_ns is None else 0
        expected = min(expected, self._size)  # it is only a claim
        gathered = {path: Gathering(empty[path], expected) for path in paths}
        for found in self._columns(topic, paths, (start_ns, end_ns), strict, gathered):
            for path, column in found.items():
                gathered[path].add(column)
        return {path: gathered[path].column() for path in gathered}

    def stream_columns(
        self,
        topic: str,
        paths: Sequence[str],
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[dict[str, Column]]:
        """The same as `columns`, some thousand messages at a time,
        for bags that do not fit into memory.
        """
        yield from self._columns(topic, paths, (start_ns, end_ns), strict)

    def times(self, topic: str, kind: TimeKind = "log", relative_to: int = 0) -> Int64s:
        """The time of each message of a topic in ns since `relative_to`:
        when it was logged or published, or its stamp.
        """
        self.topic(topic)
        if kind == "header":
            found: Int64s = self.columns(topic, [_STAMP])[_STAMP]
        else:
            name = f"{kind}_time_ns"
            parts = [getattr(batch, name) for batch in self.batches([topic])]
            found = np.concatenate([np.empty(0, np.int64), *parts])
        return found - relative_to if relative_to else found

    def _columns(
        self,
        topic: str,
        paths: Sequence[str],
        span: tuple[int | None, int | None],
        strict: bool,
        rooms: Mapping[str, Gathering] | None = None,
    ) -> Iterator[dict[str, Column]]:
        """The columns of each batch, in `rooms` where they fit."""
        codec = self.codec(topic)
        done = 0
        for batch in self.batches([topic], *span, strict):
            try:
                yield codec.columns(batch.buffer, batch.offset, batch.length, paths, rooms)
            except MessageError as error:
                raise error.of(topic, done + error.tick) from error
            done += len(batch)

    def _place(self, topic: Topic, placed: dict[str, str]) -> Topic:
        """The topic of the bag that a topic of one of its files is; `placed` notes its name."""
        known = place(self.topics, replace(topic, count=0))
        placed[topic.name] = known.name
        return known

    def _named(self, batch: Batch, file: BagFile, placed: dict[str, str]) -> Batch:
        """A batch of a file with the names that its topics have in the bag."""
        for name in batch.topics:
            if name not in placed:
                self._place(file.topics[name], placed)
        names = tuple(map(placed.__getitem__, batch.topics))
        return batch if names == batch.topics else replace(batch, topics=names)

    def _compare(self, seen: dict[str, int], chosen: Collection[str]) -> None:
        """Note the first topic of which other messages were seen than are counted."""
        for name in sorted(chosen):
            counted = self.topics[name].count if name in self.topics else 0
            if seen.get(name, 0) != counted:
                self._miscount = (
                    f"{self.path} is damaged: {name} has {seen.get(name, 0)} messages where its "
                    f"index counts {counted}; record or copy it again"
                )
                return


@contextmanager
def _enough_memory(name: str) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise BagError(
            f"{name} takes more memory than there is, or a size in it is wrong; "
            "record or copy it again"
        ) from error


def _count(batch: Batch, seen: dict[str, int]) -> None:
    for name, count in zip(batch.topics, np.bincount(batch.topic).tolist(), strict=False):
        seen[name] = seen.get(name, 0) + count


def _take_metadata(information: dict[str, Any], topics: dict[str, Topic]) -> None:
    """What metadata.yaml tells of topics: type hashes where the files tell none, and QoS,
    which counts before that of the files, as it does for rosbag2.
    """
    for row in information.get("topics_with_message_count") or []:
        described = row["topic_metadata"]
        topic, found = topics.get(described["name"]), described.get("type_description_hash")
        if topic is None or topic.type != described.get("type"):
            continue
        topic.type_hash = topic.type_hash or (found if isinstance(found, str) else "")
        topic.qos = metadata.offered(described) or topic.qos


def _disagreement(
    path: Path | str, information: dict[str, Any], topics: dict[str, Topic]
) -> str | None:
    """What metadata.yaml counts and the files do not have; None if they agree."""
    clashing = [topic for topic in topics.values() if topic.clash]
    for row in information.get("topics_with_message_count") or []:
        name, counted = row["topic_metadata"]["name"], row["message_count"]
        there = topics[name].count if name in topics else 0
        apart = f"{name} ("  # begins the names of its other types
        there += sum(topic.count for topic in clashing if topic.name.startswith(apart))
        if counted != there:
            return (
                f"{path} is not whole: its metadata.yaml counts {counted} messages of {name}, "
                f"its files hold {there}; copy it again, or run 'lockstep recover'"
            )
    return None
