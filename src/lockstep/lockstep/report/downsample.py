"""Large series cut down to the pixels there are, without losing a peak.

That is the smallest and largest value of each column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..message.arrays import Floats, Int64s


def min_max(
    time: npt.ArrayLike, values: npt.ArrayLike, columns: int
) -> tuple[npt.NDArray[Any], Floats]:
    """Of n points at `time` (n,), the smallest and the largest in each of `columns` equal spans.

    They come in their order. Gives at most 2 * columns points of those that came in, all of them if
    there are no more. NaN and inf become NaN: a gap where a column has nothing else. Where time
    runs backwards, columns hold equal numbers of points instead.
    """
    at, finite = np.asarray(time), _finite(values)
    if len(finite) <= 2 * columns:
        return at, finite
    starts = column_starts(at, columns)
    ends = [*starts[1:].tolist(), len(finite)]
    lowest, highest = np.fmin.reduceat(finite, starts), np.fmax.reduceat(finite, starts)
    kept = np.empty((len(starts), 2), np.int64)
    for column, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True)):
        inside = finite[start:end]
        kept[column] = (
            start + (inside == lowest[column]).argmax(),
            start + (inside == highest[column]).argmax(),
        )
    ticks = np.unique(kept)
    return at[ticks], finite[ticks]


def extremes(
    time: npt.ArrayLike, values: npt.ArrayLike, columns: int
) -> tuple[npt.NDArray[Any], Floats, Floats]:
    """The start (m,), the smallest and the largest of `values` (n,) or (n, k) in spans of time.

    At most `columns` spans; NaN and inf count only where there is nothing else, as NaN. For values
    (n, k) the results are (m, k).
    """
    at, finite = np.asarray(time), _finite(values)
    if not len(finite):
        return at, finite, finite
    starts = column_starts(at, columns)
    return at[starts], np.fmin.reduceat(finite, starts), np.fmax.reduceat(finite, starts)


def column_starts(time: npt.NDArray[Any], columns: int) -> Int64s:
    """The first tick of each of at most `columns` equal spans of time (n,) that are not empty."""
    count = len(time)
    starts: Int64s = np.arange(min(count, columns)) * count // max(min(count, columns), 1)
    if count > columns and np.all(time[1:] >= time[:-1]):
        # From 0 on, so that ns since 1970 do not lose their last digits as floats.
        since = time - time[0]
        if 0 < since[-1] < np.inf:
            edges = np.linspace(0, since[-1], columns, endpoint=False)
            starts = np.unique(np.searchsorted(since, edges))
    return starts


def _finite(values: npt.ArrayLike) -> Floats:
    numbers = np.asarray(values)
    floats: Floats = numbers.astype(np.float64, copy=False)
    if numbers.dtype.kind == "f" and np.isinf(floats).any():
        return np.where(np.isinf(floats), np.nan, floats)
    return floats
