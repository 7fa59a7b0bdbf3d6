"""Quaternions: four numbers that are one rotation, whose error is an angle in radians."""

from __future__ import annotations

import numpy as np

from ...message.arrays import Column, Floats, Mask
from ..tolerance import Tolerance
from .parts import kind_of_parts


def judge_quaternions(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """The angle in radians of the rotation from a to b (…, 4), whatever the order of parts; (…).

    The angle is 4 atan2(|p - q|, |p + q|) of the unit quaternions, with the sign of q chosen so
    that it is the smaller one: exact also for small angles, where the arc cosine of the dot product
    is not. What has no length has no rotation, and agrees only with its equal.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    equal = ((a == b) | (np.isnan(a) & np.isnan(b) & tolerance.nan)).all(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        p, q = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b))
        q = np.where((p * q).sum(axis=-1, keepdims=True) < 0, -q, q)
        apart, together = (np.linalg.norm(x, axis=-1) for x in (p - q, p + q))
        error = np.where(equal, 0.0, 4 * np.arctan2(apart, together))
    error[np.isnan(error)] = np.inf
    return error, ~equal & ~(error <= (tolerance.quaternion or 0.0))


def _nearer(a: Floats, b: Floats) -> Floats:
    """q and -q are one rotation, so that b is shown by the sign that is nearer to a."""
    with np.errstate(invalid="ignore", over="ignore"):
        turned = (a * b).sum(axis=-1, keepdims=True) < 0
        return np.where(turned, -b, b)


ROTATION = kind_of_parts(
    "rotation",
    "quaternion",
    ("x", "y", "z", "w"),  # as geometry_msgs names them
    ("quaternion",),
    judge_quaternions,
    nearer=_nearer,
    error_unit="rad",
)
