"""The fields of a message type, of rosidl classes and of plain dataclasses alike."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import DistError
from ..message.rosidl import message_class, type_name

Cardinality: TypeAlias = Literal["", "fixed", "sequence"]
TEXTS = ("string", "wstring")
TIMES = ("time", "duration")
_DTYPES = {
    **{kind: np.dtype(kind) for kind in ("bool", "float32", "float64")},
    **{
        f"{sign}int{bits}": np.dtype(f"{sign}int{bits}")
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    "byte": np.dtype(np.uint8),
    "char": np.dtype(np.uint8),
}
_ROSIDL = {"boolean": "bool", "octet": "byte", "float": "float32", "double": "float64"}
_TIME_TYPES = {"builtin_interfaces/Time": "time", "builtin_interfaces/Duration": "duration"}
_PYTHON = {bool: "bool", int: "int64", float: "float64", str: "string"}
_SEQUENCE = re.compile(r"sequence<(.+?)(?:, (\d+))?>")
_FIXED = re.compile(r"(.+)\[(\d+)\]")
_known: dict[type[Any], Structure] = {}
_BOUNDED = re.compile(r"(w?string)<(\d+)>")


@dataclass(frozen=True)
class Field:
    """A number, string or time in a message, or an array of them; or how many messages an array of
    them has.

    `path` is written as bags write it, `poses[].position.x`. `kind` is a ROS type, "time" or
    "duration" (values are int64 ns), or "length" for an array of messages. `size` is that of a
    fixed array, or the most elements of a sequence (0: any number); `string_bound` the most
    characters. `message` is the name of the whole type.
    """

    path: str
    kind: str
    array: Cardinality = ""
    size: int = 0
    string_bound: int = 0
    message: str = ""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its values: object for strings, int64 ns for times and counts."""
        if self.kind in TEXTS:
            return np.dtype(object)
        return _DTYPES.get(self.kind, np.dtype(np.int64))

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers, which times and bools are not."""
        return self.kind in _DTYPES and self.kind != "bool"

    @property
    def described(self) -> str:
        """The type as a definition writes it."""
        if self.kind == "length":
            return "an array of messages"
        if not self.array:
            return self.kind
        size = self.size or ""
        return f"{self.kind}[{'<=' if size and self.array == 'sequence' else ''}{size}]"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one value as it is drawn; the elements of a sequence are drawn one by one."""
        return (self.size,) if self.array == "fixed" else ()


@dataclass(frozen=True)
class Part:
    """A message within a message: its path (empty: the whole), class, and the paths of arrays
    around it."""

    path: str
    message_type: type[Any]


@dataclass(frozen=True)
class Structure:
    """All fields and all messages within a message type, in the order of its definition, outer
    before inner."""

    name: str
    fields: dict[str, Field]
    parts: dict[str, Part]


def message_name(message_type: type[Any]) -> str:
    """The ROS name of a message class, or the name of a dataclass."""
    if hasattr(message_type, "get_fields_and_field_types"):
        return type_name(message_type)
    return message_type.__name__


def structure(message_type: type[Any]) -> Structure:
    """The structure of a rosidl class or dataclass; raises DistError if it is neither."""
    if message_type not in _known:
        name = message_name(message_type)
        fields: dict[str, Field] = {}
        parts: dict[str, Part] = {}
        _collect(message_type, "", name, fields, parts, ())
        _known[message_type] = Structure(name, fields, parts)
    return _known[message_type]


def _collect(
    message_type: type[Any],
    path: str,
    name: str,
    fields: dict[str, Field],
    parts: dict[str, Part],
    within: tuple[type, ...],
) -> None:
    if message_type in within:
        raise DistError(f"{name} contains itself at '{path}', and no message does; change the type")
    parts[path] = Part(path, message_type)
    for label, kind, array, size, bound in _members(message_type):
        inner = f"{path}.{label}" if path else label
        if isinstance(kind, str):
            fields[inner] = Field(inner, kind, array, size, bound, name)
            continue
        if array:
            fields[inner] = Field(inner, "length", array, size, 0, name)
            inner += "[]"
        _collect(kind, inner, name, fields, parts, (*within, message_type))


_Member: TypeAlias = "tuple[str, str | type[Any], Cardinality, int, int]"


def _members(message_type: type[Any]) -> Iterator[_Member]:
    """Name, kind or class, array, size and string bound of each field of one type."""
    described = getattr(message_type, "get_fields_and_field_types", None)
    if described is not None:
        for label, text in described().items():
            yield (label, *_rosidl(text))
    elif dataclasses.is_dataclass(message_type):
        try:
            hints = typing.get_type_hints(message_type)
        except NameError as error:
            raise DistError(
                f"a field of {message_type.__name__} has an unknown type: {error}"
            ) from error
        for field in dataclasses.fields(message_type):
            yield (field.name, *_hinted(hints[field.name], f"{message_type.__name__}.{field.name}"))
    else:
        raise DistError(
            f"{message_type!r} is neither a ROS message class nor a dataclass; give one of them"
        )


def _rosidl(text: str) -> tuple[str | type[Any], Cardinality, int, int]:
    array: Cardinality = ""
    size = bound = 0
    if match := _SEQUENCE.fullmatch(text):
        text, array, size = match[1], "sequence", int(match[2] or 0)
    elif match := _FIXED.fullmatch(text):
        text, array, size = match[1], "fixed", int(match[2])
    if match := _BOUNDED.fullmatch(text):
        text, bound = match[1], int(match[2])
    kind = _TIME_TYPES.get(text) or _ROSIDL.get(text, text)
    return (message_class(kind) if "/" in kind else kind), array, size, bound


def _hinted(hint: Any, name: str) -> tuple[str | type[Any], Cardinality, int, int]:
    """A field of a dataclass: a Python number or string, another dataclass, or a list or numpy
    array of them."""
    origin = typing.get_origin(hint)
    if origin in (list, np.ndarray):
        item = typing.get_args(hint)[-1]
        if origin is np.ndarray:
            item = typing.get_args(item)[0]
        kind, array, _, _ = _hinted(item, name)
        if not array:
            return kind, "sequence", 0, 0
    elif hint in _PYTHON:
        return _PYTHON[hint], "", 0, 0
    elif isinstance(hint, type) and issubclass(hint, np.generic) and np.dtype(hint).name in _DTYPES:
        return np.dtype(hint).name, "", 0, 0
    elif isinstance(hint, type) and (
        dataclasses.is_dataclass(hint) or hasattr(hint, "get_fields_and_field_types")
    ):
        stamp = _TIME_TYPES.get(type_name(hint).replace("/msg/", "/"))
        return stamp or hint, "", 0, 0
    raise DistError(
        f"{name} is a {hint}, which has no distribution; use numbers, str, dataclasses, messages, "
        "or lists or numpy arrays of one of them"
    )
