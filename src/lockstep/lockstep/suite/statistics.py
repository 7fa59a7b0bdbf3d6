"""What repeated runs can tell: medians with bootstrap intervals, and where a series of runs has
changed.

A single run says nothing about speed, so nothing is told of less than FEWEST.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FEWEST = 3
"""Runs of each side below which an interval means nothing."""
CONFIDENCE = 0.95
LEAST = 0.02
"""A change of less than this share is none that anybody minds."""
_RESAMPLES = 999
_SHUFFLES = 999
_MOST_AT_ONCE = 1 << 22
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value with the interval in which it lies."""

    value: float
    low: float
    high: float


def median(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """The median of repeated runs; its interval is that of a bootstrap, or from nought to infinity
    of fewer than FEWEST runs."""
    value = float(np.median(values))
    if len(values) < FEWEST:
        return Estimate(value, 0.0, float("inf"))
    resampled = _resampled((np.array([values], float),), _medians)
    return _estimate(value, resampled[0], confidence)


def ratio(
    a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], confidence: float = CONFIDENCE
) -> Estimate | None:
    """How many times as much b is as a, each several runs of the same cases: the geometric mean,
    over cases, of the ratios of their medians.

    Runs are resampled together for all cases, as those of one run of a suite share the mood of its
    machine. Cases in which a side has fewer than FEWEST runs, or any of nought, do not count; None
    if none does.
    """
    by_size: dict[tuple[int, int], list[tuple[Sequence[float], Sequence[float]]]] = {}
    for of_a, of_b in zip(a, b, strict=True):
        if min(len(of_a), len(of_b)) >= FEWEST and min(*of_a, *of_b) > 0:
            by_size.setdefault((len(of_a), len(of_b)), []).append((of_a, of_b))
    if not by_size:
        return None
    total, resampled, cases = 0.0, np.zeros(_RESAMPLES), 0
    for pairs in by_size.values():  # which are of one size, so that they are resampled at once
        rows_a, rows_b = (np.array([pair[side] for pair in pairs], float) for side in (0, 1))
        cases += len(pairs)
        total += float(_log_ratios(rows_a, rows_b, axis=-1).sum())
        resampled += _resampled((rows_a, rows_b), _log_ratios).sum(axis=0)
    found = _estimate(total / cases, resampled / cases, confidence)
    return Estimate(*np.exp([found.value, found.low, found.high]).tolist())


def mean(differences: Sequence[float], confidence: float = CONFIDENCE) -> Estimate | None:
    """The mean of a difference over cases, resampled by case; None of fewer than FEWEST cases."""
    if len(differences) < FEWEST:
        return None
    values = np.array([differences], float)
    return _estimate(float(values.mean()), _resampled((values,), np.mean)[0], confidence)


def change_points(values: Sequence[float], seed: int = 0) -> list[int]:
    """The indices of runs from which on a series is on another level: of positive numbers, in the
    order of time.

    A series is cut where its logarithms before and after differ most in their ranks, if random
    orders of it reach that in less than one of a hundred, and the medians differ by more than
    LEAST; then each part again. Each level has at least FEWEST runs.
    """
    logs = np.log(np.maximum(np.array(values, float), np.finfo(float).tiny))
    return sorted(_cuts(logs, 0, np.random.default_rng(seed)))


def _cuts(logs: Floats, first: int, random: np.random.Generator) -> list[int]:
    if len(logs) < 2 * FEWEST:
        return []
    from scipy.stats import rankdata

    ranks = rankdata(logs)
    found = _standing_out(ranks[None])[0]
    cut = FEWEST + int(np.argmax(found))
    shuffled = random.permuted(np.tile(ranks, (_SHUFFLES, 1)), axis=1)
    higher = int((_standing_out(shuffled).max(axis=1) >= found.max()).sum())
    step = abs(np.median(logs[cut:]) - np.median(logs[:cut]))
    if (higher + 1) / (_SHUFFLES + 1) >= 0.01 or step < np.log1p(LEAST):
        return []
    return [
        first + cut,
        *_cuts(logs[:cut], first, random),
        *_cuts(logs[cut:], first + cut, random),
    ]


def _standing_out(ranks: Floats) -> Floats:
    """By row and cut, how far the mean rank before it is from that of the whole, in the unit of its
    spread; (rows, cuts)."""
    size = ranks.shape[1]
    before = np.arange(FEWEST, size - FEWEST + 1)
    sums = np.cumsum(ranks, axis=1)[:, before - 1]
    spread = np.sqrt(before * (size - before) * (size + 1) / 12)
    found: Floats = np.abs(sums - before * (size + 1) / 2) / spread
    return found


def _resampled(sides: tuple[Floats, ...], statistic: Any) -> Floats:
    """The statistic of samples that are drawn anew of each row, (rows, _RESAMPLES)."""
    from scipy.stats import bootstrap

    at_once = max(1, _MOST_AT_ONCE // max(side.size for side in sides))
    found = bootstrap(
        sides,
        statistic,
        axis=-1,
        n_resamples=_RESAMPLES,
        method="percentile",
        batch=min(at_once, _RESAMPLES),
        random_state=np.random.default_rng(0),
    )
    return np.asarray(found.bootstrap_distribution, float)


def _medians(values: Floats, axis: int) -> Any:
    return np.median(values, axis=axis)


def _log_ratios(a: Floats, b: Floats, axis: int) -> Any:
    return np.log(np.median(b, axis=axis)) - np.log(np.median(a, axis=axis))


def _estimate(value: float, resampled: Floats, confidence: float) -> Estimate:
    outside = (1 - confidence) / 2
    low, high = np.quantile(resampled, (outside, 1 - outside))
    return Estimate(value, float(low), float(high))
