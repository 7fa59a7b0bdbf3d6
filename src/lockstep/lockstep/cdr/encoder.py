"""Python code that encodes messages of one type as little-endian CDR, generated from its schema; see `cdr_decoder`.

It takes any object that has the type's fields as attributes (our dataclasses, those of rosbags, rclpy's messages) and
dicts, and checks every value: what the bytes say is what the message said.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..message.schema import SIZES, STRINGS, Field, MessageType, Schema
from .decoder import CODES

HEADER = b"\0\1\0\0"
"""The encapsulation header of little-endian XCDR1."""

Encode = Callable[[Any], bytes]

_REFUSALS = (struct.error, ValueError, TypeError, OverflowError, AttributeError, FloatingPointError)


def encoder(schema: Schema) -> Encode:
    """A function that encodes a message; raises one of many errors if it is not of the type, see `fault`."""
    return _Generator(schema.types).function(schema.root)


class _Generator:
    """Lines of a function under construction; where the next field begins is known as in the decoder."""

    def __init__(self, types: Mapping[str, MessageType]) -> None:
        self.types = types
        self.names: dict[str, Any] = {
            "header": HEADER,
            "padding": [bytes(count) for count in range(8)],
            "namespace": _namespace,
            "octet": _octet,
            "flag": _flag,
            "numbers": _numbers,
            "listed": _listed,
            "wide": _wide,
        }
        self.lines: list[str] = []
        self.indent = "  "
        self.count = 0
        self._at(8, 0)

    def function(self, root: MessageType) -> Encode:
        self.emit("parts = [header]; append = parts.append; p = 0")
        self._message(root, "m")
        self._flush()
        source = "\n".join(["def encode(m):", *self.lines, "  return b''.join(parts)"])
        exec(compile(source, f"<encoder of {root.name}>", "exec"), self.names)  # noqa: S102
        found: Encode = self.names["encode"]
        return found

    def emit(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def _at(self, modulus: int, residue: int) -> None:
        self.modulus, self.residue = modulus, residue
        self.ahead = 0
        self.formats: list[str] = []
        self.values: list[str] = []

    def _new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def _flush(self) -> None:
        if self.values:
            pack = struct.Struct("<" + "".join(self.formats)).pack
            self.emit(f"append({self._constant(pack)}({', '.join(self.values)}))")
        elif self.formats:
            self.emit(f"append({struct.pack('<' + ''.join(self.formats))!r})")
        self.formats, self.values = [], []

    def _align(self, size: int) -> None:
        if self.modulus >= size:
            self._pad(-self.residue % size)
        else:
            self._flush()
            self.emit(f"p += {self.ahead}; append(padding[-p & {size - 1}]); p += -p & {size - 1}")
            self._at(size, 0)

    def _pad(self, count: int) -> None:
        if count:
            self.formats.append(f"{count}x")
            self._skip(count)

    def _skip(self, count: int) -> None:
        self.ahead += count
        self.residue = (self.residue + count) % self.modulus

    def _primitive(self, kind: str, value: str) -> None:
        self._align(SIZES[kind])
        self.formats.append(CODES[kind])
        self.values.append(value)
        self._skip(SIZES[kind])

    def _message(self, described: MessageType, message: str) -> None:
        names = self._constant(frozenset(field.name for field in described.fields))
        self.emit(f"if {message}.__class__ is dict: {message} = namespace({message}, {names})")
        if not described.fields:
            self._pad(1)
        for field in described.fields:
            self._field(field, f"{message}.{field.name}")

    def _field(self, field: Field, value: str) -> None:
        if not field.array:
            self._single(field.type, field.string_bound, value)
            return
        items = self._new()
        self.emit(f"{items} = {value if field.type in SIZES else f'listed({value})'}")
        if field.array == "fixed":
            self.emit(f"if len({items}) != {field.size}: raise ValueError")
        else:
            if field.size:
                self.emit(f"if len({items}) > {field.size}: raise ValueError")
            self._primitive("uint32", f"len({items})")
            self._flush()
        if field.type in SIZES:
            self._array(field, items)
        else:
            self._loop(field, items)

    def _single(self, kind: str, bound: int, value: str) -> None:
        if kind in ("bool", "byte"):
            self._primitive(kind, f"{'flag' if kind == 'bool' else 'octet'}({value})")
        elif kind in SIZES:
            self._primitive(kind, value)
        elif kind in STRINGS:
            self._string(kind, bound, value)
        else:
            inner = self._new()
            self.emit(f"{inner} = {value}")
            self._message(self.types[kind], inner)

    def _string(self, kind: str, bound: int, value: str) -> None:
        encoded = self._new()
        if bound:
            self.emit(f"if len({value}) > {bound}: raise ValueError")
        if kind == "wstring":
            self.emit(f"{encoded} = wide({value})")
            self._primitive("uint32", f"len({encoded}) >> 2")
        else:
            self.emit(f"{encoded} = {value}.encode('utf-8', 'surrogateescape') + b'\\0'")
            self._primitive("uint32", f"len({encoded})")
        self._flush()
        self.emit(f"append({encoded}); p += {self.ahead} + len({encoded})")
        self._at(4 if kind == "wstring" else 1, 0)

    def _array(self, field: Field, items: str) -> None:
        size = SIZES[field.type]
        kind = f"numbers({items}, {self._constant(np.dtype('<' + CODES[field.type]))})"
        if field.array == "fixed":
            self._align(size)
            self._flush()
            self.emit(f"append({kind})")
            self._skip(size * field.size)
            return
        self.emit(f"p += {self.ahead}")
        self.emit(f"if len({items}):")
        if size > 4:
            self.emit("  append(padding[-p & 7]); p += -p & 7")
        self.emit(f"  append({kind}); p += {size} * len({items})")
        self._at(min(size, 4), 0)

    def _loop(self, field: Field, items: str) -> None:
        self._flush()
        self.emit(f"p += {self.ahead}")
        item = self._new()
        self.emit(f"for {item} in {items}:")
        self.indent += " "
        self._at(1, 0)
        self._single(field.type, field.string_bound, item)
        self._flush()
        self.emit(f"p += {self.ahead}")
        self.indent = self.indent[:-1]
        self._at(1, 0)


def fault(schema: Schema, message: Any) -> str:
    """The first field that keeps a message from being encoded and what is wrong with it; "" if there is none."""
    return _fault(schema.types, schema.root, message, "")


def _fault(
    types: Mapping[str, MessageType], described: MessageType, message: Any, path: str
) -> str:
    names = [field.name for field in described.fields]
    if isinstance(message, dict):
        unknown = next((key for key in message if key not in names), None)
        if unknown is not None:
            return f"{described.name} has no field '{unknown}'"
        message = SimpleNamespace(**message)
    for field in described.fields:
        name = f"{path}.{field.name}" if path else field.name
        if not hasattr(message, field.name):
            return f"'{name}' ({field.described}) is missing"
        value = getattr(message, field.name)
        if field.array:
            found = _array_fault(types, field, value, name)
        else:
            found = _single_fault(types, field, value, name)
        if found:
            return found
    return ""


def _array_fault(types: Mapping[str, MessageType], field: Field, items: Any, path: str) -> str:
    wanted = f"'{path}' must be {field.described}"
    try:
        count = len(items)
        if field.type not in SIZES:
            items = _listed(items)
        elif count:
            _numbers(items, np.dtype("<" + CODES[field.type]))
    except _REFUSALS:
        return f"{wanted}, not {_shown(items)}"
    if count > field.size > 0 or (field.array == "fixed" and count < field.size):
        return f"{wanted}, and has {count} elements"
    if field.type in SIZES:
        return ""
    faults = (
        _single_fault(types, field, item, f"{path}[{index}]") for index, item in enumerate(items)
    )
    return next(filter(None, faults), "")


def _single_fault(types: Mapping[str, MessageType], field: Field, value: Any, path: str) -> str:
    kind, bound = field.type, field.string_bound
    if kind not in SIZES and kind not in STRINGS:
        return _fault(types, types[kind], value, path)
    try:
        if kind == "wstring":
            _wide(value)
        elif kind == "string":
            value.encode("utf-8", "surrogateescape")
        else:
            checked = {"bool": _flag, "byte": _octet}.get(kind, lambda same: same)(value)
            struct.pack("<" + CODES[kind], checked)
    except _REFUSALS:
        return f"'{path}' must be {kind}, not {_shown(value)}"
    if kind in STRINGS and len(value) > bound > 0:
        return f"'{path}' must be {kind}<={bound}, and has {len(value)} characters"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _namespace(values: dict[str, Any], names: frozenset[str]) -> SimpleNamespace:
    if values.keys() != names:
        raise ValueError
    return SimpleNamespace(**values)


def _octet(value: Any) -> Any:
    """A `byte` as int; rclpy has bytes of length 1."""
    return value[0] if isinstance(value, bytes) and len(value) == 1 else value


def _flag(value: Any) -> Any:
    if value is True or value is False or isinstance(value, np.bool_):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value
    raise TypeError


def _wide(value: str) -> bytes:
    """A wstring after its length: each UTF-16 unit as uint32."""
    units = np.frombuffer(value.encode("utf-16-le", "surrogatepass"), "<u2")
    return units.astype("<u4").tobytes()


def _listed(items: Any) -> Any:
    if isinstance(items, (list, tuple, np.ndarray)):
        return items
    raise TypeError


def _numbers(items: Any, dtype: np.dtype[Any]) -> Any:
    """A list, array.array, numpy array or bytes as a buffer of the dtype; raises an error for what does not fit."""
    if isinstance(items, np.ndarray):
        return _array(items, dtype)
    if isinstance(items, array):
        return _array(np.frombuffer(items, items.typecode), dtype)
    if isinstance(items, (bytes, bytearray, memoryview)):
        if dtype.itemsize > 1 or dtype.kind == "b" or memoryview(items).nbytes != len(items):
            raise TypeError
        return items
    items = _listed(items)
    if dtype.kind == "b":
        return bytes(map(_flag, items))
    if items and isinstance(items[0], bytes) and dtype == np.uint8:
        return bytes(map(_octet, items))
    if dtype.kind == "f":
        return _array(np.frombuffer(array("d", items)), dtype)
    # Unlike numpy, array takes no number that does not fit.
    return np.frombuffer(array(dtype.char, items), dtype.newbyteorder("=")).astype(dtype)


def _array(items: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> Any:
    if items.ndim != 1:
        raise ValueError
    if items.dtype == dtype:
        return items if items.flags.c_contiguous else items.copy()
    kinds = items.dtype.kind, dtype.kind
    if kinds[0] in "iu" and kinds[1] in "iu":
        info = np.iinfo(dtype)
        if items.min() < info.min or items.max() > info.max:
            raise OverflowError
    elif not (kinds[0] in "iuf" and kinds[1] == "f"):
        raise TypeError
    with np.errstate(over="raise"):
        return items.astype(dtype)
