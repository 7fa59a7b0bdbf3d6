"""Vectors by their length and their direction, as those of Twist, Wrench and Imu."""

from __future__ import annotations

import numpy as np

from ...message.arrays import Column, Floats, Mask
from ..tolerance import Tolerance
from .parts import kind_of_parts


def lengths_and_angles(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """By how much b (…, 3) is longer than a, and the angle between them in radians, (…).

    There is none to a vector without length.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        norm_a, norm_b = (np.linalg.norm(side, axis=-1) for side in (a, b))
        p, q = a / norm_a[..., None], b / norm_b[..., None]
        apart, together = (np.linalg.norm(side, axis=-1) for side in (p - q, p + q))
        angle = 2 * np.arctan2(apart, together)
        return norm_b - norm_a, np.where((norm_a > 0) & (norm_b > 0), angle, 0.0)


def judge_vectors(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """How much longer or shorter b (…, 3) is than a, or without a limit of that how far it is
    turned, and whether either is beyond its limit; (…).

    The direction does not matter of vectors both of which are no longer than the limit of that.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    equal = ((a == b) | (np.isnan(a) & np.isnan(b) & tolerance.nan)).all(axis=-1)
    longer, angle = lengths_and_angles(a, b)
    longer = np.abs(longer)
    wrong: Mask = np.zeros(equal.shape, np.bool_)
    if tolerance.norm is not None:
        wrong |= ~(longer <= tolerance.norm)
    if tolerance.direction is not None:
        least = tolerance.norm or 0.0
        short = np.maximum(np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1)) <= least
        wrong |= ~(angle <= tolerance.direction) & ~short
    error = np.where(equal, 0.0, angle if tolerance.norm is None else longer)
    return np.where(np.isnan(error), np.inf, error), wrong & ~equal


def _told(a: Floats, b: Floats) -> str:
    longer, angle = lengths_and_angles(a, b)
    return f", {float(longer):+.6g} longer, turned by {float(angle):.6g} rad"


VECTOR = kind_of_parts(
    "vector",
    "vector",
    ("x", "y", "z"),
    ("norm", "direction"),
    judge_vectors,
    told=_told,
)
