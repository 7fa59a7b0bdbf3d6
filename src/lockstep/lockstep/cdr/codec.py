"""Decoding and encoding the CDR messages of one type, one by one or as columns; needs no ROS.

Format: XCDR1 ("plain CDR") in its 4-byte encapsulation: 00 01 little endian, 00 00 big endian.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import BagError
from ..message.arrays import Bytes, Column, Int64s
from ..message.definitions import definition
from ..message.field_path import Wanted, leaves
from ..message.message_class import message_class
from ..message.primitives import SIZES, STRINGS
from ..message.schema import TIMES, MessageType, schema
from .columns import Columns, Gathering
from .decoder import Decode, decoder
from .encapsulation import HEADER_SIZE, PADDING, byte_order
from .encoder import Encode, encoder
from .fault import fault
from .layout import Walker
from .message_error import MessageError
from .plan import Group, plan
from .rows import Layouts, groups

_COLUMNS = 64
_MALFORMED = (struct.error, ValueError, IndexError)


class Codec:
    """What a type's definition says of its messages; compiled when it is first used."""

    def __init__(self, type_name: str, definition: str, encoding: str = "ros2msg") -> None:
        """Raises BagError, which names the type, if the definition is not valid;
        see `schema.schema`.
        """
        self.schema = schema(type_name, definition, encoding)
        self.type = self.schema.root.name
        self._columns: dict[tuple[str, ...], Columns] = {}

    @functools.cached_property
    def classes(self) -> dict[str, type[Any]]:
        """The classes of decoded messages of this type and of all it uses, by type."""
        return {name: message_class(described) for name, described in self.schema.types.items()}

    def decode(self, data: Any) -> Any:
        """A message from bytes or any contiguous buffer of them, with encapsulation header.

        The result is a dataclass with `__msgtype__`; arrays of numbers are read-only views of
        `data` in its byte order, strings that are not UTF-8 have surrogate escapes. Raises
        MessageError if the bytes are not of this type.
        """
        view = memoryview(data).toreadonly().cast("B")
        decode = self._decode_little if byte_order(view) == "<" else self._decode_big
        view = view[HEADER_SIZE:]
        try:
            message, used = decode(view, len(view))
        except _MALFORMED as error:
            self._walker.layout(memoryview(data).cast("B"))  # says which field is wrong
            raise MessageError(f"is no valid {self.type}") from error
        if not 0 <= len(view) - used <= PADDING:
            self._walker.layout(memoryview(data).cast("B"))  # says whether so many may follow
        return message

    def encode(self, message: Any) -> bytes:
        """A message as little-endian CDR, the bytes that ROS 2 sends.

        Takes our dataclasses, those of rosbags, rclpy's messages and dicts. Raises BagError, which
        names the field, for values that are not of this type.
        """
        try:
            return self._encode(message)
        except Exception as error:  # whatever a value of a wrong type raises
            wrong = fault(self.schema, message) or f"it cannot be encoded ({error})"
            raise BagError(f"no {self.type}: {wrong}") from error

    def columns(
        self,
        buffer: Bytes,
        offset: Int64s,
        length: Int64s,
        paths: Sequence[str],
        rooms: Mapping[str, Gathering] | None = None,
    ) -> dict[str, Column]:
        """Fields of n messages, whose bytes are `buffer[offset[i] : offset[i] + length[i]]`,
        as arrays by path.

        A number has (n,) values of its own type, an array (n, k), a time int64 nanoseconds, a
        string objects. Where sizes differ between messages the column has n objects, each the array
        of one message. Raises MessageError with the tick of a message that is not of this type, and
        BagError for a path that the type does not have. With `rooms`, columns are put there where
        they fit; they still have to be added.
        """
        if tuple(paths) not in self._columns:
            if len(self._columns) >= _COLUMNS:
                self._columns.clear()
            self._columns[tuple(paths)] = Columns(self.schema, self.plan, paths, self.decode)
        return self._columns[tuple(paths)].of(buffer, offset, length, rooms)

    def groups(
        self, buffer: Bytes, offset: Int64s, length: Int64s
    ) -> Iterator[tuple[Int64s, Column | None]]:
        """The messages by layout: indices (m,),
        and a structured view (m,) with one field per leaf path.

        Elements of arrays of messages have paths with index; strings are their bytes, (m, length)
        uint8. The view is None for messages that must be decoded one by one.
        """
        return groups(self._everything, buffer, offset, length)

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
    def plan(self) -> Group:
        """Where the bytes of its messages are."""
        return plan(self.schema)

    @functools.cached_property
    def _walker(self) -> Walker:
        return Walker(self.plan, Wanted())

    @functools.cached_property
    def _everything(self) -> Layouts:
        wanted = Wanted()
        for leaf in leaves(self.schema):
            wanted.add(leaf)
        return Layouts(Walker(self.plan, wanted))

    @functools.cached_property
    def _decode_little(self) -> Decode:
        return decoder(self.plan, self.classes, "<")

    @functools.cached_property
    def _decode_big(self) -> Decode:
        return decoder(self.plan, self.classes, ">")

    @functools.cached_property
    def _encode(self) -> Encode:
        return encoder(self.plan)


@functools.lru_cache(maxsize=256)
def codec(type_name: str, definition: str, encoding: str = "ros2msg") -> Codec:
    """The Codec of a definition, made once."""
    return Codec(type_name, definition, encoding)


def installed_codec(type_name: str) -> Codec:
    """The Codec of an installed type; raises BagError if it is not on AMENT_PREFIX_PATH."""
    return codec(type_name, definition(type_name))
