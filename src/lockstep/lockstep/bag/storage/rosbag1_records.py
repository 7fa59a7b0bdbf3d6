"""Records of ROS 1 bags, version 2.0: their headers, and what is in a chunk."""

from __future__ import annotations

import bz2
import struct
from dataclasses import dataclass

from ...message.time import NS_PER_S
from ..compression import DAMAGE as DECOMPRESSION_DAMAGE
from ..compression import decompress, decompress_part

MESSAGE, BAG, INDEX, CHUNK, CHUNK_INFO, CONNECTION = range(2, 8)
LENGTH = struct.Struct("<I")
_LARGEST_CHUNK = 1 << 30
_CODECS = {b"none": "", b"lz4": "lz4"}


class Damaged(Exception):
    """A record is not what it should be; the message says what was met."""


class CutOff(Damaged):
    """The file ends in the midst of a record."""


DAMAGE = (Damaged, KeyError, ValueError, struct.error)
"""Whatever a damaged record makes us raise."""


@dataclass(frozen=True)
class Record:
    """One record: the fields of its header, and where what it holds begins and ends."""

    fields: dict[bytes, bytes]
    data_start: int
    end: int

    @property
    def opcode(self) -> int:
        """What kind of record it is; 0 if it does not tell."""
        return self.fields[b"op"][0] if self.fields.get(b"op") else 0

    def number(self, name: bytes) -> int:
        """A field as a number; raises KeyError."""
        return int.from_bytes(self.fields[name], "little")

    def time_ns(self, name: bytes) -> int:
        """A field as a time; raises KeyError or struct.error."""
        seconds, nanoseconds = struct.unpack("<II", self.fields[name])
        return int(seconds * NS_PER_S + nanoseconds)


def parsed(data: bytes, position: int) -> Record:
    """The record at a position, by positions in `data`; what it holds may reach beyond.

    Raises Damaged.
    """
    start = position + LENGTH.size
    end = start + int.from_bytes(data[position:start], "little")
    if end + LENGTH.size > len(data):
        raise Damaged("a chunk ends in the midst of a record")
    data_start = end + LENGTH.size
    length = int.from_bytes(data[end:data_start], "little")
    return Record(fields_of(data[start:end]), data_start, data_start + length)


def fields_of(data: bytes) -> dict[bytes, bytes]:
    """The fields of a record's header by name; raises Damaged."""
    fields: dict[bytes, bytes] = {}
    position = 0
    while position < len(data):
        start = position + LENGTH.size
        position = start + int.from_bytes(data[position:start], "little")
        name, equals, value = data[start:position].partition(b"=")
        if position > len(data) or not equals:
            raise Damaged("the header of a record is none")
        fields[name] = value
    return fields


def chunk_records(record: Record, data: bytes) -> bytes:
    """The records in a chunk that holds `data`; raises Damaged."""
    size = record.number(b"size")
    if size > _LARGEST_CHUNK:
        raise Damaged(f"the chunk at byte {record.data_start} claims to hold {size} bytes")
    if not size:  # of a chunk that was never closed
        return b""
    codec = record.fields[b"compression"]
    try:
        if codec == b"bz2":
            plain = bz2.BZ2Decompressor().decompress(data, size)
        else:
            plain = bytes(
                decompress(data, _CODECS.get(codec, codec.decode("utf-8", "replace")), size)
            )
        if len(plain) != size:
            raise ValueError(f"{len(plain)} bytes where {size} are announced")
    except (OSError, *DECOMPRESSION_DAMAGE) as error:
        raise Damaged(
            f"the chunk at byte {record.data_start} cannot be decompressed ({error})"
        ) from error
    return plain


def part_of_chunk(record: Record, data: bytes) -> bytes:
    """The records in a chunk of which only the beginning is there, as far as they can be had.

    Raises one of DAMAGE.
    """
    size = min(record.number(b"size"), _LARGEST_CHUNK)
    codec = record.fields[b"compression"]
    if codec != b"bz2":
        return decompress_part(data, _CODECS[codec], size)
    try:
        return bz2.BZ2Decompressor().decompress(data, size)
    except OSError as error:
        raise Damaged(f"a chunk cannot be decompressed ({error})") from error
