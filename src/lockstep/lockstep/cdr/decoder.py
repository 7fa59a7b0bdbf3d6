"""Python code that decodes the CDR messages of one type, generated from its plan.

Consecutive numbers become one struct; where the padding between them is known, it is part of that
struct.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..message.primitives import CODES
from ..message.schema import Field
from .function import Function
from .plan import Elements, Group, Number, Numbers, Step, Text

Decode = Callable[[memoryview, int], "tuple[Any, int]"]


def decoder(
    plan: Group,
    classes: Mapping[str, Callable[..., Any]],
    order: str,
    text_errors: str = "surrogateescape",
) -> Decode:
    """A function of (the bytes after the encapsulation header,
    their number) to (message, bytes used).

    `order` is "<" or ">", `classes` make a message of the values of its fields, and `text_errors`
    tells what becomes of strings that are not UTF-8: by default they stay as they are when they are
    encoded again. The function raises ValueError, IndexError or struct.error for malformed bytes,
    before it takes memory for what a wrong length claims.
    """
    return _Generator(plan, classes, order, text_errors).decode


def numpy_type(kind: str, order: str) -> np.dtype[Any]:
    """How the numbers of a primitive type lie in a message.

    Of bool they still have to be compared with 0.
    """
    # Any byte but 0 is true; numpy's own bool must be 0 or 1.
    return np.dtype("u1" if kind == "bool" else order + CODES[kind])


def wide_text(data: memoryview | bytes, order: str) -> str:
    """A wstring of its units; raises ValueError if they are no UTF-16."""
    units = np.frombuffer(data, f"{order}u4")
    if len(units) and units.max() > 0xFFFF:
        raise ValueError("a wstring has a character that is not UTF-16")
    return units.astype("<u2").tobytes().decode("utf-16-le", "surrogatepass")


class _Generator:
    """Lines of a function under construction; each step is turned into an expression of its value.

    The next step begins at `p + ahead`. `formats` and `targets` are the struct that is still to be
    unpacked, which begins at `p + begin`.
    """

    def __init__(
        self,
        plan: Group,
        classes: Mapping[str, Callable[..., Any]],
        order: str,
        text_errors: str,
    ) -> None:
        self.classes, self.order, self.text_errors = classes, order, text_errors
        self.function = Function(
            "def decode(v, end):",
            f"decoder of {plan.type.name}",
            text=str,
            wide=wide_text,
            array=np.frombuffer,
        )
        self.emit = self.function.emit
        self._at()
        self.emit("p = 0")
        made = self._group(plan)
        self._flush()
        self.emit(f"return {made}, p + {self.ahead}")
        self.decode: Decode = self.function.compiled()

    def _at(self) -> None:
        """The next step begins at `p`."""
        self.ahead = self.begin = 0
        self.formats: list[str] = []
        self.targets: list[str] = []

    def _flush(self) -> None:
        """Unpack what is pending."""
        if self.targets:
            unpack = struct.Struct(self.order + "".join(self.formats)).unpack_from
            start = f"p + {self.begin}" if self.begin else "p"
            self.emit(f"{', '.join(self.targets)}, = {self.function.constant(unpack)}(v, {start})")
        self.formats, self.targets = [], []
        self.begin = self.ahead

    def _align(self, number: Number) -> None:
        if number.padding is not None:
            self._skip(number.padding)
            return
        self._flush()
        self.emit(f"p = p + {self.ahead + number.size - 1} & {-number.size}")
        self._at()

    def _skip(self, count: int) -> None:
        if count and self.targets:
            self.formats.append(f"{count}x")
        self.ahead += count
        if not self.targets:
            self.begin = self.ahead

    def _step(self, field: Field, step: Step) -> str:
        match step:
            case Number():
                return self._number(step)
            case Numbers():
                if isinstance(step.count, int):
                    return self._fixed(step.count, step.first)
                return self._sequence(self._count(field, step.count), step.first)
            case Elements():
                if isinstance(step.count, int):
                    return self._loop(str(step.count), step.element)
                return self._loop(self._count(field, step.count), step.element)
            case _:
                return self._element(step)

    def _element(self, element: Text | Group) -> str:
        return self._text(element) if isinstance(element, Text) else self._group(element)

    def _group(self, group: Group) -> str:
        self._skip(group.filler)
        values = ", ".join([self._step(field, step) for field, step in group.fields])
        return f"{self.function.constant(self.classes[group.type.name])}({values})"

    def _number(self, number: Number) -> str:
        self._align(number)
        target = self.function.variable()
        self.formats.append(number.code)
        self.targets.append(target)
        self.ahead += number.size
        return target

    def _count(self, field: Field, number: Number) -> str:
        count = self._number(number)
        self._flush()
        if field.size:
            self.emit(f"if {count} > {field.size}: raise ValueError")
        return count

    def _dtype(self, number: Number) -> str:
        return self.function.constant(numpy_type(number.kind, self.order))

    def _fixed(self, count: int, first: Number) -> str:
        self._align(first)
        target = self.function.variable()
        true = " != 0" if first.kind == "bool" else ""
        self.emit(f"{target} = array(v, {self._dtype(first)}, {count}, p + {self.ahead}){true}")
        self._skip(count * first.size)
        return target

    def _sequence(self, count: str, first: Number) -> str:
        target = self.function.variable()
        empty = np.empty(0, bool if first.kind == "bool" else self.order + first.code)
        empty.flags.writeable = False
        self.emit(f"p += {self.ahead}")
        self._at()
        with self.function.block(f"if {count}:"):
            self._align(first)
            if self.ahead:
                self.emit(f"p += {self.ahead}")
            true = " != 0" if first.kind == "bool" else ""
            self.emit(f"{target} = array(v, {self._dtype(first)}, {count}, p){true}")
            self.emit(f"p += {count}{f' * {first.size}' if first.size > 1 else ''}")
        self.emit(f"else: {target} = {self.function.constant(empty)}")
        self._at()
        return target

    def _text(self, text: Text) -> str:
        length = self._number(text.length)
        self._flush()
        target = self.function.variable()
        self.emit(f"q = p + {self.ahead}")
        self.emit(f"p = q + {length}{f' * {text.unit_size}' if text.unit_size > 1 else ''}")
        self.emit("if p > end: raise ValueError")
        self._at()
        if text.kind == "wstring":
            self.emit(f"{target} = wide(v[q:p], {self.order!r})")
            return target
        with self.function.block(f"if {length}:"):
            self.emit("if v[p - 1]: raise ValueError")
            self.emit(f"{target} = text(v[q:p - 1], 'utf-8', {self.text_errors!r})")
        self.emit(f"else: {target} = ''")
        return target

    def _loop(self, count: str, element: Text | Group) -> str:
        self._flush()
        target = self.function.variable()
        self.emit(f"p += {self.ahead}")
        self.emit(f"{target} = []")
        with self.function.block(f"for _ in range({count}):"):
            self._at()
            value = self._element(element)
            self._flush()
            if self.ahead:
                self.emit(f"p += {self.ahead}")
            self.emit("if p > end: raise ValueError")
            self.emit(f"{target}.append({value})")
        self._at()
        return target
