"""ROS 1 bags, version 2.0 (https://wiki.ros.org/Bags/Format/2.0),
with messages and definitions as ROS 2 has them.

The index at the end tells where the chunks are; a file without it, because it is cut off or its
recorder was killed, is walked as a whole. Messages come in file order.

rosbags.rosbag1 reads such files as well, but by time instead of file order, with an entry in memory
for each message (opening one of 200,000 took it 0.4 s and 29 MB, this 1 ms and 14 kB), from paths
only, and nothing of one that is cut off. Of rosbags are the types of the messages; see
`rosbag1_types`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from ...closing import Closable
from ...errors import BagError
from ...message.batch import Batch
from .. import magic
from ..enclosed import Enclosed
from ..metadata import OfferedQoS, Origin
from ..source import Source
from ..topic import Topic, place
from .rosbag1_records import (
    BAG,
    CHUNK,
    CHUNK_INFO,
    CONNECTION,
    DAMAGE,
    INDEX,
    LENGTH,
    MESSAGE,
    CutOff,
    Damaged,
    Record,
    chunk_records,
    fields_of,
    parsed,
    part_of_chunk,
)
from .rosbag1_types import converted
from .window import Window

_VERSION = magic.ROSBAG1 + b"2.0\n"
_LARGEST_HEADER = 1 << 20
_LARGEST_DEFINITION = 1 << 24
_BATCH_BYTES = 4 << 20
_BATCH_COUNT = 1 << 14
_LATCHED = OfferedQoS(durability="transient_local")


@dataclass(frozen=True)
class _Extent:
    """Where the index says that a chunk begins, and of what it holds messages."""

    start: int
    start_ns: int
    end_ns: int
    counts: dict[int, int]


@dataclass(frozen=True)
class _Connection:
    topic: int
    convert: Callable[[bytes], bytes | memoryview]


@dataclass
class _Gathered:
    """Messages for the next batch."""

    topic: list[int] = field(default_factory=list)
    time_ns: list[int] = field(default_factory=list)
    payloads: list[bytes | memoryview] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True)
class _Selection:
    topics: Collection[str] | None
    start_ns: int | None
    end_ns: int | None
    strict: bool


class Rosbag1File(Closable):
    """One .bag file; see storage.BagFile."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self.problem: str | None = None
        self.topics: dict[str, Topic] = {}
        """Topics by name."""
        self._names: list[str] = []
        self._connections: dict[int, _Connection] = {}
        self._window = Window(source)
        if self._read(0, len(_VERSION)) != _VERSION:
            raise BagError(
                f"{source.name} is no ROS 1 bag of version 2.0; convert it with 'rosbag migrate'"
            )
        self._start, self._end = len(_VERSION), source.size
        self._extents: tuple[_Extent, ...] | None = None
        try:
            first = self._record(self._start, self._end)
            if first.fields.get(b"encryptor"):
                raise BagError(f"{source.name} is encrypted; decrypt it with 'rosbag decrypt'")
            self._start = first.end
            self._read_index(first)
        except DAMAGE:
            self._extents = None
        if self._extents is None:
            self._scan()

    def close(self) -> None:
        """See storage.BagFile."""
        self._source.close()

    def enclosed(self) -> Iterator[Enclosed]:
        """See storage.BagFile; this storage holds nothing but messages."""
        return iter(())

    def origin(self) -> Origin:
        """See storage.BagFile; this storage tells nothing of it."""
        return Origin()

    def batches(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Batch]:
        """See storage.BagFile."""
        selection = _Selection(topics, start_ns, end_ns, strict)
        if self._extents is None:
            yield from self._walk(selection)
            return
        for extent in self._extents:
            if not self._wanted(extent, selection):
                continue
            try:
                record = self._record(extent.start, self._end)
            except DAMAGE as error:
                self._report(error, selection)
                continue
            yield from self._chunk(record, selection)

    # the file

    def _read_index(self, bag: Record) -> None:
        """Connections and chunks as the end of the file tells them; raises one of DAMAGE."""
        position = bag.number(b"index_pos")
        if not self._start <= position <= self._source.size:
            raise CutOff("no index")
        extents: list[_Extent] = []
        counts: Counter[int] = Counter()
        for _ in range(bag.number(b"conn_count")):
            record = self._record(position, self._source.size)
            self._connect(record)
            position = record.end
        for _ in range(bag.number(b"chunk_count")):
            record = self._record(position, self._source.size)
            extents.append(self._extent(record))
            counts.update(extents[-1].counts)
            position = record.end
        for number, count in counts.items():
            self.topics[self._names[self._connections[number].topic]].count += count
        there = [extent for extent in extents if extent.counts]
        self.start_ns = min((extent.start_ns for extent in there), default=None)
        self.end_ns = max((extent.end_ns for extent in there), default=None)
        if position != self._source.size or len({x.start for x in extents}) < len(extents):
            raise Damaged("the index leaves something out, or names a chunk twice")
        self._extents = tuple(sorted(extents, key=lambda extent: extent.start))

    def _extent(self, record: Record) -> _Extent:
        if record.opcode != CHUNK_INFO or record.number(b"ver") != 1:
            raise Damaged("the index is no index")
        data = self._read(record.data_start, record.end - record.data_start)
        pairs = np.frombuffer(data[: 8 * record.number(b"count")], "<u4").reshape(-1, 2)
        start = record.number(b"chunk_pos")
        times = record.time_ns(b"start_time"), record.time_ns(b"end_time")
        return _Extent(start, *times, {int(key): int(count) for key, count in pairs if count})

    def _wanted(self, extent: _Extent, selection: _Selection) -> bool:
        if selection.start_ns is not None and extent.end_ns < selection.start_ns:
            return False
        if selection.end_ns is not None and extent.start_ns >= selection.end_ns:
            return False
        return selection.topics is None or any(
            self._names[self._connections[number].topic] in selection.topics
            for number in extent.counts
        )

    def _scan(self) -> None:
        """Without an index: read everything once to know what there is."""
        self.topics, self._names, self._connections = {}, [], {}
        self.start_ns = self.end_ns = None
        for batch in self._walk(_Selection(None, None, None, strict=False)):
            for index, count in enumerate(np.bincount(batch.topic).tolist()):
                self.topics[self._names[index]].count += count
            first, last = int(batch.log_time_ns.min()), int(batch.log_time_ns.max())
            self.start_ns = first if self.start_ns is None else min(self.start_ns, first)
            self.end_ns = last if self.end_ns is None else max(self.end_ns, last)
        if self.problem is None:
            self.problem = (
                f"{self._source.name} is cut off or was not closed: it ends without an index; "
                "run 'rosbag reindex' on a copy, or 'lockstep recover'"
            )

    def _walk(self, selection: _Selection) -> Iterator[Batch]:
        """All records one after the other.

        Messages outside chunks are of a chunk that was never closed.
        """
        position = self._start
        loose = _Gathered()
        while position < self._end:
            try:
                record = self._record(position, self._end)
                if record.opcode == CHUNK:
                    yield from self._taken(loose)
                    yield from self._chunk(record, selection)
                elif record.opcode == CONNECTION:
                    self._connect(record)
                elif record.opcode == MESSAGE:
                    data = self._read(record.data_start, record.end - record.data_start)
                    yield from self._gather(loose, record, data, selection)
                elif record.opcode not in (INDEX, CHUNK_INFO, BAG):
                    raise Damaged(f"no record at byte {position}")
            except DAMAGE as error:
                yield from self._taken(loose)
                if isinstance(error, CutOff):
                    yield from self._part_of_chunk(position, selection)
                self._report(error, selection)
                return
            position = record.end
        yield from self._taken(loose)

    # chunks

    def _chunk(self, record: Record, selection: _Selection) -> Iterator[Batch]:
        """The messages of a chunk; tells of damage in it."""
        gathered = _Gathered()
        try:
            if record.opcode != CHUNK:
                raise Damaged(f"no chunk where the index says, before byte {record.data_start}")
            data = self._read(record.data_start, record.end - record.data_start)
            yield from self._messages(chunk_records(record, data), selection, gathered)
        except DAMAGE as error:
            yield from self._taken(gathered)
            self._report(error, selection)

    def _part_of_chunk(self, position: int, selection: _Selection) -> Iterator[Batch]:
        """What is whole of a chunk that the end of the file cuts off."""
        gathered = _Gathered()
        try:
            record = self._record(position, self._end, cut_off=True)
            data = self._read(record.data_start, self._end - record.data_start)
            yield from self._messages(part_of_chunk(record, data), selection, gathered)
        except DAMAGE:
            yield from self._taken(gathered)  # the caller reports that the file is cut off

    def _messages(self, data: bytes, selection: _Selection, gathered: _Gathered) -> Iterator[Batch]:
        position = 0
        while position < len(data):
            record = parsed(data, position)
            body = data[record.data_start : record.end]
            if record.end > len(data):
                raise Damaged("a chunk ends in the midst of a record")
            if record.opcode == CONNECTION:
                self._connect(record, body)
            elif record.opcode == MESSAGE:
                yield from self._gather(gathered, record, body, selection)
            position = record.end
        yield from self._taken(gathered)

    def _gather(
        self, gathered: _Gathered, record: Record, data: bytes, selection: _Selection
    ) -> Iterator[Batch]:
        """Add a message if it is selected.

        Yields what is gathered if that is much, or before telling of damage.
        """
        try:
            number, time_ns = record.number(b"conn"), record.time_ns(b"time")
            if number not in self._connections:
                raise Damaged(f"a message has no connection (number {number})")
            connection = self._connections[number]
            topic = self._names[connection.topic]
            if (
                (selection.topics is not None and topic not in selection.topics)
                or (selection.start_ns is not None and time_ns < selection.start_ns)
                or (selection.end_ns is not None and time_ns >= selection.end_ns)
            ):
                return
            try:
                payload = connection.convert(data)
            except ValueError as error:
                raise Damaged(f"a message of {topic} is none of its type ({error})") from error
        except DAMAGE as error:
            yield from self._taken(gathered)
            self._report(error, selection)
            return
        gathered.topic.append(connection.topic)
        gathered.time_ns.append(time_ns)
        gathered.payloads.append(payload)
        gathered.size += len(payload)
        if gathered.size >= _BATCH_BYTES or len(gathered.payloads) >= _BATCH_COUNT:
            yield from self._taken(gathered)

    def _taken(self, gathered: _Gathered) -> Iterator[Batch]:
        """What is gathered as a batch; nothing is left of it there."""
        payloads, count = gathered.payloads, len(gathered.payloads)
        if not count:
            return
        length = np.fromiter(map(len, payloads), np.int64, count)
        time_ns = np.array(gathered.time_ns, np.int64)
        topic = np.array(gathered.topic, np.int64)
        gathered.topic, gathered.time_ns, gathered.payloads, gathered.size = [], [], [], 0
        yield Batch(
            topics=tuple(self._names),
            topic=topic,
            log_time_ns=time_ns,
            publish_time_ns=time_ns,  # is not recorded
            sequence=np.zeros(count, np.int64),
            buffer=np.frombuffer(b"".join(payloads), np.uint8),
            offset=np.cumsum(length) - length,
            length=length,
        )

    # records

    def _connect(self, record: Record, data: bytes | None = None) -> None:
        """Note a connection; the same comes in a chunk and in the index."""
        if record.opcode != CONNECTION:
            raise Damaged("the index is no index")
        number = record.number(b"conn")
        if number in self._connections:
            return
        size = record.end - record.data_start
        if size > _LARGEST_DEFINITION:
            raise Damaged("a connection is larger than 16 MiB")
        fields = fields_of(self._read(record.data_start, size) if data is None else data)
        name, type_name, definition = (
            text.decode("utf-8", "replace")
            for text in (record.fields[b"topic"], fields[b"type"], fields[b"message_definition"])
        )
        kind = converted(
            type_name, definition, fields.get(b"md5sum", b"").decode("ascii", "replace")
        )
        topic = Topic(
            name,
            kind.name,
            kind.definition,
            kind.encoding,
            qos=(_LATCHED,) if fields.get(b"latching") == b"1" else (),
            message_encoding=kind.message_encoding,
            undecodable=kind.problem,
        )
        known = place(self.topics, topic)
        if known is topic:
            self._names.append(known.name)
        self._connections[number] = _Connection(self._names.index(known.name), kind.convert)

    def _record(self, position: int, end: int, cut_off: bool = False) -> Record:
        """The record at a position.

        Raises one of DAMAGE, also if it is not whole unless `cut_off`.
        """
        head = self._read(position, LENGTH.size)
        if len(head) < LENGTH.size:
            raise CutOff("cut off")
        size = LENGTH.unpack(head)[0] + 2 * LENGTH.size
        if size > _LARGEST_HEADER:
            raise Damaged(f"no record at byte {position}")
        if position + size > end:
            raise CutOff("cut off")
        record = parsed(self._read(position, size), 0)
        start, length = position + record.data_start, record.end - record.data_start
        if start + length > end and not cut_off:
            raise CutOff("cut off")
        return Record(record.fields, start, start + length)

    def _read(self, offset: int, length: int) -> bytes:
        return self._window.read(offset, length, self._source.size)

    def _report(self, error: Exception, selection: _Selection) -> None:
        if isinstance(error, CutOff):
            sentence = f"{self._source.name} is cut off"
        else:
            sentence = f"{self._source.name} is damaged: {error}"
        sentence += "; record or copy it again, or run 'lockstep recover'"
        if selection.strict:
            raise BagError(sentence)
        self.problem = self.problem or sentence
