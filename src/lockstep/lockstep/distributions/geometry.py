"""Directions, orientations and covariances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DistError
from ..message.arrays import Floats
from ..message.drawn_columns import Columns, Drawn
from .fields import Field, Structure
from .numbers import Uniform, as_rule
from .random import Random
from .rule import PartRule, PartSource, Rule, Scalar, Setting, Source, misfit
from .ticks import Ticks

_DEVIATIONS = Uniform(0.01, 1.0)


def _on_sphere(random: Random, count: int, dimensions: int) -> Floats:
    """Points (count, dimensions) that are uniform on the unit sphere."""
    points = random.normal(count * dimensions).reshape(count, dimensions)
    found: Floats = points / np.sqrt(_squares(points))[:, None]
    return found


def _squares(rows: Floats) -> Floats:
    """The sum of the squares of each row, added in one order on every machine."""
    total = rows[:, 0] * rows[:, 0]
    for column in range(1, rows.shape[1]):
        total = total + rows[:, column] * rows[:, column]
    return total


class _OnSphere(PartRule):
    """The fields of a message as a point on the unit sphere."""

    _names: tuple[str, ...]

    def paths(self, structure: Structure) -> list[str]:
        fields = structure.fields
        is_one = set(fields) == set(self._names)
        floats = all(
            field.kind.startswith("float") and not field.array for field in fields.values()
        )
        return list(self._names) if is_one and floats else []

    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        def draw(ticks: Ticks) -> Columns:
            points = _on_sphere(random, len(ticks), len(self._names))
            return {
                name: Drawn(points[:, at].astype(structure.fields[name].dtype))
                for at, name in enumerate(self._names)
            }

        return draw


@dataclass(frozen=True)
class UnitVector(_OnSphere):
    """A vector with x, y and z of length 1; every direction is equally likely."""

    _names = ("x", "y", "z")


@dataclass(frozen=True)
class UnitQuaternion(_OnSphere):
    """A quaternion with x, y, z and w of length 1; every orientation is equally likely (uniform on
    SO(3))."""

    _names = ("x", "y", "z", "w")


@dataclass(frozen=True)
class Covariance(Rule):
    """A covariance matrix in a fixed array of k * k numbers: symmetric and positive definite.

    `std` draws the standard deviations on its diagonal; correlations are random, up to 0.9.
    """

    std: Any = _DEVIATIONS

    def __post_init__(self) -> None:
        rule = as_rule(self.std)
        object.__setattr__(self, "std", rule)
        if not isinstance(rule, Scalar) or not rule.limits[0] >= 0:
            raise DistError(
                f"std of Covariance is {rule!r}; give a distribution of numbers above 0"
            )

    def check(self, wanted: Field) -> None:
        if (
            wanted.array != "fixed"
            or not wanted.kind.startswith("float")
            or _root(wanted.size) ** 2 != wanted.size
        ):
            raise misfit(self, wanted, "draws k * k numbers for an array of floats of that size")

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        size = _root(wanted.size)
        deviations = self.std.source(
            Field("std", "float64", "fixed", size), random.named("std"), Setting(setting.at)
        )

        def draw(ticks: Ticks) -> Drawn:
            count = len(ticks)
            factor = np.zeros(
                (count, size, size)
            )  # of a correlation matrix: lower triangular, rows of length 1
            for row in range(size):
                factor[:, row, : row + 1] = _on_sphere(random, count, row + 1)
            std = np.maximum(deviations(ticks).values, 1e-6)
            found = np.empty((count, size, size))
            for row in range(size):
                for column in range(row + 1):
                    total = factor[:, row, 0] * factor[:, column, 0]
                    for at in range(1, column + 1):
                        total = total + factor[:, row, at] * factor[:, column, at]
                    correlation = 1.0 if row == column else 0.9 * total
                    found[:, row, column] = std[:, row] * std[:, column] * correlation
                    found[:, column, row] = found[:, row, column]
            return Drawn(found.reshape(count, -1).astype(wanted.dtype))

        return draw


def _root(size: int) -> int:
    return math.isqrt(size)
