"""Distributions that fit recorded numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..errors import DistError
from ..message.arrays import Floats
from .numbers import (
    Constant,
    Exponential,
    LogNormal,
    Normal,
    Pareto,
    Scipy,
    Uniform,
)

_MOST, _FEW = 20_000, 2000


def best_fit(values: Floats) -> Any:
    """The rule that is nearest to some numbers (n,) by the Kolmogorov–Smirnov distance; raises
    DistError without any.

    Candidates: Uniform, Normal, LogNormal, Exponential, Pareto, and Student's t, Laplace and gamma
    of scipy.stats.
    """
    from scipy import stats

    values = values[np.isfinite(values)]
    if not len(values):
        raise DistError("no recorded number is finite, so nothing can be fitted; draw by='value'")
    low, high = float(values.min()), float(values.max())
    if low == high:
        return Constant(low)
    sample = np.sort(values[:: -(-len(values) // _MOST)])
    every = candidates(sample, low, high)
    distances = [float(stats.kstest(sample, frozen.cdf).statistic) for _, frozen in every]
    return every[int(np.argmin(distances))][0]


def candidates(sample: Floats, low: float, high: float) -> list[tuple[Any, Any]]:
    """Rules fitted to numbers between `low` and `high`, with the same as frozen distributions."""
    from scipy import stats

    mean, std = _rounded(sample.mean()), _rounded(sample.std())
    found: list[tuple[Any, Any]] = [
        (Uniform(_rounded(low), _rounded(high)), stats.uniform(low, high - low)),
        (Normal(mean, std), stats.norm(mean, std)),
    ]
    if low >= 0:
        found.append((Exponential(mean), stats.expon(scale=mean)))
    if low > 0:
        logs = np.log(sample)
        middle, spread = _rounded(logs.mean()), _rounded(logs.std())
        found.append((LogNormal(middle, spread), stats.lognorm(spread, scale=np.exp(middle))))
        shape = _rounded(len(sample) / (logs - np.log(low)).sum())
        found.append((Pareto(shape, low), stats.pareto(shape, scale=low)))
    few = sample[:: -(-len(sample) // _FEW)]
    for family in (stats.laplace, stats.t, *([stats.gamma] if low > 0 else [])):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            options = {"floc": 0.0} if family is stats.gamma else {}
            frozen = family(*map(_rounded, family.fit(few, **options)))
        found.append((Scipy(frozen), frozen))
    return found


def _rounded(number: Any) -> float:
    """To six digits, as a proposal is read by people."""
    return float(f"{float(number):.6g}")
