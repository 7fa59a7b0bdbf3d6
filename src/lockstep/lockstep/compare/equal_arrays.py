"""Where two large arrays differ, found in blocks that stay in the processor's cache.

What numpy makes of whole images at once is new memory for each, which costs more than to compare.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..message.arrays import Column, Int64s, Mask

_BLOCK_BYTES = 1 << 18


def equal_arrays(a: Column, b: Column, *, nan: bool = False) -> bool:
    """Whether two arrays have one shape and equal elements; with `nan` NaN equals itself."""
    if a.shape != b.shape:
        return False
    if a.nbytes <= _BLOCK_BYTES or not _is_flat(a, b):
        return bool(np.array_equal(a, b, equal_nan=nan and a.dtype.kind == "f"))
    return next(_unequal_blocks(a.reshape(-1), b.reshape(-1), nan), None) is None


def unequal_at(a: Column, b: Column, *, nan: bool = False) -> Int64s:
    """The indices of the elements of (n,) that are not equal, (k,)."""
    if a.nbytes <= _BLOCK_BYTES:
        return np.flatnonzero(_unequal(a, b, nan))
    found = [start + np.flatnonzero(unequal) for start, unequal in _unequal_blocks(a, b, nan)]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _is_flat(a: Column, b: Column) -> bool:
    return a.flags.c_contiguous and b.flags.c_contiguous


def _unequal_blocks(a: Column, b: Column, nan: bool) -> Iterator[tuple[int, Mask]]:
    """Which elements are not equal, of each block that has any, with its first index."""
    size = _BLOCK_BYTES // max(1, a.itemsize)
    for start in range(0, len(a), size):
        unequal = _unequal(a[start : start + size], b[start : start + size], nan)
        if unequal.any():
            yield start, unequal


def _unequal(a: Column, b: Column, nan: bool) -> Mask:
    unequal: Mask = a != b
    if nan and a.dtype.kind == "f":
        unequal &= ~(np.isnan(a) & np.isnan(b))
    return unequal
