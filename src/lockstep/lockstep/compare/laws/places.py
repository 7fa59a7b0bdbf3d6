"""Laws that say where two series differ.

From a tick on, at few ticks, in some elements, at special values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from ...message.arrays import Column, Floats, Mask
from .branch import branches, is_clock
from .pair import Pair

_NO_CHANCE = 4.6
"""A place must be so improbable by chance (1 %, as a logarithm) to be worth telling."""
_ISOLATED = 0.01
_FEW = 3
_CLEAR_START = 10
"""Equal ticks before an unexplained onset that make it worth telling."""
_THRESHOLD_SIDE = 10
_DENSE = 0.9


@dataclass(frozen=True)
class Place:
    """Where all differences are.

    `inside` is the part of the pair there, `lead` begins a sentence on it.
    """

    law: str
    sentence: str
    lead: str
    inside: Pair
    parameters: Mapping[str, float]
    speaks: bool = True
    """Whether the place alone, without a law of what is inside, says anything."""


def places(pair: Pair, inputs: Mapping[str, Column]) -> Iterator[Place]:
    """What may be said of where a pair differs, the most telling first."""
    yield from _not_finite(pair, inputs)
    yield from _special_values(pair, inputs)
    yield from _some_elements(pair)
    yield from _span(pair)
    yield from _thresholds(pair)
    yield from _branches(pair, inputs)
    yield from _few_ticks(pair)


def _not_finite(pair: Pair, inputs: Mapping[str, Column]) -> Iterator[Place]:
    """All differences are NaN or infinite on one side only."""
    if pair.is_integer:
        return
    for name, test in (("NaN", np.isnan), ("infinite", np.isinf)):
        for side, other, one, two in ((pair.b, pair.a, "b", "a"), (pair.a, pair.b, "a", "b")):
            only = test(side) & ~test(other)
            if (pair.differs <= only).all():
                count = _of(pair.differs, "elements" if pair.width > 1 else "ticks")
                sentence = f"{one} is {name} where {two} is not ({count})"
                cause = next((p.lead for p in _special_values(pair, inputs)), "")
                sentence += f", only {cause.removesuffix(',')}" if cause else ""
                yield _place(pair, "nan" if name == "NaN" else "infinite", sentence, "", {})


def _special_values(pair: Pair, inputs: Mapping[str, Column]) -> Iterator[Place]:
    yield from _specials_of(pair, "a", pair.a, pair.differs, pair.is_integer)
    for path, values in _numeric(inputs, pair.n):
        for side in (values,) if values.ndim == 1 else ():
            yield from _specials_of(pair, f"input {path}", side, pair.ticks, False)


def _specials_of(
    pair: Pair, name: str, values: Floats, differs: Mask, integer: bool
) -> Iterator[Place]:
    tiny = np.finfo(np.float64).tiny if pair.eps < 1e-10 else np.finfo(np.float32).tiny
    cases = (
        ("NaN", np.isnan(values), 1),
        ("infinite", np.isinf(values), 1),
        ("zero", values == 0.0, 1),
        ("denormal", (values != 0.0) & (np.abs(values) < tiny), 1),
        ("negative", values < 0.0, 1),
        ("positive", values > 0.0, 1),
        ("at its maximum", values == np.max(values, initial=-np.inf), 3),
        ("at its minimum", values == np.min(values, initial=np.inf), 3),
    )
    count = int(differs.sum())
    for words, case, least in cases:
        among = int(case.sum())
        if not least <= among < case.size or among > 1.1 * count or not (differs <= case).all():
            continue
        if count * math.log(case.size / among) < _NO_CHANCE:
            continue
        where = f"where {name} is {words}"
        sentence = (
            f"b differs only {where} ({_of(differs, 'times' if differs.ndim == 2 else 'ticks')})"
        )
        inside = (
            pair.elements(np.flatnonzero(case)) if case.shape == pair.a.shape else pair.rows(case)
        )
        yield Place("special_values", sentence, f"{where},", inside, {"count": float(count)})


def _some_elements(pair: Pair) -> Iterator[Place]:
    """Only some columns of an array differ."""
    if pair.differs.ndim != 2 or pair.width < 2:
        return
    columns = np.flatnonzero(pair.differs.any(axis=0))
    if len(columns) > max(1, pair.width // 4):
        return
    names = ", ".join(f"[{i}]" for i in columns[:6].tolist()) + (" …" if len(columns) > 6 else "")
    sentence = f"only {len(columns)} of {pair.width} elements differ: {names}"
    every = np.arange(pair.n)[:, None] * pair.width + columns
    inside = pair.elements(every.ravel())
    yield Place(
        "elements", sentence, f"only at {names},", inside, {"elements": float(len(columns))}
    )


def _span(pair: Pair) -> Iterator[Place]:
    """All differences lie between two ticks, and most ticks between them differ."""
    where = np.flatnonzero(pair.ticks)
    first, last = int(where[0]), int(where[-1])
    length = last - first + 1
    if length == pair.n or len(where) < max(_FEW + 1, _DENSE * length):
        return
    inside = pair.rows(slice(first, last + 1))
    at, to = int(pair.tick[first]), int(pair.tick[last])
    parameters = {"tick": float(at), "seconds": pair.start_s + float(pair.time_s[first])}
    clear = pair.n - length >= max(_CLEAR_START, 0.01 * pair.n)
    if last == pair.n - 1:
        lead = f"equal until tick {at}, then"
        yield Place("onset", f"{lead} b differs", lead, inside, parameters, clear)
    elif first == 0:
        after = int(pair.tick[last + 1])
        seconds = pair.start_s + float(pair.time_s[last + 1])
        parameters = {"tick": float(after), "seconds": seconds}
        sentence = f"b differs until tick {after}, then it is equal"
        yield Place("ending", sentence, f"until tick {after}", inside, parameters, clear)
    else:
        parameters |= {"last_tick": float(to)}
        sentence = f"b differs only from tick {at} to {to}"
        lead = f"from tick {at} to {to}"
        yield Place("span", sentence, lead, inside, parameters, clear)


def _branches(pair: Pair, inputs: Mapping[str, Column]) -> Iterator[Place]:
    """Ticks differ under a condition on the inputs."""
    zero = np.all(pair.a.reshape(pair.n, pair.width) == 0.0, axis=1)
    silences: list[Mask | None] = [None, *([zero] if (zero & ~pair.ticks).any() else ())]
    found = (branches(pair.ticks, inputs, silent) for silent in silences)
    for branch in islice(chain.from_iterable(found), 1):
        foretold, of = branch.foretold
        sentence = (
            f"b differs only where {branch.condition} ({_of(pair.ticks, 'ticks')}; the condition "
            f"was found in some of them and foretold {foretold} of {of} others)"
        )
        inside = pair.rows(branch.holds)
        parameters = {"foretold": foretold / of, "count": float(pair.ticks.sum())}
        yield Place("branch", sentence, f"where {branch.condition},", inside, parameters)


def _thresholds(pair: Pair) -> Iterator[Place]:
    """All ticks above some value of a differ, and none below; or the reverse."""
    side = pair.a
    if side.ndim > 1 or pair.is_time or not np.isfinite(side).all():
        return
    if min(int(pair.ticks.sum()), int((~pair.ticks).sum())) < _THRESHOLD_SIDE:
        return
    if is_clock(side):
        return
    inside, outside = side[pair.ticks], side[~pair.ticks]
    for words, apart in (
        ("above", (float(outside.max()), float(inside.min()))),
        ("below", (float(inside.max()), float(outside.min()))),
    ):
        if apart[0] < apart[1]:
            limit = apart[0] + (apart[1] - apart[0]) / 2
            where = f"where a is {words} {limit:.6g}"
            sentence = f"b differs only {where} ({_of(pair.ticks, 'ticks')})"
            part = pair.rows(pair.ticks)
            yield Place("threshold", sentence, f"{where},", part, {"threshold": limit})


def _few_ticks(pair: Pair) -> Iterator[Place]:
    where = np.flatnonzero(pair.ticks)
    few = len(where) <= _ISOLATED * pair.n or (len(where) <= _FEW and len(where) * 5 <= pair.n)
    if not few:
        return
    if len(where) == 1 and pair.tick[where[0]] == 0:
        yield _place(pair, "first_tick", "only the first tick differs", "", {"count": 1.0})
        return
    shown = ", ".join(str(tick) for tick in pair.tick[where[:_FEW]].tolist())
    first = f"tick{'s' if len(where) > 1 else ''} {shown}{' …' if len(where) > _FEW else ''}"
    sentence = f"{_of(pair.ticks, 'ticks')} differ{'s' if len(where) == 1 else ''}: {first}"
    yield _place(pair, "isolated", sentence, "", {"count": float(len(where))})


def _place(
    pair: Pair, law: str, sentence: str, lead: str, parameters: Mapping[str, float]
) -> Place:
    return Place(law, sentence, lead, pair.rows(pair.ticks), parameters)


def _of(mask: Mask, words: str) -> str:
    return f"{int(mask.sum())} of {mask.size} {words}"


def _numeric(inputs: Mapping[str, Column], n: int) -> Iterator[tuple[str, Floats]]:
    for path, values in inputs.items():
        if values.dtype.kind in "fiub" and len(values) == n:
            yield path, values.astype(np.float64)
