"""Where the fields of one message are:
what the plan of its type and the lengths in it make of its bytes.

Messages of one size whose lengths are equal have one layout, so that finding it once is enough for
all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..message.arrays import Int64s
from ..message.field_path import Leaf, Wanted
from ..message.primitives import STRINGS
from ..message.schema import Field
from .encapsulation import HEADER_SIZE, OVERESTIMATE, PADDING, byte_order
from .message_error import MessageError
from .plan import (
    COUNT_SIZE,
    LARGEST,
    Elements,
    Group,
    Number,
    Numbers,
    Text,
    aligned,
    end_of_elements,
)


@dataclass(frozen=True)
class Places:
    """Where the elements of a leaf are:
    `position` has one dimension per array of messages on its path.

    `count` is None for a single number at each position, or how many numbers lie there in a row;
    for strings it has the shape of `position` and tells their bytes, without the NUL.
    """

    position: Int64s
    count: int | Int64s | None


Ragged: TypeAlias = "list[Places | Ragged]"
"""Places of the elements of an array that are of different shapes."""
Found: TypeAlias = "Places | Ragged"


@dataclass(frozen=True)
class Layout:
    """Positions are bytes from the begin of a message, its encapsulation header included.

    A message of `size` bytes has this layout if its header is `header` (2 bytes) and if it has the
    `checks`: (position, bytes that are there).
    """

    size: int
    header: bytes
    checks: tuple[tuple[int, bytes], ...]
    places: dict[str, Found]

    @property
    def order(self) -> str:
        """Its byte order, "<" or ">"."""
        return byte_order(self.header)


class Walker:
    """Finds the layouts of the messages of one type, with the places of what is wanted."""

    def __init__(self, plan: Group, wanted: Wanted) -> None:
        self.plan = plan
        self.wanted = wanted

    def layout(self, data: memoryview) -> Layout:
        """The layout of one message; raises MessageError if it is not of the type."""
        walk = _Walk(self.plan.type.name, data)
        places = walk.group(self.plan, self.wanted)
        if not 0 <= len(walk.data) - walk.at <= walk.behind:
            raise MessageError(
                f"is no valid {self.plan.type.name}: it has {len(walk.data)} bytes, "
                f"its fields have {walk.at}"
            )
        return Layout(len(data), bytes(data[:2]), tuple(walk.checks), places)


class _Walk:
    """The walk through one message.

    `at` is where it is, after the encapsulation header; `behind` is how many bytes may follow the
    message; `depth` is in how many arrays it is of which all elements are wanted.
    """

    def __init__(self, name: str, data: memoryview) -> None:
        self.type = name
        self.order = byte_order(data)
        self.data = data[HEADER_SIZE:]
        self.at = 0
        self.behind = PADDING
        self.checks: list[tuple[int, bytes]] = []
        self.depth = 0

    def group(self, group: Group, wanted: Wanted | None) -> dict[str, Found]:
        found: dict[str, Found] = {}
        sizes = group.sizes
        if sizes is not None and (wanted is None or not wanted.inner):
            self._advance(sizes[self.at % LARGEST], group.type.name)
            return found
        for field, step in group.fields:
            inner = wanted.inner.get(field.name, {}) if wanted else {}
            if isinstance(step, (Numbers, Elements)):
                found.update(self._array(field, step, inner))
            else:
                found.update(self._single(field, step, inner.get(None)))
        return found

    def _advance(self, count: int, name: str) -> int:
        """Go on by so many bytes; returns where they begin."""
        start = self.at
        self.at += count
        if self.at > len(self.data):
            raise MessageError(f"is no valid {self.type}: it ends before '{name}' does")
        return start

    def _align(self, size: int) -> None:
        self.at = aligned(self.at, size)

    def _length(self, name: str) -> int:
        self._align(COUNT_SIZE)
        start = self._advance(COUNT_SIZE, name)
        raw = bytes(self.data[start : start + COUNT_SIZE])
        self.checks.append((start + HEADER_SIZE, raw))
        return int.from_bytes(raw, "little" if self.order == "<" else "big")

    def _single(
        self, field: Field, step: Number | Text | Group, wanted: Wanted | None
    ) -> dict[str, Found]:
        if isinstance(step, Group):
            return self.group(step, wanted)
        leaves = wanted.leaves if wanted else []
        if isinstance(step, Text):
            start, count = self._string(field, step)
            return {leaf.key: Places(np.array(start), np.array(count)) for leaf in leaves}
        self._align(step.size)
        start = self._advance(step.size, field.name) + HEADER_SIZE
        return {leaf.key: Places(np.array(start), None) for leaf in leaves}

    def _string(self, field: Field, text: Text) -> tuple[int, int]:
        """Where the bytes of a string are in the message, and how many they are."""
        size = self._length(field.name) * text.unit_size
        start = self._advance(size, field.name) + HEADER_SIZE
        if text.kind == "wstring":
            self.behind += OVERESTIMATE
            return start, size
        if not size:
            return start, 0
        if self.data[self.at - 1]:
            raise MessageError(
                f"is no valid {self.type}: the string '{field.name}' does not end with NUL"
            )
        self.checks.append((self.at - 1 + HEADER_SIZE, b"\0"))
        return start, size - 1

    def _array(
        self, field: Field, step: Numbers | Elements, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        count = step.count if isinstance(step.count, int) else self._length(field.name)
        if count > field.size > 0:
            raise MessageError(
                f"is no valid {self.type}: '{field.name}' has {count} elements, "
                f"and may have {field.size}"
            )
        beyond = max((index for index in wanted if index is not None), default=-1)
        if beyond >= count:
            raise MessageError(f"has no '{field.name}[{beyond}]': it has {count} of '{field.name}'")
        if isinstance(step, Numbers):
            return self._numbers(field, step.first.size, count, wanted)
        if isinstance(step.element, Text):
            return self._strings(field, step.element, count, wanted)
        self.depth += 1
        found = self._groups(field, step.element, count, wanted)
        self.depth -= 1
        return found

    def _numbers(
        self, field: Field, size: int, count: int, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        if count:
            self._align(size)
        elif size > COUNT_SIZE:
            self.behind += OVERESTIMATE
        start = self._advance(count * size, field.name) + HEADER_SIZE
        return {
            leaf.key: Places(np.array(start), count)
            if index is None
            else Places(np.array(start + index * size), None)
            for index, node in wanted.items()
            for leaf in node.leaves
        }

    def _strings(
        self, field: Field, text: Text, count: int, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        self._fits(field, count, COUNT_SIZE)
        strings = [self._string(field, text) for _ in range(count)]
        places = np.array(strings, np.int64).reshape(-1, 2)
        return {
            leaf.key: Places(places[:, 0], places[:, 1])
            if index is None
            else Places(np.array(places[index, 0]), np.array(places[index, 1]))
            for index, node in wanted.items()
            for leaf in node.leaves
        }

    def _fits(self, field: Field, count: int, least: int) -> None:
        if count * least > len(self.data) - self.at:
            raise MessageError(
                f"is no valid {self.type}: '{field.name}' claims {count} elements "
                f"in {len(self.data)} bytes"
            )

    def _groups(
        self, field: Field, group: Group, count: int, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        self._fits(field, count, 1)
        everything = wanted.get(None)
        rows: list[dict[str, Found]] = []
        found: dict[str, Found] = {}
        sizes = group.sizes
        if sizes is not None:
            start = self.at
            self._advance(end_of_elements(start, sizes, count) - start, field.name)
            end = self.at
            for index, node in wanted.items():
                if index is not None:
                    self.at = end_of_elements(start, sizes, index)
                    found.update(self._chosen(group, node))
            if everything is not None:
                self.at = start
                found.update(self._even(group, everything, count, sizes))
            self.at = end
            return found
        for index in range(count):
            if index in wanted:
                start, behind, known = self.at, self.behind, len(self.checks)
                found.update(self._chosen(group, wanted[index]))
                self.at, self.behind = start, behind
                del self.checks[known:]
            rows.append(self.group(group, everything))
        if everything is not None:
            for leaf in everything.all_leaves():
                found[leaf.key] = (
                    _stacked([row[leaf.key] for row in rows]) if rows else self._none(leaf)
                )
        return found

    def _chosen(self, group: Group, wanted: Wanted) -> dict[str, Found]:
        """The places in one element that is chosen by its index,
        which is no level of the leaves below.
        """
        self.depth -= 1
        found = self.group(group, wanted)
        self.depth += 1
        return found

    def _even(
        self, group: Group, wanted: Wanted, count: int, sizes: Sequence[int]
    ) -> dict[str, Found]:
        """The places in `count` elements without variable parts."""
        leaves = wanted.all_leaves()
        if not count:
            return {leaf.key: self._none(leaf) for leaf in leaves}
        first = self.group(group, wanted)
        if count == 1:
            return {leaf.key: _stacked([first[leaf.key]]) for leaf in leaves}
        step = np.arange(count - 1) * sizes[self.at % LARGEST]
        second = self.group(group, wanted)
        found: dict[str, Found] = {}
        for leaf in leaves:
            a, b = first[leaf.key], second[leaf.key]
            assert isinstance(a, Places) and isinstance(b, Places)
            rest = b.position + step.reshape(-1, *[1] * b.position.ndim)
            found[leaf.key] = Places(np.concatenate([a.position[None], rest]), a.count)
        return found

    def _none(self, leaf: Leaf) -> Found:
        """The places of a leaf in an array without elements."""
        inner = leaf.levels[self.depth :]
        if leaf.kind in STRINGS:
            empty = np.empty((0, *inner), np.int64)
            return Places(empty, empty)
        if leaf.steps[-1].level:
            return Places(np.empty((0, *inner[:-1]), np.int64), inner[-1])
        return Places(np.empty((0, *inner), np.int64), None)


def _stacked(rows: list[Found]) -> Found:
    """The places in all elements of an array."""
    places = [row for row in rows if isinstance(row, Places)]
    shapes = {row.position.shape for row in places}
    counts = [row.count for row in places]
    if len(places) < len(rows) or len(shapes) > 1:
        return rows
    position = np.stack([row.position for row in places])
    if isinstance(counts[0], np.ndarray):
        return Places(position, np.stack([np.asarray(count) for count in counts]))
    return Places(position, counts[0]) if len(set(counts)) == 1 else rows
