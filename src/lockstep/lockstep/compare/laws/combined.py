"""Two laws, one after the other: late and scaled, in millimetres and cut off, swapped and late.

The first is found by what the second leaves alone, as a delay is by where two series are most
alike; the second is then sought between what it makes of a and b. Only exact ones are told.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from ...message.arrays import Floats, Mask
from .axes import axis_laws
from .correlation import mismatch
from .filters import averages_of, filtered, has_last, is_series
from .in_time import in_seconds, step_s
from .pair import Law, Pair, dot, judge
from .pointwise import (
    TURNS,
    affine,
    clips,
    median_slope,
    offset,
    plus,
    scale,
    simple_laws,
    times,
    units,
)
from .rounding import rounding_laws

_Second = Callable[[Pair], Iterator[Law]]
_MOST_DELAYS = 2
_LONGEST_MEAN = 64
_NEAR = 0.01
_LARGE = 1e100
_FORGOTTEN = 20.0
"""Time constants after which nothing is left of where a low-pass began."""
_ALIKE = 0.5
"""The share of the mean square that a delay must take away, of series of one spread."""


def combined(pair: Pair) -> Iterator[Law]:
    """Laws of one field."""
    if pair.a.ndim != 1 or pair.is_flag or not _is_ordinary(pair):
        return
    if pair.has_zero:
        yield from _turned_angles(pair)
        yield from _units_and_more(pair)
        yield from _limited(pair)
    if is_series(pair):
        if pair.has_zero and not pair.is_integer:
            yield from _with_gain(pair)
            yield from _smoothed(pair)
        for first in _delays(pair):
            yield from _then(pair, first, _values)


def combined_axes(pair: Pair) -> Iterator[Law]:
    """Laws of fields or elements that belong together: in another order, and scaled or late."""
    if pair.a.ndim != 2 or not pair.has_zero or not _is_ordinary(pair):
        return
    sizes = [math.sqrt(float(np.mean(np.square(side)))) for side in (pair.a, pair.b)]
    if min(sizes) > 0.0:
        by = sizes[1] / sizes[0]
        if abs(by - 1.0) > 1e-9:
            known = units(pair, lambda factor, shift: not shift and abs(factor - by) < 1e-6 * by)
            yield from _then(pair, next(known, _scaled(by)), axis_laws)
    for first in _delays(pair):
        yield from _then(pair, first, axis_laws)


def _is_ordinary(pair: Pair) -> bool:
    """Whether all is finite, and small enough to be squared."""
    largest = max(float(np.abs(side).max(initial=0.0)) for side in (pair.a, pair.b))
    return bool(pair.finite.all()) and _LARGE > largest > 1 / _LARGE


def _values(pair: Pair) -> Iterator[Law]:
    """Laws of each value, by cost."""
    laws = (
        *(*simple_laws(pair), *rounding_laws(pair), *offset(pair, _median)),
        *(*scale(pair, True), *clips(pair, True), *affine(pair, True)),
    )
    yield from sorted((law for law in laws if law.pointwise), key=lambda law: law.cost)


def _then(pair: Pair, first: Law, seconds: _Second) -> Iterator[Law]:
    """The law that leads on from what a first one makes of a, if there is one."""
    part = pair if first.covers is None else pair.rows(_rows(first.covers))
    made = first.apply(pair.a)
    between = part.with_a(made if first.covers is None else made[_rows(first.covers)])
    if between.n < 20 or not between.differs.any() or between.is_still:
        return
    for second in seconds(between):
        apply = second.apply
        if second.covers is not None and len(second.covers) != 1:
            continue
        if judge(between, apply(between.a), second.covers).exact:
            yield _both(first, second, second.covers if first.covers is None else first.covers)
            return


def _both(first: Law, second: Law, covers: Mask | None) -> Law:
    return Law(
        f"{first.name}+{second.name}",
        f"{first.sentence}; of that, {second.sentence}",
        first.cost + second.cost,
        lambda x: second.apply(first.apply(x)),
        {**second.parameters, **first.parameters},
        pointwise=first.pointwise and second.pointwise,
        covers=covers,
    )


def _rows(covers: Mask) -> Mask:
    rows: Mask = np.all(covers.reshape(len(covers), -1), axis=1)
    return rows


# a delay, whatever is done to the values


def _delays(pair: Pair) -> Iterator[Law]:
    """The shifts at which a and b, or their lengths, are most alike but for their scale."""
    part = pair.segment == pair.segment[0]
    sides = [side[part] for side in (pair.a, pair.b)]
    if pair.a.ndim == 2:
        sides = [np.sqrt(np.sum(np.square(side), axis=1)) for side in sides]
    a, b = (_standardised(side) for side in sides)
    if a is None or b is None:
        return
    found: list[tuple[float, int]] = []
    signs = (1.0, -1.0) if pair.a.ndim == 1 else (1.0,)
    for sign in signs:
        errors = mismatch(a[:, None], sign * b[:, None])
        longest = len(errors) // 2
        if longest < 1:
            return
        best = int(np.argmin(errors))
        found.append((float(errors[best]) / max(float(errors.max()), 1e-30), best - longest))
    for left, shift in sorted(found)[:_MOST_DELAYS]:
        if shift and left < _ALIKE:
            yield _delay(pair, shift)


def _standardised(x: Floats) -> Floats | None:
    spread = float(np.std(x))
    return None if not spread > 0.0 else (x - x.mean()) / spread


def _delay(pair: Pair, shift: int) -> Law:
    source = np.arange(pair.n) - shift
    covers = (source >= 0) & (source < pair.n)
    covers &= pair.segment[source.clip(0, pair.n - 1)] == pair.segment
    seconds = shift * step_s(pair)
    ticks = f"{abs(shift)} tick{'s' if abs(shift) > 1 else ''}"
    return Law(
        "delay",
        f"b {'lags' if shift > 0 else 'leads'} a by {ticks} ({in_seconds(abs(seconds))})",
        1.3,
        functools.partial(np.roll, shift=shift, axis=0),
        {"ticks": float(shift), "seconds": seconds},
        pointwise=False,
        covers=covers if pair.a.ndim == 1 else np.repeat(covers[:, None], pair.width, axis=1),
    )


# of each value


def _turned_angles(pair: Pair) -> Iterator[Law]:
    """Angles about another zero, or in the other direction, and then wrapped."""
    for turn_name, turn in TURNS:
        for sign in (1.0, -1.0):
            turns = (pair.b - sign * pair.a) / turn
            circle = math.tau * turns
            is_one = math.hypot(float(np.cos(circle).mean()), float(np.sin(circle).mean()))
            if is_one < 1.0 - 1e-6 or np.ptp(np.rint(turns - turns[0])) == 0.0:
                continue
            at = float(np.median(turns - np.rint(turns - turns[0]))) * turn
            by = math.remainder(at, turn)
            words = "-a" if sign < 0 else "a"
            sentence = f"b is {words} {plus(by)}, plus whole turns of {turn_name}"
            yield Law(
                "affine+wrap" if sign < 0 else "offset+wrap",
                sentence,
                1.8,
                functools.partial(_turned, pair.b, sign, by, turn),
                {"scale": sign, "offset": by, "turn": turn},
                pointwise=False,
            )


def _turned(b: Floats, sign: float, by: float, turn: float, x: Floats) -> Floats:
    made = sign * x + by
    return made + np.rint((b - made) / turn) * turn


def _units_and_more(pair: Pair) -> Iterator[Law]:
    """In another unit, and then rounded, limited or off."""
    slope = median_slope(pair.a, pair.b)
    if not math.isfinite(slope):
        return
    for unit in units(
        pair, lambda factor, shift: not shift and abs(factor - slope) < _NEAR * slope
    ):
        yield from _then(pair, unit, _after_a_unit)


def _after_a_unit(pair: Pair) -> Iterator[Law]:
    laws = (*rounding_laws(pair), *offset(pair, _median), *clips(pair, True))
    yield from sorted((law for law in laws if law.pointwise), key=lambda law: law.cost)


def _limited(pair: Pair) -> Iterator[Law]:
    """Scaled, and then limited: by what lies between the limits."""
    a, b = pair.finite_values
    low, high = float(b.min()), float(b.max())
    free = (b > low) & (b < high) & (a != 0.0)
    if free.sum() < 20 or free.sum() > len(b) - 10:
        return
    by = float(np.median(b[free] / a[free]))
    if not math.isfinite(by) or abs(by) < 1e-12 or abs(by - 1.0) < 1e-9:
        return
    yield from _then(pair, _scaled(by), functools.partial(clips, exact=True))


def _scaled(by: float) -> Law:
    return Law("scale", f"b is a {times(by)}", 1.1, lambda x: x * by, {"scale": by})


# filters


def _with_gain(pair: Pair) -> Iterator[Law]:
    """A low-pass or an average that is scaled as well."""
    inside = has_last(pair)
    here, before = np.flatnonzero(inside), np.flatnonzero(inside) - 1
    p, q = _least_squares(pair.b[before], pair.a[here], pair.b[here])
    by = q / (1.0 - p) if p < 1.0 - 1e-6 else 0.0
    moves = abs(by) * float(np.std(pair.a)) > _NEAR * float(np.std(pair.b))
    if p > 1e-3 and moves and abs(by - 1.0) > 1e-6:
        tau = -step_s(pair) / math.log(p)
        sentence = (
            f"b is a {'with its sign changed' if abs(by + 1) < 1e-6 else times(by)}, through a "
            f"low-pass of first order, {in_seconds(tau)} of time constant"
        )
        yield Law(
            ("sign" if abs(by + 1.0) < 1e-6 else "scale") + "+low_pass",
            sentence,
            3.0,
            functools.partial(_filtered_times, pair, p, by),
            {"scale": by, "of_b": tau},
            pointwise=False,
            covers=_has_forgotten(pair, tau),
        )
    yield from _scaled_averages(pair)


def _scaled_averages(pair: Pair) -> Iterator[Law]:
    part = pair.part
    best: tuple[float, int] | None = None
    for average in averages_of(part, range(2, min(_LONGEST_MEAN, part.n // 4))):
        left = _times_that(part, average)[1]
        if best is None or left < best[0]:
            best = left, int(average.parameters["ticks"])
    for average in averages_of(pair, [best[1]] if best is not None else []):
        by, _ = _times_that(pair, average)
        if abs(by) > 1e-12 and abs(by - 1.0) > 1e-6:
            yield _both(_scaled(by), average, average.covers)


def _times_that(pair: Pair, average: Law) -> tuple[float, float]:
    """What times an average is nearest to b, and the mean square that is left."""
    assert average.covers is not None
    means, known = average.apply(pair.a)[average.covers], pair.b[average.covers]
    size = float(np.abs(means).max(initial=0.0)) or 1.0
    power = dot(means / size, means / size)
    by = dot(means / size, known) / power / size if power else 0.0
    return by, float(np.mean(np.square((known - by * means) / pair.unit)))


def _least_squares(x: Floats, y: Floats, z: Floats) -> tuple[float, float]:
    """The p and q for which p x + q y is nearest to z, all (n,); without the threads of LAPACK."""
    size = float(max(np.abs(side).max(initial=0.0) for side in (x, y, z))) or 1.0
    x, y, z = x / size, y / size, z / size
    power = dot(x, x)
    if not power:
        return 0.0, 0.0
    apart = y
    for _ in range(2):  # once more, for the last bits
        apart = apart - x * (dot(x, apart) / power)
    alone = dot(apart, apart)
    q = dot(apart, z) / alone if alone else 0.0
    return dot(x, z - q * y) / power, q


def _filtered_times(pair: Pair, p: float, by: float, x: Floats) -> Floats:
    return filtered(pair, by * x, p, 1.0 - p, 0.0)


def _smoothed(pair: Pair) -> Iterator[Law]:
    """Limited, or in another way changed at less than half of the ticks, and then smoothed."""
    inside = has_last(pair)
    last = np.concatenate([pair.b[:1], pair.b[:-1]])
    ahead = pair.a - last
    known = inside & (np.abs(ahead) > 1e-6 * pair.unit)
    if known.sum() < 50:
        return
    gain = float(np.median((pair.b - last)[known] / ahead[known]))
    if not 1e-3 < gain < 0.999:
        return
    target = last + (pair.b - last) / gain  # what b went towards
    towards = pair.rows(inside)
    towards = _with_b(towards, target[inside])
    for first in clips(towards, True):
        tau = -step_s(pair) / math.log(1.0 - gain)
        sentence = (
            f"{first.sentence}, and then through a low-pass of first order, "
            f"{in_seconds(tau)} of time constant"
        )
        yield Law(
            f"{first.name}+low_pass",
            sentence,
            first.cost + 2.0,
            functools.partial(_smooth, pair, gain, first.apply),
            {**first.parameters, "of_b": tau},
            pointwise=False,
            covers=_has_forgotten(pair, tau),
        )


def _has_forgotten(pair: Pair, tau: float) -> Mask:
    """(n,) ticks at which a low-pass of this time constant in s knows no more where it began."""
    forgotten: Mask = pair.position * step_s(pair) > _FORGOTTEN * tau
    return forgotten


def _smooth(pair: Pair, gain: float, first: Callable[[Floats], Floats], x: Floats) -> Floats:
    return filtered(pair, first(x), 1.0 - gain, gain, 0.0)


def _with_b(pair: Pair, b: Floats) -> Pair:
    return pair.exchanged.with_a(b).exchanged


def _median(values: Floats) -> float:
    return float(np.median(values))
