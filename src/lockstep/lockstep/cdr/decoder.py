"""Python code that decodes the CDR messages of one type, generated from its schema.

Format: XCDR1 as ROS 2 sends it. Primitives are aligned to their size, relative to the byte after the 4-byte
encapsulation header. A string is its length with the terminating NUL as uint32, then UTF-8; a wstring (Fast CDR with
rosidl) is the number of its UTF-16 units, then each as uint32. A message without fields is one byte.

Consecutive primitives become one struct; where the position is known modulo 8, padding is part of that struct.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..message.schema import SIZES, STRINGS, Field, MessageType, Schema

CODES = {
    "bool": "?",
    "byte": "B",
    "char": "B",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
"""How the struct module and, but for the byte order, numpy call the primitive types."""

Decode = Callable[[memoryview, int], "tuple[Any, int]"]


def decoder(
    schema: Schema,
    classes: Mapping[str, Callable[..., Any]],
    order: str,
    text_errors: str = "surrogateescape",
) -> Decode:
    """A function of (the bytes after the encapsulation header, their number) to (message, bytes used).

    `order` is "<" or ">", `classes` make a message of the values of its fields, and `text_errors` tells what becomes of
    strings that are not UTF-8: by default they stay as they are when they are encoded again. The function raises ValueError, IndexError or struct.error for malformed bytes, before it
    takes memory for what a wrong length claims.
    """
    return _Generator(schema.types, classes, order, text_errors).function(schema.root)


class _Generator:
    """Lines of a function under construction, and what is known of the position where the next field begins.

    The position is `p + ahead`, and is `residue` modulo `modulus`. `formats` and `targets` are the struct that is
    still to be unpacked, which begins at `p + begin`.
    """

    def __init__(
        self,
        types: Mapping[str, MessageType],
        classes: Mapping[str, Callable[..., Any]],
        order: str,
        text_errors: str,
    ) -> None:
        self.types, self.classes, self.order = types, classes, order
        self.text_errors = text_errors
        self.names: dict[str, Any] = {
            "text": str,
            "array": np.frombuffer,
            "wide": _wide(f"{order}u4"),
        }
        self.lines: list[str] = []
        self.indent = "  "
        self.count = 0
        self._at(8, 0)

    def function(self, root: MessageType) -> Decode:
        self.emit("p = 0")
        made = self._message(root)
        self._flush()
        source = "\n".join(
            ["def decode(v, end):", *self.lines, f"  return {made}, p + {self.ahead}"]
        )
        # Names in it are identifiers, as the schema has checked.
        exec(compile(source, f"<decoder of {root.name}>", "exec"), self.names)  # noqa: S102
        found: Decode = self.names["decode"]
        return found

    def emit(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def _at(self, modulus: int, residue: int) -> None:
        """The next field begins at `p`, about which this is known."""
        self.modulus, self.residue = modulus, residue
        self.ahead = self.begin = 0
        self.formats: list[str] = []
        self.targets: list[str] = []

    def _new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def _flush(self) -> None:
        """Unpack what is pending."""
        if self.targets:
            unpack = struct.Struct(self.order + "".join(self.formats)).unpack_from
            start = f"p + {self.begin}" if self.begin else "p"
            self.emit(f"{', '.join(self.targets)}, = {self._constant(unpack)}(v, {start})")
        self.formats, self.targets = [], []
        self.begin = self.ahead

    def _align(self, size: int) -> None:
        if self.modulus >= size:
            self._skip(-self.residue % size)
        else:
            self._flush()
            self.emit(f"p = p + {self.ahead + size - 1} & {-size}")
            self._at(size, 0)

    def _skip(self, count: int) -> None:
        if count and self.targets:
            self.formats.append(f"{count}x")
        self.ahead += count
        self.residue = (self.residue + count) % self.modulus
        if not self.targets:
            self.begin = self.ahead

    def _primitive(self, kind: str) -> str:
        size = SIZES[kind]
        self._align(size)
        target = self._new()
        self.formats.append(CODES[kind])
        self.targets.append(target)
        self.ahead += size
        self.residue = (self.residue + size) % self.modulus
        return target

    def _message(self, described: MessageType) -> str:
        """The expression that makes a message of its fields."""
        if not described.fields:
            self._skip(1)
        values = [self._field(field) for field in described.fields]
        return f"{self._constant(self.classes[described.name])}({', '.join(values)})"

    def _field(self, field: Field) -> str:
        if field.array == "sequence":
            count = self._primitive("uint32")
            self._flush()
            if field.size:
                self.emit(f"if {count} > {field.size}: raise ValueError")
            if field.type in SIZES:
                return self._sequence(field.type, count)
            return self._loop(field.type, count)
        if field.array == "fixed":
            if field.type in SIZES:
                return self._fixed(field.type, field.size)
            return self._loop(field.type, str(field.size))
        return self._single(field.type)

    def _single(self, kind: str) -> str:
        if kind in SIZES:
            return self._primitive(kind)
        if kind in STRINGS:
            return self._string(kind)
        return self._message(self.types[kind])

    def _dtype(self, kind: str) -> str:
        # Any byte but 0 is true; numpy's own bool must be 0 or 1.
        return self._constant(np.dtype("u1" if kind == "bool" else f"{self.order}{CODES[kind]}"))

    def _fixed(self, kind: str, size: int) -> str:
        self._align(SIZES[kind])
        target = self._new()
        true = " != 0" if kind == "bool" else ""
        self.emit(f"{target} = array(v, {self._dtype(kind)}, {size}, p + {self.ahead}){true}")
        self._skip(size * SIZES[kind])
        return target

    def _sequence(self, kind: str, count: str) -> str:
        size = SIZES[kind]
        target = self._new()
        self.emit(f"p += {self.ahead}")
        empty = np.empty(0, bool if kind == "bool" else self.order + CODES[kind])
        empty.flags.writeable = False
        self.emit(f"if {count}:")
        if size > 4:
            self.emit("  p = p + 7 & -8")
        true = " != 0" if kind == "bool" else ""
        self.emit(f"  {target} = array(v, {self._dtype(kind)}, {count}, p){true}")
        self.emit(f"  p += {count}{f' * {size}' if size > 1 else ''}")
        self.emit(f"else: {target} = {self._constant(empty)}")
        self._at(min(size, 4), 0)
        return target

    def _string(self, kind: str) -> str:
        length = self._primitive("uint32")
        self._flush()
        target = self._new()
        self.emit(f"q = p + {self.ahead}")
        self.emit(f"p = q + {length}{' * 4' if kind == 'wstring' else ''}")
        self.emit("if p > end: raise ValueError")
        if kind == "wstring":
            self.emit(f"{target} = wide(v[q:p])")
            self._at(4, 0)
            return target
        self.emit(f"if {length}:")
        self.emit("  if v[p - 1]: raise ValueError")
        self.emit(f"  {target} = text(v[q:p - 1], 'utf-8', {self.text_errors!r})")
        self.emit(f"else: {target} = ''")
        self._at(1, 0)
        return target

    def _loop(self, kind: str, count: str) -> str:
        self._flush()
        target = self._new()
        self.emit(f"p += {self.ahead}")
        self.emit(f"{target} = []")
        self.emit(f"for _ in range({count}):")
        self.indent += " "
        self._at(1, 0)
        value = self._single(kind)
        self._flush()
        if self.ahead:
            self.emit(f"p += {self.ahead}")
        self.emit("if p > end: raise ValueError")
        self.emit(f"{target}.append({value})")
        self.indent = self.indent[:-1]
        self._at(1, 0)
        return target


def _wide(dtype: str) -> Callable[[memoryview], str]:
    def decode(data: memoryview) -> str:
        units = np.frombuffer(data, dtype)
        if len(units) and units.max() > 0xFFFF:
            raise ValueError
        return units.astype("<u2").tobytes().decode("utf-16-le", "surrogatepass")

    return decode
