"""Laws that give each value of `b` from the same value of `a`: offset, unit, scale, clip, …"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ...message.arrays import Floats
from .pair import Law, Pair, dot

TURNS = (("2 pi", math.tau), ("360", 360.0))
_HALF_TURNS = (("pi", math.pi), ("180", 180.0))
_SAME = 1e-6
_FEW_TURNS = 1000
_MOST_SLOPES = 4000

_LENGTH = "position translation range linear dist length radius width height depth"
_TIME = "time dur period stamp delay latency age"
# (what b is, factor, offset, words of a path that make this reading likely)
UNITS: tuple[tuple[str, float, float, str], ...] = (
    ("in degrees", 180 / math.pi, 0.0, ""),
    ("in radians", math.pi / 180, 0.0, ""),
    ("in mm", 1e3, 0.0, _LENGTH),
    ("in cm", 1e2, 0.0, _LENGTH),
    ("in m instead of mm", 1e-3, 0.0, _LENGTH),
    ("in m instead of cm", 1e-2, 0.0, _LENGTH),
    ("in ms", 1e3, 0.0, _TIME),
    ("in us", 1e6, 0.0, _TIME),
    ("in ns", 1e9, 0.0, _TIME),
    ("in s instead of ms", 1e-3, 0.0, _TIME),
    ("in s instead of us", 1e-6, 0.0, _TIME),
    ("in s instead of ns", 1e-9, 0.0, _TIME),
    ("in a unit 1000 times smaller, as mm for m, m for km or ms for s", 1e3, 0.0, ""),
    ("in a unit 1000 times larger, as m for mm, km for m or s for ms", 1e-3, 0.0, ""),
    ("in a unit 100 times smaller, as cm for m or percent", 1e2, 0.0, ""),
    ("in a unit 100 times larger, as m for cm", 1e-2, 0.0, ""),
    ("in a unit 1e6 times smaller, as us for s", 1e6, 0.0, ""),
    ("in a unit 1e6 times larger, as s for us", 1e-6, 0.0, ""),
    ("in a unit 1e9 times smaller, as ns for s", 1e9, 0.0, ""),
    ("in a unit 1e9 times larger, as s for ns", 1e-9, 0.0, ""),
    ("in km/h instead of m/s", 3.6, 0.0, ""),
    ("in m/s instead of km/h", 1 / 3.6, 0.0, ""),
    ("in rad/s instead of rpm", math.tau / 60, 0.0, ""),
    ("in rpm instead of rad/s", 60 / math.tau, 0.0, ""),
    ("in m/s² instead of g", 9.80665, 0.0, ""),
    ("in m/s² instead of g", 9.81, 0.0, ""),
    ("in g instead of m/s²", 1 / 9.80665, 0.0, ""),
    ("in g instead of m/s²", 1 / 9.81, 0.0, ""),
    ("in kelvin instead of degrees Celsius", 1.0, 273.15, ""),
    ("in degrees Celsius instead of kelvin", 1.0, -273.15, ""),
    ("in degrees Fahrenheit instead of Celsius", 1.8, 32.0, ""),
    ("in degrees Celsius instead of Fahrenheit", 1 / 1.8, -32 / 1.8, ""),
)


def simple_laws(pair: Pair) -> Iterator[Law]:
    """Laws without parameters, from the simplest on."""
    if pair.is_flag:
        yield Law("inverted", "b is not a", 0.0, lambda a: 1.0 - a, {})
    elif pair.has_zero:
        yield Law("sign", "b is -a", 0.0, np.negative, {})
        yield Law("magnitude", "b is |a|", 0.1, np.abs, {}, as_a_has="no sign")
        yield from _units(pair)
        yield Law("reciprocal", "b is 1 / a", 0.4, _reciprocal, {})
        yield Law("square", "b is a²", 0.4, np.square, {})
        yield Law("root", "b is the square root of a", 0.4, np.sqrt, {})
        yield from _wraps(pair)
    elif pair.is_time:
        yield from _carry(pair)


def mean(pair: Pair) -> Iterator[Law]:
    """What is left to say of an offset where b is not just a and an offset."""
    a, b = pair.finite_values
    if len(a) < 2:
        return
    by = float((b - a).mean())
    if by:
        yield Law(
            "mean",
            f"b is a {_plus(pair, by)} on average",
            1.2,
            lambda x: x + by,
            {"offset": _si(pair, by)},
        )


def offset(pair: Pair, average: Callable[[Floats], float]) -> Iterator[Law]:
    """b = a + c with c an average (median or mean) of the difference."""
    a, b = pair.finite_values
    if len(a) < 2:
        return
    by = average(b - a)
    if by:
        yield Law(
            "offset", f"b is a {_plus(pair, by)}", 1.0, lambda x: x + by, {"offset": _si(pair, by)}
        )


def scale(pair: Pair, robust: bool) -> Iterator[Law]:
    """b = s a, with s the median of the ratios of larger values, or the least squares."""
    a, b = pair.finite_values
    if pair.is_flag or not pair.has_zero or len(a) < 2 or not np.abs(a).max(initial=0.0):
        return
    if robust:
        large = np.abs(a) >= np.median(np.abs(a[a != 0.0]))
        by = float(np.median(b[large] / a[large]))
    else:
        unit = float(np.abs(a).max())
        by = dot(a / unit, b) / dot(a / unit, a / unit) / unit
    if not math.isfinite(by) or abs(by) < 1e-12 or not _varied(a, b, 2):
        return
    if by < 0.0 and (known := _unit_of(pair, -by)) is not None:
        sentence = f"b is -a {known} ({times(by)})"
        yield Law("sign+unit", sentence, 1.05, lambda x: x * by, {"scale": by})
    yield Law("scale", f"b is a {times(by)}", 1.1, lambda x: x * by, {"scale": by})


def affine(pair: Pair, robust: bool) -> Iterator[Law]:
    """b = s a + c, by medians of slopes and rests (Theil-Sen on n/2 pairs) or least squares."""
    a, b = pair.finite_values
    if pair.is_flag or not pair.has_zero or not _varied(a, b, 3):
        return
    slope = median_slope(a, b) if robust else _least_squares_slope(a, b)
    if not math.isfinite(slope) or abs(slope) < 1e-12:
        return
    rest = b - slope * a
    by = float(np.median(rest) if robust else rest.mean())
    if (unit := _unit_of(pair, slope)) is not None:
        yield Law(
            "unit+offset",
            f"b is a {unit} ({times(slope)}) {plus(by)}",
            1.9,
            lambda x: x * slope + by,
            {"scale": slope, "offset": by},
        )
    yield Law(
        "affine",
        f"b is a {times(slope)} {plus(by)}",
        2.0,
        lambda x: x * slope + by,
        {"scale": slope, "offset": by},
    )


def constant(pair: Pair) -> Iterator[Law]:
    """b is one value throughout, whether a moves or not."""
    a, b = pair.a, pair.b
    if not a.size or pair.n < 3:
        return
    value = float(np.median(b)) if not np.isnan(b).all() else math.nan
    if math.isnan(value) and np.isnan(a).any():
        return
    # The median is NaN already if any element is.
    is_still = bool((a == a.flat[0]).all())
    yield Law(
        "constant",
        f"b is {_shown(pair, value)} throughout"
        + (f", a is {_shown(pair, float(a.flat[0]))}" if is_still else ""),
        1.05,
        lambda x: np.full(x.shape, value),
        {"value": value + pair.base},
    )


def is_constant(pair: Pair) -> bool:
    """Whether b is the same number at all ticks, so that no law of a tells more than that."""
    return pair.n > 2 and bool((pair.b == pair.b.flat[0]).all())


def clips(pair: Pair, exact: bool) -> Iterator[Law]:
    """b = clip(a, low, high), with either limit or both; b = 0 in a dead band around zero."""
    a, b = pair.finite_values
    if pair.is_time or pair.raw.dtype.kind == "b" or len(a) < 3:
        return
    low, high = float(b.min()), float(b.max())
    if low == high:
        return
    if not exact:
        low, high = -_level(-a, -b, -low), _level(a, b, high)
    above, below = a > high, a < low
    shown = [f"{limit + pair.base:.6g}" for limit in (low, high)]
    limits = {"low": low + pair.base, "high": high + pair.base}
    if above.any() and below.any():
        yield Law(
            "clip",
            f"b is a limited to {shown[0]} … {shown[1]}",
            2.1,
            lambda x: np.clip(x, low, high),
            limits,
            as_a_has=f"the limits {shown[0]} … {shown[1]}",
        )
    elif above.any():
        yield Law(
            "clip",
            f"b is a limited to at most {shown[1]}",
            1.2,
            lambda x: np.minimum(x, high),
            {"high": limits["high"]},
            as_a_has=f"the limit of at most {shown[1]}",
        )
    elif below.any():
        yield Law(
            "clip",
            f"b is a limited to at least {shown[0]}",
            1.2,
            lambda x: np.maximum(x, low),
            {"low": limits["low"]},
            as_a_has=f"the limit of at least {shown[0]}",
        )
    if pair.has_zero and exact:
        yield from _dead_band(a, b)


def _level(a: Floats, b: Floats, high: float) -> float:
    """The limit of a in noise: the mean of b wherever a is above it."""
    for _ in range(20):
        above = b[a > high]
        lower = float(above.mean()) if len(above) else high
        if lower >= high:
            break
        high = lower
    return high


def _dead_band(a: Floats, b: Floats) -> Iterator[Law]:
    silent = (b == 0.0) & (a != 0.0)
    if silent.sum() >= 2:
        limit = float(np.abs(a[silent]).max())
        yield Law(
            "dead_band",
            f"b is 0 where |a| is up to {limit:.6g}, and a elsewhere",
            1.3,
            lambda x: np.where(np.abs(x) <= limit, 0.0, x),
            {"limit": limit},
            as_a_has=f"0 where it is up to {limit:.6g} (a dead band)",
        )
    width = float(np.median((np.abs(a) - np.abs(b))[b != 0.0])) if (b != 0.0).any() else 0.0
    if width > 0.0:
        yield Law(
            "dead_band",
            f"b is a, less {width:.6g} towards 0, and 0 where |a| is less",
            1.3,
            lambda x: np.sign(x) * np.maximum(np.abs(x) - width, 0.0),
            {"limit": width},
            as_a_has=f"{width:.6g} less, towards 0",
        )


def recoding(pair: Pair) -> Iterator[Law]:
    """Whole numbers of few kinds, as states: each value of a always becomes the same of b."""
    if not pair.is_integer or not pair.has_zero or pair.a.size < 20:
        return
    values = np.unique(pair.a)
    if not 2 <= len(values) <= 16:
        return
    index = np.searchsorted(values, pair.a.ravel())
    counts = np.bincount(index)
    new = np.rint(np.bincount(index, weights=pair.b.ravel()) / counts)
    changed = np.flatnonzero(new != values)
    if counts.min() < 3 or not len(changed) or len(np.unique(new)) < 2:
        return
    words = ", ".join(f"{new[i]:.0f} where a is {values[i]:.0f}" for i in changed)
    yield Law(
        "recoded",
        f"b is {words}",
        1.5 + len(changed),
        lambda x: new[np.searchsorted(values, x).clip(0, len(values) - 1)],
        {f"{values[i]:.0f}": float(new[i]) for i in changed},
    )


def plus(by: float) -> str:
    """A summand as it follows 'a': '+ 0.25' or '- 0.25'."""
    return f"{'-' if by < 0 else '+'} {abs(by):.6g}"


def times(by: float) -> str:
    """A factor as it follows 'a': '× 1.5', or '× (1 + 2e-09)' where it would read as 1."""
    shown = f"{by:.6g}"
    if abs(by) != 1.0 and shown in ("1", "-1"):
        return f"× ({shown} {plus(by - float(shown))})"
    return f"× {shown}"


def _shown(pair: Pair, value: float) -> str:
    return f"{int(value) + pair.base}" if pair.base else f"{value:.6g}"


def _plus(pair: Pair, by: float) -> str:
    if pair.is_time:
        return f"{'-' if by < 0 else '+'} {abs(by) * 1e-9:.9f}".rstrip("0").rstrip(".") + " s"
    return plus(by)


def _si(pair: Pair, by: float) -> float:
    return by * 1e-9 if pair.is_time else by


def _units(pair: Pair) -> Iterator[Law]:
    fitting = _fitting_units(pair)
    yield from units(pair, lambda factor, shift: (factor, shift) in fitting)


def units(pair: Pair, fits: Callable[[float, float], bool]) -> Iterator[Law]:
    """The changes of unit whose factor and offset fit, the likeliest of the same ones only."""
    path = pair.paths[0].lower()
    likely = sorted(UNITS, key=lambda row: not any(word in path for word in row[3].split()))
    seen: set[tuple[float, float]] = set()
    for name, factor, shift, words in likely:
        hinted = any(word in path for word in words.split())
        if (words and not hinted) or (factor, shift) in seen or not fits(factor, shift):
            continue
        seen.add((factor, shift))
        formula = "" if factor == 1.0 else f"× {factor:.6g}"
        formula += f" {plus(shift)}" if shift else ""
        yield Law(
            "unit",
            f"b is a {name} ({formula.strip()})",
            0.3,
            _line(factor, shift),
            {"scale": factor, "offset": shift},
        )


def _unit_of(pair: Pair, by: float) -> str | None:
    """What a number times this is called: `in degrees`."""
    law = next(units(pair, lambda factor, shift: not shift and abs(factor / by - 1) < _SAME), None)
    return law.sentence.removeprefix("b is a ").rpartition(" (")[0] if law else None


def _fitting_units(pair: Pair) -> set[tuple[float, float]]:
    """The units that halve most differences at least; all at once, as there are many."""
    a, b = pair.probe.finite_values
    if not len(a):
        return set()
    factors, shifts = (np.array([row[i] for row in UNITS]) for i in (1, 2))
    rest = np.abs(a[:, None] * factors + shifts - b[:, None])
    fitting = np.median(rest, axis=0) < 0.5 * np.median(np.abs(b - a))
    return {row[1:3] for row, fits in zip(UNITS, fitting.tolist(), strict=True) if fits}


def _line(factor: float, shift: float) -> Callable[[Floats], Floats]:
    return lambda x: x * factor + shift


def _reciprocal(x: Floats) -> Floats:
    inverse: Floats = 1.0 / x
    return inverse


def _wraps(pair: Pair) -> Iterator[Law]:
    for name, turn in TURNS:
        # If nothing else speaks of angles, 360 is rather an offset.
        if _is_whole_turns(pair, turn, 0 if turn == 360.0 else None):
            sentence = f"b is a plus whole turns of {name}: the same angle"
            yield Law("wrap", sentence, 0.6, _add_turns(pair, turn), {"turn": turn}, False)
    for name, turn in _HALF_TURNS:
        if _is_whole_turns(pair, turn, 0):
            sentence = f"b is a plus half turns, of {name} (atan or atan2?)"
            yield Law("wrap", sentence, 0.7, _add_turns(pair, turn), {"turn": turn}, False)


def _is_whole_turns(pair: Pair, turn: float, still: int | None) -> bool:
    """Whether b is a and turns, not the same at all ticks, of which some must be `still`."""
    parts = pair.difference[pair.finite] / turn
    turns = np.rint(parts)
    least, most = float(turns.min(initial=0.0)), float(turns.max(initial=0.0))
    if not parts.size or least == most or max(-least, most) > _FEW_TURNS:
        return False
    if still is not None and ((turns == turns[0]).all() or not (turns == still).any()):
        return False
    # Any two values are within half a turn of each other after wrapping: demand far better,
    # of those with the fewer turns as well.
    other = turns != np.median(turns)
    return max(_rms(parts - turns), _rms((parts - turns)[other])) <= 0.05


def _carry(pair: Pair) -> Iterator[Law]:
    """Stamps that are whole seconds off at some ticks, but not at all."""
    seconds = pair.difference * 1e-9
    whole = np.rint(seconds)
    if (whole != 0.0).any() and (whole == 0.0).any() and np.abs(seconds - whole).max() < 1e-6:
        sentence = "b is whole seconds off a at some ticks: no carry from nanoseconds?"
        yield Law("carry", sentence, 0.5, _add_turns(pair, 1e9), {}, pointwise=False)


def _rms(values: Floats) -> float:
    return math.sqrt(dot(values, values) / values.size) if values.size else 0.0


def _add_turns(pair: Pair, turn: float) -> Callable[[Floats], Floats]:
    return lambda x: x + np.rint((pair.b - x) / turn) * turn


def _varied(a: Floats, b: Floats, points: int) -> bool:
    """Whether there are enough points (a, b), spread along a, for a fit to say something."""
    if len(a) <= points:
        return False
    if points == 2:
        return bool((a != a[0]).any())
    values = np.unique(a[:: len(a) // 1000 + 1])
    return len(values) >= points


def median_slope(a: Floats, b: Floats) -> float:
    """The median of the slopes between n/2 pairs of points (n,), the lower half and the upper."""
    step = len(a) // _MOST_SLOPES + 1
    a, b = a[::step], b[::step]
    order = np.argsort(a, kind="stable")
    half = len(a) // 2
    low, high = order[:half], order[-half:]
    apart = a[high] - a[low]
    wide = apart > 0
    if not wide.any():
        return math.nan
    return float(np.median((b[high] - b[low])[wide] / apart[wide]))


def _least_squares_slope(a: Floats, b: Floats) -> float:
    unit = float(np.abs(a).max()) or 1.0
    centred = a / unit - (a / unit).mean()
    power = dot(centred, centred)
    return dot(centred, b - b.mean()) / power / unit if power else math.nan
