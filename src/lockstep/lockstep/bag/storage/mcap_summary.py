"""What an MCAP file says of itself: its channels, and the summary at its end."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, ChunkIndex, Schema, Statistics

from ...message.arrays import Int64s
from .. import magic, metadata
from ..mcap_format import FOOTER, HEAD, Stream
from ..source import Source
from ..topic import Topic, place
from .mcap_records import DAMAGE, Damaged

Conversion: TypeAlias = Callable[[bytes], "bytes | memoryview"]
_LARGEST_SUMMARY = 1 << 28
_LARGEST_DESCRIPTION = 1 << 24


class Channels:
    """The channels of a file as topics; several channels may carry one topic."""

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self.names: list[str] = []
        self.conversions: dict[str, Conversion] = {}
        """What makes CDR of the payloads of ROS 1, by topic."""
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._topic_of = np.full(1 << 16, -1, np.int64)  # channel → index into names

    def describe(self, opcode: int, body: bytes) -> None:
        """Note a schema or a channel.

        The same may come many times. Raises one of DAMAGE, also if it is not the same.
        """
        if len(body) > _LARGEST_DESCRIPTION:
            raise Damaged("a schema or channel is larger than 16 MiB")
        if opcode == Opcode.SCHEMA:
            schema = Schema.read(ReadDataStream(Stream(body)))
            if self._schemas.setdefault(schema.id, schema) != schema:
                raise Damaged(f"schema {schema.id} is defined in two ways")
            return
        channel = Channel.read(ReadDataStream(Stream(body)))
        first = self._channels.setdefault(channel.id, channel)
        if _meaning(first) != _meaning(channel):
            raise Damaged(f"channel {channel.id} is defined in two ways")
        if first is not channel:
            return
        described, convert = _topic(channel, self._schemas.get(channel.schema_id))
        known = place(self.topics, described)
        if known is described:
            self.names.append(known.name)
        if convert is not None:
            self.conversions[known.name] = convert
        self._topic_of[channel.id] = self.names.index(known.name)

    def indexes(self, channels: Int64s) -> Int64s:
        """Channel numbers (n,) as indexes into `names` (n,); -1 for an unknown one."""
        found: Int64s = self._topic_of[channels]
        return found

    def name(self, channel: int) -> str:
        """The topic of a channel; raises Damaged for an unknown one."""
        if channel not in self._channels:
            raise Damaged(f"no channel has the number {channel}")
        return self.names[int(self._topic_of[channel])]


def _meaning(channel: Channel) -> tuple[str, str, int]:
    """What is the same wherever a channel is described."""
    return channel.topic, channel.message_encoding, channel.schema_id


def _topic(channel: Channel, schema: Schema | None) -> tuple[Topic, Conversion | None]:
    """A channel as a topic, and what makes CDR of its messages if they are none."""
    try:
        qos = metadata.parse_qos(channel.metadata.get("offered_qos_profiles", ""))
    except ValueError:
        qos = ()  # advice, not data: the defaults serve
    # Definitions of ROS are texts; others are copied byte by byte.
    damage = "replace" if schema and schema.encoding.startswith("ros") else "surrogateescape"
    topic = Topic(
        name=channel.topic,
        type=schema.name if schema else "",
        definition=schema.data.decode("utf-8", damage) if schema else "",
        encoding=schema.encoding if schema else "",
        type_hash=channel.metadata.get("topic_type_hash", ""),
        qos=qos,
        message_encoding=channel.message_encoding,
    )
    if (topic.message_encoding, topic.encoding) != ("ros1", "ros1msg"):
        return topic, None
    from .rosbag1_types import converted  # takes long to import

    kind = converted(topic.type, topic.definition, channel.metadata.get("md5sum", ""))
    topic.type, topic.definition, topic.encoding = kind.name, kind.definition, kind.encoding
    topic.message_encoding, topic.undecodable = kind.message_encoding, kind.problem
    return topic, None if kind.problem else kind.convert


@dataclass(frozen=True)
class Extent:
    """A chunk with the message indexes behind it, as the summary tells."""

    start: int
    chunk_length: int
    end: int
    channels: frozenset[int]
    """The channels with messages in it; empty if not known."""
    start_ns: int
    end_ns: int
    compressed: bool


@dataclass(frozen=True)
class Summary:
    """The summary section, which starts at byte `start`; `counts` is by channel;
    times are None without messages.
    """

    start: int
    extents: tuple[Extent, ...]
    counts: dict[int, int]
    start_ns: int | None
    end_ns: int | None


def read_summary(source: Source, channels: Channels) -> Summary | None:
    """The summary, its channels noted in `channels`;
    None if there is none that can be trusted and suffices.
    """
    tail_length = FOOTER.size + len(magic.MCAP)
    end = source.size - tail_length
    tail = source.read(max(0, end), tail_length)
    if len(tail) < tail_length or tail[FOOTER.size :] != magic.MCAP:
        return None
    opcode, _, start, _, checksum = FOOTER.unpack_from(tail)
    if (
        opcode != Opcode.FOOTER
        or not len(magic.MCAP) < start <= end
        or end - start > _LARGEST_SUMMARY
    ):
        return None
    data = source.read(start, end - start)
    if checksum and zlib.crc32(data + tail[: FOOTER.size - 4]) != checksum:
        return None
    try:
        return _parse(data, start, channels)
    except DAMAGE:
        return None


def _parse(data: bytes, start: int, channels: Channels) -> Summary | None:
    statistics: Statistics | None = None
    indexes: list[ChunkIndex] = []
    described: list[bytes] = []
    position = 0
    while position < len(data):
        opcode, length = HEAD.unpack_from(data, position)
        body = data[position + HEAD.size : position + HEAD.size + length]
        position += HEAD.size + length
        if position > len(data):
            raise Damaged("a record of the summary is longer than the summary")
        if opcode == Opcode.SCHEMA:
            channels.describe(opcode, body)
        elif opcode == Opcode.CHANNEL:
            described.append(body)  # the schemas may come after it
        elif opcode == Opcode.STATISTICS:
            statistics = Statistics.read(ReadDataStream(Stream(body)))
        elif opcode == Opcode.CHUNK_INDEX:
            indexes.append(ChunkIndex.read(ReadDataStream(Stream(body))))
    if statistics is None:
        return None
    for body in described:
        channels.describe(Opcode.CHANNEL, body)
    counts = {
        channel: count for channel, count in statistics.channel_message_counts.items() if count
    }
    if sum(counts.values()) != statistics.message_count:
        raise Damaged("the statistics contradict themselves")
    for channel in chain(counts, *(index.message_index_offsets for index in indexes)):
        channels.name(channel)
    return Summary(
        start,
        _extents(indexes, start),
        counts,
        statistics.message_start_time if counts else None,
        statistics.message_end_time if counts else None,
    )


def _extents(indexes: list[ChunkIndex], end: int) -> tuple[Extent, ...]:
    """Chunks in file order; raises Damaged if they overlap or reach beyond the data section."""
    extents = [
        Extent(
            start=index.chunk_start_offset,
            chunk_length=index.chunk_length,
            end=index.chunk_start_offset + index.chunk_length + index.message_index_length,
            channels=frozenset(index.message_index_offsets),
            start_ns=index.message_start_time,
            end_ns=index.message_end_time,
            compressed=bool(index.compression),
        )
        for index in sorted(indexes, key=lambda index: index.chunk_start_offset)
    ]
    position = len(magic.MCAP)
    for extent in extents:
        if extent.start < position or extent.chunk_length < HEAD.size or extent.end > end:
            raise Damaged("the chunk index contradicts itself")
        position = extent.end
    return tuple(extents)
