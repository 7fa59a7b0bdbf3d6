"""The file under a BagWriter: MCAP records on their way to disk (https://mcap.dev/spec)."""

from __future__ import annotations

import contextlib
import errno
import zlib
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from ..errors import BagError
from . import magic
from .chunk import OpenChunk, pack
from .enclosed import Enclosed
from .mcap_format import HEAD

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROOM = 1 << 14
"""Bytes for metadata.yaml, and some for each topic."""
_ROOM_FOR_TOPIC = 1 << 11


class McapOutput:
    """One new .mcap file, used by one thread at a time.

    Every error is a BagError that names `path`. After the first error no more messages are written,
    because what comes after a gap is worth nothing; a disk that fills up costs as many of the last
    chunks as make room for the index, so that the file is whole. `counts` is by channel; `start_ns`
    and `end_ns` are 0 without messages; `size` is in bytes.
    """

    def __init__(self, path: Path, compression: str) -> None:
        self.path = path
        self.counts: dict[int, int] = {}
        self.failure: BagError | None = None
        self.size = 0
        self._is_full = False
        self._compression = compression
        try:
            self._stream = FileIO(path, "x")
        except FileExistsError as error:
            raise BagError(f"{path} exists already; choose another file or delete it") from error
        except OSError as error:
            raise BagError(f"cannot create {path}: {error.strerror}") from error
        self._stored: OpenChunk | None = None
        self._indexes: list[ChunkIndex] = []
        self._counts_of: list[dict[int, int]] = []
        self._enclosed: list[AttachmentIndex | MetadataIndex] = []

    @property
    def start_ns(self) -> int:
        """The earliest log time."""
        return min((index.message_start_time for index in self._indexes), default=0)

    @property
    def end_ns(self) -> int:
        """The latest log time."""
        return max((index.message_end_time for index in self._indexes), default=0)

    def begin(self) -> None:
        """Write what a file starts with."""
        self._put(magic.MCAP, record(Header(profile="ros2", library="lockstep")))

    def store(self, chunk: OpenChunk) -> None:
        """Write a chunk with its indexes; nothing if it is empty or the one stored last."""
        if chunk is self._stored or not chunk.holds_messages:
            return
        self._stored = chunk
        packed = pack(chunk.close(), self._compression)
        start = self._stream.tell()
        self._put(*packed.chunk, packed.index)
        self._counts_of.append(packed.counts)
        for channel, count in packed.counts.items():
            self.counts[channel] = self.counts.get(channel, 0) + count
        self._indexes.append(
            ChunkIndex(
                chunk_length=packed.chunk_length,
                chunk_start_offset=start,
                compression=packed.compression,
                compressed_size=packed.compressed_size,
                message_end_time=packed.end_ns,
                message_index_length=len(packed.index),
                message_index_offsets={
                    channel: start + offset for channel, offset in packed.index_offsets.items()
                },
                message_start_time=packed.start_ns,
                uncompressed_size=packed.uncompressed_size,
            )
        )

    def enclose(self, enclosed: Enclosed) -> None:
        """Write an attachment or a metadata record."""
        self._enclosed.append(enclosed.index(self._stream.tell()))
        self._put(HEAD.pack(enclosed.opcode, len(enclosed.body)), enclosed.body)

    def end(self, schemas: Sequence[Schema], channels: Sequence[Channel]) -> None:
        """Write the index, and close the file."""
        with self._stream:
            try:
                self._put(record(DataEnd(data_section_crc=0)))
                self._put(self._summary(schemas, channels))
            except BagError:
                if self._is_full:
                    self._make_room(schemas, channels)
                raise

    def compress(self) -> None:
        """Replace the file, which is ended, by one that zstd compressed as a whole."""
        self.path = compressed_file(self.path)

    def _make_room(self, schemas: Sequence[Schema], channels: Sequence[Channel]) -> None:
        """Give up what is not whole, and the last chunks, for an index of those before."""
        full = self._stream.tell()
        room = _ROOM + len(channels) * _ROOM_FOR_TOPIC + len(self._summary(schemas, channels))
        while self._indexes and full - self.size < room:
            self.size = self._indexes.pop().chunk_start_offset
            for channel, count in self._counts_of.pop().items():
                self.counts[channel] -= count
        self._enclosed = [one for one in self._enclosed if one.offset < self.size]
        self._stream.seek(self.size)
        self._stream.truncate()
        with contextlib.suppress(OSError):  # somebody else has filled that too
            self._write(record(DataEnd(data_section_crc=0)))
            self._write(self._summary(schemas, channels))

    def _summary(self, schemas: Sequence[Schema], channels: Sequence[Channel]) -> bytes:
        start = self._stream.tell()
        attachments = [x for x in self._enclosed if isinstance(x, AttachmentIndex)]
        metadata = [x for x in self._enclosed if isinstance(x, MetadataIndex)]
        statistics = Statistics(
            attachment_count=len(attachments),
            channel_count=len(channels),
            channel_message_counts={c.id: self.counts.get(c.id, 0) for c in channels},
            chunk_count=len(self._indexes),
            message_count=sum(self.counts.values()),
            message_start_time=self.start_ns,
            message_end_time=self.end_ns,
            metadata_count=len(metadata),
            schema_count=len(schemas),
        )
        body = offsets = b""
        for opcode, of_kind in (
            (Opcode.SCHEMA, schemas),
            (Opcode.CHANNEL, channels),
            (Opcode.STATISTICS, [statistics]),
            (Opcode.CHUNK_INDEX, self._indexes),
            (Opcode.ATTACHMENT_INDEX, attachments),
            (Opcode.METADATA_INDEX, metadata),
        ):
            group = b"".join(map(record, of_kind))
            if group:
                offset = SummaryOffset(
                    group_opcode=opcode, group_start=start + len(body), group_length=len(group)
                )
                offsets += record(offset)
            body += group
        footer = Footer(summary_start=start, summary_offset_start=start + len(body), summary_crc=0)
        # The CRC covers the summary and the footer up to the CRC itself: opcode, length,
        # two offsets.
        covered = body + offsets + record(footer)[:-4]
        return covered + zlib.crc32(covered).to_bytes(4, "little") + magic.MCAP

    def _put(self, *parts: bytes | memoryview) -> None:
        if self.failure is not None:
            raise self.failure
        try:
            for part in parts:
                self._write(part)
        except OSError as error:
            self._is_full = error.errno in _DISK_FULL
            self.failure = BagError(f"cannot write {self.path}: {error.strerror}")
            raise self.failure from error
        self.size = self._stream.tell()

    def _write(self, part: bytes | memoryview) -> None:
        left = memoryview(part)
        while left:
            left = left[self._stream.write(left) :]


def compressed_file(path: Path) -> Path:
    """Replace a file by one that zstd compressed as a whole, as rosbag2 does; gives that."""
    target = path.with_name(f"{path.name}.zstd")
    try:
        with path.open("rb") as plain, target.open("xb") as packed:
            zstandard.ZstdCompressor(1).copy_stream(plain, packed)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise BagError(f"cannot write {target}: {error.strerror}") from error
    path.unlink()
    return target


def record(made: Any) -> bytes:
    """A record of the mcap library as bytes."""
    builder: Any = RecordBuilder()
    made.write(builder)
    body: bytes = builder.end()
    return body
