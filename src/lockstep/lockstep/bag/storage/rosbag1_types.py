"""Message types of ROS 1 as ROS 2 has them: their names and definitions, and payloads as CDR."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
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
_MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
_CONSTANT = re.compile(r"\s*[a-z]+\d*\s+\w+\s*=")
_LONGEST_DEFINITION = 1 << 20
_MOST_FIELDS = 1 << 16


@dataclass(frozen=True)
class Rosbag1Type:
    """A type with its ros2msg definition.

    `encoding` and `message_encoding` are "ros1msg" and "ros1" if it has none, for which `problem`
    is the cause. `convert` gives a payload as CDR and raises ValueError for one that is none; bytes
    behind it are passed over, as roscpp and rospy do.
    """

    name: str
    definition: str
    encoding: str
    message_encoding: str
    convert: Callable[[bytes], bytes | memoryview]
    problem: str = ""


@lru_cache(256)
def converted(name: str, definition: str, md5sum: str = "") -> Rosbag1Type:
    """A type by its ROS 1 name (`sensor_msgs/Imu`), and the definition and checksum that a ROS 1
    bag holds. What the definition leaves out is taken of the types of Noetic if the checksum
    agrees.

    One whose definition cannot be read stays as it is, so that its messages can still be copied.
    """
    try:
        if len(definition) > _LONGEST_DEFINITION:
            raise ValueError("it is longer than 1 MiB")
        ros2 = normalize_msgtype(name)
        if not definition.strip() and md5sum != _MD5_OF_NOTHING:
            definition = _known_definition(ros2, md5sum)
        types, constants_text = _parsed(definition, ros2)
        _complete(types, ros2, md5sum)
        renamed = STATIC_MSGTYPE_RENAMES.get(ros2, ros2)
        types[renamed] = types.pop(ros2)
        ros2 = renamed
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
    except (TypesysError, KeyError, ValueError, TypeError, SyntaxError, RecursionError) as error:
        cause = str(error) if type(error) is ValueError else "it is no definition of ROS 1"
        problem = f"its definition of {name} cannot be read: {cause}"
        return Rosbag1Type(name, definition, "ros1msg", "ros1", bytes, problem)
    return Rosbag1Type(ros2, constants_text + text, "ros2msg", "cdr", _converter(store, ros2))


def _parsed(definition: str, name: str) -> tuple[Typesdict, str]:
    """The types of a definition, and the constants of the first that the parser does not take,
    as text: ROS 1 allows them any case.
    """
    try:
        return get_types_from_msg(definition, name), ""
    except TypesysError:
        lines = definition.splitlines(keepends=True)
        plain = "".join(line for line in lines if not _CONSTANT.match(line))
        head = definition.partition("=" * 80)[0].splitlines()
        own = [line.strip() for line in head if _CONSTANT.match(line)]
        return get_types_from_msg(plain, name), "".join(f"{line}\n" for line in own)


@cache
def _noetic() -> Typestore:
    """The types of Noetic, with which definitions are completed."""
    return get_typestore(Stores.ROS1_NOETIC)


def _known_definition(name: str, md5sum: str) -> str:
    """The definition of a type of Noetic; raises ValueError if it is none, or another one."""
    if name in _noetic().fielddefs:
        text, known = _noetic().generate_msgdef(name, ros_version=1)
        if md5sum in (known, "", "*"):
            return text
    raise ValueError(f"it is empty, and no type of Noetic has its checksum {md5sum or '(none)'}")


def _complete(types: Typesdict, name: str, md5sum: str) -> None:
    """Add the types of Noetic that a definition uses, but lacks.

    Raises ValueError, which names one, if it is none of Noetic or the checksum does not agree.
    """
    lacking = _lacking(types)
    added = dict.fromkeys(lacking)
    while lacking:
        for kind in lacking:
            if kind not in _noetic().fielddefs:
                raise ValueError(f"it lacks {_ros1_name(kind)}")
            types[kind] = _noetic().fielddefs[kind]
            added[kind] = None
        lacking = _lacking(types)
    if added:
        store = get_typestore(Stores.EMPTY)
        store.register(types)
        if md5sum not in (store.generate_msgdef(name, ros_version=1)[1], "", "*"):
            lacked = ", ".join(map(_ros1_name, added))
            raise ValueError(f"it lacks {lacked}, which is none that Noetic has")


def _lacking(types: Typesdict) -> list[str]:
    """The types that others use and that are not there."""
    used = [_element(desc) for _, fields in types.values() for _, desc in fields]
    return [
        kind
        for kind in dict.fromkeys(used)
        if kind and kind not in types and not kind.startswith("builtin_interfaces/")
    ]


def _element(desc: FieldDesc) -> str:
    """The message type of a field or of its elements; "" for numbers and strings."""
    while desc[0] in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        desc = desc[1][0]
    return str(desc[1]) if desc[0] == Nodetype.NAME else ""


def _ros1_name(name: str) -> str:
    return name.replace("/msg/", "/")


def _converter(store: Typestore, name: str) -> Callable[[bytes], memoryview]:
    def convert(data: bytes) -> memoryview:
        # A wrong length of a sequence would be counted through before it is noticed.
        store.max_sequence_length = max(1, len(data))
        try:
            try:
                return store.ros1_to_cdr(data, name)
            except SerdeError:
                described = store.get_msgdef(name)
                size, _ = described.getsize_ros1_to_cdr(data, 0, None, 0, store)
                if size >= len(data):
                    raise
                return store.ros1_to_cdr(data[:size], name)
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
