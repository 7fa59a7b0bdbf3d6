"""Where in an array and when errors are: the largest of each cell, of series that come in parts."""

from __future__ import annotations

import numpy as np

from ..message.arrays import Floats, Int64s

_MOST_INDEXES = 96


class ErrorMap:
    """`cells` (indexes, columns) hold the largest |error|.

    0 where all are equal, inf where one is no number.
    """

    def __init__(self, width: int, total: int, most_cells: int) -> None:
        """For arrays of `width` elements in `total` rows."""
        indexes = max(1, min(width, _MOST_INDEXES))
        columns = max(1, min(total, most_cells // indexes))
        self.total = total
        self.index_starts = np.unique(np.arange(indexes) * width // indexes)
        self.row_starts = -(-np.arange(columns) * total // columns)
        self.cells = np.zeros((len(self.index_starts), columns))

    def add(self, rows: Int64s, error: Floats) -> None:
        """Take errors (m, k) at increasing rows (m,).

        At most `width` elements (k) are there; what is missing is no error.
        """
        if not error.size:
            return
        size = np.abs(error)
        size[np.isnan(size)] = np.inf
        starts = self.index_starts[self.index_starts < size.shape[1]]
        by_index = np.maximum.reduceat(size, starts, axis=1)
        column = np.searchsorted(self.row_starts, rows, side="right") - 1
        changes = np.flatnonzero(np.diff(column, prepend=-1))
        largest = np.maximum.reduceat(by_index, changes, axis=0).T
        there = (slice(len(starts)), column[changes])
        self.cells[there] = np.maximum(self.cells[there], largest)
