"""Records of MCAP files as bytes (https://mcap.dev/spec),
for those who read them and who write them.

The layouts that are met for each message or chunk stand here; all other records are left to the
mcap library.
"""

from __future__ import annotations

import io
import struct

import numpy as np

HEAD = struct.Struct("<BQ")
"""Opcode and length, with which every record begins; the length counts what comes after them."""
MESSAGE = np.dtype(
    [
        ("opcode", "<u1"),
        ("length", "<u8"),
        ("channel", "<u2"),
        ("sequence", "<u4"),
        ("log_time", "<u8"),
        ("publish_time", "<u8"),
    ]
)
"""What precedes the payload of a message."""
MESSAGE_HEAD = struct.Struct("<BQHIQQ")
"""The same for the struct module."""
MESSAGE_FIELDS = MESSAGE_HEAD.size - HEAD.size
"""Bytes of a message that its length counts beside its payload."""
Heads = np.ndarray[tuple[int], np.dtype[np.void]]
"""What precedes the payloads of n messages, (n,) MESSAGE."""
CHUNK = struct.Struct("<QQQI")
"""What a chunk begins with after its HEAD: start time, end time, uncompressed size, checksum."""
INDEX = struct.Struct("<HI")
"""What a message index begins with after its HEAD: channel, bytes of the entries."""
FOOTER = struct.Struct("<BQQQI")
"""Opcode, length, start of the summary, start of the summary offsets, checksum."""


class Stream(io.BytesIO):
    """The body of a record for mcap's parsers: ends with EOFError, never with less than asked."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes."""
        data = super().read(size)
        if len(data) < (size or 0):
            raise EOFError("a record is too short")
        return data
