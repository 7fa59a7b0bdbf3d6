"""Correlation of fields: a Gaussian copula, so that every field keeps its own distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import DistError
from ..message.arrays import Floats
from .exact import normal_probability
from .random import Random
from .rule import finite, required


@dataclass(frozen=True)
class Correlations:
    """Correlations of pairs of fields, and the Cholesky factor of their matrix, one row for each of
    `members`."""

    pairs: dict[tuple[str, str], float]
    members: tuple[str, ...]
    factor: tuple[tuple[float, ...], ...]

    def stream(self, member: str, random: Random) -> Callable[[int], Floats]:
        """What draws numbers between 0 and 1 for a member.

        Every member makes the same normal numbers of its own, so that inputs need not be drawn
        together.
        """
        row = self.factor[self.members.index(member)]
        sources = [random.named(f"correlated:{name}") for name in self.members[: len(row)]]

        def draw(count: int) -> Floats:
            total: Floats = np.zeros(count)
            for weight, source in zip(row, sources, strict=True):
                total = total + weight * source.normal(count)
            return normal_probability(total)

        return draw


def correlations(pairs: Mapping[tuple[str, str], float]) -> Correlations:
    """Correlations by pairs of names; raises DistError for those that cannot be together."""
    members: list[str] = []
    for pair, value in pairs.items():
        if not isinstance(pair, tuple) or len(pair) != 2 or pair[0] == pair[1]:
            raise DistError(f"{pair!r} is no pair of fields; give two different names")
        finite(f"the correlation of '{pair[0]}' and '{pair[1]}'", it=value)
        required(
            -1 <= value <= 1,
            f"the correlation of '{pair[0]}' and '{pair[1]}' is {value}; give -1 to 1",
        )
        members += [name for name in pair if name not in members]
    matrix = [[1.0 if a == b else 0.0 for b in members] for a in members]
    for (a, b), value in pairs.items():
        i, j = members.index(a), members.index(b)
        if matrix[i][j] not in (0.0, value):
            raise DistError(f"'{a}' and '{b}' have two correlations; give one")
        matrix[i][j] = matrix[j][i] = float(value)
    return Correlations(dict(pairs), tuple(members), _factor(matrix, members))


def _factor(matrix: list[list[float]], members: list[str]) -> tuple[tuple[float, ...], ...]:
    """The Cholesky factor, row by row."""
    rows: list[list[float]] = []
    for i in range(len(matrix)):
        row: list[float] = []
        for j in range(i):
            rest = matrix[i][j] - sum(a * b for a, b in zip(row, rows[j], strict=False))
            if rows[j][j] > 1e-9:
                row.append(rest / rows[j][j])
            else:
                required(abs(rest) < 1e-9, _impossible(members))
                row.append(0.0)
        left = 1.0 - sum(value * value for value in row)
        required(left > -1e-9, _impossible(members))
        row.append(math.sqrt(max(0.0, left)))
        rows.append(row)
    return tuple(map(tuple, rows))


def _impossible(members: list[str]) -> str:
    return f"the correlations of {', '.join(members)} cannot be together; make them smaller"
