"""Writing rosbag2 bags with MCAP storage (https://mcap.dev/spec): a folder with metadata.yaml and one .mcap file."""

from __future__ import annotations

import os
import time
import zlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    Message,
    MessageIndex,
    Schema,
    Statistics,
)

from . import metadata
from .errors import BagError

if TYPE_CHECKING:
    from typing_extensions import Self

_MAGIC = b"\x89MCAP0\r\n"
_CHUNK_BYTES = 1 << 20
_FLUSH_S = 0.5


class BagWriter:
    """Writes one bag; use it in a with-statement.

    At most one second of messages is in memory: call `flush()` now and then while nothing arrives. Killed at
    any moment, the file is readable up to the last flush.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True)
        except FileExistsError as error:
            raise BagError(
                f"{self.path} exists already; choose another folder or delete it"
            ) from error
        except OSError as error:
            raise BagError(f"cannot create {self.path}: {error.strerror}") from error
        self._file_name = f"{self.path.name}_0.mcap"
        self._stream: BinaryIO = (self.path / self._file_name).open("wb")
        self._schemas: dict[str, Schema] = {}
        self._channels: dict[str, Channel] = {}
        self._topics: dict[str, metadata.TopicMetadata] = {}
        self._counts: dict[int, int] = {}
        self._count = 0
        self._start_ns = self._end_ns = 0
        self._chunk = _OpenChunk()
        self._chunk_indexes: list[ChunkIndex] = []
        self._last_flush = time.monotonic()
        self._put(_MAGIC + _record(Header(profile="ros2", library="lockstep")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {name: self._counts[channel.id] for name, channel in self._channels.items()}

    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str = "",
        qos: tuple[metadata.OfferedQoS, ...] = (),
    ) -> None:
        """Declare a topic before its first message; `definition` is embedded as ros2msg."""
        if type_name not in self._schemas:
            schema = Schema(
                id=len(self._schemas) + 1,
                name=type_name,
                encoding="ros2msg",
                data=definition.encode(),
            )
            self._schemas[type_name] = schema
            schema.write(self._chunk.records)
        channel = Channel(
            id=len(self._channels) + 1,
            topic=name,
            message_encoding="cdr",
            schema_id=self._schemas[type_name].id,
            metadata={
                "offered_qos_profiles": metadata.qos_yaml(qos),
                "topic_type_hash": type_hash,
            },
        )
        self._channels[name] = channel
        self._counts[channel.id] = 0
        self._topics[name] = metadata.TopicMetadata(name, type_name, 0, type_hash, qos)
        channel.write(self._chunk.records)

    def write(
        self, topic: str, data: bytes, log_time_ns: int, publish_time_ns: int | None = None
    ) -> None:
        """Append one CDR message; `publish_time_ns` defaults to the log time."""
        channel_id = self._channels[topic].id
        self._start_ns = min(self._start_ns, log_time_ns) if self._count else log_time_ns
        self._end_ns = max(self._end_ns, log_time_ns)
        self._count += 1
        self._counts[channel_id] += 1
        self._chunk.add(
            Message(
                channel_id=channel_id,
                sequence=0,
                log_time=log_time_ns,
                publish_time=log_time_ns if publish_time_ns is None else publish_time_ns,
                data=data,
            )
        )
        if self._chunk.records.count >= _CHUNK_BYTES:
            self._finish_chunk()
        else:
            self.flush()

    def flush(self) -> None:
        """Hand what is in memory to the operating system if it is older than half a second."""
        if time.monotonic() - self._last_flush >= _FLUSH_S:
            self._finish_chunk()

    def close(self) -> None:
        """Write the index and metadata.yaml."""
        if self._stream.closed:
            return
        try:
            self._finish_chunk()
            self._put(_record(DataEnd(data_section_crc=0)))
            self._put(self._summary())
            self._stream.close()
            metadata.write(
                self.path,
                self._file_name,
                self._start_ns,
                self._end_ns,
                [
                    metadata.TopicMetadata(
                        t.name, t.type, self._counts[self._channels[t.name].id], t.type_hash, t.qos
                    )
                    for t in self._topics.values()
                ],
            )
        except OSError as error:
            raise BagError(f"cannot write {self.path}: {error.strerror}") from error

    def _finish_chunk(self) -> None:
        self._last_flush = time.monotonic()
        if not self._chunk.indexes:  # rosbag2 plays no bag whose first chunk holds no message
            return
        chunk, self._chunk = self._chunk, _OpenChunk()
        body = chunk.records.end()
        start = self._stream.tell()
        head = _record(
            Chunk(
                compression="zstd",
                data=zstandard.compress(body, 1),
                message_start_time=chunk.start_ns,
                message_end_time=chunk.end_ns,
                uncompressed_crc=zlib.crc32(body),
                uncompressed_size=len(body),
            )
        )
        offsets: dict[int, int] = {}
        indexes = b""
        for index in chunk.indexes.values():
            offsets[index.channel_id] = start + len(head) + len(indexes)
            indexes += _record(index)
        self._put(head + indexes)
        self._chunk_indexes.append(
            ChunkIndex(
                chunk_length=len(head),
                chunk_start_offset=start,
                compression="zstd",
                compressed_size=len(head) - _CHUNK_HEAD_BYTES,
                message_end_time=chunk.end_ns,
                message_index_length=len(indexes),
                message_index_offsets=offsets,
                message_start_time=chunk.start_ns,
                uncompressed_size=len(body),
            )
        )

    def _summary(self) -> bytes:
        start = self._stream.tell()
        summary = RecordBuilder()
        statistics = Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=self._counts,
            chunk_count=len(self._chunk_indexes),
            message_count=self._count,
            message_start_time=self._start_ns,
            message_end_time=self._end_ns,
            metadata_count=0,
            schema_count=len(self._schemas),
        )
        for record in (
            *self._schemas.values(),
            *self._channels.values(),
            statistics,
            *self._chunk_indexes,
        ):
            record.write(summary)
        body: bytes = summary.end()
        # The CRC covers the summary and the footer up to the CRC itself: opcode, length, two offsets.
        covered = (
            body + _record(Footer(summary_start=start, summary_offset_start=0, summary_crc=0))[:-4]
        )
        return covered + zlib.crc32(covered).to_bytes(4, "little") + _MAGIC

    def _put(self, data: bytes) -> None:
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError as error:
            raise BagError(f"cannot write {self.path}: {error.strerror}") from error


# opcode, record length, start and end time, uncompressed size and CRC, compression's length and "zstd", data's length
_CHUNK_HEAD_BYTES = 1 + 8 + 8 + 8 + 8 + 4 + 4 + 4 + 8


class _OpenChunk:
    def __init__(self) -> None:
        self.records = RecordBuilder()
        self.indexes: dict[int, MessageIndex] = {}
        self.start_ns = 0
        self.end_ns = 0

    def add(self, message: Message) -> None:
        self.start_ns = min(self.start_ns, message.log_time) if self.indexes else message.log_time
        self.end_ns = max(self.end_ns, message.log_time)
        index = self.indexes.setdefault(
            message.channel_id, MessageIndex(channel_id=message.channel_id, records=[])
        )
        index.records.append((message.log_time, self.records.count))
        message.write(self.records)


def _record(record: Header | Chunk | MessageIndex | DataEnd | Footer) -> bytes:
    builder: Any = RecordBuilder()
    record.write(builder)
    body: bytes = builder.end()
    return body
