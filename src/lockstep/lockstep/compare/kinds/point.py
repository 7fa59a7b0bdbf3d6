"""Points: three numbers that are one place, whose error is the distance in their own unit.

So is told how far two trajectories have come apart, tick by tick.
"""

from __future__ import annotations

import numpy as np

from ...message.arrays import Column, Floats, Mask
from ..tolerance import Tolerance
from .parts import kind_of_parts


def judge_points(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """The distance from a to b (…, 3) and whether it is beyond the limit; (…).

    It is inf where a number meets NaN, or an infinity another number.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    equal = (a == b) | (np.isnan(a) & np.isnan(b) & tolerance.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(equal, 0.0, b - a)
        largest = np.abs(apart).max(axis=-1, keepdims=True)  # whose square may be no number
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
        error = np.linalg.norm(apart / scale, axis=-1) * scale[..., 0]
    error = np.where(np.isnan(error), np.inf, error)
    return error, ~(error <= (tolerance.distance or 0.0)) & ~equal.all(axis=-1)


POINT = kind_of_parts("point", "point", ("x", "y", "z"), ("distance",), judge_points)
