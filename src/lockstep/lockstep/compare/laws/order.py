"""Laws of order: elements of arrays that are sorted, values that are left out or come twice."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from ...message.arrays import Floats, Int64s, Mask
from .filters import is_series
from .pair import EXACT_SHARE, Law, Pair

_LONGEST = 32
_PROBE = 256


def orders(pair: Pair) -> Iterator[Law]:
    """Arrays (n, k) whose elements are sorted, or the same in another order at each tick."""
    if pair.a.ndim != 2 or pair.joined or pair.width < 3:
        return
    for sentence, apply in (
        ("b is a sorted", _sorted),
        ("b is a sorted, the largest first", _sorted_down),
    ):
        yield Law("sorted", sentence, 0.2, apply, {}, pointwise=False, held_out="ticks")
    differs = np.flatnonzero(pair.ticks)
    same = (_sorted(pair.a[differs]) == _sorted(pair.b[differs])).all(axis=1)
    if same.mean() >= EXACT_SHARE:
        sentence = "b holds the elements of a in another order at each tick"
        apply = functools.partial(_of_b, pair.b)
        yield Law("other_order", sentence, 2.6, apply, {}, pointwise=False)


def _sorted(x: Floats) -> Floats:
    return np.sort(x, axis=1)


def _sorted_down(x: Floats) -> Floats:
    return np.sort(x, axis=1)[:, ::-1]


def _of_b(b: Floats, x: Floats) -> Floats:
    """b where it holds the same, else x."""
    same = (_sorted(x) == _sorted(b)).all(axis=1)
    return np.where(same[:, None], b, x)


def skips(pair: Pair) -> Iterator[Law]:
    """b leaves out every k-th value of a, or repeats it."""
    if not is_series(pair) or pair.segment[0] != pair.segment[-1]:
        return
    at = np.arange(pair.n)
    first = int(np.argmax(pair.differs))
    probe = slice(max(0, first - _LONGEST), min(pair.n, first + _PROBE))
    if not np.isin(pair.b[probe], pair.a).mean() >= EXACT_SHARE:
        return
    for name, words, sources in (
        ("skipped", "leaves out", _skipping),
        ("repeated", "repeats", _repeating),
    ):
        for every in range(2, _LONGEST):
            for phase in range(every):
                source = sources(at[probe], every, phase)
                inside = source < pair.n
                matches = pair.a[source[inside]] == pair.b[probe][inside]
                if len(matches) < _LONGEST or not matches.mean() >= EXACT_SHARE:
                    continue
                source = sources(at, every, phase)
                yield Law(
                    name,
                    f"b {words} every {_ordinal(every)} value of a",
                    1.2,
                    functools.partial(_taken, source),
                    {"every": float(every), "phase": float(phase)},
                    pointwise=False,
                    covers=_known(pair, source),
                )


def _skipping(at: Int64s, every: int, phase: int) -> Int64s:
    source: Int64s = at + (at - phase + every - 1) // (every - 1)
    return source


def _repeating(at: Int64s, every: int, phase: int) -> Int64s:
    source: Int64s = at - (at - phase + every) // (every + 1)
    return source


def _known(pair: Pair, source: Int64s) -> Mask:
    known: Mask = source < pair.n
    return known


def _taken(source: Int64s, x: Floats) -> Floats:
    taken: Floats = x[source.clip(0, len(x) - 1)]
    return taken


def _ordinal(count: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(count, f"{count}th")
