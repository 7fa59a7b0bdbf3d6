"""Choosing among laws: the simplest exact one, or else the one worth its parameters in noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...message.arrays import Floats, Mask
from .pair import EXACT_IN_NOISE, Fit, Law, Pair, dot, judge
from .regression import foretold

_LEAST_IN_NOISE = 20
_PROBE_SHARE = 0.9
_WORTH_A_PARAMETER = 0.2
"""The share by which a further parameter must reduce what is left, beyond what it costs by length
(BIC)."""


Make = Callable[[Pair], Iterable[Law]]
"""Makes laws of one kind for a pair, fitted to it."""
_PLAIN = 0.9999
_LEAST_EVIDENCE = 3
_LEAST_STRUCTURED = 50
_STRUCTURED = 0.5
"""The share of what a law leaves that a still foretells, from which on it is no noise."""
_LATER = 0.05
"""What a law in time must leave later on, beside what it would be to stop there."""
_STILL = 0.03
_NEXT_TO_NOTHING = 0.01
_OF_STILL = frozenset({"constant", "offset", "sign", "recoded", "negated", "bytes_swapped"})
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
        if fit.exact and _is_evident(pair, law) and (law.name in _OF_STILL or not pair.is_still):
            return Choice(law, fit, _moved(pair, predicted))
    return None


def best_in_noise(pair: Pair, makes: Sequence[Make]) -> Choice | None:
    """The law that leaves least, where each parameter has to pay for itself.

    It must do so on ticks that it was not fitted to as well. None if much is left.
    """
    price = _price(pair)
    if price is None:
        return None
    admitted: list[tuple[float, Make, Choice]] = []
    for make in makes:
        for law in make(pair):
            if _leaves_too_much_out(law) or _fails_probe(pair, law, lambda fit: fit.explains):
                continue
            found = _fit_in_noise(pair, law, price)
            if found:
                score = math.log(max(found.fit.residual, 1e-30)) + law.cost * price
                admitted.append((score, make, found))
    for _, make, found in sorted(admitted, key=lambda entry: entry[0]):
        if _holds_on_others(pair, make, found.law) and (told := _plainly(pair, found)):
            return told
    return None


def _price(pair: Pair) -> float | None:
    """What a parameter costs, as a logarithm of what is left; None if too few elements differ."""
    count = int((pair.differs & pair.finite).sum())
    if count < _LEAST_IN_NOISE:
        return None
    return _WORTH_A_PARAMETER + math.log(count) / count


def _fit_in_noise(pair: Pair, law: Law, price: float) -> Choice | None:
    predicted = law.apply(pair.a)
    moved = _moved(pair, predicted)
    told, covers = pair, law.covers
    if pair.joined:
        told, predicted = pair.columns(np.flatnonzero(moved)), predicted[:, moved]
        covers = None if covers is None else covers[:, moved]
    if not moved.any() or (covers is not None and not covers.any()):
        return None
    fit = judge(told, predicted, covers)
    most_left = (1.0 - EXACT_IN_NOISE) * math.exp(-price * law.cost)
    if fit.residual > most_left or not _follows_everywhere(law, told, predicted, covers):
        return None
    if law.name == "drift" and not _moves_beside_its_trend(told, predicted):
        return None
    is_plain = fit.explains >= _PLAIN or law.name == "mean"
    if not is_plain and law.pointwise and not pair.joined and _is_bent(pair, predicted):
        return None
    return Choice(law, fit, moved, math.sqrt(fit.residual * _power(told)) * told.unit)


def _holds_on_others(pair: Pair, make: Make, law: Law) -> bool:
    """Whether the law does on ticks that it was not fitted to what it does on all."""
    if law.held_out == "later":
        return _holds_later(pair, make, law)
    if not law.pointwise and law.held_out == "nothing":
        return True
    fitted, others = pair.rows(slice(None, None, 2)), pair.rows(slice(1, None, 2))
    price = _price(others)
    if price is None:  # half of what may be explained in noise at all
        return True
    twins = (
        twin
        for twin in make(fitted)
        if twin.name == law.name and (twin.pointwise or twin.held_out == "ticks")
    )
    return any(_fit_in_noise(others, twin, price) for twin in twins)


def _holds_later(pair: Pair, make: Make, law: Law) -> bool:
    """Whether the law of the first half foretells the second, where a chance trend would end."""
    later = (np.arange(pair.n) >= pair.n // 2).reshape(-1, *[1] * (pair.a.ndim - 1))
    start = replace(pair, b=np.where(later, np.nan, pair.b))
    covers = np.broadcast_to(later, pair.a.shape)
    stays = pair.a + start.difference.sum() / max(1, int(start.finite.sum()))
    left = judge(pair, stays, covers).residual
    twins = (twin for twin in make(start) if twin.parameters.keys() == law.parameters.keys())
    return any(
        judge(pair, twin.apply(pair.a), covers).residual <= _LATER * left
        for twin in twins
        if twin.parameters.get("power") == law.parameters.get("power")
    )


def _plainly(pair: Pair, found: Choice) -> Choice | None:
    """The choice, if what it leaves is noise; in rough words, or None, if it is more than that."""
    law = found.law
    if law.name == "mean" or found.fit.explains >= _PLAIN or pair.a.ndim != 1:
        return found
    predicted = law.apply(pair.a)
    left = (pair.b - predicted) / pair.unit
    known = pair.finite if law.covers is None else pair.finite & law.covers
    if law.held_out == "later":
        structured = known.sum() >= _LEAST_STRUCTURED and _is_smooth(left[known])
    else:
        structured = _follows_a(pair.a / pair.unit, predicted / pair.unit, left, known)
    if not structured:
        return found
    return replace(found, law=replace(law, sentence=law.roughly)) if law.roughly else None


def _follows_a(a: Floats, predicted: Floats, left: Floats, known: Mask) -> bool:
    """Whether a near a tick foretells what a law leaves there, beyond what it left just before."""
    inside = known[2:-1] & known[:-3] & known[1:-2] & known[3:]
    if inside.sum() < _LEAST_STRUCTURED:
        return False
    near = [a[2:-1], a[1:-2], a[:-3], a[3:], np.abs(a[2:-1])]
    before = [left[1:-2]]
    rows = [side[inside] for side in (left[2:-1], *near)]
    if foretold(rows[0], rows[1:]) >= _STRUCTURED:
        return True
    own = [side[inside] for side in before]
    more = [side[inside] for side in (predicted[2:-1], predicted[1:-2])]
    by_itself, by_all = (foretold(rows[0], known) for known in (own, [*own, *rows[1:], *more]))
    return 1.0 - by_all < _STRUCTURED * (1.0 - by_itself)


def _follows_everywhere(law: Law, pair: Pair, predicted: Floats, covers: Mask | None) -> bool:
    """Whether a law follows b, and each of joined fields on its own."""
    # Two fields may be nearly the same, and so differ by noise alone when they are swapped.
    name = "" if pair.joined else law.name
    known = pair.finite if covers is None else pair.finite & covers
    sides = [pair.a, pair.b, predicted]
    if not pair.joined:
        return _follows(name, *(side[known] for side in sides))
    return all(_follows(name, *(side[known[:, i], i] for side in sides)) for i in range(pair.width))


def _moves_beside_its_trend(pair: Pair, predicted: Floats) -> bool:
    """Whether a drift leaves less than b moves about a straight line: any two of them drift."""
    time = pair.time_s - pair.time_s.mean()
    power = dot(time, time)
    for i in range(pair.width):
        b, left = (side.reshape(pair.n, -1)[:, i] for side in (pair.b, pair.b - predicted))
        b = np.where(np.isfinite(b), b, np.nanmean(b)) / pair.unit
        about = b - b.mean() - time * (dot(time, b) / power if power else 0.0)
        rest = left[np.isfinite(left)] / pair.unit
        if rest.size and _rms(rest) > _TYPICALLY * _rms(about):
            return False
    return True


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
    if law == "mean":
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
    """Whether more elements differ than the law has parameters to bend to them.

    What is no law of single values takes more than one value at one place to show.
    """
    if int(pair.differs.sum()) <= math.floor(law.cost):
        return False
    return law.pointwise or not law.cost or pair.evidence >= _LEAST_EVIDENCE


def _moved(pair: Pair, predicted: Floats) -> Mask:
    """(k,) columns that a law changes by more than next to nothing."""
    changes, apart = (
        np.square(np.where(pair.finite, side, 0.0) / pair.unit).reshape(pair.n, pair.width)
        for side in (predicted - pair.a, pair.difference)
    )
    moved: Mask = changes.sum(axis=0) > _NEXT_TO_NOTHING * apart.sum(axis=0)
    return moved


def _is_bent(pair: Pair, predicted: Floats) -> bool:
    """Whether what is left is a smooth function of a rather than noise."""
    a, _ = pair.finite_values
    return _is_smooth(((pair.b - predicted) / pair.unit)[pair.finite][np.argsort(a, kind="stable")])


def _is_smooth(values: Floats) -> bool:
    """Whether neighbours are more alike than in noise, by von Neumann's ratio."""
    return float(np.mean(np.square(np.diff(values)))) < 0.5 * float(values.var())


def _power(pair: Pair) -> float:
    """Mean square of the difference, in its unit squared."""
    return float(np.mean(np.square(pair.difference[pair.finite] / pair.unit)))
