"""ROS messages as values: their type, their definition, and turning them into instances of other
classes."""

from __future__ import annotations

import array
import dataclasses
import re
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..bag import BagError, Topic
from ..errors import DatasetError
from ..message.definitions import definition as installed_definition
from ..message.definitions import type_hash

_TYPE = re.compile(r"[a-z][a-z0-9_]*/msg/[A-Z][A-Za-z0-9]*")
_recorded: WeakKeyDictionary[type, Topic] = WeakKeyDictionary()


def is_message(value: Any) -> bool:
    """Whether a value is a ROS message: of a rosidl class, or as a bag is decoded."""
    return hasattr(type(value), "__msgtype__") or is_rosidl(type(value))


def is_rosidl(cls: Any) -> bool:
    """Whether a class is a generated ROS message class."""
    return isinstance(cls, type) and hasattr(cls, "get_fields_and_field_types")


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a message, dict or dataclass by name; none for any other value."""
    if isinstance(value, Mapping):
        return dict(value)
    if is_rosidl(type(value)):
        names = list(value.get_fields_and_field_types())
    elif dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.init]
    else:
        names = []
    return {name: getattr(value, name) for name in names}


def remember(message: Any, topic: Topic) -> None:
    """Note how the bag that a message was decoded from describes its class."""
    _recorded.setdefault(type(message), topic)


def described(message: Any) -> Topic:
    """The type of a message and its definition, as of a topic without a name; raises DatasetError
    where it is unknown."""
    cls = type(message)
    if cls in _recorded:
        return _recorded[cls]
    if is_rosidl(cls):
        from ..message.rosidl import type_name  # needs ROS, which is there if this class is

        name = type_name(cls)
    else:
        name = str(cls.__msgtype__)
    return Topic("", name, definition(name), "ros2msg", installed_hash(name))


@cache
def installed_hash(type_name: str) -> str:
    """The RIHS01 hash of a message type; empty where it is not installed."""
    with suppress(BagError):
        return type_hash(type_name)
    return ""


@cache
def definition(type_name: str) -> str:
    """The definition of a message type: as installed, else as ROS 2 Jazzy has it."""
    try:
        return installed_definition(type_name)
    except BagError as error:
        from rosbags.typesys import Stores, get_typestore  # slow to import

        jazzy = get_typestore(Stores.ROS2_JAZZY)
        if type_name not in jazzy.types:
            raise DatasetError(str(error)) from error
        text, _ = jazzy.generate_msgdef(type_name, ros_version=2)
        return text


def converted(value: Any, cls: type, key: str) -> Any:
    """A message, dict or dataclass as an instance of a ROS message class or a dataclass, field by
    field."""
    if type(value) is cls:
        return value
    try:
        if is_rosidl(cls):
            return _rosidl(value, cls)
        if dataclasses.is_dataclass(cls):
            return _dataclass(value, cls)
    except (LookupError, AttributeError, TypeError, ValueError, AssertionError) as error:
        raise DatasetError(
            f"a {type(value).__name__} of {key} does not fit {cls.__name__}: {error}"
        ) from error
    raise DatasetError(
        f"{cls.__name__} is no class for the values of {key}; give a ROS message class or a "
        "dataclass"
    )


def installed(value: Any) -> Any:
    """A message that was decoded from a bag as one of its ROS class, if that is installed."""
    name = getattr(type(value), "__msgtype__", None)
    if name is None:
        return value
    try:
        cls = installed_class(name)
    except DatasetError:
        return value
    return converted(value, cls, name)


@cache
def installed_class(name: str) -> type[Any]:
    """The class of a message type of an installed interface package; nothing else is imported.

    Raises DatasetError if it is not installed.
    """
    try:
        if not _TYPE.fullmatch(name):
            raise LookupError(f"{name} is no message type")
        definition(name)
        from ..message.rosidl import message_class  # needs ROS, which is there if the package is

        return message_class(name)
    except (DatasetError, LookupError) as error:
        raise DatasetError(f"a message of type {name} cannot be made: {error}") from error


def _field(value: Any, name: str) -> Any:
    return value[name] if isinstance(value, Mapping) else getattr(value, name)


def _rosidl(value: Any, cls: Any) -> Any:
    from ..message.rosidl import message_class  # needs ROS, which is there if `cls` is

    message = cls()
    for name, kind in cls.get_fields_and_field_types().items():
        field, empty = _field(value, name), getattr(message, name)
        if is_rosidl(type(empty)):
            field = _rosidl(field, type(empty))
        elif isinstance(empty, array.array):
            typed = array.array(empty.typecode)
            typed.frombytes(np.ascontiguousarray(field, typed.typecode).tobytes())
            field = typed
        elif isinstance(empty, np.ndarray):
            field = np.asarray(field, empty.dtype)
        elif isinstance(empty, list):
            item = kind.removeprefix("sequence<").partition(",")[0].partition("[")[0].rstrip(">")
            field = list(field)
            if "/" in item:
                field = [_rosidl(part, message_class(item)) for part in field]
            elif isinstance(field[0] if field else None, np.generic):
                field = [part.item() for part in field]
        elif isinstance(field, np.generic):
            field = field.item()
        setattr(message, name, field)
    return message


def _dataclass(value: Any, cls: Any) -> Any:
    hints = typing.get_type_hints(cls)
    fields = {}
    for field in dataclasses.fields(cls):
        try:
            given = _field(value, field.name)
        except (LookupError, AttributeError):
            if (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            ):
                raise
            continue
        fields[field.name] = _hinted(given, hints[field.name])
    return cls(**fields)


def _hinted(value: Any, hint: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and not isinstance(value, hint):
        return _dataclass(value, hint)
    origin = typing.get_origin(hint) or hint
    if origin is np.ndarray and isinstance(value, Sequence):
        return np.asarray(value)
    if origin in (list, tuple) and not isinstance(value, str):
        arguments = [a for a in typing.get_args(hint) if a is not Ellipsis]
        item = arguments[0] if len(set(arguments)) == 1 else Any
        return origin(_hinted(part, item) for part in value)
    return value
