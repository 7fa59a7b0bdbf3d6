"""Laws of sums over time: another dt, another rule of integration, resets elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from ...message.arrays import Floats, Mask
from .filters import has_last, is_series
from .in_time import in_seconds
from .pair import Law, Pair

_UNEVEN = 1e-5
"""By what share of a step the steps of time must differ for one dt to be told from another."""
_PLAUSIBLE = (1e-3, 1e3)
"""What a dt may be beside the time between ticks."""
_LEAST_TICKS = 10
_MOST_RESETS = 0.02
_LEAST_RESETS = 2
_LEAST_LEVELS = 3


def time_steps(pair: Pair) -> Iterator[Law]:
    """b uses another time between ticks than a, in a derivative or an integral."""
    if not is_series(pair) or pair.is_integer:
        return
    inside = has_last(pair)
    moves_a, moves_b = _moves(pair.a), _moves(pair.b)
    # Where b stands still, its last value foretells it whatever the law.
    covers = inside & (np.abs(moves_b) > pair.slack)
    for clock in (pair.stamp_s, pair.time_s):
        step = np.where(inside, np.diff(clock, prepend=clock[:1]), 1.0)
        if (step <= 0.0).any() or np.ptp(step[inside]) < _UNEVEN * float(np.median(step[inside])):
            continue
        for name, of_constant, of_step, apply in (
            ("derivative", pair.a * step, pair.b, functools.partial(_rescaled, step)),
            ("integral", moves_b * step, moves_a, functools.partial(_resummed, pair.b, step)),
        ):
            moving = inside & (of_constant != 0.0) & (of_step != 0.0)
            if moving.sum() < _LEAST_TICKS:
                continue
            constant = float(np.median((of_constant / of_step)[moving]))
            if not _PLAUSIBLE[0] <= constant / float(np.median(step[inside])) <= _PLAUSIBLE[1]:
                continue
            always = f"{in_seconds(constant)} for the time since the last tick"
            yield Law(
                "time_step",
                f"b takes {always}, which a has measured ({name})",
                1.2,
                functools.partial(apply, constant),
                {"seconds": constant},
                pointwise=False,
                covers=covers,
                as_a_has=f"{always}, which b has measured ({name})",
            )


def _moves(x: Floats) -> Floats:
    return np.diff(x, prepend=x[:1])


def _rescaled(step: Floats, constant: float, x: Floats) -> Floats:
    rescaled: Floats = x * step / constant
    return rescaled


def _resummed(b: Floats, step: Floats, constant: float, x: Floats) -> Floats:
    return np.concatenate([b[:1], b[:-1]]) + _moves(x) * constant / step


def rules(pair: Pair) -> Iterator[Law]:
    """b sums up the same values as a, by trapezoids instead of rectangles or the reverse."""
    if not is_series(pair) or pair.is_integer:
        return
    inside = has_last(pair)
    covers = inside & np.concatenate([[False], inside[:-1]]) & (np.abs(_moves(pair.b)) > pair.slack)
    time = pair.stamp_s if (np.diff(pair.stamp_s)[inside[1:]] > 0).all() else pair.time_s
    step = np.where(inside, np.diff(time, prepend=time[:1]), 1.0)
    last_b = np.concatenate([pair.b[:1], pair.b[:-1]])
    before = np.where(inside, _moves(pair.b) / step, 0.0)
    for sentence, apply in (
        (
            "b sums up by trapezoids what a sums up by rectangles",
            lambda x: last_b + step * _mean_with_last(np.where(inside, _moves(x) / step, 0.0)),
        ),
        (
            "b sums up by rectangles what a sums up by trapezoids",
            lambda x: last_b + 2 * _moves(x) - step * np.concatenate([[0.0], before[:-1]]),
        ),
    ):
        yield Law("trapezoids", sentence, 1.0, apply, {}, pointwise=False, covers=covers)


def _mean_with_last(x: Floats) -> Floats:
    means: Floats = (x + np.concatenate([x[:1], x[:-1]])) / 2
    return means


def resets(pair: Pair) -> Iterator[Law]:
    """b - a changes only at few ticks, between which both move alike."""
    if not is_series(pair):
        return
    jumps = _jumps(pair)
    count = int(jumps.sum())
    if not _LEAST_RESETS <= count <= _MOST_RESETS * pair.n:
        return
    if not ((np.diff(pair.a) != 0.0) & ~jumps[1:]).sum() > pair.n / 4:
        return
    if pair.differs.sum() < _LEAST_TICKS * count:
        return
    if _distinct(pair.difference[jumps], 2 * float(np.max(pair.slack))) < _LEAST_LEVELS:
        return  # as where one condition decides
    levels = np.maximum.accumulate(np.where(jumps, np.arange(pair.n), 0))
    shown = ", ".join(str(tick) for tick in pair.tick[jumps][:3].tolist())
    sentence = (
        f"b - a changes only at {count} ticks ({shown}{' …' if count > 3 else ''}), between which "
        "both move alike: other resets"
    )
    offsets = pair.difference[levels]
    yield Law(
        "reset",
        sentence,
        2.5,
        functools.partial(np.add, offsets),
        {"count": float(count)},
        pointwise=False,
    )


def _distinct(values: Floats, apart: float) -> int:
    """How many values there are, of which those that are not so far apart are one."""
    return 1 + int((np.diff(np.sort(values)) > apart).sum())


def _jumps(pair: Pair) -> Mask:
    """(n,) ticks at which b - a is another than before."""
    change = np.abs(np.diff(pair.difference, prepend=pair.difference[:1]))
    apart: Mask = change > 2 * pair.slack
    return apart
