"""How much of a series others foretell, judged on ticks to which nothing was fitted."""

from __future__ import annotations

import numpy as np

from ...message.arrays import Floats

_MOST_ROWS = 4_000


def foretold(values: Floats, known: list[Floats]) -> float:
    """The share of the variance of `values` (n,) that a linear law of `known`, (n,) each, explains.

    It is fitted to every other tick and judged on those between; at least 0.
    """
    values = values[:_MOST_ROWS]
    columns = np.stack([np.ones(len(values)), *(_scaled(k[:_MOST_ROWS]) for k in known)], axis=1)
    fitted, judged = slice(None, None, 2), slice(1, None, 2)
    spread = float(np.var(values[judged])) if len(values) > 2 * columns.shape[1] else 0.0
    if not spread:
        return 0.0
    law = np.linalg.lstsq(columns[fitted], values[fitted], rcond=None)[0]
    left = values[judged] - np.sum(columns[judged] * law, axis=1)
    return max(0.0, 1.0 - float(np.mean(np.square(left))) / spread)


def _scaled(values: Floats) -> Floats:
    size = float(np.abs(values).max(initial=0.0)) or 1.0
    scaled: Floats = values / size
    return scaled
