"""Messages as Python code, for tests: the constructor calls that give a message again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..message.rosidl import message_class
from ..message.schema import Field, MessageType, Schema
from ..message.services import base
from .definitions import schema_of

_MOST_ELEMENTS = 24
_CORNER = (2, 4)


@dataclass
class MessageCode:
    """Writes messages of some types; `imports` has the message types that what was written
    needs."""

    imports: set[str] = field(default_factory=set)
    non_finite: bool = False
    """Whether something that was written needs the names `inf` and `nan`."""

    def expression(self, type_name: str, message: Any) -> str:
        """The constructor call; fields with default values are left out."""
        return self._message(schema_of(type_name), type_name, message)

    def _message(self, schema: Schema, type_name: str, message: Any) -> str:
        self.imports.add(base(type_name) or type_name)
        given = ", ".join(self._fields(schema, schema.types.get(type_name, schema.root), message))
        called = type_name.rpartition("/")[2]
        return f"{called.replace('_', '.') if base(type_name) else called}({given})"

    def _fields(self, schema: Schema, described: MessageType, message: Any) -> Iterator[str]:
        default = message_class(described.name)()
        for one in described.fields:
            value = getattr(message, one.name)
            if not _is_default(one, value, getattr(default, one.name), schema):
                yield f"{one.name}={self._value(schema, one, value)}"

    def _value(self, schema: Schema, described: Field, value: Any) -> str:
        if described.array:
            return f"[{', '.join(self._single(schema, described, item) for item in value)}]"
        return self._single(schema, described, value)

    def _single(self, schema: Schema, described: Field, value: Any) -> str:
        if described.type in schema.types:
            return self._message(schema, described.type, value)
        plain = value.item() if isinstance(value, np.generic) else value
        if described.type == "byte":
            return repr(bytes([plain]) if isinstance(plain, int) else bytes(plain))
        if isinstance(plain, float) and not math.isfinite(plain):
            self.non_finite = True
        return repr(plain)


def shortened(type_name: str, message: Any) -> Any:
    """The message, with every sequence cut to its first elements and images to a corner, for a test
    that fits a page."""
    if type_name == "sensor_msgs/msg/Image":
        _crop(message)
    _shorten(schema_of(type_name), type_name, message)
    return message


def _crop(image: Any) -> None:
    """Cut an image to its upper left corner; one whose size makes no sense stays."""
    size = image.height * image.step
    if not image.width or image.step % image.width or not size or len(image.data) < size:
        return
    height, width = min(image.height, _CORNER[0]), min(image.width, _CORNER[1])
    step = width * (image.step // image.width)
    rows = np.asarray(image.data)[:size].reshape(image.height, image.step)
    image.data = rows[:height, :step].reshape(-1)
    image.height, image.width, image.step = height, width, step


def _shorten(schema: Schema, type_name: str, message: Any) -> None:
    for one in schema.types.get(type_name, schema.root).fields:
        value = getattr(message, one.name)
        if one.array == "sequence" and len(value) > _MOST_ELEMENTS:
            value = value[:_MOST_ELEMENTS]
            setattr(message, one.name, value)
        if one.type in schema.types:
            for inner in value if one.array else [value]:
                _shorten(schema, one.type, inner)


def _is_default(described: Field, value: Any, default: Any, schema: Schema) -> bool:
    """Whether a value is what a new message has in this field."""
    if described.array and len(value) != len(default):
        return False
    pairs = list(zip(value, default, strict=True)) if described.array else [(value, default)]
    if described.type in schema.types:
        return all(
            _is_default(one, getattr(item, one.name), getattr(other, one.name), schema)
            for item, other in pairs
            for one in schema.types[described.type].fields
        )
    return all(
        bool(item == other) and _is_negative_zero(item) == _is_negative_zero(other)
        for item, other in pairs
    )


def _is_negative_zero(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and math.copysign(1.0, float(value)) < 0
