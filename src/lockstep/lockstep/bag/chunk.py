"""Chunks of MCAP files in the making (https://mcap.dev/spec): message records end to end,
and the indexes to them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import lz4.frame
import numpy as np
import numpy.typing as npt
import zstandard
from mcap.opcode import Opcode

from ..message.arrays import Bytes, Int64s
from .mcap_format import CHUNK, HEAD, INDEX, MESSAGE, MESSAGE_FIELDS, MESSAGE_HEAD, Heads

COMPRESSIONS: dict[str, tuple[str, Callable[[bytes | memoryview], bytes | memoryview]]] = {
    "none": ("", lambda data: data),
    "zstd": ("zstd", lambda data: zstandard.compress(data, 1)),
    "zstd_small": ("zstd", lambda data: zstandard.compress(data, 19)),
    "lz4": ("lz4", lambda data: bytes(lz4.frame.compress(data))),
}
"""How a chunk may be compressed: MCAP's name for it, and the function that does it."""

_FEW_LENGTHS = 8


def heads(
    channel: Int64s, sequence: Int64s, log_time_ns: Int64s, publish_time_ns: Int64s, length: Int64s
) -> Heads:
    """What precedes the payloads of n messages; all arguments (n,)."""
    made = np.empty(len(length), MESSAGE)
    made["opcode"] = Opcode.MESSAGE
    made["length"] = length + MESSAGE_FIELDS
    made["channel"] = channel
    made["sequence"] = sequence & 0xFFFFFFFF
    made["log_time"] = log_time_ns
    made["publish_time"] = publish_time_ns
    return made


def records(heads: Heads, buffer: Bytes, offset: Int64s, length: Int64s) -> Bytes:
    """Message records end to end: each of `heads` (n,) before its
    `buffer[offset : offset + length]`.
    """
    count = len(heads)
    head_bytes = heads.view(np.uint8).reshape(count, MESSAGE_HEAD.size)
    lengths = length[:1] if (length == length[0]).all() else np.unique(length)
    if len(lengths) > max(_FEW_LENGTHS, count // _FEW_LENGTHS):
        return _joined(head_bytes, buffer, offset, length)
    strides = np.diff(offset)
    if len(lengths) == 1 and (not len(strides) or (strides == strides[0]).all()):
        size = int(lengths[0])
        rows = np.empty((count, MESSAGE_HEAD.size + size), np.uint8)
        rows[:, : MESSAGE_HEAD.size] = head_bytes
        stride = int(strides[0]) if len(strides) else size
        if size:
            rows[:, MESSAGE_HEAD.size :] = np.ndarray(
                (count, size), np.uint8, buffer, int(offset[0]), (stride, 1)
            )
        return rows.reshape(-1)
    ends = np.cumsum(length + MESSAGE_HEAD.size)
    made = np.empty(int(ends[-1]), np.uint8)
    _windows(made, MESSAGE_HEAD.size)[ends - length - MESSAGE_HEAD.size] = head_bytes
    for size in lengths[lengths > 0].tolist():
        chosen = length == size
        _windows(made, size)[ends[chosen] - size] = _windows(buffer, size)[offset[chosen]]
    return made


def _windows(data: Bytes, size: int) -> Bytes:
    """The `size` bytes from each position on, so that an index copies whole messages:
    (len - size + 1, size).
    """
    return np.ndarray((len(data) - size + 1, size), np.uint8, data, 0, (1, 1))


def _joined(head_bytes: Bytes, buffer: Bytes, offset: Int64s, length: Int64s) -> Bytes:
    view = buffer.data
    head_view = memoryview(head_bytes.tobytes())
    parts: list[memoryview] = []
    for number, (start, size) in enumerate(zip(offset.tolist(), length.tolist(), strict=True)):
        parts.append(head_view[number * MESSAGE_HEAD.size : (number + 1) * MESSAGE_HEAD.size])
        parts.append(view[start : start + size])
    return np.frombuffer(b"".join(parts), np.uint8)


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: where among the bytes of `body` its messages start, (n,),
    and their heads, (n,).
    """

    body: bytes | memoryview
    starts: Int64s
    heads: Heads


class OpenChunk:
    """A chunk that is being filled; `size` is that of its records in bytes.

    `singles` alternates between the head and the payload of a message: extend it by both at once,
    so that nothing that interrupts the program can come between.
    """

    def __init__(self) -> None:
        self.size = 0
        self.singles: list[bytes] = []
        self._blocks: list[tuple[bytes | memoryview, Int64s]] = []

    @property
    def holds_messages(self) -> bool:
        """Whether there is a message, not only descriptions of topics."""
        return bool(self.singles) or any(len(starts) for _, starts in self._blocks)

    def describe(self, record: bytes) -> None:
        """Add a schema or a channel."""
        self._add(record, np.empty(0, np.int64))

    def add(self, records: Bytes, length: Int64s) -> None:
        """Add the records of messages, whose payloads are of `length` (n,)."""
        sizes = length + MESSAGE_HEAD.size
        self._add(records.data, np.cumsum(sizes) - sizes)

    def close(self) -> Chunk:
        """The chunk as it is to be written."""
        self._seal()
        blocks = [block for block, _ in self._blocks]
        body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        parts, position = [], 0
        for block, starts in self._blocks:
            parts.append(starts + position)
            position += len(block)
        starts = np.concatenate(parts)
        return Chunk(body, starts, _heads_at(body, starts))

    def _add(self, block: bytes | memoryview, starts: Int64s) -> None:
        self._seal()
        self._blocks.append((block, starts))
        self.size += len(block)

    def _seal(self) -> None:
        if not self.singles:
            return
        singles, self.singles = self.singles, []
        sizes = np.fromiter(map(len, singles), np.int64, len(singles))
        self._blocks.append((b"".join(singles), (np.cumsum(sizes) - sizes)[::2]))


def _heads_at(body: bytes | memoryview, starts: Int64s) -> Heads:
    rows = _windows(np.frombuffer(body, np.uint8), MESSAGE_HEAD.size)[starts]
    return rows.view(MESSAGE).reshape(len(starts))


@dataclass(frozen=True)
class Packed:
    """The records of one chunk for the file: itself, and its message indexes.

    Offsets count from its beginning.
    """

    chunk: tuple[bytes, bytes | memoryview]
    index: bytes
    index_offsets: dict[int, int]
    compression: str
    compressed_size: int
    uncompressed_size: int
    start_ns: int
    end_ns: int
    counts: dict[int, int]

    @property
    def chunk_length(self) -> int:
        """Bytes of the chunk record."""
        return sum(map(len, self.chunk))


def pack(chunk: Chunk, compression: str) -> Packed:
    """A chunk with at least one message, compressed (as COMPRESSIONS name it) and indexed."""
    name, compress = COMPRESSIONS[compression]
    stored = compress(chunk.body)
    log_times = chunk.heads["log_time"]
    start_ns, end_ns = int(log_times.min()), int(log_times.max())
    codec = name.encode()
    tail = struct.pack(f"<I{len(codec)}sQ", len(codec), codec, len(stored))
    head = HEAD.pack(Opcode.CHUNK, CHUNK.size + len(tail) + len(stored))
    head += CHUNK.pack(start_ns, end_ns, len(chunk.body), zlib.crc32(chunk.body))
    index, offsets, counts = _message_indexes(chunk)
    start = len(head) + len(tail) + len(stored)
    return Packed(
        chunk=(head + tail, stored),
        index=index,
        index_offsets={channel: start + offset for channel, offset in offsets.items()},
        compression=name,
        compressed_size=len(stored),
        uncompressed_size=len(chunk.body),
        start_ns=start_ns,
        end_ns=end_ns,
        counts=counts,
    )


def _message_indexes(chunk: Chunk) -> tuple[bytes, dict[int, int], dict[int, int]]:
    """The message index records, where each channel's starts among them,
    and how many messages it has.
    """
    entries: npt.NDArray[np.uint64] = np.empty((len(chunk.starts), 2), "<u8")
    entries[:, 0] = chunk.heads["log_time"]
    entries[:, 1] = chunk.starts
    order = np.argsort(chunk.heads["channel"], kind="stable")
    channels, firsts = np.unique(chunk.heads["channel"][order], return_index=True)
    index = b""
    offsets: dict[int, int] = {}
    counts: dict[int, int] = {}
    for channel, rows in zip(channels.tolist(), np.split(order, firsts[1:]), strict=True):
        data = entries[rows].tobytes()
        offsets[channel], counts[channel] = len(index), len(rows)
        index += HEAD.pack(Opcode.MESSAGE_INDEX, INDEX.size + len(data))
        index += INDEX.pack(channel, len(data)) + data
    return index, offsets, counts
