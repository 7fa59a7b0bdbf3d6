"""Messages as plain data that can be changed field by field: what mutates inputs, and what makes
them simpler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias

import numpy as np

from ..cdr.codec import Codec
from ..message.primitives import STRINGS
from ..message.schema import TIMES, Field, MessageType

Path: TypeAlias = "tuple[str | int, ...]"
"""Names of fields, and indexes of elements of arrays of messages."""
_ELEMENTS = 16
"""So many elements of an array of messages are looked into."""


@dataclass(frozen=True)
class Leaf:
    """A number, string, time (ns), or an array of such or of messages, in one message.

    `kind` is as in `schema.Field.type`, but "time" and "duration" for those, and "message" for
    arrays of messages.
    """

    path: Path
    kind: str
    array: str
    size: int
    string_bound: int

    @property
    def name(self) -> str:
        """The path as a definition writes it, without indexes."""
        return ".".join(str(part) for part in self.path if isinstance(part, str))


class Message:
    """One message as nested dicts and lists; numbers in arrays are numpy arrays."""

    def __init__(self, codec: Codec, data: dict[str, Any]) -> None:
        self.codec = codec
        self.data = data

    @classmethod
    def decoded(cls, codec: Codec, data: bytes) -> Message:
        """A message of its bytes; raises MessageError if they are none."""
        return cls(codec, _plain(codec.decode(data)))

    @classmethod
    def empty(cls, codec: Codec) -> Message:
        """A message in which everything is 0, false or empty."""
        return cls(codec, _zero(codec, codec.schema.root))

    def encoded(self) -> bytes:
        """Its bytes; raises BagError for values that the type does not hold."""
        return self.codec.encode(self.data)

    def leaves(self) -> list[Leaf]:
        """Its leaves in the order of the definition."""
        return list(_leaves(self.codec, self.codec.schema.root, self.data, ()))

    def get(self, path: Path) -> Any:
        """What is at a path; a time in ns."""
        value: Any = self.data
        for part in path:
            value = value[part]
        return _ns(value) if _is_time(value) else value

    def has(self, path: Path) -> bool:
        """Whether there is anything at a path: other messages of the type may have shorter
        arrays."""
        try:
            self.get(path)
        except IndexError:
            return False
        return True

    def with_value(self, path: Path, value: Any) -> Message:
        """The same with another value at a path; a time in ns."""
        return Message(self.codec, _put(self.data, path, value))

    def zero(self, path: Path) -> Any:
        """What is 0 or empty at a path to a message or leaf."""
        value: Any = self.data
        for part in path:
            value = value[part]
        return _blank(value)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blank(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray):
        return np.zeros_like(value)
    if isinstance(value, list):
        return [_blank(item) for item in value]
    return type(value)()


def _zero(codec: Codec, described: MessageType) -> dict[str, Any]:
    return {field.name: _zero_field(codec, field) for field in described.fields}


def _zero_field(codec: Codec, field: Field) -> Any:
    one: Any
    if field.type in STRINGS:
        one = ""
    elif field.type in codec.schema.types:
        one = _zero(codec, codec.schema.types[field.type])
    elif field.type == "bool":
        one = False
    else:
        one = 0.0 if field.type.startswith("float") else 0
    if not field.array:
        return one
    return [one] * (field.size if field.array == "fixed" else 0)


def _leaves(
    codec: Codec, described: MessageType, data: dict[str, Any], path: Path
) -> Iterator[Leaf]:
    for field in described.fields:
        here = (*path, field.name)
        about = field.array, field.size, field.string_bound
        nested = codec.schema.types.get(field.type)
        if field.type in TIMES:
            yield Leaf(here, field.type.rpartition("/")[2].lower(), *about)
        elif nested is None:
            yield Leaf(here, field.type, *about)
        elif field.array:
            yield Leaf(here, "message", *about)
            for index, item in enumerate(data[field.name][:_ELEMENTS]):
                yield from _leaves(codec, nested, item, (*here, index))
        else:
            yield from _leaves(codec, nested, data[field.name], here)


def _put(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return _time(value) if _is_time(data) and not isinstance(value, dict) else value
    first, *rest = path
    changed = dict(data) if isinstance(data, dict) else list(data)
    changed[first] = _put(data[first], tuple(rest), value)  # type: ignore[index]
    return changed


def _is_time(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"sec", "nanosec"}


def _ns(value: dict[str, int]) -> int:
    return int(value["sec"]) * 1_000_000_000 + int(value["nanosec"])


def _time(time_ns: int) -> dict[str, int]:
    seconds, nanoseconds = divmod(int(time_ns), 1_000_000_000)
    return {"sec": min(max(seconds, -(2**31)), 2**31 - 1), "nanosec": nanoseconds}
