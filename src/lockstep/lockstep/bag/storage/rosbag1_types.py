"""Message types of ROS 1 as ROS 2 has them: their names and definitions, and payloads as CDR."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rosbags.convert.converter import STATIC_MSGTYPE_RENAMES
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore
from rosbags.typesys.msg import normalize_msgtype

if TYPE_CHECKING:
    from rosbags.interfaces.typing import FieldDesc, Typesdict
    from rosbags.typesys.store import Typestore

_HEADER = "std_msgs/msg/Header"
_FILLER: tuple[str, FieldDesc] = (
    "structure_needs_at_least_one_member",  # ROS 2 gives it to types without fields
    (Nodetype.BASE, ("uint8", 0)),
)
_LONGEST_DEFINITION = 1 << 20
_MOST_FIELDS = 1 << 16


@dataclass(frozen=True)
class Rosbag1Type:
    """A type with its ros2msg definition.

    `encoding` and `message_encoding` are "ros1msg" and "ros1" if it has none. `convert` gives a
    payload as CDR and raises ValueError for one that is none.
    """

    name: str
    definition: str
    encoding: str
    message_encoding: str
    convert: Callable[[bytes], bytes | memoryview]


@lru_cache(256)
def converted(name: str, definition: str) -> Rosbag1Type:
    """A type by its ROS 1 name (`sensor_msgs/Imu`) and the definition that a ROS 1 bag holds.

    One whose definition cannot be read stays as it is, so that its messages can still be copied.
    """
    try:
        if len(definition) > _LONGEST_DEFINITION:
            raise ValueError("too long")
        ros2 = normalize_msgtype(name)
        ros2 = STATIC_MSGTYPE_RENAMES.get(ros2, ros2)
        types = get_types_from_msg(definition, ros2)
        _limit(types, ros2)
        constants, fields = types.get(_HEADER, ([], []))
        if fields:
            types[_HEADER] = constants, [row for row in fields if row[0] != "seq"]
        for owner, (constants, fields) in types.items():
            if not fields:
                types[owner] = constants, [_FILLER]
        store = get_typestore(Stores.EMPTY)
        store.register(types)
        text, _ = store.generate_msgdef(ros2, ros_version=2)
    except (TypesysError, KeyError, ValueError, TypeError, SyntaxError, RecursionError):
        return Rosbag1Type(name, definition, "ros1msg", "ros1", bytes)
    return Rosbag1Type(ros2, text, "ros2msg", "cdr", _converter(store, ros2))


def _converter(store: Typestore, name: str) -> Callable[[bytes], memoryview]:
    def convert(data: bytes) -> memoryview:
        # A wrong length of a sequence would be counted through before it is noticed.
        store.max_sequence_length = max(1, len(data))
        try:
            return store.ros1_to_cdr(data, name)
        except (SerdeError, AssertionError, IndexError, KeyError, struct.error) as error:
            raise ValueError(str(error)) from error

    return convert


def _limit(types: Typesdict, name: str) -> None:
    """Raise ValueError for a type that contains itself,
    or that many fields that code for it would be endless.
    """
    counts: dict[str, int] = {}

    def count(owner: str) -> int:
        if owner not in counts:
            if owner not in types:
                return 2  # time and duration
            counts[owner] = _MOST_FIELDS + 1  # until it is known: what contains itself is too large
            counts[owner] = sum(size(desc) for _, desc in types[owner][1])
        if counts[owner] > _MOST_FIELDS:
            raise ValueError("too many fields")
        return counts[owner]

    def size(desc: FieldDesc) -> int:
        if desc[0] == Nodetype.BASE:
            return 1
        if desc[0] == Nodetype.NAME:
            return max(1, count(desc[1]))
        element, length = desc[1]
        once = size(element)
        is_number = element[0] == Nodetype.BASE and element[1][0] != "string"
        return once if desc[0] == Nodetype.SEQUENCE or is_number else once * length

    count(name)
