"""Fields of many messages as arrays: messages of one layout are taken together,
the rest one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..message.arrays import Bytes, Column, Int64s
from ..message.field_path import Leaf, Wanted, resolve
from ..message.primitives import CODES, STRINGS
from ..message.schema import Schema
from ..message.time import NS_PER_S
from .decoder import numpy_type, wide_text
from .layout import Found, Places, Walker
from .message_error import MessageError
from .plan import Group
from .rows import Layouts, Rows, rows_of

_VIEWED = 1 << 16


class Columns:
    """Chosen fields of the messages of one type."""

    def __init__(
        self,
        schema: Schema,
        plan: Group,
        paths: Sequence[str],
        decode: Callable[[memoryview], Any],
    ) -> None:
        """Raises BagError for a path that the type does not have."""
        self.paths = {path: resolve(schema, path) for path in paths}
        self.leaves = {leaf.key: leaf for found in self.paths.values() for leaf in found}
        wanted = Wanted()
        for leaf in self.leaves.values():
            wanted.add(leaf)
        self.layouts = Layouts(Walker(plan, wanted))
        self.decode = decode

    def of(
        self,
        buffer: Bytes,
        offset: Int64s,
        length: Int64s,
        rooms: Mapping[str, Gathering] | None = None,
    ) -> dict[str, Column]:
        """The columns by path, in `rooms` by path where there is any that fits;
        see `Codec.columns`.
        """
        parts: dict[str, list[tuple[Int64s, Column]]] = {key: [] for key in self.leaves}
        room_of = {found[0].key: rooms[path] for path, found in self.paths.items()} if rooms else {}
        for indices, layout in self.layouts.split(buffer, offset, length):
            if layout is None:
                for key, column in self._one_by_one(buffer, offset, length, indices).items():
                    parts[key].append((indices, column))
                continue
            rows = rows_of(buffer, offset[indices], layout.size)
            for key, leaf in self.leaves.items():
                room = room_of.get(key) if len(indices) == len(offset) else None
                try:
                    column = _extracted(layout.places[key], leaf, rows, layout.order, room)
                except MessageError as error:
                    raise MessageError(str(error), int(indices[error.tick])) from error
                parts[key].append((indices, column))
        columns = {
            key: _assembled(parts[key], leaf, len(offset)) for key, leaf in self.leaves.items()
        }
        return {path: _column(found, columns) for path, found in self.paths.items()}

    def _one_by_one(
        self, buffer: Bytes, offset: Int64s, length: Int64s, indices: Int64s
    ) -> dict[str, Column]:
        values: dict[str, list[Any]] = {key: [] for key in self.leaves}
        data = buffer.data
        for index, start, size in zip(
            indices.tolist(), offset[indices].tolist(), length[indices].tolist(), strict=True
        ):
            try:
                message = self.decode(data[start : start + size])
                for key, leaf in self.leaves.items():
                    values[key].append(_picked(message, leaf, 0))
            except MessageError as error:
                raise MessageError(str(error), index) from error
        return {key: _joined(values[key], leaf) for key, leaf in self.leaves.items()}


class Gathering:
    """Columns of consecutive messages, put end to end as they come; `empty` is one of no message.

    Room for the `expected` messages is taken at once: it costs nothing until it is filled.
    """

    def __init__(self, empty: Column, expected: int) -> None:
        self._expected = expected
        self._room = self._next = empty
        self._filled = 0
        self._parts: list[Column] = []

    def room(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Column | None:
        """Where the next column may be put before it is added;
        None if there is no room for one like that.
        """
        if not self._filled:
            self._room = self._of_size(shape, dtype)
        end = self._filled + shape[0]
        alike = (shape[1:], dtype) == (self._room.shape[1:], self._room.dtype)
        if self._parts or not alike or end > len(self._room):
            return None
        self._next = self._room[self._filled : end]
        return self._next

    def add(self, column: Column) -> None:
        """Append the column of the next messages."""
        if not len(column):
            return
        if column is not self._next:
            room = self.room(column.shape, column.dtype)
            if room is None:
                self._parts.append(column)
                return
            room[...] = column
        self._filled += len(column)

    def column(self) -> Column:
        """All of them: (n, ...), or n objects if their shapes differ."""
        room = self._room[: self._filled]
        if not self._parts:
            return room if len(room) == len(self._room) else room.copy()
        parts = [room, *self._parts]
        if len({(part.shape[1:], part.dtype) for part in parts}) == 1:
            return np.concatenate(parts)
        return _objects([value for part in parts for value in part])

    def _of_size(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Column:
        try:
            return np.empty((max(self._expected, shape[0]), *shape[1:]), dtype)
        except (MemoryError, ValueError):  # what a file claims may be anything
            return np.empty(shape, dtype)


def _native(kind: str) -> np.dtype[Any]:
    return np.dtype(object if kind in STRINGS else CODES[kind])


def _extracted(
    found: Found, leaf: Leaf, rows: Rows, order: str, gathering: Gathering | None = None
) -> Column:
    """A leaf of messages of one layout: (m, ...), or m objects if it is ragged;
    in its place if that is there.
    """
    if not isinstance(found, Places):
        parts = [_extracted(one, leaf, rows, order) for one in found]
        return _objects([_objects([part[row] for part in parts]) for row in range(rows.count)])
    if leaf.kind in STRINGS:
        return _strings(found, leaf.kind, rows, order)
    dtype = numpy_type(leaf.kind, order)
    count = found.count if isinstance(found.count, int) else 1
    shape = found.position.shape if found.count is None else (*found.position.shape, count)
    if not found.position.ndim and count * dtype.itemsize >= _VIEWED and dtype.isnative:
        column = rows.view(dtype, int(found.position), (count, dtype.itemsize))
        column.flags.writeable = False
        return column != 0 if leaf.kind == "bool" else column
    # Numpy copies blocks of bytes faster than arrays of numbers that are not aligned.
    block = dtype if count == 1 else np.dtype(f"V{count * dtype.itemsize}")
    size = (rows.count, found.position.size)
    room = None
    if gathering is not None and dtype == _native(leaf.kind):
        room = gathering.room((rows.count, *shape), dtype)
    copied: Column = np.empty(size, block) if room is None else np.ndarray(size, block, room.data)
    at = 0
    for start, step, many in _runs(found.position.ravel()):
        copied[:, at : at + many] = rows.view(block, start, (many, step))
        at += many
    if room is not None:
        return room
    column = copied.view(dtype).reshape(rows.count, *shape)
    return column != 0 if leaf.kind == "bool" else column.astype(_native(leaf.kind), copy=False)


def _runs(positions: Int64s) -> Iterator[tuple[int, int, int]]:
    """Evenly spaced stretches of positions: (first, step, number)."""
    if len(positions) < 2:
        yield from ((int(one), 0, 1) for one in positions)
        return
    steps = np.diff(positions)
    ends = [*(np.flatnonzero(np.diff(steps)) + 2).tolist(), len(positions)]
    begin = 0
    for end in ends:
        if end > begin:
            step = int(steps[begin]) if begin < len(steps) else 0
            yield int(positions[begin]), step, end - begin
            begin = end


def _strings(found: Places, kind: str, rows: Rows, order: str) -> Column:
    counts = np.asarray(found.count)
    column = np.empty((rows.count, counts.size), object)
    places = zip(found.position.ravel().tolist(), counts.ravel().tolist(), strict=True)
    for at, (position, count) in enumerate(places):
        if not count:
            column[:, at] = ""
            continue
        raw = np.ascontiguousarray(rows.view(np.dtype(f"V{count}"), position))
        if (raw == raw[0]).all():
            column[:, at] = _text(raw[0].tobytes(), kind, order, 0)
            continue
        known: dict[bytes, str] = {}
        for row, one in enumerate(raw.tolist()):
            if one not in known:
                known[one] = _text(one, kind, order, row)
            column[row, at] = known[one]
    return column.reshape(rows.count, *found.position.shape)


def _text(raw: bytes, kind: str, order: str, tick: int) -> str:
    if kind == "string":
        return raw.decode("utf-8", "surrogateescape")
    try:
        return wide_text(raw, order)
    except ValueError as error:
        raise MessageError(f"is not valid: {error}", tick) from error


def _picked(value: Any, leaf: Leaf, depth: int) -> Any:
    """A leaf of one decoded message: a value, an array, or an array of objects."""
    for number, step in enumerate(leaf.steps[depth:], depth + 1):
        value = getattr(value, step.field.name)
        if not step.field.array:
            continue
        if step.index is not None:
            if step.index >= len(value):
                raise MessageError(
                    f"has no '{step.field.name}[{step.index}]': "
                    f"it has {len(value)} of '{step.field.name}'"
                )
            value = value[step.index]
        elif number < len(leaf.steps):
            return _joined([_picked(one, leaf, number) for one in value], leaf, number)
        elif leaf.kind in STRINGS:
            return _objects(value)
    return value


def _joined(values: list[Any], leaf: Leaf, depth: int = 0) -> Column:
    """Values of one leaf below `depth` steps as (k, ...), or k objects if their shapes differ."""
    native = _native(leaf.kind)
    shapes = {value.shape if isinstance(value, np.ndarray) else () for value in values}
    if not values:
        below = sum(step.level for step in leaf.steps[depth:])
        inner = leaf.levels[len(leaf.levels) - below :]
        return np.empty((0, *inner), native)
    if len(shapes) > 1 or (native != object and any(_is_ragged(value) for value in values)):
        return _objects(values)
    if shapes == {()}:
        return _objects(values) if native == object else np.array(values, native)
    return np.stack(values).astype(native, copy=False)


def _is_ragged(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object


def _objects(values: Sequence[Any]) -> Column:
    column = np.empty(len(values), object)
    for index, value in enumerate(values):
        column[index] = value
    return column


def _assembled(parts: list[tuple[Int64s, Column]], leaf: Leaf, count: int) -> Column:
    """The parts of a column in their places: (n, ...), or n objects if their shapes differ."""
    if not parts:
        return np.empty((0, *leaf.levels), _native(leaf.kind))
    if len(parts) == 1:
        return parts[0][1]
    shapes = {(part.shape[1:], part.dtype) for _, part in parts}
    if len(shapes) == 1:
        ((shape, dtype),) = shapes
        column = np.empty((count, *shape), dtype)
        for indices, part in parts:
            column[indices] = part
        return column
    column = np.empty(count, object)
    for indices, part in parts:
        for index, value in zip(indices.tolist(), part, strict=True):
            column[index] = value
    return column


def _column(found: tuple[Leaf, ...], columns: dict[str, Column]) -> Column:
    if len(found) == 1:
        return columns[found[0].key]
    seconds, nanoseconds = (columns[leaf.key] for leaf in found)
    if seconds.dtype != object:
        return seconds.astype(np.int64) * NS_PER_S + nanoseconds
    return _objects(
        [_column_of_times(sec, nanosec) for sec, nanosec in zip(seconds, nanoseconds, strict=True)]
    )


def _column_of_times(seconds: Column, nanoseconds: Column) -> Column:
    if seconds.dtype == object:
        return _objects([_column_of_times(a, b) for a, b in zip(seconds, nanoseconds, strict=True)])
    return seconds.astype(np.int64) * NS_PER_S + nanoseconds
