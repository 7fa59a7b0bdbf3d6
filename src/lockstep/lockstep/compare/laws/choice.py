"""Choosing among laws: the simplest exact one, or else the one worth its parameters in noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ...message.arrays import Floats, Mask
from .pair import EXACT_IN_NOISE, Fit, Law, Pair, dot, judge

_LEAST_IN_NOISE = 20
_PROBE_SHARE = 0.9
_WORTH_A_PARAMETER = 0.2
"""The share by which a further parameter must reduce what is left, beyond what it costs by length
(BIC)."""


_PLAIN = 0.9999
_STILL = 0.03
_NEXT_TO_NOTHING = 0.01
_TYPICALLY = 0.2
"""A law must leave less than this of the typical difference, and of b's typical movement."""


@dataclass(frozen=True)
class Choice:
    """A law that holds, how well, and (k,) which columns of a pair (n, k) it changes."""

    law: Law
    fit: Fit
    moved: Mask
    rest: float = 0.0
    """Root of the mean square of what the law leaves."""


def first_exact(pair: Pair, laws: Iterable[Law]) -> Choice | None:
    """The first law that brings (nearly) every element within tolerance."""
    if not pair.differs.any():
        return None
    for law in laws:
        if _leaves_too_much_out(law) or _fails_probe(pair, law, lambda fit: fit.passing):
            continue
        predicted = law.apply(pair.a)
        fit = judge(pair, predicted, law.covers)
        if fit.exact and _is_evident(pair, law):
            return Choice(law, fit, _moved(pair, predicted))
    return None


def best_in_noise(pair: Pair, laws: Iterable[Law]) -> Choice | None:
    """The law that leaves least, where each parameter has to pay for itself.

    None if much is left.
    """
    count = int((pair.differs & pair.finite).sum())
    if count < _LEAST_IN_NOISE:
        return None
    price = _WORTH_A_PARAMETER + math.log(count) / count
    best: tuple[float, Choice] | None = None
    for law in laws:
        if _leaves_too_much_out(law) or _fails_probe(pair, law, lambda fit: fit.explains):
            continue
        found = _fit_in_noise(pair, law)
        if found:
            score = math.log(max(found.fit.residual, 1e-30)) + law.cost * price
            if best is None or score < best[0]:
                best = score, found
    return best[1] if best else None


def _fit_in_noise(pair: Pair, law: Law) -> Choice | None:
    predicted = law.apply(pair.a)
    moved = _moved(pair, predicted)
    told = pair.columns(np.flatnonzero(moved)) if pair.joined else pair
    changed = predicted[:, moved] if pair.joined else predicted
    if not moved.any():
        return None
    fit = judge(told, changed, law.covers)
    if fit.explains < EXACT_IN_NOISE or not _follows_everywhere(law, told, changed):
        return None
    if fit.explains < _PLAIN and law.pointwise and _is_bent(pair, predicted):
        return None
    return Choice(law, fit, moved, math.sqrt(fit.residual * _power(told)) * told.unit)


def _follows_everywhere(law: Law, pair: Pair, predicted: Floats) -> bool:
    """Whether a law follows b, and each of joined fields on its own."""
    # Two fields may be nearly the same, and so differ by noise alone when they are swapped.
    name = "" if pair.joined else law.name
    known = pair.finite if law.covers is None else pair.finite & law.covers
    sides = [pair.a, pair.b, predicted]
    if not pair.joined:
        return _follows(name, *(side[known] for side in sides))
    return all(_follows(name, *(side[known[:, i], i] for side in sides)) for i in range(pair.width))


def _follows(law: str, a: Floats, b: Floats, predicted: Floats) -> bool:
    """Whether a law explains not only what is largest, and more than a constant would.

    Squares are ruled by what is largest: medians must tell the same, of the elements that the law
    changes.
    """
    if not b.size:
        return False
    left, changed = np.abs(b - predicted), predicted != a
    apart = np.abs(b - a)[changed]
    if law and (not apart.size or np.median(left[changed]) > _TYPICALLY * np.median(apart)):
        return False
    movement = np.abs(b - np.median(b))
    if law == "offset":
        return True
    if law == "constant":
        left, movement = movement, _STILL / _TYPICALLY * np.abs(a - np.median(a))
    small = np.median(left) <= _TYPICALLY * np.median(movement)
    return bool(small and _rms(left) <= _TYPICALLY * _rms(movement))


def _rms(values: Floats) -> float:
    unit = float(np.abs(values).max(initial=0.0)) or 1.0
    return unit * math.sqrt(dot(values / unit, values / unit) / max(1, values.size))


def _leaves_too_much_out(law: Law) -> bool:
    return law.covers is not None and float(law.covers.mean()) < 0.5


def _fails_probe(pair: Pair, law: Law, measure: Callable[[Fit], float]) -> bool:
    """Whether a few elements show already that a law does not hold."""
    if not law.pointwise or pair.joined or not pair.probe.n:
        return False
    return measure(judge(pair.probe, law.apply(pair.probe.a))) < _PROBE_SHARE


def _is_evident(pair: Pair, law: Law) -> bool:
    """Whether more elements differ than the law has parameters to bend to them."""
    return int(pair.differs.sum()) > math.floor(law.cost)


def _moved(pair: Pair, predicted: Floats) -> Mask:
    """(k,) columns that a law changes by more than next to nothing."""
    changes, apart = (
        np.square(np.where(pair.finite, side, 0.0) / pair.unit).reshape(pair.n, pair.width)
        for side in (predicted - pair.a, pair.difference)
    )
    moved: Mask = changes.sum(axis=0) > _NEXT_TO_NOTHING * apart.sum(axis=0)
    return moved


def _is_bent(pair: Pair, predicted: Floats) -> bool:
    """Whether what is left is a smooth function of a rather than noise.

    By von Neumann's ratio, in the order of a.
    """
    a, _ = pair.finite_values
    left = ((pair.b - predicted) / pair.unit)[pair.finite][np.argsort(a, kind="stable")]
    spread = float(left.var())
    return float(np.mean(np.square(np.diff(left)))) < 0.5 * spread


def _power(pair: Pair) -> float:
    """Mean square of the difference, in its unit squared."""
    return float(np.mean(np.square(pair.difference[pair.finite] / pair.unit)))
