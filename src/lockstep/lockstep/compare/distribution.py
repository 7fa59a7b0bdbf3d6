"""Comparing what cannot be aligned: the distributions of two recordings, field by field.

For each number the two-sample Kolmogorov–Smirnov test and the Wasserstein distance (scipy.stats),
Welch's t-test of the means, for arrays of equal lengths, images above all, of each element, and the
shares of NaN and infinities. For each text how often it has which value (χ² test). Noise that is
alike in neighbouring messages or elements, as drift and flicker, counts for as many values as are
independent. Beside whether a difference is more than chance it is told how large it is: its effect,
in standard deviations (Cohen 1988).
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as declared
from typing import Any

import numpy as np

from ..bag import Bag
from ..errors import CompareError
from ..message.arrays import Column, Floats, Int64s
from .definitions import common
from .kinds import kind_of_elements
from .tolerance import MEASURES, Tolerance, Tolerances

SIGNIFICANCE = 0.01
"""How often equal distributions may be told apart by chance, in one comparison of all fields
together."""
_SAMPLES = 20_000
_MOST_ELEMENTS = 1 << 24
_MOST_TEXTS = 1000
"""A field with more values names messages rather than the scene."""
_FEWEST_IN_TIME = 20
_ENOUGH = 30
_BINS = 40
_EFFECTS = ((0.2, "negligible"), (0.5, "small"), (0.8, "medium"), (math.inf, "large"))
"""Below which effects have which name (Cohen 1988)."""
_TESTS = 3
"""Of each field that may tell it apart: distribution, mean, elements."""


@dataclass(frozen=True)
class DistributionComparison:
    """One field of two recordings; numbers in the unit of the field.

    `effect` is the Wasserstein distance in standard deviations of both, or, of arrays of one
    length, the root mean square of how far the means of elements are apart in standard deviations
    of these, beyond chance, if that is larger. NaN where there is none, as of texts; inf where what
    never changes is another.

    `p` is that of the Kolmogorov–Smirnov test, of texts that of the χ² test; then the other numbers
    are NaN. `element_shift` is the difference of means that is least likely by chance, in standard
    errors: of the array element `element`, or if that is None of all elements together. `matches`:
    the Wasserstein distance is within the tolerance, or the effect, or, where that is exact,
    nothing can be told apart at the level `SIGNIFICANCE`, and there are enough messages for that.
    `why_not` says in words what differs, where the numbers do not.
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
    effect: float = math.nan
    histogram: Histogram | None = declared(default=None, compare=False)
    why_not: str = ""

    @property
    def size(self) -> str:
        """How large the effect is, in a word."""
        return next(word for most, word in _EFFECTS if self.effect < most or most == math.inf)


@dataclass(frozen=True)
class Histogram:
    """How many numbers of a sample of each side are in the bins between `edges` (m + 1,)."""

    edges: Floats
    counts: tuple[Int64s, Int64s]


class _Sample:
    """What is kept of the values of a field: a uniform sample, sums for each element, the mean of
    each message, and what is not finite."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._kept: Floats = np.empty(0)
        self._keys: Floats = np.empty(0)
        self.count = 0
        self.sums: tuple[Floats, Floats] | None = None
        self.origin: Floats = np.zeros(())
        """Of the sums, so that they are precise far from zero."""
        self.messages = 0
        self.is_constant = True
        self.kinds = Counter[str]()
        """How many are finite, NaN, +∞ and -∞."""
        self.lengths = Counter[str]()
        """How many messages have so many elements."""
        self.message_means = array("d")
        self._shape: tuple[int, ...] | None = None

    def add(self, column: Column) -> None:
        """Take the values of m messages, (m, …) or m arrays of different lengths."""
        if column.dtype == object:
            self._shape, self.sums, self.is_constant = (), None, False
            for row in column:
                elements: Floats = np.asarray(row, np.float64).ravel()
                self._count(elements[None])
                self._take(elements)
            return
        values = column.astype(np.float64).reshape(len(column), -1)
        self._sum(values)
        self._count(values)
        self._take(values.ravel())

    def _count(self, values: Floats) -> None:
        finite = np.isfinite(values)
        counts = finite.sum(axis=1)
        sums = np.where(finite, values, 0.0).sum(axis=1)
        self.message_means.extend(sums[counts > 0] / counts[counts > 0])
        self.messages += len(values)
        self.lengths[f"{values.shape[1]} elements"] += len(values)
        infinite: Any = np.isinf(values)
        self.kinds["finite"] += int(counts.sum())
        self.kinds["NaN"] += int(np.isnan(values).sum())
        self.kinds["+∞"] += int((infinite & (values > 0)).sum())
        self.kinds["-∞"] += int((infinite & (values < 0)).sum())

    def _sum(self, values: Floats) -> None:
        shape = values.shape[1:]
        if self._shape is None and values.shape[1] <= _MOST_ELEMENTS:
            self._shape, self.sums = shape, (np.zeros(shape), np.zeros(shape))
            self.origin = values[0].copy()
        if self._shape != shape or self.sums is None:
            self._shape, self.sums, self.is_constant = (), None, False
            return
        self.is_constant &= bool(
            np.array_equal(values, np.broadcast_to(self.origin, values.shape), equal_nan=True)
        )
        off = values - np.where(np.isfinite(self.origin), self.origin, 0.0)
        off = np.where(np.isfinite(values), off, 0.0)
        self.sums[0][...] += off.sum(axis=0)
        self.sums[1][...] += np.square(off).sum(axis=0)

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

    @property
    def means(self) -> Floats:
        """Of each element."""
        assert self.sums is not None
        origin = np.where(np.isfinite(self.origin), self.origin, 0.0)
        return np.asarray(origin + self.sums[0] / self.messages)

    @property
    def variances(self) -> Floats:
        """Of the mean of each element."""
        assert self.sums is not None
        mean = self.sums[0] / self.messages
        of_one = np.maximum(self.sums[1] / self.messages - np.square(mean), 0.0)
        return np.asarray(of_one / (self.messages - 1))

    @property
    def repetition(self) -> float:
        """How many messages, in the order of their times, say as much as one that is independent:
        that of an autoregressive process, where neighbours are alike beyond chance."""
        means = np.frombuffer(self.message_means)
        if len(means) < _FEWEST_IN_TIME:
            return 1.0
        off = means - means.mean()
        power = float(np.square(off).sum())
        if not power:
            return 1.0
        alike = float((off[1:] * off[:-1]).sum()) / power
        return (1 + alike) / (1 - alike) if alike > 2 / math.sqrt(len(means)) else 1.0

    @property
    def independent(self) -> float:
        """How many of the values in the sample are independent."""
        means = np.frombuffer(self.message_means)
        kept = len(self._kept)
        if len(means) < 2 or not (variance := float(means.var(ddof=1))):
            return kept
        if self.kinds["finite"] == len(means):
            return min(kept, len(means) / self.repetition)
        by_means = len(means) * float(self._kept.var()) / variance
        return min(kept, by_means / self.repetition)


def compare_distributions(
    a: Bag, b: Bag, topic: str, tolerances: Tolerances
) -> dict[str, DistributionComparison]:
    """The distributions of all fields that both sides have, but times, by path."""
    tolerances, types = tolerances.at(topic), common(a.codec(topic), b.codec(topic))
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
    samples_a, samples_b = (_samples(bag, topic, wanted, seed) for seed, bag in enumerate((a, b)))
    level = SIGNIFICANCE / max(1, len(wanted) * _TESTS)
    found: dict[str, DistributionComparison] = {}
    for path, kind in wanted.items():
        one, other, tolerance = samples_a[path], samples_b[path], tolerances.of(path)
        if isinstance(one, _Texts) and isinstance(other, _Texts):
            found[path] = _compared_texts(path, kind, tolerance, one, other, level)
        elif isinstance(one, _Sample) and isinstance(other, _Sample):
            found[path] = _compared(path, kind, tolerance, one, other, level)
    return found


def _samples(
    bag: Bag, topic: str, wanted: Mapping[str, str], seed: int
) -> Mapping[str, _Sample | _Texts]:
    samples: dict[str, _Sample | _Texts] = {
        path: _Sample(seed) if kind_of_elements(kind).has_numbers else _Texts()
        for path, kind in wanted.items()
    }
    for columns in bag.stream_columns(topic, list(wanted)):
        for path, column in columns.items():
            samples[path].add(column)
    return samples


class _Texts:
    """How often a field has which text, or which array of texts."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.messages = 0

    def add(self, column: Column) -> None:
        """Take the texts of m messages, (m, …) or m arrays of different lengths."""
        self.messages += len(column)
        if len(self.counts) <= _MOST_TEXTS:
            self.counts.update(
                row if isinstance(row, str) else repr([str(text) for text in np.ravel(row)])
                for row in column
            )


def _compared_texts(
    path: str, kind: str, tolerance: Tolerance, a: _Texts, b: _Texts, level: float
) -> DistributionComparison:
    why_not = ""
    if max(len(a.counts), len(b.counts)) <= _MOST_TEXTS:
        why_not = _apart(a.counts, b.counts, level)
    return DistributionComparison(
        field=path,
        type=kind,
        tolerance=tolerance,
        counts=(a.messages, b.messages),
        means=(math.nan, math.nan),
        deviations=(math.nan, math.nan),
        ks=math.nan,
        p=_chance_of_counts(a.counts, b.counts),
        wasserstein=math.nan,
        element=None,
        element_shift=None,
        matches=not why_not,
        why_not=why_not,
    )


def _apart(a: Counter[str], b: Counter[str], level: float) -> str:
    """In words, of what one side has another share of the messages or values than the other; "" if
    of nothing, as far as the counts can tell."""
    a, b = +a, +b
    is_constant = len(a) == len(b) == 1
    if a.keys() == b.keys() if is_constant else _chance_of_counts(a, b) >= level:
        return ""
    all_a, all_b = a.total(), b.total()
    most = max(sorted(a.keys() | b.keys()), key=lambda name: abs(b[name] / all_b - a[name] / all_a))
    return f"'{most}' in {b[most]} of {all_b} against {a[most]} of {all_a}"


def _chance_of_counts(a: Counter[str], b: Counter[str]) -> float:
    """How likely counts of two samples are so far apart by chance (χ² test)."""
    from scipy import stats

    names = sorted(a.keys() | b.keys())
    if len(names) < 2 or len(names) > _MOST_TEXTS or not (a.total() and b.total()):
        return 1.0
    table = [[counts[name] for name in names] for counts in (a, b)]
    return float(stats.chi2_contingency(table, correction=True).pvalue)


def _compared(
    path: str, kind: str, tolerance: Tolerance, a: _Sample, b: _Sample, level: float
) -> DistributionComparison:
    from scipy import stats

    ks, p, distance = 0.0, 1.0, 0.0
    if len(a.values) and len(b.values):
        with np.errstate(divide="ignore"):  # of single values; it is not its p that counts
            ks = float(stats.ks_2samp(a.values, b.values, method="asymp").statistic)
        p = _chance_of_distance(ks, a.independent, b.independent)
        distance = float(stats.wasserstein_distance(a.values, b.values))
    elif len(a.values) or len(b.values):
        ks, p, distance = 1.0, 0.0, math.inf
    shift = _likeliest_shift(a, b)
    limit = tolerance.abs + tolerance.rel * float(np.abs(a.values).mean() if len(a.values) else 0.0)
    why_not = _apart(a.lengths, b.lengths, level) or _apart(a.kinds, b.kinds, level)
    effect = _effect(a, b, distance)
    if limit:
        matches = distance <= limit and not why_not
    elif a.is_constant and b.is_constant:
        matches = not why_not and bool(np.array_equal(a.origin, b.origin, equal_nan=True))
    elif _are_too_few(a.messages, b.messages, level):
        matches = False
        counts = f"{a.messages} against {b.messages} messages"
        why_not = why_not or f"{counts} are too few to tell a difference from noise"
    else:
        is_small = tolerance.effect is not None and effect <= tolerance.effect
        is_chance = p >= level and (shift is None or shift.chance >= level)
        matches = (is_small or is_chance) and not why_not
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
        element=shift.element if shift else None,
        element_shift=shift.errors if shift else None,
        matches=matches,
        effect=effect,
        histogram=_histogram(a.values, b.values),
        why_not="" if matches else why_not,
    )


def _effect(a: _Sample, b: _Sample, distance: float) -> float:
    """How far two samples are apart, in their own standard deviations."""
    if not (len(a.values) and len(b.values)):
        return math.inf if len(a.values) or len(b.values) else 0.0
    of_all = _in_deviations(distance, math.sqrt((a.values.var() + b.values.var()) / 2))
    if a.sums is None or b.sums is None or a.sums[0].shape != b.sums[0].shape or a.sums[0].size < 2:
        return of_all
    if min(a.messages, b.messages) < 2:
        return of_all
    by_chance = a.variances * a.repetition + b.variances * b.repetition
    apart = float((np.square(b.means - a.means) - by_chance).mean())
    spread = float((a.variances * a.messages + b.variances * b.messages).mean() / 2)
    return max(of_all, _in_deviations(math.sqrt(max(0.0, apart)), math.sqrt(spread)))


def _in_deviations(distance: float, deviation: float) -> float:
    if not distance:
        return 0.0
    return distance / deviation if deviation else math.inf


def _histogram(a: Floats, b: Floats) -> Histogram | None:
    """Of both in the same bins; None without a number."""
    both = np.concatenate([a, b])
    if not len(both):
        return None
    low, high = float(both.min()), float(both.max())
    if bool((both == np.rint(both)).all()) and high - low < _BINS:
        edges: Floats = np.arange(low - 0.5, high + 1, dtype=np.float64)
    elif low == high or not math.isfinite(high - low):
        return None
    else:
        edges = np.unique(np.linspace(low, high, _BINS + 1))
    if len(edges) < 2:
        return None
    counts = [np.histogram(side, edges)[0] for side in (a, b)]
    return Histogram(edges, (counts[0], counts[1]))


def _are_too_few(count_a: int, count_b: int, level: float) -> bool:
    """Whether even values that lie wholly apart may do so by chance (permutations)."""
    return min(count_a, count_b) < _ENOUGH and 2 / math.comb(count_a + count_b, count_a) >= level


def _chance_of_distance(ks: float, count_a: float, count_b: float) -> float:
    """How likely two samples of so many independent values are so far apart
    (Kolmogorov–Smirnov)."""
    from scipy import stats

    if not (count_a and count_b):
        return 1.0
    return float(stats.kstwo.sf(ks, max(1, round(count_a * count_b / (count_a + count_b)))))


@dataclass(frozen=True)
class _Shift:
    element: int | None
    """None: the mean of all elements."""
    errors: float
    """The difference of the means, in standard errors."""
    chance: float
    """How likely one of all elements is shifted so much by chance."""


def _likeliest_shift(a: _Sample, b: _Sample) -> _Shift | None:
    """Whose means differ least likely by chance: all elements together or one of them (Welch's
    t-test, Bonferroni)."""
    means = [np.frombuffer(sample.message_means) for sample in (a, b)]
    if min(map(len, means)) < 2:
        return None
    variances = [
        mean.var() / (len(mean) - 1) * sample.repetition
        for mean, sample in zip(means, (a, b), strict=True)
    ]
    apart = np.array([abs(means[1].mean() - means[0].mean())])
    errors, chances = _welch(apart, np.array(variances)[:, None], (len(means[0]), len(means[1])))
    of_all = _Shift(None, float(errors[0]), float(chances[0]))
    if a.sums is None or b.sums is None or a.sums[0].shape != b.sums[0].shape or a.sums[0].size < 2:
        return of_all
    apart = np.abs(b.means - a.means)
    errors, chances = _welch(apart, np.array([a.variances, b.variances]), (a.messages, b.messages))
    least = np.flatnonzero(chances == chances.min())
    element = int(least[np.argmax(errors[least])])
    of_one = _Shift(element, float(errors[element]), min(1.0, apart.size * float(chances[element])))
    return min(of_all, of_one, key=lambda shift: shift.chance)


def _welch(apart: Floats, variances: Floats, counts: tuple[int, int]) -> tuple[Floats, Floats]:
    """By how many standard errors means (k,) are apart, and how likely each is by chance, given the
    variances (2, k) of the means of so many values.

    What never changes on either side is as unlikely as a coin that falls so in each message: it may
    lie between two steps of the sensor.
    """
    from scipy import stats

    variance = variances.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(apart > 0, apart / np.sqrt(variance), 0.0)
        parts = np.square(variances) / (np.array(counts)[:, None] - 1)
        freedom = np.square(variance) / parts.sum(axis=0)
        chances = 2 * stats.t.sf(errors, np.where(np.isfinite(freedom), freedom, 1.0))
    chances = np.where(np.isinf(errors), 2.0 ** (1 - sum(counts)), chances)
    return errors, np.where(apart > 0, chances, 1.0)


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
        "effect": finite(found.effect),
        "element": found.element,
        "element_shift": finite(found.element_shift),
        "why_not": found.why_not,
    }
