"""What surrounds the fields of a message: the encapsulation header before them,
and what may come behind.

Format: XCDR1 ("plain CDR") of DDS-XTypes, whose header is 00 01 00 00 in little endian and 00 00 00
00 in big endian.
"""

from __future__ import annotations

from .message_error import MessageError

HEADER_SIZE = 4
"""Bytes before the first field, from which alignment counts."""
LITTLE_ENDIAN = b"\0\1\0\0"
"""The header of what ROS 2 sends on all machines that it supports."""
_ORDERS = {LITTLE_ENDIAN[:2]: "<", b"\0\0": ">"}  # the other two bytes are options without meaning

PADDING = 3
"""The most bytes behind a message: DDS pads to 4.

It ignores whatever comes after; we do not, for more is another type's message.
"""
OVERESTIMATE = 8
"""The bytes that rmw's serialize_message may leave behind a message for each of its wstrings and
empty sequences of 8-byte numbers.

It computes the size before, as if a wstring had a NUL and sequences without elements were aligned.
"""


def byte_order(data: bytes | memoryview) -> str:
    """The byte order "<" or ">" that the encapsulation header of a message says.

    Raises MessageError.
    """
    kind = bytes(data[:2])
    if kind not in _ORDERS:
        raise MessageError(
            f"begins with {kind.hex() or 'nothing'} and not with 0001 or 0000, "
            "so it is no plain CDR"
        )
    return _ORDERS[kind]
