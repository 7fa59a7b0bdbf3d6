"""Laws in time: delays, drifts, other time steps, initial states that die away."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from ...message.arrays import Floats, Mask
from .pair import Law, Pair, dot, judge
from .regression import foretold

_FORETOLD = 0.2
_GOLDEN = (math.sqrt(5) - 1) / 2
_DRIFTS = ((1, "per second"), (2, "t², with t in seconds"))


def delays(pair: Pair) -> Iterator[Law]:
    """b[i] = a[i - k] for the whole k of best match, found by cross-correlation.

    If b leads, k < 0.
    """
    for shift in _best_shifts(pair):
        yield _delay(pair, shift)


def fractional_delays(pair: Pair) -> Iterator[Law]:
    """b(t) = a(t - tau) with a interpolated linearly between ticks.

    It is sought near the best whole delay, if that is near.
    """
    time = pair.time_s
    if pair.a.ndim != 1 or not _rises(pair) or not pair.finite.all():
        return
    step = step_s(pair)
    for shift in [*_best_shifts(pair, zero=True)][:1]:
        # Not even the nearest whole number of ticks explains half: no delay.
        whole = _shifted(pair, pair.a, shift)
        if judge(pair, whole, _covers(pair, shift)).explains < 0.5 and shift:
            return
        tau = _refined(pair, shift * step, step)
        covers = _covers(pair, math.floor(tau / step)) & _covers(pair, math.ceil(tau / step))
        if abs(tau) < 1e-3 * step or covers.mean() < 0.5:
            return
        yield Law(
            "delay",
            f"b {'lags' if tau > 0 else 'leads'} a by {in_seconds(abs(tau))} "
            f"({abs(tau) / step:.3g} ticks)",
            1.6,
            _interpolated(time, tau),
            {"ticks": tau / step, "seconds": tau},
            pointwise=False,
            covers=covers,
            roughly=f"b {'lags' if tau > 0 else 'leads'} a by about {in_seconds(abs(tau))} "
            f"({abs(tau) / step:.3g} ticks), but is no plain delay of it",
        )


def drifts(pair: Pair) -> Iterator[Law]:
    """b - a grows from the first tick on, with time or its square, also from an offset on."""
    time = pair.time_s - pair.time_s[0] if pair.n else pair.time_s
    if pair.n < 5 or (pair.is_integer and not pair.is_time) or not np.ptp(time):
        return
    weights = pair.finite.astype(np.float64)
    unit = " s" if pair.is_time else ""
    for power, words in _DRIFTS:
        basis = time**power
        shaped = basis if pair.a.ndim == 1 else np.repeat(basis[:, None], pair.width, axis=1)
        rate = float(np.sum(pair.difference * shaped) / np.sum(weights * shaped * shaped))
        if rate and math.isfinite(rate):
            si = rate * (1e-9 if pair.is_time else 1.0)
            yield Law(
                "drift",
                f"b drifts from a by {_signed(si)}{unit} {words}",
                1.4 + 0.1 * power,
                _added(shaped, rate),
                {"rate": si, "power": float(power)},
                pointwise=False,
                held_out="later",
                roughly=f"b drifts from a by about {_signed(si)}{unit} {words}, but not evenly",
            )
    yield from _offset_and_drift(pair, time)


def rates(pair: Pair) -> Iterator[Law]:
    """b grows s times as fast as a from the same start.

    It may be integrated with another time step or gain.
    """
    if pair.a.ndim != 1 or not pair.has_zero or pair.n < 5 or not pair.finite[0]:
        return
    start = float(pair.a[0])
    a, b = (values - start for values in pair.finite_values)
    unit = float(np.abs(a).max()) or 1.0
    power = dot(a / unit, a / unit)
    if not start or not power:
        return
    by = dot(a / unit, b) / power / unit
    if abs(by) > 1e-12 and math.isfinite(by):
        yield Law(
            "rate",
            f"b grows {by:.6g} times as fast as a, from the same start (another time step?)",
            1.5,
            lambda x: start + (x - start) * by,
            {"scale": by, "start": start},
        )


def decays(pair: Pair) -> Iterator[Law]:
    """b starts off a and converges exponentially, in time or by ticks: another initial state."""
    d = pair.difference
    if pair.a.ndim != 1 or pair.n < 10 or not _rises(pair) or not pair.finite.all():
        return
    quarter = pair.n // 4
    early, late = (
        math.sqrt(float(np.mean(np.square(part)))) for part in (d[:quarter], d[-quarter:])
    )
    if not early or late > 0.5 * early or abs(d[0]) < 0.3 * np.abs(d).max():
        return
    at, step = np.arange(pair.n, dtype=np.float64), step_s(pair)
    for time, unit in ((pair.time_s - pair.time_s[0], 1.0), (at, step)):
        first, tau = _polished(d / pair.unit, time, _time_constant(d / pair.unit, time))
        if not (math.isfinite(first) and 0 < tau < time[-1]):
            continue
        first *= pair.unit
        yield Law(
            "initial_state",
            f"b starts {_signed(first)} off a and converges "
            f"with a time constant of {in_seconds(tau * unit)}",
            2.2,
            _added(np.exp(-time / tau), first),
            {"initial": first, "time_constant": tau * unit},
            pointwise=False,
        )


def wanders(pair: Pair) -> Iterator[Law]:
    """The difference is a random walk: errors that add up. This does not say what b is."""
    d = pair.difference / pair.unit
    if d.ndim != 1 or pair.n < 200 or not _one_rising_series(pair) or not pair.finite.all():
        return
    steps = np.diff(d)
    per_tick = float(steps.std())
    spread = float(pair.a.std()) / pair.unit
    if not per_tick or abs(d[0]) > 5 * per_tick or float(d.std()) > 0.2 * spread:
        return
    lag = max(2, pair.n // 40)
    ratio = float(np.var(d[lag:] - d[:-lag])) / (lag * per_tick**2)
    if 0.4 <= ratio <= 2.5 and float(np.mean(np.square(d))) > (5 * per_tick) ** 2:
        # Steps that a, or the difference so far, foretells are no errors that add up by chance.
        if _are_foretold(steps, d, pair.a / pair.unit):
            return
        size = per_tick * pair.unit
        sentence = f"b wanders from a as errors do that add up (about {size:.3g} a tick)"
        yield Law("wander", sentence, 3.0, np.positive, {"per_tick": size})


def _are_foretold(steps: Floats, d: Floats, a: Floats) -> bool:
    """Whether the steps of a difference, their sizes or their signs depend on a or on those before.

    `d` and `a` are (n,), the steps between (n - 1,).
    """
    moves, before = np.diff(a), np.concatenate([[0.0], steps[:-1]])
    signs = [np.sign(side) for side in (moves, moves * a[1:], before)]
    return any(
        foretold(values, known) > _FORETOLD
        for values, known in (
            (steps, [moves, d[:-1], before]),
            (_sizes(steps), [_sizes(moves)]),
            (np.sign(steps), signs),
        )
    )


def _sizes(values: Floats) -> Floats:
    """Orders of magnitude, so that a few large values do not outweigh all others."""
    sizes = np.abs(values)
    logarithms: Floats = np.log10(np.maximum(sizes, 1e-12 * (sizes.max(initial=0.0) or 1.0)))
    return logarithms


def _delay(pair: Pair, shift: int) -> Law:
    seconds = shift * step_s(pair)
    ticks = f"{abs(shift)} tick{'s' if abs(shift) > 1 else ''}"
    lags = "lags" if shift > 0 else "leads"
    return Law(
        "delay",
        f"b {lags} a by {ticks} ({in_seconds(abs(seconds))})",
        1.3,
        lambda x: _shifted(pair, x, shift),
        {"ticks": float(shift), "seconds": seconds},
        pointwise=False,
        covers=_covers(pair, shift),
        roughly=f"b {lags} a by about {ticks} ({in_seconds(abs(seconds))}), "
        "but is no plain delay of it",
    )


def _shifted(pair: Pair, x: Floats, shift: int) -> Floats:
    return np.roll(x, shift, axis=0)


def _covers(pair: Pair, shift: int) -> Mask:
    """Ticks whose source is in the same window, in the shape of b."""
    source = np.arange(pair.n) - shift
    inside = (source >= 0) & (source < pair.n)
    inside &= pair.segment[source.clip(0, pair.n - 1)] == pair.segment
    return inside if pair.a.ndim == 1 else np.repeat(inside[:, None], pair.width, axis=1)


def _best_shifts(pair: Pair, zero: bool = False) -> list[int]:
    """The shift of least mean square, and the smallest that is about as good.

    Periods later, others are about as good too.
    """
    errors = pair.mismatch
    longest = len(errors) // 2
    if longest < 1:
        return []
    shifts = np.arange(-longest, longest + 1)
    still = float(errors[longest])
    if not zero:
        errors = np.where(shifts == 0, np.inf, errors)
    least = float(errors.min())
    if not math.isfinite(least):
        return []
    padded = np.concatenate([[np.inf], errors, [np.inf]])
    low = (errors <= padded[:-2]) & (errors <= padded[2:])
    good = shifts[low & (errors <= 1.1 * least + 1e-9 * still)]
    nearest = good[np.argsort(np.abs(good), kind="stable")][:2]
    return list(dict.fromkeys([*nearest.tolist(), int(shifts[int(np.argmin(errors))])]))


def _refined(pair: Pair, around: float, step: float) -> float:
    """The delay in s of least squares within a tick of `around`; on part of a long series."""
    part = np.flatnonzero(pair.segment == pair.segment[0])[:4000]
    time, a, b = pair.time_s[part], pair.a[part] / pair.unit, pair.b[part] / pair.unit
    inside = (time >= time[0] + abs(around) + step) & (time <= time[-1] - abs(around) - step)
    if inside.sum() < 10:
        return 0.0

    def error(tau: float) -> float:
        return float(np.mean(np.square(np.interp(time[inside] - tau, time, a) - b[inside])))

    return least(error, around - step, around + step, 20)


def least(error: Callable[[float], float], low: float, high: float, rounds: int) -> float:
    """Where a function of one valley is least, by golden section.

    It comes 1.6 times closer in each round.
    """
    left, right = (high - (high - low) * _GOLDEN, low + (high - low) * _GOLDEN)
    at_left, at_right = error(left), error(right)
    for _ in range(rounds):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - (high - low) * _GOLDEN
            at_left = error(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + (high - low) * _GOLDEN
            at_right = error(right)
    return (low + high) / 2


def _interpolated(time: Floats, tau: float) -> functools.partial[Floats]:
    return functools.partial(_interpolate, time, tau)


def _interpolate(time: Floats, tau: float, x: Floats) -> Floats:
    values: Floats = np.interp(time - tau, time, x)
    return values


def _added(shape: Floats, by: float) -> functools.partial[Floats]:
    return functools.partial(np.add, shape * by)


def _offset_and_drift(pair: Pair, time: Floats) -> Iterator[Law]:
    if pair.a.ndim != 1:
        return
    t, d = time[pair.finite], pair.difference[pair.finite]
    centred = t - t.mean() if len(t) else t
    power = dot(centred, centred)
    if len(t) < 5 or not power:
        return
    rate = dot(centred, d) / power
    first = float(d.mean()) - rate * float(t.mean())
    si, unit = (1e-9, " s") if pair.is_time else (1.0, "")
    if rate and math.isfinite(rate):
        yield Law(
            "drift",
            f"b starts {_signed(first * si)}{unit} off a "
            f"and drifts by {_signed(rate * si)}{unit} per second",
            2.3,
            functools.partial(np.add, first + rate * time),
            {"offset": first * si, "rate": rate * si, "power": 1.0},
            pointwise=False,
            held_out="later",
            roughly=f"b starts about {_signed(first * si)}{unit} off a "
            f"and drifts by about {_signed(rate * si)}{unit} per second, but not evenly",
        )


def _time_constant(d: Floats, time: Floats) -> float:
    """The tau in s for which exp(-t / tau) leaves least of d.

    It is sought between a tenth of a tick and the whole record.
    """
    part = slice(None, 4000)
    d, time = d[part], time[part]
    low, high = math.log(0.1 * float(np.median(np.diff(time)))), math.log(float(time[-1]))

    def left(log_tau: float) -> float:
        shape = np.exp(-time / math.exp(log_tau))
        return -(dot(d, shape) ** 2) / dot(shape, shape)

    grid = np.linspace(low, high, 24)
    best = grid[int(np.argmin([left(x) for x in grid]))]
    width = float(grid[1] - grid[0])
    return math.exp(least(left, best - width, best + width, 20))


def _polished(d: Floats, time: Floats, tau: float) -> tuple[float, float]:
    """Initial difference and tau after some steps of Gauss and Newton, to the last bits."""
    shape = np.exp(-time / tau)
    first = dot(d, shape) / dot(shape, shape)
    for _ in range(4):
        shape = np.exp(-time / tau)
        slopes = np.stack([shape, first * shape * time / tau**2], axis=1)
        by_first, by_tau = np.linalg.lstsq(slopes, d - first * shape, rcond=None)[0]
        first, tau = first + float(by_first), tau + float(by_tau)
        if not (math.isfinite(first) and tau > 0):
            break
    return first, tau


def _rises(pair: Pair) -> bool:
    return pair.n >= 20 and bool(np.all(np.diff(pair.time_s) > 0))


def _one_rising_series(pair: Pair) -> bool:
    return _rises(pair) and bool((pair.segment == pair.segment[0]).all())


def step_s(pair: Pair) -> float:
    """The median time between ticks, in seconds."""
    steps = np.diff(pair.time_s)[np.diff(pair.segment) == 0]
    return float(np.median(steps)) if len(steps) else 0.0


def in_seconds(value: float) -> str:
    """A time as text."""
    return f"{value:.3f} s" if value >= 0.01 else f"{value:.3g} s"


def _signed(value: float) -> str:
    return f"{value:+.6g}"
