"""Records of MCAP files: what is in a chunk, and where its messages are."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
from mcap.exceptions import McapError
from mcap.opcode import Opcode

from ...message.arrays import Bytes, Int64s
from ..compression import DAMAGE as DECOMPRESSION_DAMAGE
from ..compression import decompress, decompress_part
from ..mcap_format import CHUNK, HEAD, INDEX, MESSAGE, MESSAGE_FIELDS, MESSAGE_HEAD, Heads

_LARGESTCHUNK = 1 << 30

Describe = Callable[[int, bytes], None]
"""Takes the opcode and the body of a schema or channel."""


class Damaged(Exception):
    """A record is not what it should be; the message says what was met."""


DAMAGE = (
    Damaged,
    McapError,
    struct.error,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    OverflowError,
)
"""Whatever a damaged record makes us or mcap's parsers raise."""


def chunk_records(body: memoryview, at: int) -> Bytes:
    """The records in a chunk that stands at byte `at`; raises Damaged."""
    _, _, size, checksum = CHUNK.unpack_from(body)
    codec, stored, announced = _compressed(body)
    if len(stored) != announced:
        raise Damaged(f"the chunk at byte {at} is not as long as it claims to be")
    if size > _LARGESTCHUNK:
        raise Damaged(f"the chunk at byte {at} claims to hold {size} bytes")
    try:
        records = decompress(stored, codec, size)
    except DECOMPRESSION_DAMAGE as error:
        raise Damaged(f"the chunk at byte {at} cannot be decompressed ({error})") from error
    if checksum and zlib.crc32(records) != checksum:
        raise Damaged(f"the chunk at byte {at} does not agree with its checksum")
    return np.frombuffer(records, np.uint8)


def part_of_chunk(body: memoryview) -> Bytes:
    """What can be had of the records in a chunk that is cut off.

    Raises one of DAMAGE if nothing can.
    """
    size = min(CHUNK.unpack_from(body)[2], _LARGESTCHUNK)
    codec, stored, _ = _compressed(body)
    return np.frombuffer(decompress_part(stored, codec, size), np.uint8)


def _compressed(body: memoryview) -> tuple[str, memoryview, int]:
    """The name of a chunk's compression, what it was applied to,
    and how many bytes of that there should be.
    """
    (length,) = struct.unpack_from("<I", body, CHUNK.size)
    start = CHUNK.size + 4
    if length > 32:
        raise Damaged("a chunk has no valid name of a compression")
    codec = bytes(body[start : start + length]).decode("ascii", "replace")
    (stored,) = struct.unpack_from("<Q", body, start + length)
    return codec, body[start + length + 8 :], int(stored)


def index_offsets(index: memoryview) -> Int64s:
    """Where the messages of a chunk start, in order, by the message index records behind it."""
    parts: list[Int64s] = []
    position = 0
    while position + HEAD.size + INDEX.size <= len(index):
        opcode, length = HEAD.unpack_from(index, position)
        following = position + HEAD.size + length
        _, size = INDEX.unpack_from(index, position + HEAD.size)
        start = position + HEAD.size + INDEX.size
        if opcode != Opcode.MESSAGE_INDEX or size % 16 or start + size > len(index):
            return np.empty(0, np.int64)
        parts.append(np.frombuffer(index[start : start + size], "<i8")[1::2])
        position = following
    offsets = np.concatenate(parts) if parts else np.empty(0, np.int64)
    return offsets if len(parts) == 1 and (np.diff(offsets) > 0).all() else np.sort(offsets)


def heads_at(data: Bytes, starts: Int64s) -> Heads:
    """The heads of message records as one structured array (n,)."""
    strides = np.diff(starts[:2])
    if len(strides) and strides[0] > 0 and (np.diff(starts) == strides[0]).all():
        return np.ndarray(len(starts), MESSAGE, data, int(starts[0]), (int(strides[0]),))
    gathered = data[starts[:, None] + np.arange(MESSAGE_HEAD.size)]
    return gathered.view(MESSAGE).reshape(len(starts))


def covering(data: Bytes, starts: Int64s, describe: Describe) -> Heads | None:
    """The heads of the messages at `starts`,
    or None unless those are all messages of the chunk in order.

    Schemas and channels between them are handed to `describe`.
    """
    if not len(starts) or starts[0] < 0 or starts[-1] + MESSAGE_HEAD.size > len(data):
        return None
    heads = heads_at(data, starts)
    if (heads["opcode"] != Opcode.MESSAGE).any() or (heads["length"] < MESSAGE_FIELDS).any():
        return None
    ends = starts + HEAD.size + heads["length"].astype(np.int64)
    gap_starts = np.concatenate([[0], ends])
    gap_ends = np.concatenate([starts, [len(data)]])
    if (gap_ends < gap_starts).any():
        return None
    for gap in np.flatnonzero(gap_ends > gap_starts):
        if len(walk(data, int(gap_starts[gap]), int(gap_ends[gap]), describe)):
            return None
    return heads


def walk(
    data: Bytes, position: int, end: int, describe: Describe, *, cut_off: bool = False
) -> Int64s:
    """Offsets of the messages between two positions.

    Schemas and channels there are handed to `describe`. Raises Damaged for what is no record, and
    for one that ends beyond `end` unless the data are known to be `cut_off`.
    """
    view = data.data
    starts = []
    while position < end:
        following = end + 1
        if position + HEAD.size <= end:
            opcode, length = HEAD.unpack_from(view, position)
            following = position + HEAD.size + length
        if following > end:
            if cut_off:
                break
            raise Damaged("a record in a chunk is longer than the chunk")
        if opcode == 0:  # walking a chunk of zeros would take minutes
            raise Damaged("a chunk holds what is no record")
        if opcode == Opcode.MESSAGE:
            if length < MESSAGE_FIELDS:
                raise Damaged("a message record is too short")
            starts.append(position)
        elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            describe(opcode, bytes(view[position + HEAD.size : following]))
        position = following
    return np.array(starts, np.int64)
