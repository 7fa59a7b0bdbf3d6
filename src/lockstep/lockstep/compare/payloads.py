"""Which messages have the same bytes on both sides, without decoding them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..message.arrays import Bytes, Mask
from .equal_arrays import equal_arrays
from .side_by_side import Side

_WORD = 8
_LARGE = 1 << 16


def equal_payloads(a: Side, b: Side) -> Mask:
    """Which messages have the same bytes on both sides, (m,)."""
    same: Mask = a.length == b.length
    for size in np.unique(a.length[same]).tolist():
        rows = np.flatnonzero(same & (a.length == size))
        same[rows] = _equal(a.where(rows), b.where(rows), size)
    return same


def _equal(a: Side, b: Side, size: int) -> Mask:
    """Which messages of one size are equal.

    They are compared as rows of words where they lie evenly, else one by one.
    """
    strides = [_stride(side, size) for side in (a, b)]
    if size >= _LARGE or None in strides:
        return np.fromiter(
            (_same(a.payload(row), b.payload(row)) for row in range(len(a.ticks))),
            np.bool_,
            len(a.ticks),
        )
    whole = size - size % _WORD
    equal: Mask = np.ones(len(a.ticks), np.bool_)
    for dtype, start, count in (("u8", 0, whole // _WORD), ("u1", whole, size - whole)):
        rows: list[npt.NDArray[Any]] = [
            np.ndarray(
                (len(side.ticks), count),
                dtype,
                side.buffer.data,
                int(side.offset[0]) + start,
                (stride or 0, np.dtype(dtype).itemsize),
            )
            for side, stride in zip((a, b), strides, strict=True)
        ]
        equal &= (rows[0] == rows[1]).all(axis=1)
    return equal


def _same(a: Bytes, b: Bytes) -> bool:
    whole = len(a) - len(a) % _WORD
    words_a: npt.NDArray[Any] = np.ndarray((whole // _WORD,), "u8", a.data)
    words_b: npt.NDArray[Any] = np.ndarray((whole // _WORD,), "u8", b.data)
    return equal_arrays(words_a, words_b) and np.array_equal(a[whole:], b[whole:])


def _stride(side: Side, size: int) -> int | None:
    """How far apart messages are; None if that varies."""
    steps = np.diff(side.offset)
    if not len(steps):
        return size
    return int(steps[0]) if (steps == steps[0]).all() else None
