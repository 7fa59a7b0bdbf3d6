"""Messages decoded to rosidl's classes are those that rclpy decodes."""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from lockstep.cdr.codec import codec
from lockstep.cdr.rosidl_messages import RosidlDecoder
from lockstep.errors import BagError
from lockstep.message.definitions import definition
from lockstep.message.rosidl import message_class
from rclpy.serialization import deserialize_message, serialize_message

PACKAGES = [
    "builtin_interfaces",
    "diagnostic_msgs",
    "geometry_msgs",
    "lockstep_interfaces",
    "nav_msgs",
    "rcl_interfaces",
    "sensor_msgs",
    "std_msgs",
    "test_msgs",
    "tf2_msgs",
    "trajectory_msgs",
    "visualization_msgs",
]


def types():
    """All types of the packages that are installed."""
    for prefix in os.environ["AMENT_PREFIX_PATH"].split(os.pathsep):
        for package in PACKAGES:
            for file in sorted(Path(prefix, "share", package, "msg").glob("*.msg")):
                yield f"{package}/msg/{file.stem}"


def filled(cls, random, depth=0):
    """A message with values in every field."""
    message = cls()
    for name, kind in zip(
        cls.get_fields_and_field_types(), cls.get_fields_and_field_types().values(), strict=True
    ):
        setattr(message, name, value_of(kind, getattr(message, name), random, depth))
    return message


def value_of(kind, current, random, depth):
    if kind.startswith("sequence<"):
        inner, _, bound = kind[len("sequence<") : -1].partition(", ")
        count = min(int(bound or 3), 3) if depth < 3 else 0
        return [value_of(inner, None, random, depth + 1) for _ in range(count)]
    if kind.endswith("]"):
        inner = kind[: kind.index("[")]
        values = [value_of(inner, None, random, depth + 1) for _ in range(len(current))]
        return np.array(values, current.dtype) if isinstance(current, np.ndarray) else values
    if kind.startswith(("string", "wstring")):
        return "grün"[: int(kind.partition("<")[2][:-1] or 4)]
    if kind == "boolean":
        return bool(random.integers(2))
    if kind == "octet":
        return bytes([random.integers(256)])
    if kind in ("float", "double"):
        return float(np.float32(random.normal()))
    if "/" not in kind:
        return int(random.integers(100))
    package, _, name = kind.partition("/")
    return filled(getattr(importlib.import_module(f"{package}.msg"), name), random, depth + 1)


def fields_of(message):
    """All that a message is made of, with the types of the values."""
    if not hasattr(message, "get_fields_and_field_types"):
        if isinstance(message, np.ndarray):
            return str(message.dtype), message.tolist(), message.flags.writeable
        if isinstance(message, list):
            return [fields_of(item) for item in message]
        return type(message), getattr(message, "typecode", ""), message
    names = message.get_fields_and_field_types()
    assert type(message)(**{name: getattr(message, name) for name in names}) == message
    return {name: fields_of(getattr(message, name)) for name in names}


@pytest.mark.parametrize("name", sorted(set(types())))
@pytest.mark.parametrize("what", ["default", "filled"])
def test_a_message_is_the_one_that_rclpy_decodes(name, what):
    cls = message_class(name)
    message = cls() if what == "default" else filled(cls, np.random.default_rng(0))
    data = serialize_message(message)
    found = codec(name, definition(name))
    decoded = RosidlDecoder(found)(data)
    assert type(decoded) is cls
    assert fields_of(decoded) == fields_of(deserialize_message(data, cls))
    assert decoded == message
    assert found.encode(decoded) == found.encode(message)


def test_text_that_is_no_utf8_is_what_rclpy_makes_of_it():
    cls = message_class("std_msgs/msg/String")
    data = serialize_message(cls(data="abc")).replace(b"b", b"\xff")
    decode = RosidlDecoder(codec("std_msgs/msg/String", definition("std_msgs/msg/String")))
    assert decode(data) == deserialize_message(data, cls)


def test_big_endian_messages_are_decoded():
    name = "sensor_msgs/msg/LaserScan"
    found = codec(name, definition(name))
    head = bytes.fromhex("00000000 00000001 00000002 00000002 6900 0000".replace(" ", ""))
    data = head + np.arange(7, dtype=">f4").tobytes() + b"\0\0\0\2" + b"\x3f\x80\0\0" * 2 + bytes(4)
    message = RosidlDecoder(found)(data)
    assert list(message.ranges) == [1.0, 1.0]
    assert message.header.frame_id == "i"


@pytest.mark.parametrize(
    "data", [b"", b"\0\1\0\0", b"\0\1\0\0" + bytes(11), b"\7\7\0\0" + bytes(40)]
)
def test_bytes_of_another_type_are_refused(data):
    name = "geometry_msgs/msg/Vector3Stamped"
    with pytest.raises(BagError, match=r"Vector3Stamped|CDR|encapsulation"):
        RosidlDecoder(codec(name, definition(name)))(data)
