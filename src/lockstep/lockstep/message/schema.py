"""Message definitions as types: what a bag embeds, or else what is installed, parsed and checked.

Formats: the schema encodings `ros2msg` and `ros2idl` of the MCAP specification's well-known
encodings, which concatenate the definition of a type and those of all types it uses. Definitions
come from files that anyone may have written, so work and sizes are limited.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..errors import BagError
from .definitions import definition as installed_definition
from .primitives import SIZES, STRINGS
from .services import IMPLIED, base, holds_parts, messages_of

Constant: TypeAlias = "bool | int | float | str"
Cardinality: TypeAlias = Literal["", "fixed", "sequence"]

TIMES = ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")

_ALIASES = {
    "time": TIMES[0],
    "duration": TIMES[1],
    "Header": "std_msgs/msg/Header",
}
_MAX_TEXT = 1 << 20
_MAX_IDL_TEXT = 1 << 16
_MAX_DEPTH = 20  # Python nests no more loops
_MAX_FIELDS = 10_000
_MAX_BYTES = 1 << 30
_TYPE = re.compile(r"([A-Za-z]\w*)(?:/(msg|srv|action))?/([A-Za-z]\w*)", re.ASCII)
_SEPARATOR = re.compile(r"^={20,}[ \t]*\n\s*", re.MULTILINE)
_HEADING = re.compile(r"(MSG|SRV|ACTION): +([\w/]+)", re.ASCII)
_PASSED_OVER = re.compile(r"\s*(?:#.*|@[a-z]+)?")
_LINE = re.compile(
    r"\s*([A-Za-z][\w/]*)(?:<=(0*[1-9]\d*))?(\[(?:(?:<=)?0*[1-9]\d*)?\])?\s+([A-Za-z]\w*)(?:\s*=\s*(.*)|[\s#].*)?",
    re.ASCII,
)
_QUOTED = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1[ \t]*(?:#.*)?""")
_IDL_HEADING = re.compile(r"^={20,}[ \t]*\n\s*IDL:[^\n]*\n", re.MULTILINE)
_IDL_STRING = r'"(?:\\.|[^"\\])*(?:"|\\?\Z)'
_IDL_PASSED_OVER = re.compile(
    rf'({_IDL_STRING})|/[*].*?(?:[*]/|\Z)|//[^\n]*|@\s*\w+(?:::\w+)*(?:\s*\((?:{_IDL_STRING}|[^()"])*\))?',
    re.DOTALL,
)
_IDL_ENUM = re.compile(r"\benum\s+(\w+)\s*\{[^{}]*\}\s*;")  # 32 bits in CDR
_IDL_DIMENSIONS = re.compile(r"\b\w+(?:\s*\[[^\]]*\]){2,}")
_IDL_LITERAL = re.compile(rf"{_IDL_STRING}|(?<![\w.])[\d.]+[eE][-+]?\d+", re.DOTALL)
_IDL_EXPRESSION = re.compile(
    r"[(~|&^%*/]|<<|[\w)]\s*[-+]|[-+]\s*[-+]|[\w)]\s*>>\s*\d|sequence\s*<\s*sequence|(?:[{][^{}]*){20}"
)


@dataclass(frozen=True)
class Field:
    """One field: `type` is a key of SIZES, one of STRINGS, or the name of a message type.

    `array` is "" for a single value, "fixed" for `size` elements, "sequence" for at most `size`
    elements (0: any number); `string_bound` is the most characters of a string (0: any number).
    """

    name: str
    type: str
    array: Cardinality = ""
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
    """Parse the definition of a type ("ros2msg" or "ros2idl").

    Without an encoding, that of the installed type. Raises BagError, which names the type, if the
    definition is malformed, lacks a type, is cyclic or exceeds a limit.
    """
    known = encoding in ("ros2msg", "ros2idl")
    if encoding and not known and definition:
        raise BagError(
            f"{type_name} is described as '{encoding}'; only 'ros2msg' and 'ros2idl' can be decoded"
        )
    name = qualified(type_name)
    if not known:  # an empty text of a known encoding is a type without fields
        definition, encoding = installed_definition(name), "ros2msg"
    if len(definition) > _MAX_TEXT:
        raise BagError(f"the definition of {type_name} has more than {_MAX_TEXT >> 20} MiB")
    try:
        types = _msg(definition, name) if encoding == "ros2msg" else _idl(definition)
    except BagError as error:
        raise BagError(f"the definition of {type_name} cannot be read: {error}") from error
    except SyntaxError as error:
        raise BagError(f"the definition of {type_name} is not valid {encoding}: {error}") from error
    except Exception as error:  # the parser of IDL raises whatever a malformed text makes it raise
        raise BagError(
            f"the definition of {type_name} is not valid {encoding} ({type(error).__name__})"
        ) from error
    if name not in types:
        raise BagError(f"the definition of {type_name} describes only {', '.join(types)}")
    used: dict[str, MessageType] = {}
    _check(name, types, used, {}, ())
    return Schema(types[name], used)


def base_type(described: str) -> str:
    """The type of a field's elements, of one as `Field.described` writes it:
    float64 of `float64[9]`.
    """
    return described.partition("[")[0].partition("<")[0]


def qualified(type_name: str) -> str:
    """A type's full name: `pkg/Name` is `pkg/msg/Name`.
    Raises BagError for what cannot be the name of a type.
    """
    match = _TYPE.fullmatch(type_name)
    if not match:
        raise BagError(
            f"'{type_name}' is no message type; types are named like std_msgs/msg/String"
        )
    return f"{match[1]}/{match[2] or 'msg'}/{match[3]}"


def _msg(text: str, name: str) -> dict[str, MessageType]:
    head, *others = _SEPARATOR.split("\n".join(line.rstrip() for line in text.splitlines()))
    bodies = _bodies(name, others)
    if holds_parts(head):
        bodies |= messages_of(base(name), head)
    elif head.strip() or name not in bodies:
        bodies[name] = head
    for implied, body in IMPLIED.items():
        if base(name):
            bodies.setdefault(implied, body)
    return {one: _type_of_lines(one, body, bodies) for one, body in bodies.items()}


def _bodies(name: str, parts: Collection[str]) -> dict[str, str]:
    """The texts of the types in the parts of a definition that have headings."""
    bodies: dict[str, str] = {}
    for other in parts:
        heading, _, body = other.partition("\n")
        match = _HEADING.fullmatch(heading)
        if not match:
            raise SyntaxError(
                f"'{heading[:60]}' should be 'MSG: pkg/Name', as it follows a line of ="
            )
        if match[1] == "MSG":
            bodies[qualified(match[2])] = body
        else:
            bodies |= messages_of(qualified(match[2]), body)
    return bodies


def _type_of_lines(name: str, text: str, known: Collection[str]) -> MessageType:
    """One type; the defaults of fields are passed over, for a message has all its values."""
    fields: list[Field] = []
    constants: dict[str, Constant] = {}
    for line in text.split("\n"):
        if _PASSED_OVER.fullmatch(line):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise SyntaxError(f"'{line.strip()[:60]}' in {name} is no field and no constant")
        kind, bound, array, label, value = match.groups()
        if value is not None:
            constants[label] = _value(kind, value)
            continue
        if bound and kind not in STRINGS:
            raise SyntaxError(f"'{label}' in {name} has a bound, but is no string")
        size = (array or "").strip("[<=]")
        cardinality: Cardinality = ""
        if array:
            cardinality = "fixed" if array == f"[{size}]" != "[]" else "sequence"
        fields.append(
            _field(label, _used(kind, name, known), cardinality, int(size or 0), int(bound or 0))
        )
    return _message(name, fields, constants)


def _used(kind: str, owner: str, known: Collection[str]) -> str:
    """The full name of a type that a type uses."""
    if kind in SIZES or kind in STRINGS:
        return kind
    if "/" in kind:
        return qualified(kind)
    sibling = f"{owner.partition('/')[0]}/msg/{kind}"
    return sibling if sibling in known else _ALIASES.get(kind, sibling)


def _value(kind: str, text: str) -> Constant:
    """What rosidl makes of the text of a constant."""
    quoted = _QUOTED.fullmatch(text)
    if quoted and kind in STRINGS:
        return quoted[2].replace(f"\\{quoted[1]}", quoted[1])
    text = text.partition("#")[0].rstrip()
    if kind in STRINGS:
        return text
    try:
        if kind == "bool":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind.startswith("float"):
            return float(text)
        if kind in SIZES:
            return int(text) if text.lstrip("+-").isdecimal() else int(text, 0)
    except (KeyError, ValueError):
        pass
    raise SyntaxError(f"the constant '{text[:60]}' is no {kind}")


def _idl(text: str) -> dict[str, MessageType]:
    from rosbags.typesys.base import make_typesdict
    from rosbags.typesys.idl import IDLParser

    class Parser(IDLParser):
        """Tries no operators, for which it would read every literal 128 times,
        and nested ones without end.
        """

        def const_expr(self, pos: int) -> Any:
            return self.unary_expr(pos)

    # The types that a definition uses come after it, but the parser must have seen them.
    text = "\n".join(reversed(_IDL_HEADING.split(text.replace("\r\n", "\n"))))
    # It takes its time for comments and annotations.
    text = _IDL_PASSED_OVER.sub(lambda match: match[1] or " ", text)
    text = re.sub(r"^[ \t]*#[^\n]*", "", text, flags=re.MULTILINE)
    text = _IDL_ENUM.sub(r"typedef uint32 \1;", text)
    if match := _IDL_DIMENSIONS.search(text):
        raise BagError(f"'{match[0]}' is an array of several dimensions, which cannot be decoded")
    if len(text) > _MAX_IDL_TEXT:
        raise BagError(f"it has more than {_MAX_IDL_TEXT >> 10} KiB of IDL")
    if _IDL_EXPRESSION.search(_IDL_LITERAL.sub("0", text)):
        raise BagError(
            "it computes constants or nests sequences; write them as numbers and messages"
        )
    return {
        name: _message(
            name,
            [_idl_field(*field) for field in fields],
            {key: _constant(kind, value) for key, kind, value in constants},
        )
        for name, (constants, fields) in make_typesdict(Parser(text).specification()).items()
    }


def _idl_field(name: str, described: Any) -> Field:
    from rosbags.interfaces import Nodetype

    kind, detail = described
    array: Cardinality = ""
    size = bound = 0
    if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        array = "fixed" if kind == Nodetype.ARRAY else "sequence"
        (kind, detail), size = detail
    if kind == Nodetype.BASE:
        detail, bound = detail
        if detail not in SIZES and detail not in STRINGS:
            raise BagError(f"'{name}' is a {detail}, which cannot be decoded")
    return _field(name, detail, array, size, bound)


def _constant(kind: str, value: Any) -> Constant:
    if kind in STRINGS:
        return str(value)
    if kind.startswith("float"):
        return float(value)
    return bool(value) if kind == "bool" else int(value)


def _field(name: str, type_name: str, array: Cardinality, size: int, bound: int) -> Field:
    if size < 0 or (array == "fixed" and size == 0):
        raise BagError(f"'{name}' is an array of {size} elements")
    if bound < 0:
        raise BagError(f"'{name}' is a string of {bound} characters")
    # Python has these words for itself; rosbags names such fields the same way.
    return Field(f"{name}_" if keyword.iskeyword(name) else name, type_name, array, size, bound)


def _message(name: str, fields: list[Field], constants: Mapping[str, Constant]) -> MessageType:
    by_name: dict[str, Field] = {}
    for field in fields:
        if field.name == "structure_needs_at_least_one_member":
            continue
        if field.name in by_name:
            raise BagError(f"{name} has two fields named '{field.name}'")
        by_name[field.name] = field
    return MessageType(
        name,
        tuple(by_name.values()),
        {key: value for key, value in constants.items() if key not in by_name},
    )


def _check(
    name: str,
    types: Mapping[str, MessageType],
    used: dict[str, MessageType],
    sizes: dict[str, tuple[int, int, int]],
    within: tuple[str, ...],
) -> tuple[int, int, int]:
    """How deep, how many fields and at least how many bytes a type is.

    Collects the types that are used.
    """
    if name in within:
        raise BagError(f"the definition of {within[0]} is cyclic: {name} contains itself")
    if name in sizes:
        return sizes[name]
    if len(within) >= _MAX_DEPTH:
        raise BagError(f"{within[0]} is nested deeper than {_MAX_DEPTH} types")
    used[name] = types[name]
    depth, count, least = 1, 1, 1
    for field in types[name].fields:
        if field.type in SIZES or field.type in STRINGS:
            count += 1
            size = SIZES.get(field.type, 4)
        else:
            if field.type not in types:
                raise BagError(
                    f"the definition of {(*within, name)[0]} lacks {field.type}, "
                    f"the type of '{field.name}' in {name}"
                )
            inner, fields, size = _check(field.type, types, used, sizes, (*within, name))
            depth = max(depth, inner + 1)
            count += fields
        least += 4 if field.array == "sequence" else size * (field.size or 1)
        if depth > _MAX_DEPTH:
            raise BagError(f"{(*within, name)[0]} is nested deeper than {_MAX_DEPTH} types")
        if count > _MAX_FIELDS:
            raise BagError(f"{(*within, name)[0]} has more than {_MAX_FIELDS} fields")
        if least > _MAX_BYTES:
            raise BagError(f"{(*within, name)[0]} is larger than {_MAX_BYTES >> 30} GiB")
    sizes[name] = (depth, count, least)
    return sizes[name]
