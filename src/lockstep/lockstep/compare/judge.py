"""Whether numbers and strings agree within a tolerance, for whole columns at once."""

from __future__ import annotations

import re

import numpy as np

from ..message.arrays import Column, Floats, Int64s, Mask
from ..message.time import NS_PER_S
from .tolerance import Tolerance

QUATERNION = ("x", "y", "z", "w")
"""The parts of a quaternion, as geometry_msgs names them."""
_WHOLE_TURN = 2 * np.pi


def judge(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """|b - a| and whether it is beyond the tolerance, for numbers of one shape and type (…).

    The error is inf where only one is NaN, or where an infinity meets another number. Integers do not wrap around, and
    bools are equal or not, whatever the tolerance.
    """
    if a.dtype.kind == "b":
        wrong = a != b
        return wrong.astype(np.float64), wrong
    equal = a == b
    if a.dtype.kind == "f" and tolerance.nan:
        equal |= np.isnan(a) & np.isnan(b)
    if equal.all():
        return np.zeros(a.shape), np.zeros(a.shape, np.bool_)
    with np.errstate(invalid="ignore", over="ignore"):
        error = _distance(a, b)
        if tolerance.angle:
            error = np.abs(np.remainder(error + np.pi, _WHOLE_TURN) - np.pi)
        error[equal] = 0.0
        error[np.isnan(error)] = np.inf
        limit = tolerance.abs + tolerance.rel * np.abs(a.astype(np.float64))
        passes = equal | ((error <= limit) & np.isfinite(limit) & np.isfinite(error))
        if tolerance.ulp:
            passes |= np.isfinite(error) & (ulps(a, b) <= tolerance.ulp)
    return error, ~passes


def differing(a: Column, b: Column, tolerance: Tolerance) -> tuple[Int64s, Floats, Mask]:
    """The elements (flat indices, (k,)) that are not equal, and what `judge` says of each, (k,).

    Of large arrays that are nearly equal, as images, this is far less than all.
    """
    a, b = a.reshape(-1), b.reshape(-1)
    unequal = a != b
    if a.dtype.kind == "f" and tolerance.nan:
        unequal &= ~(np.isnan(a) & np.isnan(b))
    at = np.flatnonzero(unequal)
    error, wrong = judge(a[at], b[at], tolerance)
    return at, error, wrong


def judge_times(
    a: Column, b: Column, tolerance: Tolerance, *, duration: bool
) -> tuple[Floats, Mask]:
    """The same for times in int64 ns; errors and tolerance are in seconds.

    Relative to a point in time there is no tolerance: it would grow with the age of the epoch.
    """
    error = _distance(a, b) / NS_PER_S
    limit = tolerance.abs + (
        tolerance.rel * np.abs(a.astype(np.float64)) / NS_PER_S if duration else 0.0
    )
    return error, error > limit


def judge_texts(a: Column, b: Column, tolerance: Tolerance) -> Mask:
    """Which strings of two object columns of one shape do not agree."""
    if tolerance.text is None:
        found: Mask = np.asarray(a != b, np.bool_)
        return found
    pattern = re.compile(tolerance.text)
    return np.array([not pattern.fullmatch(text) for text in b.ravel()], np.bool_).reshape(b.shape)


def judge_quaternions(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """The angle in radians of the rotation from a to b, both (…, 4), whatever the order of their parts; (…).

    The angle is 4 atan2(|p - q|, |p + q|) of the unit quaternions, with the sign of q chosen so that it is the
    smaller one: exact also for small angles, where the arc cosine of the dot product is not. What has no
    length has no rotation, and agrees only with its equal.
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


def ulps(a: Column, b: Column) -> Floats:
    """How many representable numbers of their type lie from a to b; inf for what is no float."""
    if a.dtype.kind != "f":
        return np.full(a.shape, np.inf)
    size = a.dtype.itemsize
    whole = np.dtype(f"i{size}")
    steps = []
    for side in (a, b):
        bits = np.ascontiguousarray(side, f"f{size}").view(whole)
        # The bits of negative floats count downwards from the smallest integer.
        steps.append(np.where(bits < 0, np.iinfo(whole).min - bits, bits))
    return _distance(steps[0], steps[1])


def _distance(a: Column, b: Column) -> Floats:
    if a.dtype.kind not in "iu":
        found: Floats = np.abs(b.astype(np.float64) - a.astype(np.float64))
        return found
    # Modulo 2**64 the difference of the larger and the smaller is exact, with sign or without.
    wide_a, wide_b = (
        x.astype(np.int64).view(np.uint64) if x.dtype.kind == "i" else x.astype(np.uint64)
        for x in (a, b)
    )
    return np.where(b > a, wide_b - wide_a, wide_a - wide_b).astype(np.float64)
