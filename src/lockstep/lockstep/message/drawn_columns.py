"""Drawn values as columns, by field path: flat arrays,
with the counts of elements where lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .arrays import Column, Int64s


@dataclass(frozen=True)
class Drawn:
    """One field of m messages, or of all m elements of an array of messages, end to end.

    `values` is (m,), for fixed arrays (m, size). Of a sequence it is (sum of counts,), and `counts`
    (m,) tells how many of them belong to each. How many messages an array has is a column of its
    own, at the path of the array.
    """

    values: Column
    counts: Int64s | None = None

    def __len__(self) -> int:
        return len(self.values if self.counts is None else self.counts)


Columns: TypeAlias = dict[str, Drawn]
"""By path; those of arrays of messages before those of their fields."""


def level_of(path: str) -> str:
    """The innermost array of messages around a field: `poses[]` of `poses[].position.x`,
    empty if there is none.
    """
    return path[: path.rfind("[].") + 2] if "[]." in path else ""


def spans(start: Int64s, count: Int64s) -> Int64s:
    """The indexes from each start on, `count` of them, end to end."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    found: Int64s = np.arange(total) + np.repeat(start - ends + count, count)
    return found


def starts(counts: Int64s) -> Int64s:
    """Where each begins that lies end to end with others."""
    found: Int64s = np.cumsum(counts) - counts
    return found


def taken(columns: Columns, rows: Int64s) -> Columns:
    """The messages that `rows` choose, in their order."""
    rows_at = {"": rows}
    found: Columns = {}
    for path, drawn in columns.items():
        here = rows_at[level_of(path)]
        if drawn.counts is None:
            found[path] = Drawn(drawn.values[here])
        else:
            counts = drawn.counts[here]
            chosen = spans(starts(drawn.counts)[here], counts)
            found[path] = Drawn(drawn.values[chosen], counts)
        inner = f"{path}[]"
        if any(level_of(other) == inner for other in columns):
            rows_at[inner] = spans(starts(drawn.values)[here], drawn.values[here])
    return found


def joined(parts: Sequence[Columns]) -> Columns:
    """Messages end to end; all have the same fields."""
    found: Columns = {}
    for path, first in parts[0].items():
        every = [part[path] for part in parts]
        counts = [drawn.counts for drawn in every if drawn.counts is not None]
        found[path] = Drawn(
            np.concatenate([drawn.values for drawn in every]),
            None if first.counts is None else np.concatenate(counts),
        )
    return found
