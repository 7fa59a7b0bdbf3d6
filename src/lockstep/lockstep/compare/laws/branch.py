"""A condition on the inputs under which two series differ: the branch that a port took otherwise.

A tree of at most two levels over the fields of the inputs, how much they changed, and which of two
is larger. It is grown on some stretches of the series and told only if it foretells the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from ...message.arrays import Column, Floats, Int64s, Mask

_SIBLINGS = 6
"""Of so many fields beside each other it is asked which one is larger."""
_LEAST_RUNS = 6
"""Stretches of differing ticks; neighbours differ together, so that single ticks prove little."""
_LEAST_TICKS = 5
"""Differing and equal ticks that must be foretold."""
_RIGHT = 0.98
"""The share of what differs that must be foretold, and of what is foretold that must differ."""
_NO_CHANCE = 4.6
_JOINS = (("and", np.logical_and), ("or", np.logical_or))
_ROOTS = 6
"""Conditions of the first level to which a second one is sought."""


@dataclass(frozen=True)
class Branch:
    """Where b differs: `holds` (n,) is where the condition is met."""

    condition: str
    """As `input speed is above 0.5`."""
    holds: Mask
    foretold: tuple[int, int]
    """Of how many differing ticks, which it was not grown on, how many it foretold."""


@dataclass(frozen=True)
class _Feature:
    """A number of each tick; `words` begins a condition."""

    words: Callable[[str, float], str]
    values: Floats
    order: Int64s
    at: float | None = None
    """The one limit that makes sense, if there is one."""


@dataclass(frozen=True)
class _Split:
    feature: _Feature
    above: bool
    limit: float
    right: float
    """Share of the training ticks on the right side, differing and equal ones counting alike."""

    @property
    def holds(self) -> Mask:
        over: Mask = self.feature.values > self.limit
        return over if self.above else ~over

    @property
    def condition(self) -> str:
        return self.feature.words("above" if self.above else "below", self.limit)


@dataclass(frozen=True)
class _Ticks:
    """Where series differ (n,), and in which ticks a condition is grown and judged."""

    differs: Mask
    counted: Mask
    stretch: Int64s
    """(n,) the number of the stretch of equal or of differing ticks that each tick is in."""
    training: Mask

    @property
    def held_out(self) -> Mask:
        return self.counted & ~self.training


def branches(
    differs: Mask, inputs: Mapping[str, Column], silent: Mask | None = None
) -> Iterator[Branch]:
    """The simplest condition on `inputs` (n,) by path under which ticks differ (n,), if any.

    Where one condition will do, no second one is sought. Equal ticks that are `silent` (n,) do not
    count: nobody can tell what was done there, as where 0 is halved.
    """
    ticks = _ticks(differs, np.ones(len(differs), np.bool_) if silent is None else ~silent)
    if len(np.unique(ticks.stretch[differs])) < _LEAST_RUNS:
        return
    features = list(_features(inputs, len(differs)))
    if not features:
        return
    chance = _NO_CHANCE + math.log(len(features))
    roots = sorted(
        (split for one in features if (split := _best(one, differs, ticks.training)) is not None),
        key=lambda split: (-split.right, split.feature.at is None),
    )[:_ROOTS]
    for root in roots:
        if _foretells(root.holds, ticks, chance):
            final = _best(root.feature, differs, ticks.counted) or root
            if found := _branch(final.condition, final.holds, ticks):
                yield found
                return
    for root, (word, join) in product(roots, _JOINS):
        second = _second(features, differs, ticks.training & _open(root, word))
        if second is None or not _foretells(join(root.holds, second.holds), ticks, 2 * chance):
            continue
        one = _best(root.feature, differs, ticks.counted & _open(second, word)) or root
        other = _best(second.feature, differs, ticks.counted & _open(one, word)) or second
        condition = f"{one.condition} {word} {other.condition}"
        if found := _branch(condition, join(one.holds, other.holds), ticks):
            yield found
            return


def _ticks(differs: Mask, loud: Mask) -> _Ticks:
    counted = loud | differs
    stretch = np.zeros(len(differs), np.int64)
    stretch[counted] = _runs(differs[counted])
    # A stretch that differs and the equal one after it go together.
    return _Ticks(differs, counted, stretch, counted & (stretch // 2 % 2 == 0))


def _open(split: _Split, word: str) -> Mask:
    """The ticks of which a condition that is joined to another leaves open whether they differ."""
    return split.holds if word == "and" else ~split.holds


def _runs(differs: Mask) -> Int64s:
    """(n,) the number of the stretch of equal or of differing ticks that each tick is in."""
    first = int(differs[0])  # stretches that differ have odd numbers
    return first + np.cumsum(np.concatenate([[False], differs[1:] != differs[:-1]]))


def _features(inputs: Mapping[str, Column], n: int) -> Iterator[_Feature]:
    known = {
        path: values.astype(np.float64)
        for path, values in inputs.items()
        if values.dtype.kind in "fiub" and values.shape == (n,)
    }
    for path, values in known.items():
        if is_clock(values) or not np.isfinite(values).all():
            continue
        yield _feature(_limited(f"input {path}", values), values)
        if values.min(initial=0.0) < 0.0 < values.max(initial=0.0):
            yield _feature(_limited(f"|input {path}|", np.abs(values)), np.abs(values))
        change = np.abs(np.diff(values, prepend=values[:1]))
        yield _feature(_limited(f"the change of input {path}", change), change)
    for one, other in _siblings(known):
        apart = known[one] - known[other]
        if np.isfinite(apart).all():
            yield _feature(_compared(one, other), apart, at=0.0)


def is_clock(values: Floats) -> bool:
    """Whether a value only rises or falls, so that it is but another clock, or stays as it is."""
    steps = np.diff(values)
    return bool((steps >= 0).all() or (steps <= 0).all())


def _siblings(known: Mapping[str, Floats]) -> Iterator[tuple[str, str]]:
    """Fields of one message that are beside each other."""
    groups: dict[str, list[str]] = {}
    for path in known:
        groups.setdefault(path.rpartition(".")[0], []).append(path)
    for paths in groups.values():
        if len(paths) <= _SIBLINGS:
            yield from combinations(paths, 2)


def _feature(
    words: Callable[[str, float], str], values: Floats, at: float | None = None
) -> _Feature:
    return _Feature(words, values, np.argsort(values, kind="stable"), at)


def _limited(name: str, values: Floats) -> Callable[[str, float], str]:
    if not np.array_equal(values, np.round(values)):
        return lambda side, limit: f"{name} is {side} {limit:.6g}"
    whole = {"above": ("at least", math.ceil), "below": ("at most", math.floor)}
    return lambda side, limit: f"{name} is {whole[side][0]} {whole[side][1](limit)}"


def _compared(one: str, other: str) -> Callable[[str, float], str]:
    return lambda side, _: f"input {one} is {side} input {other}"


def _best(feature: _Feature, differs: Mask, among: Mask) -> _Split | None:
    """The limit that tells differing ticks from equal ones best, of those `among` (n,)."""
    order = feature.order[among[feature.order]]
    values, wrong = feature.values[order], differs[order]
    count = int(wrong.sum())
    if not 0 < count < len(wrong):
        return None
    if feature.at is not None:
        over = values > feature.at
        hits, false = np.array([np.sum(over & wrong)]), np.array([np.sum(over & ~wrong)])
        limits = np.array([feature.at])
    else:
        ends = np.flatnonzero(values[1:] > values[:-1])  # a limit lies between two values
        hits = count - np.cumsum(wrong)[ends]
        false = len(wrong) - 1 - ends - hits
        limits = values[ends] + (values[ends + 1] - values[ends]) / 2
    if not len(limits):
        return None
    # Differing and equal ticks count alike.
    right = (hits / count + 1.0 - false / (len(wrong) - count)) / 2
    best = int(np.argmax(np.abs(right - 0.5)))
    share = float(right[best])
    return _Split(feature, share >= 0.5, float(limits[best]), max(share, 1.0 - share))


def _second(features: list[_Feature], differs: Mask, among: Mask) -> _Split | None:
    """The best condition within one side of another."""
    splits = (
        split for feature in features if (split := _best(feature, differs, among)) is not None
    )
    return max(splits, key=lambda split: split.right, default=None)


def _foretells(holds: Mask, ticks: _Ticks, chance: float) -> bool:
    """Whether a condition foretells what it was not grown on, and not by chance."""
    held_out = ticks.held_out
    wrong, said = ticks.differs[held_out], holds[held_out]
    hits = int((wrong & said).sum())
    if min(hits, int((~wrong & ~said).sum())) < _LEAST_TICKS:
        return False
    if hits < _RIGHT * max(int(wrong.sum()), int(said.sum())):
        return False
    runs = len(np.unique(ticks.stretch[held_out & ticks.differs]))
    return runs * math.log(len(said) / int(said.sum())) >= chance


def _branch(condition: str, holds: Mask, ticks: _Ticks) -> Branch | None:
    """A condition that has foretold, if it holds of all ticks; its limits may be finer by now."""
    both = int((ticks.differs & holds).sum())
    if both < _RIGHT * max(int(ticks.differs.sum()), int((holds & ticks.counted).sum())):
        return None
    of = ticks.held_out & ticks.differs
    return Branch(condition, holds, (int((of & holds).sum()), int(of.sum())))
