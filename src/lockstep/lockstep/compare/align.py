"""Which message of one series belongs to which of the other: one to one and in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import CompareError

MAX_TOLERANCE_S = 1e9
Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Alignment:
    """Ticks of A and B that belong together, and those that stand alone.

    `a[k]` pairs with `b[k]`, both increasing; all are int64 arrays of ticks.
    """

    a: Times
    b: Times
    only_a: Times
    only_b: Times


def align(times_a: Times, times_b: Times, tolerance_ns: int | None = None) -> Alignment:
    """Pair each time with the nearest of the other series within a tolerance.

    Times are ns on a common origin, in message order. The default tolerance is half the median interval
    of A, so that neighbours are never confused. Equal times pair in order.
    """
    if tolerance_ns is None:
        tolerance_ns = _half_interval(times_a)
    if np.array_equal(times_a, times_b):
        return align_ticks(len(times_a), len(times_b))
    pairs = _pair(times_a.tolist(), times_b.tolist(), tolerance_ns)
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    return _alignment(a, b, len(times_a), len(times_b))


def align_ticks(count_a: int, count_b: int) -> Alignment:
    """Pair the i-th with the i-th."""
    ticks = np.arange(min(count_a, count_b), dtype=np.int64)
    return _alignment(ticks, ticks, count_a, count_b)


def tolerance_ns(tolerance_s: float | None) -> int | None:
    """A tolerance in time as `align` takes it; raises CompareError for one that makes no sense."""
    if tolerance_s is None:
        return None
    if not 0 <= tolerance_s <= MAX_TOLERANCE_S:
        raise CompareError(
            f"a time tolerance of {tolerance_s:g} s makes no sense; give seconds from 0 on"
        )
    return round(tolerance_s * 1e9)


def _half_interval(times: Times) -> int:
    steps = np.diff(times)
    steps = steps[steps > 0]
    return int(np.median(steps)) // 2 if len(steps) else 0


def _pair(a: list[int], b: list[int], tolerance: int) -> list[tuple[int, int]]:
    pairs = []
    i = j = 0
    while i < len(a) and j < len(b):
        gap = b[j] - a[i]
        if i + 1 < len(a) and abs(b[j] - a[i + 1]) < abs(gap) and a[i + 1] > a[i]:
            i += 1  # b[j] belongs rather to the next of A
        elif j + 1 < len(b) and abs(b[j + 1] - a[i]) < abs(gap) and b[j + 1] > b[j]:
            j += 1
        elif abs(gap) <= tolerance:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif gap > 0:
            i += 1
        else:
            j += 1
    return pairs


def _alignment(a: Times, b: Times, count_a: int, count_b: int) -> Alignment:
    return Alignment(
        a=a,
        b=b,
        only_a=np.setdiff1d(np.arange(count_a), a, assume_unique=True),
        only_b=np.setdiff1d(np.arange(count_b), b, assume_unique=True),
    )
