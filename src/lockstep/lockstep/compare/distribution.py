"""Comparing what cannot be aligned: the distributions of two recordings, field by field.

For each number the two-sample Kolmogorov–Smirnov test and the Wasserstein distance (scipy.stats),
and mean and variance; for arrays of equal lengths, images above all, mean and variance of each
element as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bag import Bag
from ..errors import CompareError
from ..message.arrays import Column, Floats
from .definitions import common
from .kinds import kind_of_elements
from .tolerance import MEASURES, Tolerance, Tolerances

SIGNIFICANCE = 0.01
"""How often equal distributions may be told apart by chance, in one comparison of all fields
together."""
_SAMPLES = 20_000
_MOST_ELEMENTS = 1 << 24


@dataclass(frozen=True)
class DistributionComparison:
    """One field of two recordings; numbers in the unit of the field.

    `p` is that of the Kolmogorov–Smirnov test. `element_shift` is the largest difference of the
    means of one array element, in standard errors, and `element` which one it is; both None where
    arrays differ in length. `matches`: the Wasserstein distance is within the tolerance, or, where
    that is exact, neither the distributions nor the means of elements can be told apart at the
    level `SIGNIFICANCE`.
    """

    field: str
    type: str
    tolerance: Tolerance
    counts: tuple[int, int]
    means: tuple[float, float]
    deviations: tuple[float, float]
    """Standard deviations."""
    ks: float
    p: float
    wasserstein: float
    element: int | None
    element_shift: float | None
    matches: bool


class _Sample:
    """What is kept of the values of a field: a uniform sample, and sums for each element."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._kept: Floats = np.empty(0)
        self._keys: Floats = np.empty(0)
        self.count = 0
        self.sums: tuple[Floats, Floats] | None = None
        self.messages = 0
        self._shape: tuple[int, ...] | None = None

    def add(self, column: Column) -> None:
        """Take the values of m messages, (m, …) or m arrays of different lengths."""
        if column.dtype == object:
            self._shape, self.sums = (), None
            for row in column:
                self._take(np.asarray(row, np.float64).ravel())
            return
        values = column.astype(np.float64).reshape(len(column), -1)
        self._sum(values)
        self._take(values.ravel())

    def _sum(self, values: Floats) -> None:
        shape = values.shape[1:]
        if self._shape is None and values.shape[1] <= _MOST_ELEMENTS:
            self._shape, self.sums = shape, (np.zeros(shape), np.zeros(shape))
        if self._shape != shape or self.sums is None:
            self._shape, self.sums = (), None
            return
        finite = np.where(np.isfinite(values), values, 0.0)
        self.sums[0][...] += finite.sum(axis=0)
        self.sums[1][...] += np.square(finite).sum(axis=0)
        self.messages += len(values)

    def _take(self, values: Floats) -> None:
        """A uniform sample: each value draws a key, and those with the smallest keys are kept."""
        self.count += len(values)
        values = values[np.isfinite(values)]
        keys = self._rng.random(len(values))
        kept, all_keys = np.concatenate([self._kept, values]), np.concatenate([self._keys, keys])
        if len(kept) > _SAMPLES:
            chosen = np.argpartition(all_keys, _SAMPLES)[:_SAMPLES]
            kept, all_keys = kept[chosen], all_keys[chosen]
        self._kept, self._keys = kept, all_keys

    @property
    def values(self) -> Floats:
        """The sample."""
        return self._kept


def compare_distributions(
    a: Bag, b: Bag, topic: str, tolerances: Tolerances
) -> dict[str, DistributionComparison]:
    """The distributions of all numeric fields that both sides have, but times, by path."""
    types = common(a.codec(topic), b.codec(topic))
    for path in types:
        if (by := tolerances.of(path).by) in MEASURES:
            raise CompareError(
                f"'{path}' is to be judged by {by}, which compares images in pairs; "
                "align: none has none"
            )
    wanted = {
        path: described
        for path, described in types.items()
        if kind_of_elements(described).has_distribution and not tolerances.of(path).ignore
    }
    samples_a, samples_b = (
        _samples(bag, topic, list(wanted), seed) for seed, bag in enumerate((a, b))
    )
    level = SIGNIFICANCE / max(1, len(wanted))
    return {
        path: _compared(path, kind, tolerances.of(path), samples_a[path], samples_b[path], level)
        for path, kind in wanted.items()
    }


def _samples(bag: Bag, topic: str, paths: list[str], seed: int) -> Mapping[str, _Sample]:
    samples = {path: _Sample(seed) for path in paths}
    for columns in bag.stream_columns(topic, paths):
        for path, column in columns.items():
            samples[path].add(column)
    return samples


def _compared(
    path: str, kind: str, tolerance: Tolerance, a: _Sample, b: _Sample, level: float
) -> DistributionComparison:
    from scipy import stats

    ks, p, distance = 0.0, 1.0, 0.0
    if len(a.values) and len(b.values):
        found: Any = stats.ks_2samp(a.values, b.values, method="asymp")
        ks, p = float(found.statistic), float(found.pvalue)
        distance = float(stats.wasserstein_distance(a.values, b.values))
    elif len(a.values) or len(b.values):
        ks, p, distance = 1.0, 0.0, math.inf
    element, shift = _largest_shift(a, b)
    limit = tolerance.abs + tolerance.rel * float(np.abs(a.values).mean() if len(a.values) else 0.0)
    if limit:
        matches = distance <= limit
    else:
        matches = p >= level and (shift is None or _chance(shift, a) >= level)
    return DistributionComparison(
        field=path,
        type=kind,
        tolerance=tolerance,
        counts=(a.count, b.count),
        means=(_mean(a.values), _mean(b.values)),
        deviations=(_deviation(a.values), _deviation(b.values)),
        ks=ks,
        p=p,
        wasserstein=distance,
        element=element,
        element_shift=shift,
        matches=matches,
    )


def _largest_shift(a: _Sample, b: _Sample) -> tuple[int | None, float | None]:
    """The array element whose means differ most, in standard errors (Welch's t).

    None for single numbers.
    """
    if a.sums is None or b.sums is None or a.sums[0].shape != b.sums[0].shape:
        return None, None
    if a.sums[0].size < 2 or min(a.messages, b.messages) < 2:
        return None, None
    means = [sample.sums[0] / sample.messages for sample in (a, b) if sample.sums]
    variances = [
        np.maximum(sample.sums[1] / sample.messages - mean**2, 0.0) / (sample.messages - 1)
        for sample, mean in zip((a, b), means, strict=True)
        if sample.sums
    ]
    apart = np.abs(means[1] - means[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(apart > 0, apart / np.sqrt(variances[0] + variances[1]), 0.0)
    element = int(np.argmax(shift))
    return element, float(shift[element])


def _chance(shift: float, sample: _Sample) -> float:
    """How likely the largest of so many shifts is at least this by chance (normal, Bonferroni)."""
    count = sample.sums[0].size if sample.sums else 1
    return min(1.0, count * math.erfc(shift / math.sqrt(2)))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _deviation(values: Floats) -> float:
    return float(values.std()) if len(values) else math.nan


def as_data(found: DistributionComparison) -> dict[str, Any]:
    """A field as result.json holds it; what is not finite is null."""

    def finite(number: float | None) -> float | None:
        return number if number is not None and math.isfinite(number) else None

    return {
        "type": found.type,
        "match": found.matches,
        "tolerance": str(found.tolerance),
        "values": list(found.counts),
        "means": list(map(finite, found.means)),
        "standard_deviations": list(map(finite, found.deviations)),
        "ks": finite(found.ks),
        "p": finite(found.p),
        "wasserstein": finite(found.wasserstein),
        "element": found.element,
        "element_shift": finite(found.element_shift),
    }
