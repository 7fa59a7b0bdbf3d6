"""Decoding and encoding the CDR messages of one type, one by one or as columns; needs no ROS.

Format: XCDR1 ("plain CDR") in its 4-byte encapsulation: 00 01 little endian, 00 00 big endian.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from typing import Any

from .cdr_decoder import Decode, decoder
from .cdr_encoder import Encode, encoder, fault
from .errors import BagError
from .message_class import message_class
from .schema import SIZES, STRINGS, TIMES, MessageType, schema

_PADDING = 3
_MALFORMED = (struct.error, ValueError, IndexError)


class MessageError(BagError):
    """A message is not what its definition says; the text follows on its name: "message 7 of /scan <text>".

    `tick` is its index among those that were given.
    """

    def __init__(self, text: str, tick: int = 0) -> None:
        super().__init__(text)
        self.tick = tick


class Codec:
    """What a type's definition says of its messages; compiled when it is first used."""

    def __init__(self, type_name: str, definition: str, encoding: str = "ros2msg") -> None:
        """Raises BagError, which names the type, if the definition is not valid; see `schema.schema`."""
        self.schema = schema(type_name, definition, encoding)
        self.type = self.schema.root.name

    @functools.cached_property
    def classes(self) -> dict[str, type[Any]]:
        """The classes of decoded messages of this type and of all it uses, by type."""
        return {name: message_class(described) for name, described in self.schema.types.items()}

    def decode(self, data: Any) -> Any:
        """A message from bytes or any contiguous buffer of them, with encapsulation header.

        The result is a dataclass with `__msgtype__`; arrays of numbers are read-only views of `data` in its byte order, strings
        that are not UTF-8 have surrogate escapes. Raises MessageError if the bytes are not of this type.
        """
        view = memoryview(data).toreadonly().cast("B")
        kind = bytes(view[:2])
        if kind == b"\0\1":
            decode = self._decode_little
        elif kind == b"\0\0":
            decode = self._decode_big
        else:
            raise MessageError(
                f"begins with {kind.hex() or 'nothing'} and not with 0001 or 0000, so it is no plain CDR"
            )
        view = view[4:]
        try:
            message, used = decode(view, len(view))
        except _MALFORMED as error:
            raise MessageError(f"is no valid {self.type}") from error
        # Padding to 4 bytes may follow. DDS ignores whatever comes after, rosbags does not: more is another type.
        if not 0 <= len(view) - used <= _PADDING:
            raise MessageError(
                f"is no valid {self.type}: it has {len(view)} bytes, its fields have {used}"
            )
        return message

    def encode(self, message: Any) -> bytes:
        """A message as little-endian CDR, the bytes that ROS 2 sends.

        Takes our dataclasses, those of rosbags, rclpy's messages and dicts. Raises BagError, which names the field,
        for values that are not of this type.
        """
        try:
            return self._encode(message)
        except Exception as error:  # whatever a value of a wrong type raises
            wrong = fault(self.schema, message) or f"it cannot be encoded ({error})"
            raise BagError(f"no {self.type}: {wrong}") from error

    def fields(self) -> dict[str, str]:
        """The paths of all fields and their types; arrays without index, times as one field."""
        return dict(self._fields(self.schema.root, ""))

    def _fields(self, described: MessageType, prefix: str) -> Iterator[tuple[str, str]]:
        for field in described.fields:
            path = f"{prefix}{field.name}"
            if field.type in SIZES or field.type in STRINGS or field.type in TIMES:
                yield path, field.described
            else:
                inner = f"{path}{'[]' if field.array else ''}."
                yield from self._fields(self.schema.types[field.type], inner)

    @functools.cached_property
    def _decode_little(self) -> Decode:
        return decoder(self.schema, self.classes, "<")

    @functools.cached_property
    def _decode_big(self) -> Decode:
        return decoder(self.schema, self.classes, ">")

    @functools.cached_property
    def _encode(self) -> Encode:
        return encoder(self.schema)


@functools.lru_cache(maxsize=256)
def codec(type_name: str, definition: str, encoding: str = "ros2msg") -> Codec:
    """The Codec of a definition, made once."""
    return Codec(type_name, definition, encoding)
