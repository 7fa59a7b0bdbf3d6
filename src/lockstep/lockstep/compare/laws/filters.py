"""Laws of filters: b is a after, before or with another low-pass, averaged, derived, or held."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from ...message.arrays import Floats, Int64s, Mask
from .in_time import in_seconds, least, step_s
from .pair import Law, Pair

_LEAST = 50
"""Ticks of which a filter may be told."""
_LONGEST_MEAN = 64
_LONGEST_HOLD = 16
_PROBE = 256
_AS_GOOD = 1e-9
_NONE = 1e-3
"""A part of a filter that weighs less than this is not there."""
_GAIN = 0.01
"""By so much may the gain of a constant input be off 1."""
_LEFT = 0.1
"""The share of the difference that a low-pass may leave to be tried."""


def low_passes(pair: Pair) -> Iterator[Law]:
    """b[i] = p b[i-1] + q a[i] + r a[i-1], where q + r = 1 - p: first-order lags of gain 1.

    With r = 0 it is a exponentially smoothed (p = exp(-T / τ) of the step T and the time constant
    τ), with p = 0 what a was before it was smoothed, else a smoothed with another time constant.
    """
    if not is_series(pair):
        return
    inside = has_last(pair)
    here, before = np.flatnonzero(inside), np.flatnonzero(inside) - 1
    known = np.isfinite(pair.b[here]) & np.isfinite(pair.b[before])
    here, before = here[known], before[known]
    if len(here) < _LEAST:
        return
    if law := _fitted(pair, here, before):
        yield law
    # In noise the fit is off, and a is smooth or not itself what b is the smoothed form of.
    yield from _smoothed(pair)


def _fitted(pair: Pair, here: Int64s, before: Int64s) -> Law | None:
    past = np.stack([pair.b[before], pair.a[here], pair.a[before]], axis=1)
    unit = float(np.abs(past).max()) or 1.0
    (p, q, r), *_ = np.linalg.lstsq(past / unit, pair.b[here] / unit, rcond=1e-9)
    if not (-_NONE < p < 1.0 - 1e-6 and q > 0.0 and abs((q + r) / (1.0 - p) - 1.0) < _GAIN):
        return None
    of_a = -r / q  # exp(-T / τ) of the low-pass that a has been through
    if not -_NONE < of_a < 1.0 - 1e-6 or max(p, of_a) < 0.01:
        return None
    if abs(p - of_a) < 1e-6:  # the same low-pass, from another state
        return None
    return _low_pass(pair, float(p), float(q), float(r))


def _smoothed(pair: Pair) -> Iterator[Law]:
    """b as a through the low-pass that leaves least."""
    inside = has_last(pair) & pair.finite
    power = np.mean(np.square(pair.difference[inside] / pair.unit))

    def left(log_ticks: float, part: Pair = pair) -> float:
        stays = math.exp(-math.exp(-log_ticks))
        apart = (part.b - filtered(part, part.a, stays, 1.0 - stays, 0.0)) / pair.unit
        return float(np.mean(np.square(apart[has_last(part) & part.finite])))

    # What fails in a part of a long series is not sought in all of it.
    rough = least(lambda x: left(x, pair.part), -1.0, math.log(pair.part.n / 4), 12)
    if left(rough) > 2 * _LEFT * power and pair.part is not pair:
        return
    log_ticks = least(left, -1.0, math.log(pair.n / 4), 40)
    if left(log_ticks) < _LEFT * power:
        stays = math.exp(-math.exp(-log_ticks))
        yield _low_pass(pair, stays, 1.0 - stays, 0.0)


def _low_pass(pair: Pair, p: float, q: float, r: float) -> Law:
    step, of_a = step_s(pair), -r / q
    parameters = {"of_a": _time_constant(of_a, step), "of_b": _time_constant(p, step)}
    shown = {name: in_seconds(tau) for name, tau in parameters.items()}
    if of_a < _NONE:
        sentence = f"b is a through a low-pass of first order, {shown['of_b']} of time constant"
    elif p < _NONE:
        sentence = f"b lacks a low-pass of first order that a has, {shown['of_a']} of time constant"
    else:
        sentence = (
            "b has another low-pass of first order than a: "
            f"{shown['of_b']} of time constant instead of {shown['of_a']}"
        )
    return Law(
        "low_pass",
        sentence,
        2.0,
        lambda x: filtered(pair, x, p, q, r),
        parameters,
        pointwise=False,
        held_out="later",
        covers=has_last(pair),
    )


def averages(pair: Pair) -> Iterator[Law]:
    """b[i] is the mean of a[i-k+1 … i], for the k of best match."""
    if not is_series(pair):
        return
    part = pair.part
    sums = np.concatenate([[0.0], np.cumsum(part.a / part.unit)])  # near enough to choose by
    left = [np.inf, np.inf]
    for count in range(2, min(_LONGEST_MEAN, part.n // 4) + 1):
        means = (sums[count:] - sums[:-count]) / count
        apart = part.b[count - 1 :] / part.unit - means
        apart = apart[_covers(part, count - 1)[count - 1 :]]
        finite = apart[np.isfinite(apart)]
        left.append(float(np.mean(np.square(finite))) if len(finite) else np.inf)
    count = int(np.argmin(left)) if len(left) > 2 else 0
    if count:
        yield from averages_of(pair, [count])


def averages_of(pair: Pair, counts: Iterable[int]) -> Iterator[Law]:
    """b[i] is the mean of a[i-k+1 … i], for each of these k."""
    for count in counts:
        yield Law(
            "average",
            f"b is the mean of the last {count} values of a",
            1.2,
            functools.partial(_mean_of_last, count=count),
            {"ticks": float(count)},
            pointwise=False,
            covers=_covers(pair, count - 1),
            as_a_has=f"the mean of the last {count} values",
        )


def other_averages(pair: Pair) -> Iterator[Law]:
    """a is the mean of m values in a row, b of n: the means of m of b are those of n of a."""
    if not is_series(pair):
        return
    longest = min(_LONGEST_MEAN, pair.n // 4)
    middle = _steadiest(pair, 2 * longest + _PROBE)
    if middle is None:
        return
    ends = np.arange(middle, middle + _PROBE)
    counts = np.arange(2, longest + 1)
    means = []
    for side in (pair.a, pair.b):
        sums = np.concatenate([[0.0], np.cumsum((side - side.mean()) / pair.unit)])
        means.append((sums[ends + 1] - sums[ends[None] + 1 - counts[:, None]]) / counts[:, None])
    apart = np.array([np.square(means[0] - of_b).mean(axis=1) for of_b in means[1]])
    np.fill_diagonal(apart, np.inf)
    at_b, at_a = divmod(int(np.argmin(apart)), len(counts))
    of_a, of_b = int(counts[at_b]), int(counts[at_a])
    if not apart[at_b, at_a] <= _AS_GOOD * np.square(pair.difference[ends] / pair.unit).mean():
        return
    before = max(of_a, of_b)

    def averaged(x: Floats) -> Floats:
        # b follows from the sum of its last values, that of a, and those of b before.
        past = _sum_of_last(pair.b, of_a) - pair.b
        return _sum_of_last(x, of_b) * (of_a / of_b) - past

    yield Law(
        "average",
        f"b is the mean of {of_b} values in a row where a is that of {of_a}",
        1.6,
        averaged,
        {"of_a": float(of_a), "of_b": float(of_b)},
        pointwise=False,
        covers=_covers(pair, before - 1) & (np.abs(np.diff(pair.b, prepend=np.nan)) > pair.slack),
    )


def _steadiest(pair: Pair, ticks: int) -> int | None:
    """The tick from which on to try, behind which there are half as many in the same window."""
    if pair.n < ticks or pair.segment[0] != pair.segment[ticks - 1]:
        return None
    power = np.concatenate([[0.0], np.cumsum(np.square(pair.difference / pair.unit))])
    within = pair.segment[ticks - 1 :] == pair.segment[: pair.n - ticks + 1]
    sums = np.where(within, power[ticks:] - power[: pair.n - ticks + 1], -1.0)
    return int(np.argmax(sums)) + ticks - _PROBE


def _sum_of_last(x: Floats, count: int) -> Floats:
    return np.convolve(x, np.ones(count))[: len(x)].astype(np.float64)


def derivatives(pair: Pair) -> Iterator[Law]:
    """b is the change of a in a second, or a that of b."""
    if not is_series(pair) or pair.is_integer:
        return
    time = pair.time_s
    inside = has_last(pair)
    step = np.where(inside, np.diff(time, prepend=time[:1]), 1.0)

    def derived(x: Floats) -> Floats:
        return np.where(inside, np.diff(x, prepend=x[:1]) / step, x)

    def summed(x: Floats) -> Floats:
        start = np.concatenate([np.flatnonzero(~inside), [pair.n]])
        parts = [
            pair.b[one] + np.cumsum(np.where(np.arange(one, end) > one, (x * step)[one:end], 0.0))
            for one, end in pairwise(start)
        ]
        return np.concatenate(parts)

    words = {"derivative": ("b is the derivative of a", derived)}
    words["integral"] = ("b is the integral of a over time", summed)
    for name, (sentence, apply) in words.items():
        yield Law(name, sentence, 0.5, apply, {}, pointwise=False, covers=inside)


def holds(pair: Pair) -> Iterator[Law]:
    """b takes only every k-th value of a and repeats it until the next one."""
    if not is_series(pair):
        return
    stays = np.flatnonzero(np.diff(pair.b) != 0.0) + 1  # where b takes another value
    gaps = np.diff(stays)
    if len(gaps) < 3:
        return
    values, counts = np.unique(gaps, return_counts=True)
    every = int(values[np.argmax(counts)])
    if not 2 <= every <= _LONGEST_HOLD:
        return
    at = np.arange(pair.n)
    source = at - (at - int(stays[0])) % every
    covers = (source >= 0) & (pair.segment[source.clip(0)] == pair.segment)
    yield Law(
        "held",
        f"b takes only every {_ordinal(every)} value of a, and repeats it until the next",
        0.8,
        lambda x: x[source.clip(0)],
        {"ticks": float(every)},
        pointwise=False,
        covers=covers,
        as_a_has=f"only every {_ordinal(every)} value, which it repeats",
    )


def is_series(pair: Pair) -> bool:
    """Whether it is one number over time, of which a filter may be told."""
    return (
        pair.a.ndim == 1
        and pair.n >= _LEAST
        and not pair.is_time
        and not pair.is_flag
        and bool(np.isfinite(pair.a).all())
        and bool((np.diff(pair.time_s)[pair.segment[1:] == pair.segment[:-1]] > 0).all())
    )


def has_last(pair: Pair) -> Mask:
    """(n,) ticks whose predecessor is in the same window."""
    return _covers(pair, 1)


def _covers(pair: Pair, before: int) -> Mask:
    """(n,) ticks with so many in the same window before them."""
    covers: Mask = pair.position >= before
    return covers


def filtered(pair: Pair, x: Floats, p: float, q: float, r: float) -> Floats:
    """Each window of x through the filter; it begins where b does, or x if that is unknown."""
    from scipy.signal import lfilter  # takes as long to import as all other laws to try

    found = x.copy()
    starts: Int64s = np.concatenate([np.flatnonzero(~has_last(pair)), [pair.n]])
    for start, end in pairwise(starts):
        first = pair.b[start] if np.isfinite(pair.b[start]) else x[start]
        state = [r * x[start] + p * first]
        found[start] = first
        found[start + 1 : end], _ = lfilter([q, r], [1.0, -p], x[start + 1 : end], zi=state)
    return found


def _mean_of_last(x: Floats, count: int) -> Floats:
    kernel = np.full(count, 1.0 / count)
    mean: Floats = np.convolve(x, kernel)[: len(x)]
    return mean


def _time_constant(stays: float, step: float) -> float:
    """That of a low-pass of which this share stays after a step; 0 if there is none."""
    return -step / math.log(stays) if stays >= _NONE else 0.0


def _ordinal(count: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(count, f"{count}th")
