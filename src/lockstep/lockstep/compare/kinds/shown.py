"""Messages of one field as numbers that a picture can show, with their errors and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...message.arrays import Column, Floats, Mask
from ..tolerance import Tolerance

_LARGEST = 1e300


@dataclass(frozen=True)
class Shown:
    """m messages: values of `a` and `b` (m, k), NaN where there are none.

    `error` is b - a, inf where it is no number. `wrong` and `limit`, the tolerance or NaN, have the
    shape (m, j) of `error`; j is 1 for a rotation, else k.
    """

    a: Floats
    b: Floats
    error: Floats
    wrong: Mask
    limit: Floats


def shown(
    a: Floats, b: Floats, error: Floats, wrong: Mask, limit: Floats, tolerance: Tolerance
) -> Shown:
    """Values as a picture can show them; no limit where not each element is judged by it."""
    by_element = tolerance.by in ("element", "quantile")
    band = np.array(np.broadcast_to(limit if by_element else np.nan, error.shape))
    return Shown(bounded(a), bounded(b), np.array(error), np.array(wrong), band)


def bounded(values: Floats) -> Floats:
    """Values that can be drawn: no infinity, and nothing whose sums overflow."""
    return np.where(np.isfinite(values), np.clip(values, -_LARGEST, _LARGEST), np.nan)


def as_rows(
    a: Column, b: Column, *, empty: Any, unordered: bool
) -> tuple[Column, Column, tuple[Mask, Mask]]:
    """Both columns as (m, k) of one type, and which elements of each are missing there.

    What is missing is filled up with `empty`.
    """
    whole = a.shape == b.shape and not is_ragged(a) and not is_ragged(b)
    if whole:
        if unordered and a.ndim > 1:
            a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
        a, b = (side.reshape(len(side), -1) for side in (a, b))
        none = np.zeros(a.shape, np.bool_)
        return a, b, (none, none)
    rows = [[_flat(row, unordered) for row in side] for side in (a, b)]
    width = max((len(row) for side in rows for row in side), default=0)
    filled = [_filled(side, width, empty) for side in rows]
    return filled[0][0], filled[1][0], (filled[0][1], filled[1][1])


def is_ragged(column: Column) -> bool:
    """Whether a column holds arrays of different shapes instead of numbers or strings."""
    return column.dtype == object and column.size > 0 and not isinstance(column.flat[0], str)


def _flat(row: Any, unordered: bool) -> Column:
    values = np.asarray(row)
    if is_ragged(values):
        return np.concatenate([_flat(part, unordered) for part in values.ravel()])
    values = np.ravel(values)
    return np.sort(values) if unordered else values


def _filled(rows: list[Column], width: int, empty: Any) -> tuple[Column, Mask]:
    there = [row.dtype for row in rows if row.size]
    dtype = np.dtype(object) if empty == "" else np.result_type(*there) if there else None
    column = np.full((len(rows), width), empty, dtype)
    missing = np.ones(column.shape, np.bool_)
    for index, row in enumerate(rows):
        column[index, : len(row)] = row
        missing[index, : len(row)] = False
    return column, missing
