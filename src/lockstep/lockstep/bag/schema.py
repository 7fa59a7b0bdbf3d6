"""Message definitions as types: what a bag embeds, or else what is installed, parsed and checked.

Formats: the schema encodings `ros2msg` and `ros2idl` of the MCAP specification's well-known encodings, which
concatenate the definition of a type and those of all types it uses. Definitions come from files that anyone may have
written, so work and sizes are limited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .definitions import definition as installed_definition
from .errors import BagError

Constant: TypeAlias = "bool | int | float | str"

SIZES = {
    "bool": 1,
    "byte": 1,
    "char": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "int64": 8,
    "uint64": 8,
    "float32": 4,
    "float64": 8,
}
"""Bytes, and the alignment, of the primitive types."""
STRINGS = ("string", "wstring")
TIMES = ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")

_MAX_TEXT = 1 << 20
_MAX_IDL_TEXT = 1 << 16
_MAX_DEPTH = 64
_MAX_FIELDS = 10_000
_MAX_BYTES = 1 << 30
_TYPE = re.compile(r"([A-Za-z]\w*)(?:/(msg|srv|action))?/([A-Za-z]\w*)", re.ASCII)
_SEPARATOR = re.compile(r"^={20,}[ \t]*\n\s*", re.MULTILINE)
_WIDE = re.compile(r"^([ \t]*)wstring(?:<=(\d+))?(?=[\s\[])(?![ \t]+\w+[ \t]*=)", re.MULTILINE)
_WIDE_CONSTANT = re.compile(r"^([ \t]*)wstring(?:<=\d+)?(?=[ \t]+\w+[ \t]*=)", re.MULTILINE)
_IDL_HEADING = re.compile(r"^={20,}[ \t]*\n\s*IDL:[^\n]*\n", re.MULTILINE)
_IDL_STRING = r'"(?:\\.?|[^"\\])*(?:"|\Z)'
_IDL_PASSED_OVER = re.compile(
    rf'({_IDL_STRING})|/[*].*?(?:[*]/|\Z)|//[^\n]*|@\s*\w+(?:::\w+)*(?:\s*\((?:{_IDL_STRING}|[^()"])*\))?',
    re.DOTALL,
)
_IDL_LITERAL = re.compile(rf"{_IDL_STRING}|\b[\d.]+[eE][-+]?\d+", re.DOTALL)
_IDL_EXPRESSION = re.compile(
    r"[(~|&^%*/]|<<|[\w)]\s*[-+]|[-+]\s*[-+]|[\w)]\s*>>\s*\d|sequence\s*<\s*sequence|(?:[{][^{}]*){20}"
)
_WIDE_NAME = re.compile(r".*/WSTRING_(\d+)")


@dataclass(frozen=True)
class Field:
    """One field: `type` is a key of SIZES, one of STRINGS, or the name of a message type.

    `array` is "" for a single value, "fixed" for `size` elements, "sequence" for at most `size` elements (0: any
    number); `string_bound` is the most characters of a string (0: any number).
    """

    name: str
    type: str
    array: Literal["", "fixed", "sequence"] = ""
    size: int = 0
    string_bound: int = 0

    @property
    def described(self) -> str:
        """The type as a definition writes it."""
        bound = f"<={self.string_bound}" if self.string_bound else ""
        if not self.array:
            return f"{self.type}{bound}"
        size = self.size or ""
        return f"{self.type}{bound}[{'<=' if size and self.array == 'sequence' else ''}{size}]"


@dataclass(frozen=True)
class MessageType:
    """One message type, named "pkg/msg/Name"."""

    name: str
    fields: tuple[Field, ...]
    constants: Mapping[str, Constant]


@dataclass(frozen=True)
class Schema:
    """A type and all types it uses, by name."""

    root: MessageType
    types: Mapping[str, MessageType]


def schema(type_name: str, definition: str, encoding: str = "ros2msg") -> Schema:
    """Parse the definition of a type ("ros2msg" or "ros2idl"); without one, that of the installed type.

    Raises BagError, which names the type, if the definition is malformed, lacks a type, is cyclic or exceeds a limit.
    """
    name = qualified(type_name)
    if not definition.strip() or not encoding:
        definition, encoding = installed_definition(name), "ros2msg"
    if encoding not in ("ros2msg", "ros2idl"):
        raise BagError(
            f"{type_name} is described as '{encoding}'; only 'ros2msg' and 'ros2idl' can be decoded"
        )
    if len(definition) > _MAX_TEXT:
        raise BagError(f"the definition of {type_name} has more than {_MAX_TEXT >> 20} MiB")
    try:
        parsed = _msg(definition, name) if encoding == "ros2msg" else _idl(definition)
        types = {key: _message(key, *parts) for key, parts in parsed.items()}
    except BagError as error:
        raise BagError(f"the definition of {type_name} cannot be read: {error}") from error
    except Exception as error:  # the parsers raise whatever a malformed text makes them raise
        raise BagError(
            f"the definition of {type_name} is not valid {encoding} ({type(error).__name__})"
        ) from error
    if name not in types:
        raise BagError(f"the definition of {type_name} describes only {', '.join(types)}")
    used: dict[str, MessageType] = {}
    _check(name, types, used, {}, ())
    return Schema(types[name], used)


def qualified(type_name: str) -> str:
    """A type's full name: `pkg/Name` is `pkg/msg/Name`. Raises BagError for what cannot be the name of a type."""
    match = _TYPE.fullmatch(type_name)
    if not match:
        raise BagError(
            f"'{type_name}' is no message type; types are named like std_msgs/msg/String"
        )
    return f"{match[1]}/{match[2] or 'msg'}/{match[3]}"


def _msg(text: str, name: str) -> dict[str, Any]:
    from rosbags.typesys import get_types_from_msg

    # The parser knows neither wstring nor \r nor types outside of msg and action folders.
    text = "\n".join(line.rstrip() for line in text.splitlines())
    text = _WIDE_CONSTANT.sub(r"\1string", text)
    text = _WIDE.sub(lambda match: f"{match[1]}WSTRING_{match[2] or 0}", text)
    head, *others = _SEPARATOR.split(text)
    package, _, message = name.split("/")
    parsed = get_types_from_msg(
        f"\n{'=' * 80}\n".join([head.strip("\n"), *(other.strip("\n") for other in others)]) + "\n",
        f"{package}/msg/{message}",
    )
    return {name: parsed.pop(f"{package}/msg/{message}"), **parsed}


def _idl(text: str) -> dict[str, Any]:
    from rosbags.typesys import get_types_from_idl

    # The types that a definition uses come after it, but the parser must have seen them.
    text = "\n".join(reversed(_IDL_HEADING.split(text)))
    # It takes its time for comments and annotations, and exponential time for nested expressions.
    text = _IDL_PASSED_OVER.sub(lambda match: match[1] or " ", text)
    text = re.sub(r"^[ \t]*#[^\n]*", "", text, flags=re.MULTILINE)
    if len(text) > _MAX_IDL_TEXT:
        raise BagError(f"it has more than {_MAX_IDL_TEXT >> 10} KiB of IDL")
    if _IDL_EXPRESSION.search(_IDL_LITERAL.sub("0", text)):
        raise BagError(
            "it computes constants or nests sequences; write them as numbers and messages"
        )
    return dict(get_types_from_idl(text))


def _message(name: str, constants: list[Any], fields: list[Any]) -> MessageType:
    found = tuple(_field(field_name, described) for field_name, described in fields)
    names = [field.name for field in found if field.name != "structure_needs_at_least_one_member"]
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise BagError(f"{name} has two fields named '{twice}'")
    return MessageType(
        name,
        tuple(field for field in found if field.name in names),
        {key: _constant(kind, value) for key, kind, value in constants if key not in names},
    )


def _field(name: str, described: Any) -> Field:
    import keyword

    from rosbags.interfaces import Nodetype

    kind, detail = described
    array: Literal["", "fixed", "sequence"] = ""
    size = bound = 0
    if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        array = "fixed" if kind == Nodetype.ARRAY else "sequence"
        (kind, detail), size = detail
    if kind == Nodetype.BASE:
        type_name, bound = detail
        if type_name == "octet":
            type_name = "byte"
        if type_name not in SIZES and type_name not in STRINGS:
            raise BagError(f"'{name}' is a {type_name}, which cannot be decoded")
    else:
        wide = _WIDE_NAME.fullmatch(detail)
        type_name, bound = ("wstring", int(wide[1])) if wide else (detail, 0)
    if size < 0 or (array == "fixed" and size == 0):
        raise BagError(f"'{name}' is an array of {size} elements")
    # Python has these words for itself; rosbags names such fields the same way.
    return Field(f"{name}_" if keyword.iskeyword(name) else name, type_name, array, size, bound)


def _constant(kind: str, value: Any) -> Constant:
    if kind in STRINGS:
        return str(value)
    if kind.startswith("float"):
        return float(value)
    return bool(value) if kind == "bool" else int(value)


def _check(
    name: str,
    types: Mapping[str, MessageType],
    used: dict[str, MessageType],
    sizes: dict[str, tuple[int, int, int]],
    within: tuple[str, ...],
) -> tuple[int, int, int]:
    """How deep, how many fields and at least how many bytes a type is; collects the types that are used."""
    if name in within:
        raise BagError(f"the definition of {within[0]} is cyclic: {name} contains itself")
    if name in sizes:
        return sizes[name]
    used[name] = types[name]
    depth, count, least = 1, 1, 1
    for field in types[name].fields:
        if field.type in SIZES or field.type in STRINGS:
            count += 1
            size = SIZES.get(field.type, 4)
        else:
            if field.type not in types:
                raise BagError(
                    f"the definition of {(*within, name)[0]} lacks {field.type}, the type of '{field.name}' in {name}"
                )
            inner, fields, size = _check(field.type, types, used, sizes, (*within, name))
            depth = max(depth, inner + 1)
            count += fields
        least += 4 if field.array == "sequence" else size * (field.size or 1)
        if depth > _MAX_DEPTH or len(within) > _MAX_DEPTH:
            raise BagError(f"{(*within, name)[0]} is nested deeper than {_MAX_DEPTH} types")
        if count > _MAX_FIELDS:
            raise BagError(f"{(*within, name)[0]} has more than {_MAX_FIELDS} fields")
        if least > _MAX_BYTES:
            raise BagError(f"{(*within, name)[0]} is larger than {_MAX_BYTES >> 30} GiB")
    sizes[name] = (depth, count, least)
    return sizes[name]
