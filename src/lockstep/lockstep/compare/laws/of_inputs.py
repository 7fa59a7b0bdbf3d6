"""Laws of both sides: what a is of an input, and what else b is of it.

A median cannot be undone, nor can rounding: only what was filtered or rounded tells how.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...message.arrays import Column, Floats, Mask
from .filters import is_series
from .pair import EXACT_SHARE, Law, Pair
from .pointwise import times

_LONGEST = 32
_PROBE = 96
_LEAST_KINDS = 10
_MOST_SCALE_ERROR = 0.02


@dataclass(frozen=True)
class _Window:
    """What is made of the last values of an input."""

    name: str
    words: str
    of_rows: Callable[..., Any]

    def make(self, past: Floats) -> Floats:
        """Of each row."""
        made: Floats = self.of_rows(past, axis=1)
        return made


_WINDOWS = (
    _Window("median", "the median", np.median),
    _Window("average", "the mean", np.mean),
    _Window("maximum", "the largest", np.max),
    _Window("minimum", "the smallest", np.min),
)
_ROUNDINGS: tuple[tuple[str, Callable[[Floats], Floats]], ...] = (
    ("rounds halves to even", np.rint),
    ("rounds halves away from zero", lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x)),
    ("rounds halves up", lambda x: np.floor(x + 0.5)),
    ("cuts off towards zero", np.trunc),
    ("rounds down", np.floor),
    ("rounds up", np.ceil),
)


def laws_of_inputs(pair: Pair, inputs: Mapping[str, Column]) -> Iterator[Law]:
    """What a and b make of the last values of an input, (n,) by path: a median, rounding, a
    threshold."""
    if pair.a.ndim != 1 or pair.base or pair.is_time or pair.n < 2 * _LONGEST:
        return
    for path, column in inputs.items():
        if column.shape != (pair.n,) or column.dtype.kind not in "fiub":
            continue
        values = column.astype(np.float64)
        if not np.isfinite(values).all() or (values == values[0]).all():
            continue
        if pair.is_flag:
            yield from _thresholds(pair, path, values)
        elif is_series(pair):
            yield from _windows(pair, path, values)
            yield from _roundings(pair, path, values)


def _windows(pair: Pair, path: str, values: Floats) -> Iterator[Law]:
    ends = np.flatnonzero(pair.ticks)
    ends = ends[ends >= _LONGEST]
    ends = ends[:: len(ends) // _PROBE + 1]
    if len(ends) < _LEAST_KINDS or len(np.unique(pair.a[ends])) < _LEAST_KINDS:
        return
    past = values[ends[:, None] - np.arange(_LONGEST)]
    high, low = past.max(axis=1), past.min(axis=1)
    for side in (pair.a, pair.b):
        if np.mean((side[ends] <= high) & (side[ends] >= low)) < EXACT_SHARE:
            return
    of_a = _window(pair.a[ends], past, pair.eps)
    if of_a is None:
        return
    of_b = _window(pair.b[ends], past, pair.eps)
    if of_b is None or of_a == of_b:
        return
    (kind_a, count_a), (kind_b, count_b) = of_a, of_b
    told = kind_b or kind_a
    if told is None:
        return
    made = np.full(pair.n, np.nan)
    whole = np.lib.stride_tricks.sliding_window_view(values, count_b)
    made[count_b - 1 :] = kind_b.make(whole) if kind_b else values
    sentence = f"b is {_of_last(kind_b, count_b, path)}, a {_of_last(kind_a, count_a, path)}"
    if kind_a and kind_b and kind_a.name != kind_b.name:
        told = kind_a if kind_a.name != "average" else kind_b
    covers = np.arange(pair.n) >= _LONGEST
    covers &= pair.segment == np.roll(pair.segment, _LONGEST)
    yield Law(
        told.name if kind_b else f"lacks_{told.name}",
        sentence,
        1.0,
        lambda _: made,
        {"of_a": float(count_a), "of_b": float(count_b)},
        pointwise=False,
        covers=covers,
    )


def _window(side: Floats, past: Floats, eps: float) -> tuple[_Window | None, int] | None:
    """The values (m,) of a side as one kind of window of the past (m, longest), the shortest."""
    slack = 16 * max(eps, 1e-16) * np.abs(past).max(axis=1)
    if np.mean(np.abs(past[:, 0] - side) <= slack) >= EXACT_SHARE:
        return None, 1
    for count in range(2, _LONGEST + 1):
        for kind in _WINDOWS:
            if np.mean(np.abs(kind.make(past[:, :count]) - side) <= slack) >= EXACT_SHARE:
                return kind, count
    return None


def _of_last(kind: _Window | None, count: int, path: str) -> str:
    return f"{kind.words} of the last {count} values of input {path}" if kind else f"input {path}"


def _roundings(pair: Pair, path: str, values: Floats) -> Iterator[Law]:
    """Whole numbers that are an input, or so many times it, rounded in two ways."""
    a, b = pair.a, pair.b
    if np.abs(pair.difference).max(initial=0.0) != 1.0 or len(np.unique(a)) < _LEAST_KINDS:
        return
    if not ((np.rint(a) == a).all() and (np.rint(b) == b).all()):
        return
    power = float(np.sum(np.square(values)))
    by = float(f"{float(np.sum(values * a)) / power:.2g}") if power else 0.0
    scaled = values * by
    if not by or np.abs(scaled - a).max() > 1.0 + _MOST_SCALE_ERROR:
        return
    fits = [
        next((row for row in _ROUNDINGS if np.mean(row[1](scaled) == side) >= EXACT_SHARE), None)
        for side in (a, b)
    ]
    exact = [row for row in fits if row is not None]
    if len(exact) == 2 and exact[0] is not exact[1]:
        (words_a, _), (words_b, apply) = exact
        of = f"input {path}" + ("" if by == 1.0 else f" {times(by)}")
        made = apply(scaled)
        sentence = f"b {words_b}, a {words_a}, of {of}"
        yield Law("rounding", sentence, 0.9, lambda _: made, {"scale": by}, pointwise=False)


def _thresholds(pair: Pair, path: str, values: Floats) -> Iterator[Law]:
    """Flags that are set above a limit of an input, and reset below that or a lower one."""
    for sign, above, below in ((1.0, "above", "below"), (-1.0, "below", "above")):
        x = sign * values
        limits = [
            known for side in (pair.a, pair.b) if (known := _limits(side > 0.5, x)) is not None
        ]
        if len(limits) < 2 or limits[0] == limits[1]:
            continue
        made = _switched(pair.b > 0.5, x, *limits[1])
        said = [
            f"set where input {path} is {above} {sign * high:.4g}"
            + ("" if low == high else f" and reset where it is {below} {sign * low:.4g}")
            for low, high in limits
        ]
        name = "threshold" if all(low == high for low, high in limits) else "hysteresis"
        sentence = f"b is {said[1]}, a is {said[0]}"
        parameters = dict(zip(("low", "high"), limits[1], strict=True))
        yield Law(name, sentence, 0.9, functools.partial(_given, made), parameters, pointwise=False)


def _given(made: Floats, _: Floats) -> Floats:
    return made


def _limits(flag: Mask, x: Floats) -> tuple[float, float] | None:
    """The limits of x below which a flag is reset and above which it is set; None if there are
    none. They are equal if one will do."""
    if not 0 < flag.sum() < len(flag):
        return None
    least_on, most_off = float(x[flag].min()), float(x[~flag].max())
    if most_off < least_on:
        middle = (most_off + least_on) / 2
        return middle, middle
    was, now, at = flag[:-1], flag[1:], x[1:]
    rises, stays_off, falls, stays_on = now & ~was, ~now & ~was, was & ~now, was & now
    if min(rises.sum(), falls.sum(), stays_off.sum(), stays_on.sum()) < 3:
        return None
    high = float(at[stays_off].max()), float(at[rises].min())
    low = float(at[falls].max()), float(at[stays_on].min())
    if high[0] >= high[1] or low[0] >= low[1]:
        return None
    limits = (low[0] + low[1]) / 2, (high[0] + high[1]) / 2
    return limits if limits[0] < limits[1] else None


def _switched(flag: Mask, x: Floats, low: float, high: float) -> Floats:
    """What a flag is by these limits, given what it was."""
    last = np.concatenate([flag[:1], flag[:-1]])
    return np.where(last, x > low, x > high).astype(np.float64)
