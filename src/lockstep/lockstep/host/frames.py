"""Frames of the direct protocol (docs/direct-protocol.md), one by one and thousands at a time.

lockstep_cpp's frame.cpp, frame_reader.cpp and frame_writer.cpp are the twins.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from ..errors import RunError
from ..message.arrays import Bytes, Int64s
from ..message.batch import Batch
from .protocol import HEADER_SIZE, MAGIC, MAX_PAYLOAD, Kind

_CHECKED = struct.Struct("<4sBBHQqI")
_CHECKSUM = struct.Struct("<I")
_MANY = 256
"""From so many headers on, their checksums are faster as columns."""
_HEADER = np.dtype(
    [
        ("magic", "S4"),
        ("kind", "u1"),
        ("zero", "u1"),
        ("port", "<u2"),
        ("step", "<u8"),
        ("time", "<i8"),
        ("length", "<u4"),
        ("checksum", "<u4"),
    ]
)

_LENGTH = struct.Struct("<4s20xI")
_MARKS = [0, 1, 2, 3, 24, 25, 26, 27]  # the bytes of magic and length
_FEW = 16  # frames that are not worth numpy
_MOST_ALIKE = 128  # frames that are looked at at once: a DONE comes after 64 steps
_LARGE = 1 << 15  # bytes of a payload on the average, from which on it is


Chunk = tuple[int, bytes | memoryview]
"""How many steps, and their frames end to end."""


class FrameError(RunError):
    """Bytes that are no frames."""


@dataclass(frozen=True)
class Frames:
    """n frames as columns, with times in ns.

    The payload of frame i is `buffer[offset[i] : offset[i] + length[i]]`.
    """

    kind: Int64s
    port: Int64s
    step: Int64s
    time_ns: Int64s
    buffer: Bytes
    offset: Int64s
    length: Int64s

    def __len__(self) -> int:
        return len(self.kind)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Frames:
        """The frames that a mask (n,) chooses."""
        names = ("kind", "port", "step", "time_ns", "offset", "length")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def payload(self, index: int) -> bytes:
        """The payload of one frame."""
        start = int(self.offset[index])
        return self.buffer[start : start + int(self.length[index])].tobytes()


def frame(
    kind: Kind, payload: bytes = b"", port: int = 0, step: int = 0, time_ns: int = 0
) -> bytes:
    """One frame; raises RunError for a payload that is too large."""
    if len(payload) > MAX_PAYLOAD:
        raise _too_large(len(payload))
    head = _CHECKED.pack(MAGIC, kind, 0, port, step, time_ns, len(payload))
    return head + _CHECKSUM.pack(zlib.crc32(head)) + payload


def frames(
    kind: Int64s, port: Int64s, step: Int64s, time_ns: Int64s, messages: Batch
) -> bytes | memoryview:
    """n frames with columns (n,) as in `Frames`, and the messages of a batch as their payloads.

    Raises RunError for a payload that is too large.
    """
    length = messages.length
    if length.max(initial=0) > MAX_PAYLOAD:
        raise _too_large(int(length.max()))
    heads = np.zeros(len(kind), _HEADER)
    heads["magic"] = MAGIC
    heads["kind"], heads["port"], heads["step"], heads["time"] = kind, port, step, time_ns
    heads["length"] = length
    raw = heads.view(np.uint8).reshape(-1, HEADER_SIZE)
    heads["checksum"] = _checksums(raw)
    if int(length.sum()) > _LARGE * len(length):
        return _large(raw, messages)
    rows = _rows(messages)
    if rows is not None:
        return np.concatenate([raw, rows], axis=1).tobytes()
    parts: list[bytes] = [b""] * (2 * len(kind))
    parts[::2] = heads.view(f"V{HEADER_SIZE}").tolist()
    parts[1::2] = messages.payloads()
    return b"".join(parts)


def _large(heads: Bytes, messages: Batch) -> memoryview:
    """Frames of messages that are worth a call of numpy each, which are copied once so."""
    buffer, offset, length = messages.buffer, messages.offset.tolist(), messages.length.tolist()
    made = np.empty(heads.size + sum(length), np.uint8)
    position = 0
    for head, start, size in zip(heads, offset, length, strict=True):
        made[position : position + HEADER_SIZE] = head
        position += HEADER_SIZE
        made[position : position + size] = buffer[start : start + size]
        position += size
    return made.data


def _rows(messages: Batch) -> Bytes | None:
    """The payloads (n, length) of messages of one length at equal distances.

    So they lie in a chunk of one topic; None for others.
    """
    offset, length = messages.offset, messages.length
    if len(offset) < _FEW or (length != length[0]).any():
        return None
    distances = np.diff(offset)
    if (distances != distances[0]).any() or distances[0] < 0:
        return None
    shape = len(offset), int(length[0])
    first = messages.buffer[int(offset[0]) : int(offset[-1]) + shape[1]]
    return as_strided(first, shape, (int(distances[0]), 1), writeable=False)


class FrameParser:
    """Makes frames of the bytes that arrive, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""
        self._needed = HEADER_SIZE
        self._waiting: list[bytes | memoryview] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether no part of a frame is left over."""
        return not self._size

    def feed(self, data: bytes | memoryview) -> Frames | None:
        """The frames that are whole now; None if there are none.

        Raises FrameError for bytes that are no frames.
        """
        self._waiting.append(data)
        self._size += len(data)
        if self._size < self._needed:
            return None
        whole = b"".join(self._waiting)
        starts, end, self._needed = _split(whole)
        self._waiting = [whole[end:]]
        self._size = len(whole) - end
        return _columns(whole, starts) if len(starts) else None


def _split(data: bytes) -> tuple[Int64s, int, int]:
    """Where whole frames start, where the last ends, and how many bytes the next one has."""
    parts: list[Int64s] = []
    starts: list[int] = []
    read = _LENGTH.unpack_from
    position, size, before = 0, len(data), -1
    while position + HEADER_SIZE <= size:
        magic, length = read(data, position)
        if magic != MAGIC or length > MAX_PAYLOAD:
            _columns(data, np.array(starts, np.int64))  # says so if a frame before was wrong
            raise FrameError(what_came(data[position:]))
        stride = HEADER_SIZE + length
        if position + stride > size:
            return _joined(parts, starts), position, stride
        count = 1
        if length == before:  # so may many more be
            count = _alike(data, position, stride)
            if count >= _FEW:
                parts += [np.array(starts, np.int64), position + stride * np.arange(count)]
                starts = []
        if count < _FEW:
            count = 1
            starts.append(position)
        position += count * stride
        before = length
    return _joined(parts, starts), position, HEADER_SIZE


def _alike(data: bytes, position: int, stride: int) -> int:
    """How many frames of one length there are from a position on, or some of them."""
    count = min((len(data) - position) // stride, _MOST_ALIKE)
    if count < _FEW:
        return count
    rows = np.frombuffer(data, np.uint8, count * stride, position).reshape(count, stride)
    same = (rows[:, _MARKS] == rows[0, _MARKS]).all(axis=1)
    return count if same.all() else int(np.argmin(same))


def _joined(parts: list[Int64s], starts: list[int]) -> Int64s:
    return np.concatenate([*parts, np.array(starts, np.int64)])


def _columns(data: bytes, start: Int64s) -> Frames:
    buffer = np.frombuffer(data, np.uint8)
    raw: Bytes = buffer[start[:, None] + np.arange(HEADER_SIZE)]
    heads = raw.view(_HEADER)[:, 0]
    wrong = np.flatnonzero(heads["checksum"] != _checksums(raw))
    if len(wrong):
        raise FrameError(what_came(raw[wrong[0]].tobytes()))
    return Frames(
        kind=heads["kind"].astype(np.int64),
        port=heads["port"].astype(np.int64),
        step=heads["step"].astype(np.int64),
        time_ns=heads["time"].astype(np.int64),
        buffer=buffer,
        offset=start + HEADER_SIZE,
        length=heads["length"].astype(np.int64),
    )


def _checksums(raw: Bytes) -> npt.NDArray[np.uint32]:
    """The CRC-32 (polynomial EDB88320, reflected) of bytes 0–27 of n headers (n, 32)."""
    if len(raw) < _MANY:
        return np.array([zlib.crc32(head[: _CHECKED.size]) for head in raw], np.uint32)
    checksum = np.full(len(raw), _CRC_OF_ZEROS, np.uint32)
    for table, column in zip(_CRC_TABLES, raw[:, : _CHECKED.size].T, strict=True):
        checksum ^= table[column]
    return checksum


def _crc_tables() -> npt.NDArray[np.uint32]:
    """By what each byte at each place changes the CRC of zeros (28, 256), which is linear."""
    first = [zlib.crc32(bytes([byte]), 0xFFFFFFFF) ^ 0xFFFFFFFF for byte in range(256)]
    tables = [np.array(first, np.uint32)]
    for _ in range(1, _CHECKED.size):
        later = tables[-1]
        tables.append(tables[0][later & 0xFF] ^ (later >> np.uint32(8)))
    return np.array(tables[::-1])


_CRC_TABLES = _crc_tables()
_CRC_OF_ZEROS = zlib.crc32(bytes(_CHECKED.size))


def _too_large(size: int) -> RunError:
    return RunError(
        f"a message of {size} bytes is larger than the {MAX_PAYLOAD >> 20} MiB "
        "of a direct run's frame; run it live"
    )


def what_came(data: bytes) -> str:
    """What is to be said of bytes that are no frame."""
    return f"sent bytes that are no frame of the direct protocol: {data[:HEADER_SIZE]!r}"
