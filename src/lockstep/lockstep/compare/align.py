"""Which message of one series belongs to which of the other: one to one and in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..errors import CompareError
from ..message.arrays import Int64s, Mask
from .epochs import NO_CLOCKS, Jumps, one_after_the_other

Align = Literal["auto", "time", "stamp", "value", "tick", "cause", "none"]
"""By what messages are aligned: docs/compare.md; "none" compares distributions instead."""
MAX_TOLERANCE_S = 1e9


@dataclass(frozen=True)
class Alignment:
    """Ticks of A and B that belong together, and those that stand alone.

    `a[k]` pairs with `b[k]`, both increasing; all are int64 arrays of ticks (n,).
    """

    a: Int64s
    b: Int64s
    only_a: Int64s
    only_b: Int64s
    reordered: Int64s
    """Ticks of A and B that belong together but come in another order than others, (n, 2)."""


def align_times(
    times_a: Int64s,
    times_b: Int64s,
    tolerance_ns: int | None = None,
    jumps: Jumps = NO_CLOCKS,
) -> Alignment:
    """Pair each time with the nearest of the other series within a tolerance.

    Times are ns on a common origin, in message order. The default tolerance is half the median
    interval of A, so that neighbours are never confused. Equal times pair in order, and no message
    pairs with one of another epoch, for which `jumps` tells where /clock went back.
    """
    if tolerance_ns is None:
        tolerance_ns = half_interval(times_a)
    if np.array_equal(times_a, times_b):
        return align_ticks(len(times_a), len(times_b))
    times_a, times_b = one_after_the_other(times_a, times_b, jumps)
    order_a, order_b = (np.argsort(times, kind="stable") for times in (times_a, times_b))
    found = _pair(times_a[order_a].tolist(), times_b[order_b].tolist(), tolerance_ns)
    ranks_a, ranks_b = np.array(found, np.int64).reshape(-1, 2).T
    a, b = order_a[ranks_a], order_b[ranks_b]
    by_tick = np.argsort(a, kind="stable")
    return alignment_of(a[by_tick], b[by_tick], len(times_a), len(times_b))


def align_ticks(count_a: int, count_b: int) -> Alignment:
    """Pair the i-th with the i-th."""
    ticks = np.arange(min(count_a, count_b), dtype=np.int64)
    return alignment_of(ticks, ticks, count_a, count_b)


def align_steps(steps_a: Int64s, steps_b: Int64s) -> Alignment:
    """Pair the k-th message for a step with the k-th for the same step.

    Steps are in message order, (n,) each.
    """
    order_a, order_b = (np.argsort(steps, kind="stable") for steps in (steps_a, steps_b))
    (there_a, first_a, count_a), (there_b, first_b, count_b) = (
        np.unique(steps, return_index=True, return_counts=True)
        for steps in (steps_a[order_a], steps_b[order_b])
    )
    _, of_a, of_b = np.intersect1d(there_a, there_b, assume_unique=True, return_indices=True)
    count = np.minimum(count_a[of_a], count_b[of_b])
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    a = order_a[np.repeat(first_a[of_a], count) + within]
    b = order_b[np.repeat(first_b[of_b], count) + within]
    by_tick = np.argsort(a, kind="stable")
    return alignment_of(a[by_tick], b[by_tick], len(steps_a), len(steps_b))


def parse_align(rules: Sequence[str]) -> dict[str, Align]:
    """How to align by topic, "*" being all others, as a command line gives it: HOW or TOPIC:=HOW.

    Raises CompareError for what is neither.
    """
    found: dict[str, Align] = {}
    known: dict[str, Align] = {word: word for word in get_args(Align)}
    for rule in rules:
        topic, named, word = rule.rpartition(":=")
        if word not in known:
            raise CompareError(f"--align {rule} is not HOW or TOPIC:=HOW with {', '.join(known)}")
        found[topic if named else "*"] = known[word]
    return found


def tolerance_ns(tolerance_s: float | None) -> int | None:
    """A tolerance in time as `align_times` takes it; raises CompareError for one without sense."""
    if tolerance_s is None:
        return None
    if not 0 <= tolerance_s <= MAX_TOLERANCE_S:
        raise CompareError(
            f"a time tolerance of {tolerance_s:g} s makes no sense; give seconds from 0 on"
        )
    return round(tolerance_s * 1e9)


def half_interval(times: Int64s) -> int:
    """Half the median interval of times (n,), in ns; equal ones do not count."""
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


def alignment_of(a: Int64s, b: Int64s, count_a: int, count_b: int) -> Alignment:
    """Of pairs of ticks (n,) each; `a` increases, and what of `b` does not is out of order."""
    kept = increasing(b)
    return Alignment(
        a=a[kept],
        b=b[kept],
        only_a=_others(a, count_a),
        only_b=_others(b, count_b),
        reordered=np.stack([a[~kept], b[~kept]], axis=1),
    )


def increasing(values: Int64s) -> Mask:
    """Which values (n,) make up a longest increasing subsequence (patience sorting)."""
    if (np.diff(values) > 0).all():
        return np.ones(len(values), np.bool_)
    ends: list[int] = []
    at: list[int] = []
    before = np.full(len(values), -1)
    for index, value in enumerate(values.tolist()):
        place = bisect_left(ends, value)
        before[index] = at[place - 1] if place else -1
        ends[place : place + 1] = [value]
        at[place : place + 1] = [index]
    kept = np.zeros(len(values), np.bool_)
    index = at[-1]
    while index >= 0:
        kept[index] = True
        index = int(before[index])
    return kept


def _others(ticks: Int64s, count: int) -> Int64s:
    """The ticks below `count` that are not among these."""
    alone = np.ones(count, np.bool_)
    alone[ticks] = False
    return np.flatnonzero(alone)


def clock_fit(times_a: Int64s, times_b: Int64s) -> tuple[float, float]:
    """Offset in ns and drift (dimensionless) of the times of B to those of A, by least squares.

    The i-th belongs to the i-th, (n,) each.
    """
    if np.array_equal(times_a, times_b):
        return 0.0, 0.0
    shift = (times_b - times_a).astype(np.float64)
    from_start = (times_a - times_a[0]).astype(np.float64)
    spread = from_start - from_start.mean()
    square = float(spread @ spread)
    drift = float(spread @ shift) / square if square else 0.0
    return float(shift.mean() - drift * from_start.mean()), drift
