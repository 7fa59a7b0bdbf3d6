"""One series of any length, which comes in parts, in as many points as a picture can show.

Peaks survive.
"""

from __future__ import annotations

import numpy as np

from ..message.arrays import Floats, Int64s
from .downsample import min_max

_FINER = 2
"""Parts are cut down to narrower columns than the whole, since theirs do not lie where its columns
do."""


class Trace:
    """Points of `total` rows, or the smallest and largest in each of `columns` columns."""

    def __init__(self, columns: int, total: int) -> None:
        self._columns = columns
        self._per_row = min(1.0, _FINER * columns / max(total, 1))
        self._parts: list[tuple[Int64s, Floats]] = []

    def add(self, rows: Int64s, values: Floats) -> Int64s:
        """Take the next values (m,), at increasing rows (m,).

        Gives the rows that `points` may have.
        """
        part = min_max(rows, values, max(1, int(np.ceil(self._per_row * len(rows)))))
        self._parts.append(part)
        return part[0]

    def points(self) -> tuple[Int64s, Floats]:
        """Rows and values (n,), NaN where there is no finite number."""
        rows = np.concatenate([np.empty(0, np.int64), *(part[0] for part in self._parts)])
        values = np.concatenate([np.empty(0), *(part[1] for part in self._parts)])
        return min_max(rows, values, self._columns)
