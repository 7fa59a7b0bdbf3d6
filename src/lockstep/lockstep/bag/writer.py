"""Writing rosbag2 bags with MCAP storage (https://mcap.dev/spec):
a folder with metadata.yaml and one .mcap file.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Channel, Schema

from ..closing import Closable
from ..errors import BagError
from ..message.arrays import Bytes, Int64s
from ..message.batch import Batch
from . import metadata
from .chunk import COMPRESSIONS, OpenChunk, heads, records
from .enclosed import Enclosed, embedded
from .mcap_format import MESSAGE_FIELDS, MESSAGE_HEAD
from .output import McapOutput, record
from .writing_thread import WritingThread

FLUSH_S = 0.5
_LARGEST_MESSAGE = (1 << 30) - (1 << 25)  # or its chunk would be larger than one that is read
_MOST_CHANNELS = (1 << 16) - 2
_pack_head = MESSAGE_HEAD.pack


@dataclass
class _Topic:
    channel: int
    type: str
    schema: int
    message_encoding: str
    type_hash: str
    qos: tuple[metadata.OfferedQoS, ...]
    count: int = 0


class BagWriter(Closable):
    """Writes one bag; use it in a with-statement.

    A path that ends in .mcap is written as that one file, any other as a folder with metadata.yaml.
    `compression` is "zstd", "zstd_small" (slow), "lz4" or "none"; chunks hold at most `chunk_bytes`
    before compression, or one message.

    At most one second of messages is in memory: call `flush()` now and then while nothing arrives.
    Killed at any moment, the file is readable up to the last flush. If it is not `timed`, chunks
    end only when they are full, so that the same calls write the same bytes. Chunks are compressed
    and written in a thread, which no signal interrupts: whatever ends the with-statement leaves a
    whole bag. A disk that fills up is a BagError of one of the next calls; what was written before
    stays readable. `cache_bytes` may wait for the disk before a call does, `behind_bytes` tells how
    many do. `compress_files` with zstd, as a whole when they are ended; `compressed_messages` notes
    that the payloads are, as rosbag2 has it.
    """

    earliest_ns = 0
    """MCAP counts nanoseconds since 1970, without a sign."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        compression: str = "zstd",
        chunk_bytes: int = 1 << 20,
        cache_bytes: int = 0,
        timed: bool = True,
        compress_files: bool = False,
        compressed_messages: bool = False,
    ) -> None:
        if compression not in COMPRESSIONS:
            raise BagError(f"compression {compression!r} is not one of {', '.join(COMPRESSIONS)}")
        if not 0 < chunk_bytes <= 1 << 30:
            raise BagError(f"{chunk_bytes} bytes are no size of a chunk; give 1 byte to 1 GiB")
        self.path = Path(path)
        self._chunk_bytes = chunk_bytes
        self._timed = timed
        bare = self.path.suffix == ".mcap"
        try:
            (self.path.parent if bare else self.path).mkdir(parents=True, exist_ok=bare)
        except FileExistsError as error:
            raise BagError(
                f"{self.path} exists already; choose another folder or delete it"
            ) from error
        except OSError as error:
            raise BagError(f"cannot create {self.path}: {error.strerror}") from error
        self._in_folder = not bare
        self._compression = compression
        self._compress_files = compress_files
        self._compressed_messages = compressed_messages
        self._output = McapOutput(
            self.path if bare else self.path / f"{self.path.name}_0.mcap", compression
        )
        self._ended: list[McapOutput] = []
        self._topics: dict[str, _Topic] = {}
        self._schemas: dict[tuple[str, str, str], Schema] = {}
        self._channels: list[Channel] = []
        self._origin = metadata.Origin()
        self._chunk = OpenChunk()
        self._last_flush = time.monotonic()
        self._thread = WritingThread(cache_bytes)
        self._closed = False
        self._thread.submit(self._output.begin)

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {name: topic.count for name, topic in self._topics.items()}

    @property
    def behind_bytes(self) -> int:
        """Bytes that wait for the disk or for their chunk to be full."""
        return self._chunk.size + self._thread.waiting_bytes

    @property
    def file_bytes(self) -> int:
        """Bytes of the file that is being written, with those that wait, before compression."""
        return self._output.size + self.behind_bytes

    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str = "",
        qos: tuple[metadata.OfferedQoS, ...] = (),
        *,
        encoding: str = "ros2msg",
        message_encoding: str = "cdr",
    ) -> None:
        """Declare a topic before its first message; `definition` is embedded as `encoding`.

        `encoding` is "ros2msg", "ros2idl" or "jsonschema", `message_encoding` "cdr" or "json".
        An empty definition is that of a type without fields. With "" for the encoding only the name
        of the type is kept, and without that there is no schema: JSON needs none.
        """
        if name in self._topics:
            raise BagError(f"{self.path}: topic {name} is declared twice")
        if len(self._channels) >= _MOST_CHANNELS:
            raise BagError(f"{self.path}: {name} is one topic more than MCAP can number")
        topic = _Topic(
            len(self._channels) + 1,
            type_name,
            self._schema(type_name, definition, encoding),
            message_encoding,
            type_hash,
            tuple(qos),
        )
        channel = Channel(
            id=topic.channel,
            topic=name,
            message_encoding=message_encoding,
            schema_id=topic.schema,
            metadata={
                "offered_qos_profiles": metadata.qos_yaml(tuple(qos)),
                "topic_type_hash": type_hash,
            },
        )
        self._topics[name] = topic
        self._channels.append(channel)
        self._chunk.describe(record(channel))

    def write(
        self,
        topic: str,
        data: bytes | bytearray | memoryview,
        log_time_ns: int,
        publish_time_ns: int | None = None,
    ) -> None:
        """Append one message; `publish_time_ns` defaults to the log time."""
        try:
            to = self._topics[topic]
        except KeyError:
            raise self._unknown(topic) from None
        if type(data) is not bytes:
            self._check_size(topic, memoryview(data).nbytes)
            data = bytes(data)  # whoever owns it may change it
        size = len(data)
        if size > _LARGEST_MESSAGE:
            self._check_size(topic, size)
        try:
            head = _pack_head(
                Opcode.MESSAGE,
                size + MESSAGE_FIELDS,
                to.channel,
                to.count & 0xFFFFFFFF,
                log_time_ns,
                log_time_ns if publish_time_ns is None else publish_time_ns,
            )
        except struct.error as error:
            raise self._bad_time(topic) from error
        chunk = self._chunk
        size += MESSAGE_HEAD.size
        if chunk.size + size > self._chunk_bytes and chunk.holds_messages:
            self._finish_chunk()
            chunk = self._chunk
        chunk.singles += (head, data)
        chunk.size += size
        to.count += 1
        if self._timed and time.monotonic() - self._last_flush >= FLUSH_S:
            self._finish_chunk()

    def write_columns(
        self,
        topic: str,
        data: Bytes | Sequence[bytes],
        log_time_ns: Int64s,
        publish_time_ns: Int64s | None = None,
    ) -> None:
        """Append n messages of one topic: `data` (n, bytes) or a list of n payloads;
        times (n,) in ns.
        """
        if topic not in self._topics:
            raise self._unknown(topic)
        to = self._topics[topic]
        count = len(data)
        log_times: Int64s = np.asarray(log_time_ns, np.int64)
        publish_times: Int64s = (
            log_times if publish_time_ns is None else np.asarray(publish_time_ns, np.int64)
        )
        if log_times.shape != (count,) or publish_times.shape != (count,):
            raise BagError(
                f"{self.path}: {count} messages of {topic} come with {log_times.shape} log times "
                f"and {publish_times.shape} publish times; give one of each for each message"
            )
        if isinstance(data, np.ndarray):
            if data.ndim != 2 or data.dtype != np.uint8:
                raise BagError(
                    f"{self.path}: the messages of {topic} are {data.dtype} of shape {data.shape}; "
                    "give uint8 of shape (messages, bytes)"
                )
            length: Int64s = np.full(count, data.shape[1])
        else:
            length = np.fromiter(map(len, data), np.int64, count)
        sequence = np.arange(to.count, to.count + count)
        channel = np.full(count, to.channel)
        self._check_columns(topic, log_times, publish_times, length)
        for block in self._blocks(length):
            chosen = data[block]
            if isinstance(chosen, np.ndarray):
                buffer: Bytes = np.ascontiguousarray(chosen).reshape(-1)
            else:
                buffer = np.frombuffer(b"".join(chosen), np.uint8)
            sizes = length[block]
            self._chunk.add(
                records(
                    heads(
                        channel[block],
                        sequence[block],
                        log_times[block],
                        publish_times[block],
                        sizes,
                    ),
                    buffer,
                    np.cumsum(sizes) - sizes,
                    sizes,
                ),
                sizes,
            )
            to.count += len(sizes)
        self.flush()

    def write_batch(self, batch: Batch) -> None:
        """Append the messages of a batch whose topics were added,
        with their times and sequence numbers.
        """
        added = [self._topics[name].channel if name in self._topics else 0 for name in batch.topics]
        channel = np.array(added, np.int64)[batch.topic]
        if not channel.all():
            batch, channel = batch.where(channel > 0), channel[channel > 0]
        self._check_columns("a batch", batch.log_time_ns, batch.publish_time_ns, batch.length)
        for block in self._blocks(batch.length):
            sizes = batch.length[block]
            self._chunk.add(
                records(
                    heads(
                        channel[block],
                        batch.sequence[block],
                        batch.log_time_ns[block],
                        batch.publish_time_ns[block],
                        sizes,
                    ),
                    batch.buffer,
                    batch.offset[block],
                    sizes,
                ),
                sizes,
            )
            counts = np.bincount(batch.topic[block], minlength=len(batch.topics)).tolist()
            for name, count in zip(batch.topics, counts, strict=True):
                if count:
                    self._topics[name].count += count
        self.flush()

    def describe(self, origin: metadata.Origin) -> str:
        """Note the origin of what is written; gives what of it cannot be held, in words: nothing.

        Without metadata.yaml the file itself holds it, as rosbag2 writes it there.
        """
        self._origin = origin
        return ""

    def enclose(self, enclosed: Enclosed) -> bool:
        """Add what is no message; gives whether the storage can hold it."""
        self._thread.submit(self._output.enclose, enclosed)
        return True

    def flush(self) -> None:
        """Hand what is in memory to the operating system if it is older than half a second."""
        if self._timed and time.monotonic() - self._last_flush >= FLUSH_S:
            self._finish_chunk()

    def split(self) -> tuple[Path, Path]:
        """End the file and go on in a new one; gives both."""
        if not self._in_folder:
            raise BagError(f"{self.path} is one file; give a folder to split a recording")
        ended = self._output
        number = len(self._ended) + 1
        self._output = McapOutput(self.path / f"{self.path.name}_{number}.mcap", self._compression)
        self._ended.append(ended)
        chunk, self._chunk = self._chunk, OpenChunk()
        schemas, channels = [*self._schemas.values()], [*self._channels]
        for described in (*schemas, *channels):
            self._chunk.describe(record(described))
        self._thread.submit(self._end_file, ended, chunk, schemas, channels, size=chunk.size)
        self._thread.submit(self._output.begin)
        return ended.path, self._output.path

    def close(self) -> None:
        """Write the index and metadata.yaml; a second time is harmless."""
        if self._closed:
            return
        self._closed = True
        self._thread.close(self._end, self._chunk)

    def _schema(self, type_name: str, definition: str, encoding: str) -> int:
        """The number of a schema, which is added to the chunk if it is new."""
        if not type_name and not definition:
            return 0
        key = (type_name, definition, encoding)
        if key not in self._schemas:
            schema = Schema(
                id=len(self._schemas) + 1,
                name=type_name,
                encoding=key[2],
                data=definition.encode(errors="surrogateescape"),
            )
            self._schemas[key] = schema
            self._chunk.describe(record(schema))
        return self._schemas[key].id

    def _blocks(self, length: Int64s) -> Iterator[slice]:
        """Messages with payloads of `length` (n,) in blocks that fit the open chunk,
        which is finished between them.
        """
        ends = np.cumsum(length + MESSAGE_HEAD.size)
        start = done = 0
        while start < len(length):
            room = self._chunk_bytes - self._chunk.size
            stop = int(np.searchsorted(ends, done + room, "right"))
            if stop <= start:
                if self._chunk.holds_messages:
                    self._finish_chunk()
                    continue
                stop = start + 1
            yield slice(start, stop)
            start, done = stop, int(ends[stop - 1])

    def _check_columns(
        self, what: str, log_time_ns: Int64s, publish_time_ns: Int64s, length: Int64s
    ) -> None:
        if not len(length):
            return
        self._check_size(what, int(length.max()))
        if log_time_ns.min() < 0 or publish_time_ns.min() < 0:
            raise self._bad_time(what)

    def _check_size(self, what: str, size: int) -> None:
        if size > _LARGEST_MESSAGE:
            raise BagError(
                f"{self.path}: a message of {what} has {size} bytes; "
                f"{_LARGEST_MESSAGE} are the most"
            )

    def _bad_time(self, what: str) -> BagError:
        return BagError(
            f"{self.path}: a time of {what} is before 1970 or no number, which MCAP cannot hold; "
            "give nanoseconds since then"
        )

    def _unknown(self, topic: str) -> BagError:
        return BagError(
            f"{self.path}: topic {topic} was not added; call add_topic before writing to it"
        )

    def _finish_chunk(self) -> None:
        self._last_flush = time.monotonic()
        if (
            not self._chunk.holds_messages
        ):  # rosbag2 plays no bag whose first chunk holds no message
            return
        # A signal between these two lines makes close() submit the chunk again, which is harmless.
        self._thread.submit(self._output.store, self._chunk, size=self._chunk.size)
        self._chunk = OpenChunk()

    def _end_file(
        self,
        output: McapOutput,
        chunk: OpenChunk,
        schemas: Sequence[Schema],
        channels: Sequence[Channel],
    ) -> None:
        try:
            output.store(chunk)
            if not self._in_folder and self._origin != metadata.Origin():
                output.enclose(embedded(self._information([output])))
        finally:
            output.end(schemas, channels)
        if self._compress_files:
            output.compress()

    def _end(self, chunk: OpenChunk) -> None:
        outputs = [*self._ended, self._output]
        try:
            self._end_file(self._output, chunk, [*self._schemas.values()], self._channels)
        finally:  # what fills a disk leaves room for it
            if self._in_folder:
                try:
                    metadata.write(self.path, self._information(outputs))
                except OSError as error:
                    raise BagError(f"cannot write {self.path}: {error.strerror}") from error

    def _information(self, outputs: Sequence[McapOutput]) -> dict[str, Any]:
        """What metadata.yaml tells of all that is stored."""
        rows = [
            metadata.TopicMetadata(
                name,
                topic.type,
                sum(output.counts.get(topic.channel, 0) for output in outputs),
                topic.type_hash,
                topic.qos,
                topic.message_encoding,
            )
            for name, topic in self._topics.items()
        ]
        files = [
            metadata.FileMetadata(
                output.path.name, output.start_ns, output.end_ns, sum(output.counts.values())
            )
            for output in outputs
        ]
        compression = metadata.Compression()
        if self._compress_files:
            compression = metadata.Compression("zstd", "FILE")
        elif self._compressed_messages:
            compression = metadata.Compression("zstd", "MESSAGE")
        return metadata.information_of(files, rows, origin=self._origin, compression=compression)
