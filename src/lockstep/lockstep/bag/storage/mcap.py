"""MCAP files (https://mcap.dev/spec), read as columns.

The summary at the end tells where the chunks are, and a message index behind each chunk where its
messages are. Both are taken as hints: what they leave out is found by walking the records there,
and what they claim is checked against the records themselves. A file without them, because its
recorder was killed, is walked as a whole.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np
from mcap.opcode import Opcode

from ...closing import Closable
from ...errors import BagError
from ...message.arrays import Bytes, Int64s
from ...message.batch import Batch
from .. import magic
from ..enclosed import RECORDER, Enclosed, enclosed
from ..mcap_format import HEAD, INDEX, MESSAGE_FIELDS, MESSAGE_HEAD, Heads
from ..message_compression import changed, plain
from ..metadata import Origin, joined_origins
from ..source import Source
from ..topic import Topic
from .loading import ahead
from .mcap_records import (
    DAMAGE,
    Damaged,
    chunk_records,
    covering,
    heads_at,
    index_offsets,
    part_of_chunk,
    walk,
)
from .mcap_summary import Channels, Extent, read_summary
from .window import BLOCK, Window

_LOOSE_BYTES = 1 << 20
_PRIVATE = 0x80  # from here on opcodes are free for private records
_NOTHING = 0
_ENDS = ((Opcode.DATA_END, 4), (Opcode.FOOTER, 20))  # with their lengths


@dataclass
class _Selection:
    topics: Collection[str] | None
    start_ns: int | None
    end_ns: int | None
    strict: bool

    @property
    def everything(self) -> bool:
        return self.topics is None and self.start_ns is None and self.end_ns is None


class McapFile(Closable):
    """One MCAP file; see storage.BagFile."""

    def __init__(self, source: Source) -> None:
        if source.read(0, len(magic.MCAP)) != magic.MCAP:
            raise BagError(f"{source.name} is not an MCAP file")
        self._source = source
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self.problem: str | None = None
        self._channels = Channels()
        summary = read_summary(source, self._channels)
        if summary is not None:
            self.start_ns, self.end_ns = summary.start_ns, summary.end_ns
            self._extents, self._end = summary.extents, summary.start
            for channel, count in summary.counts.items():
                self.topics[self._channels.name(channel)].count += count
        else:
            self._channels = Channels()
            self._extents, self._end = (), source.size
            self._scan()

    @property
    def topics(self) -> dict[str, Topic]:
        """Topics by name."""
        return self._channels.topics

    def close(self) -> None:
        """See storage.BagFile."""
        self._source.close()

    def batches(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Batch]:
        """See storage.BagFile."""
        selection = _Selection(topics, start_ns, end_ns, strict)
        yield from self._as_cdr(
            plain(self._chosen(selection), lambda what: self._report(what, selection)), selection
        )
        if strict and selection.everything:
            self._check_data_crc()

    def enclosed(self) -> Iterator[Enclosed]:
        """See storage.BagFile."""
        behind = {extent.start: extent.end for extent in self._extents}
        window = Window(self._source)
        position = len(magic.MCAP)
        while position + HEAD.size <= self._end:
            if position in behind:
                position = behind[position]
                continue
            opcode, length = HEAD.unpack(window.read(position, HEAD.size, self._end))
            start, position = position + HEAD.size, position + HEAD.size + length
            if (opcode, length) in _ENDS or opcode == 0 or position > self._end:
                return
            if opcode in (Opcode.ATTACHMENT, Opcode.METADATA):
                with contextlib.suppress(*DAMAGE):
                    yield enclosed(opcode, self._source.read(start, length))

    def origin(self) -> Origin:
        """See storage.BagFile."""
        return joined_origins(one.origin for one in self.enclosed() if one.name == RECORDER)

    def _as_cdr(self, batches: Iterator[Batch], selection: _Selection) -> Iterator[Batch]:
        """Batches whose messages of ROS 1 are made CDR."""
        for batch in batches:
            conversions = self._channels.conversions
            if not conversions:
                yield batch
                continue
            changes = {
                index: conversions[batch.topics[topic]]
                for index, topic in enumerate(batch.topic.tolist())
                if batch.topics[topic] in conversions
            }
            yield from changed(
                batch, changes, "be converted", lambda what: self._report(what, selection)
            )

    # the order of a file: chunks where the summary says so, walked records between them

    def _chosen(self, selection: _Selection) -> Iterator[Batch]:
        for batch in self._all_batches(selection):
            chosen = self._choose(batch, selection)
            if len(chosen):
                yield chosen

    def _all_batches(self, selection: _Selection) -> Iterator[Batch]:
        position = len(magic.MCAP)
        wanted = [self._wanted(extent, selection) for extent in self._extents]
        chosen = compress(self._extents, wanted)
        with contextlib.closing(ahead(self._load, chosen, _is_compressed)) as loaded:
            for extent, take in zip(self._extents, wanted, strict=True):
                yield from self._walk(position, extent.start, selection)
                if take:
                    yield from self._indexed_chunk(next(loaded), selection)
                position = extent.end
        yield from self._walk(position, self._end, selection)

    def _wanted(self, extent: Extent, selection: _Selection) -> bool:
        if selection.start_ns is not None and extent.end_ns < selection.start_ns:
            return False
        if selection.end_ns is not None and extent.start_ns >= selection.end_ns:
            return False
        if selection.topics is None or not extent.channels:
            return True
        return any(self._channels.name(channel) in selection.topics for channel in extent.channels)

    def _load(self, extent: Extent) -> tuple[Bytes, memoryview]:
        """The records of a chunk, and the message indexes behind it; raises Damaged."""
        data = memoryview(self._source.read(extent.start, extent.end - extent.start))
        opcode, length = HEAD.unpack_from(data)
        if opcode != Opcode.CHUNK or HEAD.size + length != extent.chunk_length:
            raise Damaged(f"no chunk where the index says, at byte {extent.start}")
        body = data[HEAD.size : extent.chunk_length]
        return chunk_records(body, extent.start), data[extent.chunk_length :]

    def _indexed_chunk(
        self, load: Callable[[], tuple[Bytes, memoryview]], selection: _Selection
    ) -> Iterator[Batch]:
        try:
            yield from self._chunk(*load(), selection)
        except DAMAGE as error:
            self._report(str(error), selection)

    def _walk(self, start: int, end: int, selection: _Selection) -> Iterator[Batch]:
        """The records between two positions one after the other."""
        loose, window = _Loose(), Window(self._source)
        position = start
        previous: int = _NOTHING if start == len(magic.MCAP) else Opcode.CHUNK
        while position < end:
            try:
                opcode, length = HEAD.unpack(window.read(position, HEAD.size, end))
            except struct.error:
                yield from self._finish(loose, selection)
                self._report(self._cut_off(position), selection)
                return
            body_start, position = position + HEAD.size, position + HEAD.size + length
            if position > end:
                yield from self._finish(loose, selection)
                if opcode == Opcode.CHUNK:
                    yield from self._part_of_chunk(body_start, end, selection)
                self._report(self._cut_off(body_start - HEAD.size), selection)
                return
            try:
                if opcode == Opcode.MESSAGE:
                    start = body_start - HEAD.size
                    loose.add(window.read(start, position - start, end))
                    if loose.size >= _LOOSE_BYTES:
                        yield from self._finish(loose, selection)
                elif opcode == Opcode.CHUNK:
                    yield from self._finish(loose, selection)
                    yield from self._walked_chunk(window, body_start, length, selection)
                elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                    self._channels.describe(opcode, window.read(body_start, length, end))
                elif (opcode, length) in _ENDS:
                    break
                elif not _may_be(
                    opcode, window.read(body_start, min(length, INDEX.size), end), length, previous
                ):
                    raise Damaged(f"no record at byte {body_start - HEAD.size}")
                previous = opcode
            except DAMAGE as error:
                yield from self._finish(loose, selection)
                self._report(str(error), selection)
                if (
                    opcode == length == 0
                ):  # no more than zeros, as a crash of the machine leaves them
                    return
        yield from self._finish(loose, selection)

    def _walked_chunk(
        self, window: Window, body_start: int, length: int, selection: _Selection
    ) -> Iterator[Batch]:
        """A chunk that no summary knows, with the message indexes that follow it,
        if there are any.
        """
        body = memoryview(window.read(body_start, length, self._end))
        index_start = position = body_start + length
        while position < self._end:
            head = window.read(position, HEAD.size, self._end)
            if len(head) < HEAD.size or head[0] != Opcode.MESSAGE_INDEX:
                break
            position += HEAD.size + HEAD.unpack(head)[1]
        length = min(position, self._end) - index_start
        index = window.read(index_start, length, self._end)
        records = chunk_records(body, body_start - HEAD.size)
        yield from self._chunk(records, memoryview(index), selection)

    # chunks

    def _chunk(self, data: Bytes, index: memoryview, selection: _Selection) -> Iterator[Batch]:
        """The messages among the records of a chunk; raises Damaged or one of _DAMAGE."""
        starts = index_offsets(index)
        heads = covering(data, starts, self._channels.describe)
        if heads is None:
            starts = walk(data, 0, len(data), self._channels.describe)
            heads = heads_at(data, starts)
        yield from self._batch(data, starts, heads, selection)

    def _part_of_chunk(self, body_start: int, end: int, selection: _Selection) -> Iterator[Batch]:
        """What is whole of a chunk that the end of the file cuts off."""
        try:
            data = part_of_chunk(memoryview(self._source.read(body_start, end - body_start)))
            starts = walk(data, 0, len(data), self._channels.describe, cut_off=True)
            yield from self._batch(data, starts, heads_at(data, starts), selection)
        except DAMAGE:
            return  # the caller reports that the file is cut off

    def _batch(
        self, data: Bytes, starts: Int64s, heads: Heads, selection: _Selection
    ) -> Iterator[Batch]:
        """The messages at `starts`, without those that cannot be, which are told of."""
        if not len(starts):
            return
        channels = heads["channel"].astype(np.int64)
        topic = self._channels.indexes(channels)
        times = heads["log_time"].astype(np.int64), heads["publish_time"].astype(np.int64)
        batch = Batch(
            topics=tuple(self._channels.names),
            topic=topic,
            log_time_ns=times[0],
            publish_time_ns=times[1],
            sequence=heads["sequence"].astype(np.int64),
            buffer=data,
            offset=starts + MESSAGE_HEAD.size,
            length=heads["length"].astype(np.int64) - MESSAGE_FIELDS,
        )
        if min(topic.min(), times[0].min(), times[1].min()) >= 0:
            yield batch
            return
        sound = (topic >= 0) & (times[0] >= 0) & (times[1] >= 0)
        first = int(sound.argmin())
        if first:
            yield batch.where(np.arange(first))
        what = "a message has a time beyond the year 2262"
        if topic[first] < 0:
            what = f"a message has no channel (number {channels[first]})"
        self._report(what, selection)
        if sound[first:].any():
            yield batch.where(first + np.flatnonzero(sound[first:]))

    def _finish(self, loose: _Loose, selection: _Selection) -> Iterator[Batch]:
        """The batch of messages that are outside chunks."""
        data, starts = loose.take()
        yield from self._batch(data, starts, heads_at(data, starts), selection)

    def _choose(self, batch: Batch, selection: _Selection) -> Batch:
        if selection.everything:
            return batch
        mask = np.ones(len(batch), np.bool_)
        if selection.topics is not None:
            mask &= np.array([name in selection.topics for name in batch.topics])[batch.topic]
        if selection.start_ns is not None:
            mask &= batch.log_time_ns >= selection.start_ns
        if selection.end_ns is not None:
            mask &= batch.log_time_ns < selection.end_ns
        return batch if mask.all() else batch.where(mask)

    def _scan(self) -> None:
        """Without a summary: read everything once to know what there is."""
        whole = self._source.size >= 2 * len(magic.MCAP) and (
            self._source.read(self._source.size - len(magic.MCAP), len(magic.MCAP)) == magic.MCAP
        )
        counts: dict[str, int] = {}
        for batch in self._all_batches(_Selection(None, None, None, strict=False)):
            for index, count in enumerate(np.bincount(batch.topic).tolist()):
                counts[batch.topics[index]] = counts.get(batch.topics[index], 0) + count
            first, last = int(batch.log_time_ns.min()), int(batch.log_time_ns.max())
            self.start_ns = first if self.start_ns is None else min(self.start_ns, first)
            self.end_ns = last if self.end_ns is None else max(self.end_ns, last)
        for name, count in counts.items():
            self.topics[name].count = count
        if not whole and self.problem is None:
            self.problem = (
                f"{self._source.name} is cut off: it ends without an index; all "
                f"{sum(counts.values())} messages before its end are whole"
            )

    # damage

    def _report(self, what: str, selection: _Selection) -> None:
        state = what if "cut off" in what else f"damaged: {what}"
        sentence = (
            f"{self._source.name} is {state}; record or copy it again, or run 'lockstep recover'"
        )
        if selection.strict:
            raise BagError(sentence)
        self.problem = self.problem or sentence

    def _cut_off(self, position: int) -> str:
        return f"cut off: its last {self._source.size - position} bytes are no whole record"

    def _check_data_crc(self) -> None:
        """Compare the data section with the checksum at its end,
        where it has one (few writers do).
        """
        length = HEAD.size + 4
        record = self._source.read(max(0, self._end - length), length)
        if len(record) < length or HEAD.unpack_from(record) != (Opcode.DATA_END, 4):
            return
        expected = int.from_bytes(record[-4:], "little")
        if not expected:
            return
        checksum = 0
        for start in range(0, self._end - length, BLOCK):
            block = self._source.read(start, min(BLOCK, self._end - length - start))
            checksum = zlib.crc32(block, checksum)
        if checksum != expected:
            raise BagError(
                f"{self._source.name} is damaged: it does not agree with its checksum; "
                "copy it again"
            )


def _may_be(opcode: int, start: bytes, length: int, previous: int) -> bool:
    """Whether a record without messages, of `length` with `start`, may follow:
    else its opcode is damaged.
    """
    if opcode == Opcode.MESSAGE_INDEX:
        whole = len(start) == INDEX.size and INDEX.unpack(start)[1] + INDEX.size == length
        return whole and previous in (Opcode.CHUNK, Opcode.MESSAGE_INDEX)
    if opcode == Opcode.HEADER:
        return previous == _NOTHING
    return opcode in (Opcode.ATTACHMENT, Opcode.METADATA) or opcode >= _PRIVATE


def _is_compressed(extent: Extent) -> bool:
    return extent.compressed


class _Loose:
    """Message records that are outside chunks, gathered to a batch."""

    def __init__(self) -> None:
        self._records: list[bytes] = []
        self.size = 0

    def add(self, record: bytes) -> None:
        if len(record) < MESSAGE_HEAD.size:
            raise Damaged("a message record is too short")
        self._records.append(record)
        self.size += len(record)

    def take(self) -> tuple[Bytes, Int64s]:
        """The records end to end, and where each starts."""
        lengths = np.array([len(record) for record in self._records], np.int64)
        data = np.frombuffer(b"".join(self._records), np.uint8)
        self._records, self.size = [], 0
        return data, np.cumsum(lengths) - lengths
