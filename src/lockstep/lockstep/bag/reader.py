"""Reading rosbag2 bags with MCAP storage: a folder, or a bare .mcap file.

Messages come in file order, which is the order they were recorded in: log times of a simulation repeat and
jump, so they are no order.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Channel, Schema
from mcap.records import Message as McapMessage
from mcap.stream_reader import CRCValidationError, StreamReader
from mcap.summary import Summary

from . import metadata
from .errors import BagError

_MAGIC = b"\x89MCAP0\r\n"
_FOOTER = struct.Struct("<BQQQI")  # opcode, length, start of summary, of summary offsets, checksum
# Whatever a damaged file can make the mcap library (and the decompressors below it) raise.
_DAMAGE = (
    McapError,
    CRCValidationError,
    zstandard.ZstdError,
    struct.error,
    ValueError,
    RuntimeError,
    EOFError,
    MemoryError,
    KeyError,
    IndexError,
    OverflowError,
)


class Message(NamedTuple):
    """One recorded message; times in ns, `data` is its CDR with the 4-byte encapsulation header."""

    topic: str
    log_time_ns: int
    publish_time_ns: int
    data: bytes


@dataclass
class Topic:
    """What a bag says of one topic."""

    name: str
    type: str
    definition: str
    encoding: str
    type_hash: str = ""
    qos: tuple[metadata.OfferedQoS, ...] = ()
    count: int = 0


@dataclass
class _Contents:
    topics: dict[str, Topic] = field(default_factory=dict)
    start_ns: int | None = None
    end_ns: int | None = None

    def see(self, time_ns: int) -> None:
        self.start_ns = time_ns if self.start_ns is None else min(self.start_ns, time_ns)
        self.end_ns = time_ns if self.end_ns is None else max(self.end_ns, time_ns)


class Bag:
    """A bag opened for reading.

    `problem` is a sentence when the bag is cut off (its recorder was killed, or the copy is incomplete);
    `messages()` still yields all that is whole, then raises BagError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.files = _files(self.path)
        self.problem: str | None = None
        self._contents = _Contents()
        for file in self.files:
            self._open(file)

    @property
    def topics(self) -> dict[str, Topic]:
        """Topics by name."""
        return self._contents.topics

    @property
    def count(self) -> int:
        """Number of messages."""
        return sum(topic.count for topic in self.topics.values())

    @property
    def start_ns(self) -> int:
        """The earliest log time; 0 for an empty bag."""
        return self._contents.start_ns or 0

    @property
    def end_ns(self) -> int:
        """The latest log time; 0 for an empty bag."""
        return self._contents.end_ns or 0

    def topic(self, name: str) -> Topic:
        """One topic; raises BagError that lists what there is if it is not in the bag."""
        if name not in self.topics:
            there = ", ".join(sorted(self.topics)) or "no topics"
            raise BagError(f"{self.path} has no topic {name}; it has {there}")
        return self.topics[name]

    def messages(self, topics: list[str] | None = None) -> Iterator[Message]:
        """Messages of `topics` (default: all) in file order; raises BagError where the file is damaged."""
        chosen = self.topics.keys() if topics is None else set(topics)
        seen = dict.fromkeys(chosen, 0)
        for file in self.files:
            for message in _scan(file, chosen):
                seen[message.topic] += 1
                yield message
        for name, count in seen.items():
            if name in self.topics and count != self.topics[name].count:
                raise BagError(
                    f"{self.path} is damaged: {name} has {count} messages where its index counts "
                    f"{self.topics[name].count}; record or copy it again"
                )

    def _open(self, file: Path) -> None:
        try:
            with file.open("rb") as stream:
                if stream.read(len(_MAGIC)) != _MAGIC:
                    raise BagError(
                        f"{file} is not an MCAP file; give a rosbag2 folder or a .mcap file"
                    )
                stream.seek(0, os.SEEK_END)
                whole = stream.tell() >= 2 * len(_MAGIC)
                if whole:
                    stream.seek(-len(_MAGIC), os.SEEK_END)
                    whole = stream.read() == _MAGIC
                summary = _summary(stream) if whole else None
        except OSError as error:
            raise BagError(f"cannot read {file}: {error.strerror}") from error
        except _DAMAGE:
            summary = None  # the index is damaged; the messages may not be
        if summary is not None and summary.statistics is not None:
            self._from_summary(summary)
        else:
            self._from_scan(file, whole)

    def _from_summary(self, summary: Summary) -> None:
        assert summary.statistics is not None
        for channel in summary.channels.values():
            topic = _describe(channel, summary.schemas.get(channel.schema_id), self.topics)
            topic.count += summary.statistics.channel_message_counts.get(channel.id, 0)
        if summary.statistics.message_count:
            self._contents.see(summary.statistics.message_start_time)
            self._contents.see(summary.statistics.message_end_time)

    def _from_scan(self, file: Path, whole: bool) -> None:
        try:
            for message in _scan(file, None, self.topics):
                self.topics[message.topic].count += 1
                self._contents.see(message.log_time_ns)
            if not whole:
                self.problem = f"{file} is cut off: it ends without an index"
        except BagError as error:
            self.problem = str(error)


def _summary(stream: BinaryIO) -> Summary | None:
    """The summary section; None if there is none, or if its checksum says that it is damaged."""
    stream.seek(-len(_MAGIC) - _FOOTER.size, os.SEEK_END)
    opcode, _, start, _, checksum = _FOOTER.unpack(stream.read(_FOOTER.size))
    end = stream.tell() - 4  # the checksum covers all before itself
    if opcode != Opcode.FOOTER or not 0 < start <= end:
        return None
    stream.seek(start)
    if checksum and zlib.crc32(stream.read(end - start)) != checksum:
        return None
    stream.seek(0)
    return make_reader(stream).get_summary()


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise BagError(f"{path} does not exist; give a rosbag2 folder or a .mcap file")
    if path.is_file():
        return [path]
    information = metadata.read(path)
    storage = information.get("storage_identifier", "mcap")
    if storage != "mcap" or information.get("compression_format"):
        kind = storage if storage != "mcap" else f"{information['compression_format']}-compressed"
        raise BagError(f"{path} is a {kind} bag; convert it to plain MCAP with 'ros2 bag convert'")
    names = information.get("relative_file_paths") or sorted(p.name for p in path.glob("*.mcap"))
    if not isinstance(names, list):
        raise BagError(
            f"{path}/{metadata.FILE_NAME} names no list of files; delete it to read the bag without"
        )
    if not names:
        raise BagError(f"{path} holds no .mcap file; give a rosbag2 folder or a .mcap file")
    files = [path / str(name) for name in names]
    for file in files:
        if not file.resolve().is_relative_to(path.resolve()) or not file.is_file():
            raise BagError(
                f"{path}/{metadata.FILE_NAME} names {file.name}, which is not in the folder"
            )
    return files


def _scan(
    file: Path, topics: Collection[str] | None, described: dict[str, Topic] | None = None
) -> Iterator[Message]:
    """Messages of one file in order; adds the topics it meets to `described`."""
    schemas: dict[int, Schema] = {}
    channels: dict[int, str] = {}
    count = 0
    try:
        with file.open("rb") as stream:
            for record in StreamReader(stream, validate_crcs=True).records:
                if isinstance(record, McapMessage):
                    count += 1
                    name = channels[record.channel_id]
                    if topics is None or name in topics:
                        yield Message(name, record.log_time, record.publish_time, record.data)
                elif isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record.topic
                    if described is not None:
                        _describe(record, schemas.get(record.schema_id), described)
    except OSError as error:
        raise BagError(f"cannot read {file}: {error.strerror}") from error
    except _DAMAGE as error:
        raise BagError(
            f"{file} is cut off or damaged after {count} messages ({type(error).__name__}); "
            "record or copy it again"
        ) from error


def _describe(channel: Channel, schema: Schema | None, topics: dict[str, Topic]) -> Topic:
    if channel.topic in topics:
        return topics[channel.topic]
    try:
        qos = metadata.parse_qos(channel.metadata.get("offered_qos_profiles", ""))
    except ValueError:
        qos = ()  # advice, not data: the defaults serve
    topics[channel.topic] = Topic(
        name=channel.topic,
        type=schema.name if schema else "",
        definition=schema.data.decode("utf-8", "replace") if schema else "",
        encoding=schema.encoding if schema else "",
        type_hash=channel.metadata.get("topic_type_hash", ""),
        qos=qos,
    )
    return topics[channel.topic]
