"""Distributions of single numbers, and of values to choose from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..message.arrays import Column, Floats
from ..message.drawn_columns import Columns, Drawn
from ..message.time import NS_PER_S
from .exact import exp, log, normal_quantile, power
from .fields import TEXTS, TIMES, Field, Structure
from .random import Random
from .rule import (
    PartRule,
    PartSource,
    Rule,
    Scalar,
    Setting,
    Source,
    check_number,
    check_single,
    finite,
    fitted,
    misfit,
    required,
)
from .ticks import Ticks


@dataclass(frozen=True)
class Uniform(Scalar):
    """Every number between `low` and `high` is equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        finite("Uniform", low=self.low, high=self.high)
        required(
            self.low <= self.high, f"Uniform({self.low}, {self.high}) is empty; give low <= high"
        )

    @property
    def limits(self) -> tuple[float, float]:
        return self.low, self.high

    def quantile(self, p: Floats) -> Column:
        return self.low * (1.0 - p) + self.high * p  # no overflow, however far apart they are


@dataclass(frozen=True)
class Normal(Scalar):
    """The normal distribution."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        finite("Normal", mean=self.mean, std=self.std)
        required(self.std >= 0, f"std of Normal is {self.std}; give 0 or more")

    @property
    def limits(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def quantile(self, p: Floats) -> Column:
        return self.mean + self.std * normal_quantile(p)


@dataclass(frozen=True)
class LogNormal(Scalar):
    """Numbers above 0 whose logarithm is normal with `mean` and `std`."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        finite("LogNormal", mean=self.mean, std=self.std)
        required(self.std >= 0, f"std of LogNormal is {self.std}; give 0 or more")

    @property
    def limits(self) -> tuple[float, float]:
        return 0.0, math.inf

    def quantile(self, p: Floats) -> Column:
        return exp(self.mean + self.std * normal_quantile(p))


@dataclass(frozen=True)
class Pareto(Scalar):
    """Numbers from `scale` on with a heavy tail: the share above x is (scale / x) ** shape."""

    shape: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        finite("Pareto", shape=self.shape, scale=self.scale)
        required(min(self.shape, self.scale) > 0, "shape and scale of Pareto must be above 0")

    @property
    def limits(self) -> tuple[float, float]:
        return self.scale, math.inf

    def quantile(self, p: Floats) -> Column:
        return self.scale * power(1.0 - p, -1.0 / self.shape)


@dataclass(frozen=True)
class Exponential(Scalar):
    """Numbers from 0 on, of a `mean`."""

    mean: float = 1.0

    def __post_init__(self) -> None:
        finite("Exponential", mean=self.mean)
        required(self.mean > 0, f"mean of Exponential is {self.mean}; give a number above 0")

    @property
    def limits(self) -> tuple[float, float]:
        return 0.0, math.inf

    def quantile(self, p: Floats) -> Column:
        return -self.mean * log(1.0 - p)


@dataclass(frozen=True)
class Box(Scalar):
    """Every number in the message from `min` to `max`: whole where the field is, and no sequences,
    times or bools."""

    min: float
    max: float

    def __post_init__(self) -> None:
        finite("Box", min=self.min, max=self.max)
        required(self.min <= self.max, f"Box({self.min}, {self.max}) is empty; give min <= max")

    @property
    def limits(self) -> tuple[float, float]:
        return self.min, self.max

    def offers(self, wanted: Field) -> bool:
        return wanted.is_number and wanted.array != "sequence"

    def check(self, wanted: Field) -> None:
        if wanted.dtype.kind in "iu":
            low, high = math.ceil(self.min), math.floor(self.max)
            required(
                low <= high,
                f"{self!r} holds no whole number for '{wanted.path}' of {wanted.message}",
            )
        check_number(self, wanted, True, self.limits)

    def quantile(self, p: Floats) -> Column:
        return Uniform(self.min, self.max).quantile(p)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        if wanted.dtype.kind in "iu":
            low, high = math.ceil(self.min), math.floor(self.max)
            return Integers(low, high).source(wanted, random, setting)
        return super().source(wanted, random, setting)


@dataclass(frozen=True)
class Integers(Scalar):
    """Every whole number from `low` to `high`, both included, is equally likely."""

    low: int
    high: int
    whole = True

    def __post_init__(self) -> None:
        for name, number in (("low", self.low), ("high", self.high)):
            whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
            required(whole, f"{name} of Integers is {number!r}; give a whole number")
        required(
            self.low <= self.high, f"Integers({self.low}, {self.high}) is empty; give low <= high"
        )
        fits = self.low >= -(1 << 63) and self.high < 1 << 64
        required(fits, f"Integers({self.low}, {self.high}) does not fit into 64 bits")

    @property
    def limits(self) -> tuple[float, float]:
        return self.low, self.high

    def quantile(self, p: Floats) -> Column:
        found = np.floor(p * (self.high - self.low + 1)) + self.low
        return np.clip(found, self.low, self.high).astype(np.int64)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        if wanted.path in setting.correlated:
            return super().source(wanted, random, setting)

        def draw(ticks: Ticks) -> Drawn:
            shape = (len(ticks), *wanted.shape)
            values = random.integers(self.low, self.high, int(np.prod(shape)))
            return Drawn(fitted(values, wanted).reshape(shape))

        return draw


@dataclass(frozen=True, init=False)
class Choice(Scalar):
    """One of some values, all numbers or all strings; equally likely without `weights`."""

    values: tuple[Any, ...]
    weights: tuple[float, ...] | None

    def __init__(self, *values: Any, weights: Any = None) -> None:
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "weights", None if weights is None else tuple(weights))
        required(bool(values), "Choice() has nothing to choose from; give values")
        kinds = {_kind(value) for value in values}
        required(
            None not in kinds and len(kinds) == 1,
            f"{self!r} mixes kinds of values, or has one that is neither number, string nor bool",
        )
        if self.weights is not None:
            finite("Choice", **{f"weights[{at}]": weight for at, weight in enumerate(self.weights)})
            required(
                len(self.weights) == len(values) and min(self.weights) >= 0 < sum(self.weights),
                f"weights of {self!r} must be one for each value, 0 or more, and not all 0",
            )

    def __repr__(self) -> str:
        words = [repr(value) for value in self.values]
        if self.weights is not None:
            words.append(f"weights={self.weights!r}")
        return f"Choice({', '.join(words)})"

    @property
    def whole(self) -> bool:  # type: ignore[override]
        return all(isinstance(value, (int, np.integer)) for value in self.values)

    @property
    def limits(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    def check(self, wanted: Field) -> None:
        check_values(self, self.values, wanted)

    def quantile(self, p: Floats) -> Column:
        count = len(self.values)
        weights = self.weights or (1.0,) * count
        edges = np.add.accumulate(
            weights
        )  # one after the other, as nothing else is the same everywhere
        chosen = np.minimum(np.searchsorted(edges, p * edges[-1], "right"), count - 1)
        found: Column = as_array(self.values)[chosen]
        return found


def _kind(value: Any) -> str | None:
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, (int, float, np.number)):
        return "number"
    return "text" if isinstance(value, str) else None


def as_array(values: tuple[Any, ...] | list[Any]) -> Column:
    """Values (n,) as they are; numpy makes other numbers of large ones, and other strings of empty
    ones."""
    if all(isinstance(value, (float, np.floating)) for value in values):
        return np.array(values, np.float64)
    if all(
        isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in values
    ):
        return np.array(values, np.uint64 if values and max(values) >= 1 << 63 else np.int64)
    if all(
        isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        for value in values
    ):
        return np.array(values, np.float64)
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        return np.array(values, np.bool_)
    found = np.empty(len(values), object)
    found[:] = values
    return found


def check_values(rule: object, values: tuple[Any, ...] | list[Any], wanted: Field) -> None:
    """Raise DistError if a field cannot have one of the values."""
    check_single(rule, wanted)
    for value in values:
        kind = _kind(value)
        if wanted.kind in TEXTS:
            if kind != "text":
                raise misfit(rule, wanted, f"has {value!r}; give strings")
            if 0 < wanted.string_bound < len(value):
                raise misfit(
                    rule, wanted, f"has a string longer than {wanted.string_bound} characters"
                )
        elif kind == "text" or (kind == "bool") != (wanted.kind == "bool"):
            wish = "False or True" if wanted.kind == "bool" else "numbers"
            raise misfit(rule, wanted, f"has {value!r}; give {wish}")
        elif kind == "number" and not (wanted.kind.startswith("float") and not np.isfinite(value)):
            check_number(rule, wanted, isinstance(value, (int, np.integer)), (value, value))


@dataclass(frozen=True)
class Constant(Rule):
    """Always the same: a value, or a list of them for an array."""

    value: Any

    def check(self, wanted: Field) -> None:
        if not isinstance(self.value, (list, tuple, np.ndarray)):
            check_values(self, (self.value,), wanted)
            return
        items = list(self.value)
        if not wanted.array or wanted.kind == "length":
            raise misfit(self, wanted, "is a list; give one value")
        fixed = wanted.array == "fixed"
        if (fixed and len(items) != wanted.size) or 0 < wanted.size < len(items):
            raise misfit(self, wanted, f"has {len(items)} elements")
        check_values(
            self, items, Field(wanted.path, wanted.kind, "", 0, wanted.string_bound, wanted.message)
        )

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        many = isinstance(self.value, (list, tuple, np.ndarray))
        items = as_array(list(self.value) if many else [self.value])
        if wanted.kind in TIMES:
            items = np.array([round(float(item) * NS_PER_S) for item in items], np.int64)
        items = items.astype(wanted.dtype)

        def draw(ticks: Ticks) -> Drawn:
            if many and wanted.array == "sequence":
                return Drawn(np.tile(items, len(ticks)), np.full(len(ticks), len(items)))
            row = items if many else items[0]
            return Drawn(np.broadcast_to(row, (len(ticks), *wanted.shape)))

        return draw


@dataclass(frozen=True)
class Scipy(Rule):
    """A frozen distribution of numbers of scipy.stats.

    Its values come from numpy's Generator, so other versions of scipy or numpy may draw others from
    the same seed.
    """

    frozen: Any

    @property
    def whole(self) -> bool:
        """Whether it draws whole numbers."""
        return hasattr(self.frozen, "pmf")

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value; infinite where there is none."""
        low, high = self.frozen.support()
        return float(low), float(high)

    def check(self, wanted: Field) -> None:
        check_number(self, wanted, self.whole, self.limits)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        if wanted.path in setting.correlated:
            uniform = setting.uniform(wanted.path, random)
            return lambda ticks: Drawn(fitted(self.frozen.ppf(uniform(len(ticks))), wanted))
        generator = random.generator

        def draw(ticks: Ticks) -> Drawn:
            shape = (len(ticks), *wanted.shape)
            values = self.frozen.rvs(size=int(np.prod(shape)), random_state=generator)
            return Drawn(fitted(np.asarray(values), wanted).reshape(shape))

        return draw


@dataclass(frozen=True)
class ScipyRows(Rule, PartRule):
    """A frozen multivariate distribution of scipy.stats, for a fixed array or the numbers of a
    vector, in their order.

    As with `Scipy`, other versions may draw other values; so may other machines, for some of them
    use BLAS.
    """

    frozen: Any

    def check(self, wanted: Field) -> None:
        if wanted.array != "fixed" or wanted.size != self._width():
            raise misfit(self, wanted, f"draws rows of {self._width()} numbers")
        check_number(self, wanted, False, (-math.inf, math.inf))

    def paths(self, structure: Structure) -> list[str]:
        numbers = [path for path, field in structure.fields.items() if field.is_number]
        singles = all(not structure.fields[path].array for path in numbers)
        whole = len(numbers) == len(structure.fields)
        return numbers if whole and singles and len(numbers) == self._width() else []

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        generator = random.generator
        return lambda ticks: Drawn(fitted(self._rows(len(ticks), generator), wanted))

    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        generator, paths = random.generator, self.paths(structure)

        def draw(ticks: Ticks) -> Columns:
            rows = self._rows(len(ticks), generator)
            return {
                path: Drawn(fitted(rows[:, at], structure.fields[path]))
                for at, path in enumerate(paths)
            }

        return draw

    def _width(self) -> int:
        return self._rows(1, np.random.default_rng(0)).shape[1]

    def _rows(self, count: int, generator: np.random.Generator) -> Column:
        drawn = np.asarray(self.frozen.rvs(size=count, random_state=generator))
        return drawn.reshape(count, -1)


def as_rule(rule: Any) -> Any:
    """A rule as a declaration gives it, or for a frozen distribution of scipy.stats that it gives
    instead."""
    if not hasattr(rule, "rvs"):
        return rule
    return Scipy(rule) if hasattr(rule, "support") else ScipyRows(rule)
