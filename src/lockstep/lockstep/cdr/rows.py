"""Messages of equal layout: sorting many messages by their layouts,
and looking at those of one layout as rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..message.arrays import Bytes, Column, Int64s
from ..message.field_path import Leaf
from ..message.primitives import CODES, STRINGS
from .layout import Found, Layout, Places, Walker
from .message_error import MessageError

_FEW = 4
_TRIES = 4
_KNOWN = 8
_SIZES = 256
_GATHERED = 1 << 16
_GROUP_FIELDS = 4096


@dataclass(frozen=True)
class Rows:
    """m messages of one layout, each `stride` bytes after the one before, the first at `start`."""

    buffer: Bytes
    start: int
    stride: int
    count: int

    def view(self, dtype: np.dtype[Any], position: int, *inner: tuple[int, int]) -> Column:
        """What lies at a position of each message, (m, ...),
        with (size, stride) of the inner dimensions.
        """
        return np.ndarray(
            (self.count, *(size for size, _ in inner)),
            dtype,
            self.buffer.data,
            self.start + position,
            (self.stride, *(stride for _, stride in inner)),
        )


class Layouts:
    """Sorts messages by layout, and remembers the layouts that it met."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker
        self.known: dict[int, list[Layout]] = {}

    def split(
        self, buffer: Bytes, offset: Int64s, length: Int64s
    ) -> Iterator[tuple[Int64s, Layout | None]]:
        """Indices of messages and their layout; None for those whose layouts hardly repeat."""
        _check_bounds(buffer, offset, length)
        if not len(length):
            return
        classes: list[Int64s] = [np.arange(len(length))]
        rest: list[Int64s] = []
        if length.min() != length.max():
            classes, rest = _by_size(length)
        for indices in classes:
            yield from self._split_equal(buffer, offset, indices, int(length[indices[0]]), rest)
        if rest:
            yield np.sort(np.concatenate(rest)), None

    def _split_equal(
        self, buffer: Bytes, offset: Int64s, indices: Int64s, size: int, rest: list[Int64s]
    ) -> Iterator[tuple[Int64s, Layout]]:
        """Split messages of one size; what is left over goes to `rest`."""
        tries = 0
        known = self.known.get(size, [])
        for layout in known:
            same = _matches(layout, buffer, offset[indices])
            if same.any():
                yield indices[same], layout
                indices = indices[~same]
            if not len(indices):
                return
        while len(indices) and tries < _TRIES:
            first = int(indices[0])
            start = int(offset[first])
            try:
                layout = self.walker.layout(buffer.data[start : start + size])
            except MessageError as error:
                raise MessageError(str(error), first) from error
            same = _matches(layout, buffer, offset[indices])
            found = indices[same]
            tries += len(found) < _FEW
            self._remember(layout)
            yield found, layout
            indices = indices[~same]
        if len(indices):
            rest.append(indices)

    def _remember(self, layout: Layout) -> None:
        if len(self.known) >= _SIZES:
            self.known.clear()
        known = self.known.setdefault(layout.size, [])
        known.insert(0, layout)
        del known[_KNOWN:]


def rows_of(buffer: Bytes, offset: Int64s, size: int) -> Rows:
    """Messages of one size as rows; copied unless they lie evenly in the buffer."""
    start = int(offset[0])
    if len(offset) == 1:
        return Rows(buffer, start, size, 1)
    steps = np.diff(offset)
    stride = int(steps[0])
    if (steps == stride).all():
        return Rows(buffer, start, stride, len(offset))
    if size > _GATHERED:
        gathered = np.concatenate([buffer[at : at + size] for at in offset.tolist()])
    else:
        every: Column = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer.data, 0, (1,))
        gathered = every[offset].view(np.uint8)
    return Rows(gathered, 0, size, len(offset))


def groups(
    layouts: Layouts, buffer: Bytes, offset: Int64s, length: Int64s
) -> Iterator[tuple[Int64s, Column | None]]:
    """Messages by layout, with all fields; see `Codec.groups`."""
    leaves = {leaf.key: leaf for leaf in layouts.walker.wanted.all_leaves()}
    for indices, layout in layouts.split(buffer, offset, length):
        fields = None if layout is None else _structure(layout, leaves)
        if layout is None or fields is None:
            yield indices, None
            continue
        rows = rows_of(buffer, offset[indices], layout.size)
        yield indices, rows.view(fields, 0)


def _check_bounds(buffer: Bytes, offset: Int64s, length: Int64s) -> None:
    wrong = (offset < 0) | (length < 0) | (offset > len(buffer) - length)
    if wrong.any():
        raise MessageError("is not within the data", int(np.argmax(wrong)))


def _by_size(length: Int64s) -> tuple[list[Int64s], list[Int64s]]:
    """The indices of messages of each size that is frequent, and all others."""
    _, inverse, counts = np.unique(length, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    ends = np.cumsum(counts)
    few = _FEW if len(length) > 2 * _FEW else 1
    classes = [
        order[end - count : end]
        for end, count in zip(ends.tolist(), counts.tolist(), strict=True)
        if count >= few
    ]
    rest = np.flatnonzero(counts[inverse] < few)
    return classes, [rest] if len(rest) else []


def _matches(layout: Layout, buffer: Bytes, offset: Int64s) -> npt.NDArray[np.bool_]:
    """Which messages, all of the layout's size, have the layout."""
    steps = np.diff(offset)
    even = len(steps) == 0 or bool((steps == steps[0]).all())
    stride = int(steps[0]) if len(steps) and even else layout.size
    same = np.ones(len(offset), np.bool_)
    for position, expected in ((0, layout.header), *layout.checks):
        dtype = np.dtype(f"<u{len(expected)}")
        if even:
            start = int(offset[0]) + position
            found: Column = np.ndarray((len(offset),), dtype, buffer.data, start, (stride,))
        else:
            shape = (len(buffer) - dtype.itemsize + 1,)
            every: Column = np.ndarray(shape, dtype, buffer.data, 0, (1,))
            found = every[offset + position]
        same &= found == int.from_bytes(expected, "little")
    return same


def _structure(layout: Layout, leaves: dict[str, Leaf]) -> np.dtype[Any] | None:
    """The dtype of messages of a layout, with one field per leaf; None if there are too many."""
    fields: list[tuple[str, Any, int]] = []
    for key, leaf in leaves.items():
        for name, position, count in _named(key.split("[]"), layout.places[key]):
            if leaf.kind in STRINGS:
                dtype = np.dtype(("u1", (count,)))
            else:
                one = np.dtype(layout.order + CODES[leaf.kind])
                dtype = one if count is None else np.dtype((one, (count,)))
            fields.append((name, dtype, position))
            if len(fields) > _GROUP_FIELDS:
                return None
    names, formats, offsets = zip(*fields, strict=True) if fields else ((), (), ())
    return np.dtype(
        {
            "names": list(names),
            "formats": list(formats),
            "offsets": list(offsets),
            "itemsize": layout.size,
        }
    )


def _named(parts: list[str], found: Found) -> Iterator[tuple[str, int, int | None]]:
    """Each place of a leaf with its path, in which the [] have indexes."""
    if not isinstance(found, Places):
        for index, one in enumerate(found):
            yield from _named([f"{parts[0]}[{index}]{parts[1]}", *parts[2:]], one)
        return
    for at, position in np.ndenumerate(found.position):
        name = parts[0]
        for index, rest in zip(at, [*parts[1:], ""], strict=False):
            name += f"[{index}]{rest}"
        count = found.count[at] if isinstance(found.count, np.ndarray) else found.count
        yield name, int(position), None if count is None else int(count)
