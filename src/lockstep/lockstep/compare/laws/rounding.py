"""Laws of rounding.

To float32, float16 or bfloat16, to decimals or a grid, to whole numbers, in the last bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ...message.arrays import Floats
from .pair import Law, Pair

_FLOAT32_EPS = 2.0**-23
_MOST_ULPS = 8.0
_WHOLE: tuple[tuple[str, str, Callable[[Floats], Floats]], ...] = (
    ("round", "a rounded to whole numbers", np.rint),
    ("trunc", "a cut off to whole numbers, towards zero", np.trunc),
    ("floor", "a rounded down to whole numbers", np.floor),
    ("ceil", "a rounded up to whole numbers", np.ceil),
)
_TIME_GRIDS = (("microseconds", 1e3), ("milliseconds", 1e6), ("seconds", 1e9))
_GRID_SAMPLE = 4000


def rounding_laws(pair: Pair) -> Iterator[Law]:
    """Ways to lose digits; they hold exactly or not at all."""
    if pair.is_time:
        yield from _times(pair)
    elif not pair.is_integer:
        farthest = float(np.abs(pair.probe.difference).max(initial=0.0))
        yield from _floats()
        if 0.0 < farthest <= 1.0:
            yield from _whole_numbers(1.0, "", {})
            # Rounding moves some value by half of its last digit, or nearly.
            digits = math.floor(-math.log10(farthest))
            for one in range(max(1, digits - 1), digits + 1):
                yield from _decimals(one)
        yield from _grid(pair)
    elif not pair.base:
        yield from _grid(pair)


def last_bits(pair: Pair) -> Iterator[Law]:
    """Differences of a few ulp, such as another order of additions makes."""
    if not pair.is_integer:
        yield from _within_ulps(pair, "last_bits", "the last bits", pair.eps)


def coarse_arithmetic(pair: Pair) -> Iterator[Law]:
    """Rounding on the way, which leaves b close but unpredicted.

    Float32 arithmetic, and whole numbers by 1.
    """
    if pair.is_time:
        yield from _within_float_seconds(pair)
    elif pair.is_integer:
        yield from _within_one(pair)
    else:
        words = "the precision of float32"
        yield from _within_ulps(pair, "float32_arithmetic", words, _FLOAT32_EPS)


def _within_ulps(pair: Pair, law: str, words: str, eps: float) -> Iterator[Law]:
    if not pair.finite[pair.differs].all():
        return
    size = np.maximum(np.abs(pair.a), np.abs(pair.b))
    allowed = eps * np.maximum(size, _typical(size[np.isfinite(size)]))
    ulps = float((np.abs(pair.difference) / allowed)[pair.differs].max(initial=0.0))
    # Less than some hundredths of an ulp has another cause.
    if 0.02 < ulps <= _MOST_ULPS:
        sentence = f"b is a but for {words} (up to {math.ceil(ulps)} ulp)"
        yield Law(law, sentence, 0.0, np.positive, {"ulps": ulps})


def _typical(values: Floats) -> float:
    unit = float(values.max(initial=0.0)) or 1.0
    return unit * math.sqrt(float(np.mean(np.square(values / unit)))) if values.size else 0.0


def _floats() -> Iterator[Law]:
    for name, cost, apply in (
        ("float32", 0.1, _as(np.float32)),
        ("float16", 0.2, _as(np.float16)),
        ("bfloat16", 0.2, _bfloat16),
    ):
        sentence, lost = f"b is a rounded to {name}", f"the rounding to {name}"
        yield Law(name, sentence, cost, apply, {}, as_a_has=lost)


def _as(kind: type[np.floating]) -> Callable[[Floats], Floats]:
    return lambda x: x.astype(kind).astype(np.float64)


def _bfloat16(x: Floats) -> Floats:
    bits = x.astype(np.float32).view(np.uint32)
    even = (bits >> np.uint32(16)) & np.uint32(1)
    kept = (bits + np.uint32(0x7FFF) + even) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(x), kept.view(np.float32).astype(np.float64), x)


def _whole_numbers(step: float, words: str, more: dict[str, float]) -> Iterator[Law]:
    for law, described, to_whole in _WHOLE:
        made = described.replace("whole numbers", words or "whole numbers")
        apply, cost = _to_grid(to_whole, step), 0.3 if step == 1.0 else 1.3
        lost = made.removeprefix("a ")
        yield Law(law, f"b is {made}", cost, apply, more, as_a_has=f"values {lost}")
    away = _to_grid(_half_away, step)
    what = words or "whole numbers"
    cost = 0.4 if step == 1.0 else 1.4
    yield Law(
        "round_half_away", f"b is a rounded to {what}, halves away from zero", cost, away, more
    )


def _half_away(x: Floats) -> Floats:
    away: Floats = np.copysign(np.floor(np.abs(x) + 0.5), x)
    return away


def _to_grid(to_whole: Callable[[Floats], Floats], step: float) -> Callable[[Floats], Floats]:
    if step == 1.0:
        return to_whole
    return lambda x: to_whole(x / step) * step


def _decimals(digits: int) -> Iterator[Law]:
    power = 10.0**digits
    yield Law(
        "decimals",
        f"b is a rounded to {digits} decimal{'s' if digits > 1 else ''}",
        0.5 + 0.01 * digits,
        lambda x: np.round(x, digits),
        {"digits": float(digits)},
        as_a_has=f"{digits} decimal{'s' if digits > 1 else ''} only",
    )
    yield Law(
        "decimals_cut",
        f"b is a cut off after {digits} decimal{'s' if digits > 1 else ''}",
        0.7 + 0.01 * digits,
        lambda x: np.trunc(x * power) / power,
        {"digits": float(digits)},
    )


def _grid(pair: Pair) -> Iterator[Law]:
    """b in multiples of a step, the smallest distance between its values, as of coarse sensors."""
    _, b = pair.finite_values
    values = np.unique(b[:_GRID_SAMPLE])
    if not 3 <= len(values) <= min(len(b), _GRID_SAMPLE) // 2:
        return
    gaps = np.diff(values)
    step = float(gaps.min())
    if pair.is_integer and step <= 1.0:
        return
    wide = float(values[-1] - values[0])
    if wide > 0 and step > 1e-9 * wide:
        step = wide / max(1.0, float(np.rint(wide / step)))
        yield from _whole_numbers(step, f"multiples of {step:.6g}", {"step": step})


def _times(pair: Pair) -> Iterator[Law]:
    for words, grid in _TIME_GRIDS:
        for law, described, to_whole in _WHOLE[:3:2]:
            sentence = f"b is {described.replace('whole numbers', f'whole {words}')}"
            yield Law(law, sentence, 0.5, _to_grid(to_whole, grid), {"step": grid * 1e-9})


def _within_float_seconds(pair: Pair) -> Iterator[Law]:
    """Seconds since 1970 in a double, of 53 bits, are good to some 0.2 us."""
    largest = float(np.abs(pair.a + pair.base).max(initial=0.0))
    distance = float(np.abs(pair.difference).max(initial=0.0))
    if 0 < distance <= 2.0 * np.finfo(np.float64).eps * largest:
        sentence = f"b is a but for the precision of a float64 (up to {distance:.0f} ns)"
        yield Law("float64_time", sentence, 0.0, np.positive, {"ns": distance})


def _within_one(pair: Pair) -> Iterator[Law]:
    """Whole numbers that differ by 1 at most, to one side (of zero): rounded in different ways."""
    if pair.raw.dtype.kind == "b" or not pair.has_zero or np.ptp(pair.a) < 20:
        return
    share = float(pair.differs.mean())
    if np.abs(pair.difference).max(initial=0.0) != 1.0 or not 0.05 <= share <= 0.95:
        return
    outward = pair.difference * np.where(pair.a + pair.b < 0, -1.0, 1.0)
    if any(towards.min() >= 0.0 or towards.max() <= 0.0 for towards in (pair.difference, outward)):
        sentence = "b differs from a by at most 1, as rounding does from cutting off"
        yield Law("integer_rounding", sentence, 0.5, np.positive, {"share": share})
