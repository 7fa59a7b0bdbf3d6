"""What the definitions of two message types have in common, and what not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..cdr.codec import Codec
from ..message.schema import TIMES, MessageType, Schema

MISSING = "missing"
"""The kind of a field that a type does not have."""


def unlike(a: Codec, b: Codec) -> dict[str, tuple[str, str]]:
    """The paths of fields that one of two types lacks or has of another kind, with both kinds."""
    fields_a, fields_b = a.fields(), b.fields()
    kinds = {
        path: (fields_a.get(path, MISSING), fields_b.get(path, MISSING))
        for path in sorted(fields_a.keys() | fields_b.keys())
    }
    return {path: pair for path, pair in kinds.items() if pair[0] != pair[1]}


def common(a: Codec, b: Codec) -> dict[str, str]:
    """The paths of fields that both types have and of one kind, with that."""
    apart = unlike(a, b)
    return {path: kind for path, kind in a.fields().items() if path not in apart}


def type_problem(types: tuple[str, str], codecs: tuple[Codec, Codec]) -> str | None:
    """Why messages of two types, given by name and definition, are not of one type.

    None if they are.
    """
    if types[0] != types[1]:
        return f"type {types[0]} against {types[1]}"
    for path, kinds in unlike(*codecs).items():
        return f"the definition of {types[0]} differs: {told(path, kinds)}"
    if not _same_layout(*(codec.schema for codec in codecs)):
        what = (
            "its fields are in another order"
            if list(codecs[0].fields()) != list(codecs[1].fields())
            else "an array of messages has another bound"
        )
        return f"the definition of {types[0]} differs: {what}"
    return None


def told(path: str, kinds: tuple[str, str]) -> str:
    """How a field is unlike in two types, in words."""
    return f"{path} is {kinds[0]} against {kinds[1]}"


def leading_to(paths: Iterable[str]) -> frozenset[str]:
    """The paths, and those of all messages and arrays that they go through.

    `points[].x` is in `points[]`, in `points`.
    """
    found: set[str] = set()
    for path in paths:
        steps = path.split(".")
        for count in range(1, len(steps) + 1):
            through = ".".join(steps[:count])
            found |= {through, through.removesuffix("[]")}
    return frozenset(found)


def _same_layout(a: Schema, b: Schema) -> bool:
    return _layout(a.types, a.root.name) == _layout(b.types, b.root.name)


def _layout(types: Mapping[str, MessageType], name: str) -> tuple[Any, ...]:
    """The fields of a type in their order, those of the types that it uses in their place."""
    return tuple(
        (field.name, field.array, field.size, _layout(types, field.type))
        if field.type in types and field.type not in TIMES
        else (field.name, field.described)
        for field in types[name].fields
    )
