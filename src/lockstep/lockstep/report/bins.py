"""The bins of a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ReportError
from ..message.arrays import Floats
from .style import LARGEST

_FEWEST_BINS, _MOST_BINS = 12, 80
_EXACT = 2.0**51
"""Below this, a float64 tells halves apart."""


def finite_numbers(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values of any shape without NaN and inf, (m,), none larger than can be drawn."""
    if values.dtype.kind == "f":
        values = np.clip(values[np.isfinite(values)].astype(np.float64), -LARGEST, LARGEST)
    return (values.astype(np.uint8) if values.dtype.kind == "b" else values).reshape(-1)


def bin_edges(values: npt.NDArray[Any], bins: int | Sequence[float] | None, whole: bool) -> Floats:
    """Edges of bins (m + 1,) for all values (n,); whole numbers that are few get a bin each."""
    if bins is not None and not isinstance(bins, (int, np.integer)):
        given = np.asarray(bins, np.float64)
        if given.ndim != 1 or len(given) < 2 or not np.all(np.diff(given) > 0):
            raise ReportError("the edges of bins must be two or more ascending numbers")
        return given
    if bins is not None and bins < 1:
        raise ReportError(f"{bins} bins hold nothing; give 1 or more")
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if bins is None and whole and high - low < _MOST_BINS and max(-low, high) < _EXACT:
        return np.arange(low - 0.5, high + 1, dtype=np.float64)
    if low == high:
        half = max(abs(low) * 1e-3, 0.5 if low == 0 else 0.0)
        return np.array([low - half, low + half])
    # Bins cannot be narrower than the numbers are apart.
    apart = float(np.spacing(max(abs(low), abs(high))))
    most = max(1, int(min((high / 2 - low / 2) / apart * 2, 1e6)))
    share = np.linspace(0, 1, min(bins or _bin_count(values, low, high), most) + 1)
    return np.unique(low * (1 - share) + high * share)


def _bin_count(values: npt.NDArray[Any], low: float, high: float) -> int:
    """By the rule of Freedman and Diaconis, within what a picture can show."""
    lower, upper = np.percentile(values.astype(np.float64), [25, 75])
    width = 2 * (upper - lower) / len(values) ** (1 / 3)
    if not width > 0:
        return _MOST_BINS
    return int(min(max((high / width - low / width), _FEWEST_BINS), _MOST_BINS))
