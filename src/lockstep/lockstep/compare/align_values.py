"""Which messages belong together by what they hold, among those that are near enough in time.

One to one and in order: the alignment of two sequences by dynamic programming (Needleman and
Wunsch, 1970) in the band that the tolerance in time leaves. Values choose among the candidates and
do no more: whatever is too late, or has no place in the order, stays alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..message.arrays import Floats, Int64s
from .align import Alignment, alignment_of, half_interval

Unlike = Callable[[Int64s, Int64s], Floats]
"""How unlike messages of A are to messages of B, (m,): 0 for the same, less than 1."""

_PAIR = 1.2  # what a pair is worth, less how unlike and how far apart in time it is
_TIME = 0.1
_ROWS = 4096  # messages of A at once
_MOST_CANDIDATES = 200  # of a message, on average
_LATEST = 3  # intervals
_UP, _LEFT, _BOTH = 0, 1, 2


def irregular_tolerance_ns(times: Int64s) -> int:
    """How far apart messages may be that belong together, as irregular as `times` (n,) are.

    That is half the median interval, and by how much messages of the reference itself come late
    in a row that is made up for at once: intervals that are short after one that was long. A pause
    is none. At most three intervals.
    """
    steps = np.diff(np.sort(times))
    positive = steps[steps > 0]
    if not len(positive):
        return 0
    interval = int(np.median(positive))
    short = np.maximum(interval - steps, 0)
    total = np.cumsum(short)
    before = np.maximum.accumulate(np.where(short == 0, total, 0))
    return interval // 2 + min(int((total - before).max()), _LATEST * interval)


def align_values(
    times_a: Int64s, times_b: Int64s, unlike: Unlike, tolerance_ns: int | None = None
) -> Alignment | None:
    """Pair messages within a tolerance in time so that what they hold is most alike.

    Times are ns on a common origin, (n,) and (m,), in message order. The default tolerance is
    `irregular_tolerance_ns` of A. Memory is a byte for each candidate. None if there are far more
    candidates than messages.
    """
    if tolerance_ns is None:
        tolerance_ns = irregular_tolerance_ns(times_a)
    order_a, order_b = (np.argsort(times, kind="stable") for times in (times_a, times_b))
    a, b = times_a[order_a], times_b[order_b]
    first = np.searchsorted(b, a - tolerance_ns, "left")
    end = np.searchsorted(b, a + tolerance_ns, "right")
    if int((end - first).sum()) > _MOST_CANDIDATES * max(1, len(a)):
        return None
    moves = bytearray()
    row: list[float] = [0.0]
    at = 0
    for start in range(0, len(a), _ROWS):
        stop = min(start + _ROWS, len(a))
        width = end[start:stop] - first[start:stop]
        rows = np.repeat(np.arange(start, stop), width)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(width) - width, width)
        columns = first[rows] + within
        worth = _PAIR - unlike(order_a[rows], order_b[columns])
        worth -= _TIME * np.abs(b[columns] - a[rows]) / max(1, tolerance_ns)
        values, done = worth.tolist(), 0
        for low, high in zip(first[start:stop].tolist(), end[start:stop].tolist(), strict=True):
            row, chosen = _next_row(row, at, low, high, values[done : done + high - low])
            done += high - low
            at = low
            moves += chosen
    ranks = np.array(_traced(moves, first.tolist(), end.tolist()), np.int64).reshape(-1, 2)
    pairs_a, pairs_b = order_a[ranks[:, 0]], order_b[ranks[:, 1]]
    by_tick = np.argsort(pairs_a, kind="stable")
    return alignment_of(pairs_a[by_tick], pairs_b[by_tick], len(times_a), len(times_b))


def _next_row(
    before: list[float], at: int, low: int, high: int, worth: list[float]
) -> tuple[list[float], bytearray]:
    """The best worth when one more of A is used, and `low` to `high` of B; how each is reached.

    `before` is the same without it, from `at` of B on, which is not above `low`.
    """
    last = before[-1]
    known = before[low - at :]
    best = known[0] if known else last
    row, moves = [best], bytearray(b"\0")
    diagonal = best
    for column in range(1, high - low + 1):
        up = known[column] if column < len(known) else last
        both = diagonal + worth[column - 1]
        if both > up and both > best:
            best, move = both, _BOTH
        elif up >= best:
            best, move = up, _UP
        else:
            move = _LEFT
        row.append(best)
        moves.append(move)
        diagonal = up
    return row, moves


def _traced(moves: bytearray, first: list[int], end: list[int]) -> list[tuple[int, int]]:
    """The pairs, from the last row back."""
    pairs = []
    column = end[-1] if end else 0
    start = len(moves)
    for row in range(len(first) - 1, -1, -1):
        start -= end[row] - first[row] + 1
        column = min(column, end[row])
        while moves[start + column - first[row]] == _LEFT:
            column -= 1
        if moves[start + column - first[row]] == _BOTH:
            column -= 1
            pairs.append((row, column))
    return pairs[::-1]


def is_late(times_a: Int64s, times_b: Int64s, pairs: Alignment) -> bool:
    """Whether B as a whole comes by more than half an interval before or after A."""
    if not len(pairs.a):
        return False
    shift = float(np.median(times_b[pairs.b] - times_a[pairs.a]))
    return abs(shift) > half_interval(times_a)


def shared_offset(times_a: Int64s, times_b: Int64s, digests_a: Int64s, digests_b: Int64s) -> int:
    """By how much B is later, ns, as the messages tell that each side has once: the median.

    Times and hashes of the bytes are (n,) and (m,).
    """
    once_a, once_b = (_once(digests) for digests in (digests_a, digests_b))
    _, of_a, of_b = np.intersect1d(
        digests_a[once_a], digests_b[once_b], assume_unique=True, return_indices=True
    )
    if not len(of_a):
        return 0
    return int(np.median(times_b[once_b[of_b]] - times_a[once_a[of_a]]))


def _once(digests: Int64s) -> Int64s:
    """The ticks of messages of which there is only one."""
    _, first, count = np.unique(digests, return_index=True, return_counts=True)
    ticks: Int64s = first[count == 1]
    return ticks
