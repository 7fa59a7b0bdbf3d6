"""The order, sizes and alignment of the bytes of a type: the one place that knows them,
for all who read and write.

Format: XCDR1 as ROS 2 sends it. Primitives are aligned to their size, relative to the byte after
the encapsulation header. A string is its length with the terminating NUL as uint32, then UTF-8; a
wstring (Fast CDR with rosidl) is the number of its UTF-16 units, then each as uint32. A sequence is
the number of its elements as uint32, then the elements; where there are none, nothing is aligned
for them. A message without fields is one byte.

A plan tells of each step how many bytes of padding come before it, wherever that is the same in all
messages: the position is then known modulo 8, because all before it are numbers, or modulo 4,
because it follows a length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from ..message.primitives import CODES, SIZES, STRINGS
from ..message.schema import Field, MessageType, Schema

LARGEST = max(SIZES.values())
"""The largest alignment."""
COUNT_SIZE = SIZES["uint32"]
"""Bytes of a length or count."""
UNIT_SIZES = {"string": 1, "wstring": 4}
"""Bytes of what the length of a string counts."""


def aligned(position: int, size: int) -> int:
    """The next multiple of `size` from a position on."""
    return position + -position % size


@dataclass(frozen=True)
class Number:
    """One number of `size` bytes, which the struct module calls `code`.

    It is `padding` bytes further; None: at the next multiple of its size.
    """

    kind: str
    code: str
    size: int
    padding: int | None


@dataclass(frozen=True)
class Text:
    """A string or wstring: its length, then so many units of `unit_size` bytes."""

    kind: str
    length: Number
    unit_size: int


@dataclass(frozen=True)
class Numbers:
    """`count` numbers in a row, aligned like the first of them if there is any."""

    count: int | Number
    first: Number


@dataclass(frozen=True)
class Elements:
    """`count` strings or messages in a row."""

    count: int | Number
    element: Text | Group


@dataclass(frozen=True)
class Group:
    """A message: one step for each of its fields; without fields `filler` bytes."""

    type: MessageType
    fields: tuple[tuple[Field, Step], ...]

    @property
    def filler(self) -> int:
        """The bytes of a message without fields."""
        return 0 if self.fields else 1

    @cached_property
    def sizes(self) -> tuple[int, ...] | None:
        """Its bytes by where it begins modulo 8; None if they are not the same in all messages."""
        sizes: list[int] = []
        for start in range(LARGEST):
            end: int | None = start + self.filler
            for _, step in self.fields:
                end = None if end is None else _end(step, end)
            if end is None:
                return None
            sizes.append(end - start)
        return tuple(sizes)


Step: TypeAlias = "Number | Text | Numbers | Elements | Group"


def plan(schema: Schema) -> Group:
    """The plan of a type, whose messages begin at position 0."""
    return _Planner(schema.types).group(schema.root)


def end_of_elements(start: int, sizes: Sequence[int], count: int) -> int:
    """Where `count` messages end that have the `sizes` of a Group.

    All but the first begin at one position modulo their alignment.
    """
    if not count:
        return start
    second = start + sizes[start % LARGEST]
    return second + (count - 1) * sizes[second % LARGEST]


def _end(step: Step, start: int) -> int | None:
    """Where a step ends that begins at `start`, None if only a message tells."""
    match step:
        case Number():
            return aligned(start, step.size) + step.size
        case Numbers(int(count), first):
            return aligned(start, first.size) + count * first.size
        case Elements(int(count), Group(sizes=(*sizes,))):
            return end_of_elements(start, sizes, count)
        case Group(sizes=(*sizes,)):
            return end_of_elements(start, sizes, 1)
    return None


class _Planner:
    """Follows the position where the next step begins: it is `residue` modulo `modulus`,
    a power of 2.
    """

    def __init__(self, types: Mapping[str, MessageType]) -> None:
        self.types = types
        self._at(LARGEST, 0)

    def group(self, described: MessageType) -> Group:
        group = Group(described, tuple((field, self._step(field)) for field in described.fields))
        self._advance(group.filler)
        return group

    def _step(self, field: Field) -> Step:
        if not field.array:
            return self._number(field.type) if field.type in SIZES else self._element(field.type)
        counted = field.array == "sequence"
        count = self._number("uint32") if counted else field.size
        if field.type not in SIZES:
            self._at(1, 0)
            element = self._element(field.type)
            self._at(1, 0)
            return Elements(count, element)
        size = SIZES[field.type]
        numbers = Numbers(count, self._number(field.type))
        if counted:
            self._at(min(size, COUNT_SIZE), 0)  # there may be none
        else:
            self._advance((field.size - 1) * size)
        return numbers

    def _element(self, kind: str) -> Text | Group:
        if kind not in STRINGS:
            return self.group(self.types[kind])
        text = Text(kind, self._number("uint32"), UNIT_SIZES[kind])
        self._at(text.unit_size, 0)
        return text

    def _number(self, kind: str) -> Number:
        size = SIZES[kind]
        padding = None
        if self.modulus >= size:
            padding = -self.residue % size
            self._advance(padding)
        else:
            self._at(size, 0)
        self._advance(size)
        return Number(kind, CODES[kind], size, padding)

    def _at(self, modulus: int, residue: int) -> None:
        self.modulus, self.residue = modulus, residue

    def _advance(self, count: int) -> None:
        self.residue = (self.residue + count) % self.modulus
