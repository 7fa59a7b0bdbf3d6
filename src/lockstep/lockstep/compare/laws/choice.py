"""Choosing among laws: the simplest that is exact, or else the one that is worth its parameters in noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from .pair import EXACT_IN_NOISE, Fit, Floats, Law, Mask, Pair, judge

_LEAST_IN_NOISE = 20
_PROBE_SHARE = 0.9
_WORTH_A_PARAMETER = 0.2
"""The share by which a further parameter must reduce what is left, beyond what it costs by length (BIC)."""


_PLAIN = 0.9999
_NO_FIT = Fit(0.0, 0.0, False, math.inf)


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
    """The law that leaves least, where each parameter has to pay for itself; None if much is left."""
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
    if pair.joined:
        fit = _fit_of_columns(pair, predicted, moved)
    else:
        fit = judge(pair, predicted, law.covers)
    if fit.explains < EXACT_IN_NOISE or not _says_more_than_a_constant(law, fit, pair):
        return None
    if fit.explains < _PLAIN and law.pointwise and _is_bent(pair, predicted):
        return None
    return Choice(law, fit, moved, math.sqrt(fit.residual * _power(pair)) * pair.unit)


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
    changed: Mask = np.any((predicted != pair.a).reshape(pair.n, pair.width), axis=0)
    return changed


def _fit_of_columns(pair: Pair, predicted: Floats, moved: Mask) -> Fit:
    """The fit to the fields that a law changes; none if it does not follow one of them."""
    if not moved.any():
        return _NO_FIT
    columns = pair.columns(np.flatnonzero(moved))
    fit = judge(columns, predicted[:, moved])
    left = (columns.b - predicted[:, moved]) / pair.unit
    apart, b = columns.difference / pair.unit, columns.b / pair.unit
    tolerated = np.maximum(np.mean(np.square(apart), axis=0), b.var(axis=0))
    follows = np.mean(np.square(left), axis=0) <= (1 - EXACT_IN_NOISE) * tolerated
    return fit if bool(follows.all()) else _NO_FIT


def _is_bent(pair: Pair, predicted: Floats) -> bool:
    """Whether what is left is a smooth function of a rather than noise (von Neumann's ratio, in the order of a)."""
    a, _ = pair.finite_values
    left = ((pair.b - predicted) / pair.unit)[pair.finite][np.argsort(a, kind="stable")]
    spread = float(left.var())
    return float(np.mean(np.square(np.diff(left)))) < 0.5 * spread


def _says_more_than_a_constant(law: Law, fit: Fit, pair: Pair) -> bool:
    """A law must follow b's movement, unless it is only about its level, or b does not move."""
    if law.name == "offset":
        return True
    a, b = (side / pair.unit for side in pair.finite_values)
    if law.name == "constant":
        return float(b.std()) < 0.03 * float(a.std())
    return fit.residual * _power(pair) <= 0.5 * float(b.var())


def _power(pair: Pair) -> float:
    """Mean square of the difference, in its unit squared."""
    return float(np.mean(np.square(pair.difference[pair.finite] / pair.unit)))
