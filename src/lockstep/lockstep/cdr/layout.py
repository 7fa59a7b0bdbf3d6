"""Where the fields of one message are: what a schema and the lengths in a message make of its bytes.

Messages of one size whose lengths are equal have one layout, so that finding it once is enough for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from ..message.arrays import Int64s
from ..message.field_path import Leaf, Wanted
from ..message.schema import SIZES, STRINGS, Field, MessageType, Schema
from .message_error import OVERESTIMATE, PADDING, MessageError, byte_order


@dataclass(frozen=True)
class Places:
    """Where the elements of a leaf are: `position` has one dimension per array of messages on its path.

    `count` is None for a single number at each position, or how many numbers lie there in a row; for strings it has
    the shape of `position` and tells their bytes, without the NUL.
    """

    position: Int64s
    count: int | Int64s | None


Ragged: TypeAlias = "list[Places | Ragged]"
"""Places of the elements of an array that are of different shapes."""
Found: TypeAlias = "Places | Ragged"


@dataclass(frozen=True)
class Layout:
    """Positions are bytes from the begin of a message, its encapsulation header included.

    A message of `size` bytes has this layout if its header is `header` (2 bytes) and if it has the `checks`:
    (position, bytes that are there).
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

    def __init__(self, schema: Schema, wanted: Wanted) -> None:
        self.schema = schema
        self.wanted = wanted

    @cached_property
    def static(self) -> dict[str, list[int]]:
        """The bytes of each type without variable parts, by where it begins modulo 8."""
        found: dict[str, list[int]] = {}
        self._static(self.schema.root, found, set())
        return found

    def layout(self, data: memoryview) -> Layout:
        """The layout of one message; raises MessageError if it is not of the type."""
        walk = _Walk(self, data)
        places = walk.message(self.schema.root, self.wanted)
        if not 0 <= len(walk.data) - walk.at <= walk.behind:
            raise MessageError(
                f"is no valid {self.schema.root.name}: it has {len(walk.data)} bytes, its fields have {walk.at}"
            )
        return Layout(len(data), bytes(data[:2]), tuple(walk.checks), places)

    def _static(
        self, described: MessageType, found: dict[str, list[int]], variable: set[str]
    ) -> list[int] | None:
        if described.name in variable or described.name in found:
            return found.get(described.name)
        ends = list(range(8)) if described.fields else list(range(1, 9))
        fixed = True
        for field in described.fields:
            sizes = None
            if field.type in self.schema.types:
                sizes = self._static(self.schema.types[field.type], found, variable)
            fixed &= field.array != "sequence" and (sizes is not None or field.type in SIZES)
            if not fixed:
                continue
            if sizes is None:
                size = SIZES[field.type]
                ends = [end + -end % size + size * (field.size or 1) for end in ends]
            else:
                ends = [_after(end, sizes, field.size or 1) for end in ends]
        if not fixed:
            variable.add(described.name)
            return None
        found[described.name] = [end - start for start, end in enumerate(ends)]
        return found[described.name]


def _after(start: int, sizes: Sequence[int], count: int) -> int:
    """Where `count` elements end. All but the first begin at one position modulo their alignment."""
    if not count:
        return start
    second = start + sizes[start % 8]
    return second + (count - 1) * sizes[second % 8]


class _Walk:
    """The walk through one message.

    `at` is where it is, after the encapsulation header; `behind` is how many bytes may follow the message; `depth` is
    in how many arrays it is of which all elements are wanted.
    """

    def __init__(self, walker: Walker, data: memoryview) -> None:
        self.type = walker.schema.root.name
        self.types = walker.schema.types
        self.static = walker.static
        self.order = byte_order(bytes(data[:2]))
        self.data = data[4:]
        self.at = 0
        self.behind = PADDING
        self.checks: list[tuple[int, bytes]] = []
        self.depth = 0

    def message(self, described: MessageType, wanted: Wanted | None) -> dict[str, Found]:
        found: dict[str, Found] = {}
        if described.name in self.static and (wanted is None or not wanted.inner):
            self._advance(self.static[described.name][self.at % 8], described.name)
            return found
        for field in described.fields:
            inner = wanted.inner.get(field.name, {}) if wanted else {}
            if field.array:
                found.update(self._array(field, inner))
            else:
                found.update(self._single(field, inner.get(None)))
        return found

    def _advance(self, count: int, name: str) -> int:
        """Go on by so many bytes; returns where they begin."""
        start = self.at
        self.at += count
        if self.at > len(self.data):
            raise MessageError(f"is no valid {self.type}: it ends before '{name}' does")
        return start

    def _align(self, size: int) -> None:
        self.at += -self.at % size

    def _length(self, name: str) -> int:
        self._align(4)
        start = self._advance(4, name)
        raw = bytes(self.data[start : start + 4])
        self.checks.append((start + 4, raw))
        return int.from_bytes(raw, "little" if self.order == "<" else "big")

    def _single(self, field: Field, wanted: Wanted | None) -> dict[str, Found]:
        leaves = wanted.leaves if wanted else []
        if field.type in SIZES:
            self._align(SIZES[field.type])
            start = self._advance(SIZES[field.type], field.name)
            return {leaf.key: Places(np.array(start + 4), None) for leaf in leaves}
        if field.type in STRINGS:
            start, count = self._string(field)
            return {leaf.key: Places(np.array(start + 4), np.array(count)) for leaf in leaves}
        return self.message(self.types[field.type], wanted)

    def _string(self, field: Field) -> tuple[int, int]:
        """Where the bytes of a string begin, and how many they are."""
        length = self._length(field.name)
        if field.type == "wstring":
            self.behind += OVERESTIMATE
            return self._advance(4 * length, field.name), 4 * length
        start = self._advance(length, field.name)
        if not length:
            return start, 0
        if self.data[self.at - 1]:
            raise MessageError(
                f"is no valid {self.type}: the string '{field.name}' does not end with NUL"
            )
        self.checks.append((self.at + 3, b"\0"))
        return start, length - 1

    def _array(self, field: Field, wanted: dict[int | None, Wanted]) -> dict[str, Found]:
        count = field.size
        if field.array == "sequence":
            count = self._length(field.name)
            if count > field.size > 0:
                raise MessageError(
                    f"is no valid {self.type}: '{field.name}' has {count} elements, and may have {field.size}"
                )
        beyond = max((index for index in wanted if index is not None), default=-1)
        if beyond >= count:
            raise MessageError(f"has no '{field.name}[{beyond}]': it has {count} of '{field.name}'")
        if field.type in SIZES:
            return self._numbers(field, count, wanted)
        if field.type in STRINGS:
            return self._strings(field, count, wanted)
        self.depth += 1
        found = self._messages(field, count, wanted)
        self.depth -= 1
        return found

    def _numbers(
        self, field: Field, count: int, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        size = SIZES[field.type]
        if count:
            self._align(size)
        elif size == 8:
            self.behind += OVERESTIMATE
        start = self._advance(count * size, field.name) + 4
        return {
            leaf.key: Places(np.array(start), count)
            if index is None
            else Places(np.array(start + index * size), None)
            for index, node in wanted.items()
            for leaf in node.leaves
        }

    def _strings(
        self, field: Field, count: int, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        self._fits(field, count, 4)
        places = np.array([self._string(field) for _ in range(count)], np.int64).reshape(-1, 2)
        places[:, 0] += 4
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
                f"is no valid {self.type}: '{field.name}' claims {count} elements in {len(self.data)} bytes"
            )

    def _messages(
        self, field: Field, count: int, wanted: dict[int | None, Wanted]
    ) -> dict[str, Found]:
        described = self.types[field.type]
        self._fits(field, count, 1)
        everything = wanted.get(None)
        rows: list[dict[str, Found]] = []
        found: dict[str, Found] = {}
        sizes = self.static.get(field.type)
        if sizes is not None:
            start = self.at
            self._advance(_after(start, sizes, count) - start, field.name)
            end = self.at
            for index, node in wanted.items():
                if index is not None:
                    self.at = _after(start, sizes, index)
                    found.update(self._chosen(described, node))
            if everything is not None:
                self.at = start
                found.update(self._even(described, everything, count, sizes))
            self.at = end
            return found
        for index in range(count):
            if index in wanted:
                start, behind, known = self.at, self.behind, len(self.checks)
                found.update(self._chosen(described, wanted[index]))
                self.at, self.behind = start, behind
                del self.checks[known:]
            rows.append(self.message(described, everything))
        if everything is not None:
            for leaf in everything.all_leaves():
                found[leaf.key] = (
                    _stacked([row[leaf.key] for row in rows]) if rows else self._none(leaf)
                )
        return found

    def _chosen(self, described: MessageType, wanted: Wanted) -> dict[str, Found]:
        """The places in one element that is chosen by its index, which is no level of the leaves below."""
        self.depth -= 1
        found = self.message(described, wanted)
        self.depth += 1
        return found

    def _even(
        self, described: MessageType, wanted: Wanted, count: int, sizes: Sequence[int]
    ) -> dict[str, Found]:
        """The places in `count` elements without variable parts."""
        leaves = wanted.all_leaves()
        if not count:
            return {leaf.key: self._none(leaf) for leaf in leaves}
        first = self.message(described, wanted)
        if count == 1:
            return {leaf.key: _stacked([first[leaf.key]]) for leaf in leaves}
        step = np.arange(count - 1) * sizes[self.at % 8]
        second = self.message(described, wanted)
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
