"""How many numbers fall into which bin, of series that come in parts."""

from __future__ import annotations

import numpy as np

from ..message.arrays import Floats

_BINS = 60
_TINY = 1e-290
"""Of narrower bins the inverse would be infinite."""


def bin_edges(low: float, high: float, whole: bool = False) -> Floats:
    """Edges (m + 1,) of bins from `low` to `high`, both included.

    Whole numbers that are few get a bin each.
    """
    if not low <= high:
        return np.array([0.0, 1.0])
    if whole and high - low < _BINS and max(-low, high) < 2**51:
        return np.arange(low - 0.5, high + 1, dtype=np.float64)
    if low == high:
        half = abs(low) * 1e-3 or 0.5
        return np.array([low - half, low + half])
    share = np.linspace(0, 1, _BINS + 1)
    edges: Floats = np.unique(low * (1 - share) + high * share)
    return edges


class Spread:
    """Counts of numbers in the bins between `edges` (m + 1,)."""

    def __init__(self, edges: Floats) -> None:
        self.edges = edges
        self.counts = np.zeros(len(edges) - 1, np.int64)
        widths = np.diff(edges)
        even = widths[0] > _TINY and np.allclose(widths, widths[0], rtol=1e-6, atol=0)
        self._even = bool(even)

    def add(self, values: Floats) -> None:
        """Count numbers of any shape; those that are not finite are left out."""
        finite = values[np.isfinite(values)]
        low, high, bins = self.edges[0], self.edges[-1], len(self.counts)
        if self._even:  # numpy.histogram would sort
            bin_of = ((finite - low) * (bins / (high - low))).astype(np.int64)
        else:
            bin_of = np.searchsorted(self.edges, finite, side="right") - 1
        self.counts += np.bincount(np.clip(bin_of, 0, bins - 1), minlength=bins)
