"""Python code that encodes messages of one type as little-endian CDR, generated from its plan;
see `decoder`.

It takes any object that has the type's fields as attributes (our dataclasses, those of rosbags,
rclpy's messages) and dicts, and checks every value: what the bytes say is what the message said.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from ..message.schema import Field
from . import encodable
from .encapsulation import LITTLE_ENDIAN
from .function import Function
from .plan import LARGEST, Elements, Group, Number, Numbers, Step, Text

Encode = Callable[[Any], bytes]


def encoder(plan: Group) -> Encode:
    """A function that encodes a message.

    Raises one of many errors if it is not of the type, see `fault`.
    """
    return _Generator(plan).encode


class _Generator:
    """Lines of a function under construction.

    The bytes so far are in `parts`, and the next begin at `p + ahead`. `formats` and `values` are
    the struct that is still to be packed.
    """

    def __init__(self, plan: Group) -> None:
        self.function = Function(
            "def encode(m):",
            f"encoder of {plan.type.name}",
            header=LITTLE_ENDIAN,
            padding=[bytes(count) for count in range(LARGEST)],
            namespace=encodable.namespace,
            octet=encodable.octet,
            flag=encodable.flag,
            numbers=encodable.numbers,
            listed=encodable.listed,
            wide=encodable.wide_text,
        )
        self.emit = self.function.emit
        self._at()
        self.emit("parts = [header]; append = parts.append; p = 0")
        self._group(plan, "m")
        self._flush()
        self.emit("return b''.join(parts)")
        self.encode: Encode = self.function.compiled()

    def _at(self) -> None:
        """The next step begins at `p`."""
        self.ahead = 0
        self.formats: list[str] = []
        self.values: list[str] = []

    def _flush(self) -> None:
        """Pack what is pending."""
        if self.values:
            pack = struct.Struct("<" + "".join(self.formats)).pack
            self.emit(f"append({self.function.constant(pack)}({', '.join(self.values)}))")
        elif self.formats:
            self.emit(f"append({struct.pack('<' + ''.join(self.formats))!r})")
        self.formats, self.values = [], []

    def _align(self, number: Number) -> None:
        if number.padding is not None:
            self._pad(number.padding)
            return
        self._flush()
        if self.ahead:
            self.emit(f"p += {self.ahead}")
        self.emit(f"append(padding[-p & {number.size - 1}]); p += -p & {number.size - 1}")
        self._at()

    def _pad(self, count: int) -> None:
        if count:
            self.formats.append(f"{count}x")
            self.ahead += count

    def _number(self, number: Number, value: str) -> None:
        self._align(number)
        self.formats.append(number.code)
        self.values.append(value)
        self.ahead += number.size

    def _group(self, group: Group, message: str) -> None:
        names = self.function.constant(frozenset(field.name for field in group.type.fields))
        self.emit(f"if {message}.__class__ is dict: {message} = namespace({message}, {names})")
        self._pad(group.filler)
        for field, step in group.fields:
            self._step(field, step, f"{message}.{field.name}")

    def _step(self, field: Field, step: Step, value: str) -> None:
        match step:
            case Number():
                check = {"bool": f"flag({value})", "byte": f"octet({value})"}
                self._number(step, check.get(step.kind, value))
            case Numbers():
                items = self._items(field, step.count, value)
                self._numbers(step, items)
            case Elements():
                items = self._items(field, step.count, f"listed({value})")
                self._loop(field, step.element, items)
            case _:
                self._element(field, step, value)

    def _items(self, field: Field, count: int | Number, value: str) -> str:
        """The variable with the elements of an array, whose number is checked and written."""
        items = self.function.variable()
        self.emit(f"{items} = {value}")
        if isinstance(count, int):
            self.emit(f"if len({items}) != {count}: raise ValueError")
            return items
        if field.size:
            self.emit(f"if len({items}) > {field.size}: raise ValueError")
        self._number(count, f"len({items})")
        self._flush()
        return items

    def _element(self, field: Field, element: Text | Group, value: str) -> None:
        if isinstance(element, Text):
            self._text(field, element, value)
            return
        inner = self.function.variable()
        self.emit(f"{inner} = {value}")
        self._group(element, inner)

    def _text(self, field: Field, text: Text, value: str) -> None:
        encoded = self.function.variable()
        if field.string_bound:
            self.emit(f"if len({value}) > {field.string_bound}: raise ValueError")
        if text.kind == "wstring":
            self.emit(f"{encoded} = wide({value})")
            length = f"len({encoded}) // {text.unit_size}"
        else:
            self.emit(f"{encoded} = {value}.encode('utf-8', 'surrogateescape') + b'\\0'")
            length = f"len({encoded})"
        self._number(text.length, length)
        self._flush()
        self.emit(f"append({encoded}); p += {self.ahead} + len({encoded})")
        self._at()

    def _numbers(self, step: Numbers, items: str) -> None:
        size = step.first.size
        dtype = self.function.constant(np.dtype("<" + step.first.code))
        if isinstance(step.count, int):
            self._align(step.first)
            self._flush()
            self.emit(f"append(numbers({items}, {dtype}))")
            self.ahead += size * step.count
            return
        self.emit(f"p += {self.ahead}")
        self._at()
        with self.function.block(f"if len({items}):"):
            self._align(step.first)
            self._flush()
            before = f"{self.ahead} + " if self.ahead else ""
            self.emit(f"append(numbers({items}, {dtype})); p += {before}{size} * len({items})")
        self._at()

    def _loop(self, field: Field, element: Text | Group, items: str) -> None:
        self._flush()
        self.emit(f"p += {self.ahead}")
        item = self.function.variable()
        with self.function.block(f"for {item} in {items}:"):
            self._at()
            self._element(field, element, item)
            self._flush()
            self.emit(f"p += {self.ahead}")
        self._at()
