"""How far numbers are apart, and which of them are beyond a tolerance."""

from __future__ import annotations

import numpy as np

from ...message.arrays import Column, Floats, Int64s, Mask
from ..equal_arrays import unequal_at
from ..tolerance import Tolerance

_WHOLE_TURN = 2 * np.pi


def judge_numbers(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """|b - a| and whether it is beyond the tolerance, for numbers of one shape and type (…).

    The error is inf where only one is NaN, or where an infinity meets another number. Integers do
    not wrap around, and bools are equal or not, whatever the tolerance.
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
        error = distance(a, b)
        if tolerance.angle:
            error = np.abs(np.remainder(error + np.pi, _WHOLE_TURN) - np.pi)
        error[equal] = 0.0
        error[np.isnan(error)] = np.inf
        limit = abs_and_rel(a, tolerance)
        passes = equal | ((error <= limit) & np.isfinite(limit) & np.isfinite(error))
        if tolerance.ulp:
            passes |= np.isfinite(error) & (ulps(a, b) <= tolerance.ulp)
    return error, ~passes


def differing(a: Column, b: Column, tolerance: Tolerance) -> tuple[Int64s, Floats, Mask]:
    """The elements that are not equal (flat indices, (k,)), and what `judge_numbers` says of each.

    Of large arrays that are nearly equal, as images, this is far less than all.
    """
    a, b = a.reshape(-1), b.reshape(-1)
    at = unequal_at(a, b, nan=tolerance.nan)
    error, wrong = judge_numbers(a[at], b[at], tolerance)
    return at, error, wrong


def abs_and_rel(a: Column, tolerance: Tolerance) -> Floats:
    """The part of the limit that does not depend on the type of the numbers."""
    with np.errstate(invalid="ignore", over="ignore"):
        limit: Floats = tolerance.abs + tolerance.rel * np.abs(a.astype(np.float64))
    return limit


def signed(a: Column, b: Column, size: Floats, tolerance: Tolerance) -> Floats:
    """b - a of numbers that are `size` apart, as `judge_numbers` says."""
    with np.errstate(invalid="ignore", over="ignore"):
        if not tolerance.angle:
            return np.where(b < a, -size, size)
        turn = b.astype(np.float64) - a.astype(np.float64)
        return np.where(np.remainder(turn + np.pi, _WHOLE_TURN) < np.pi, -size, size)


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
    return distance(steps[0], steps[1])


def distance(a: Column, b: Column) -> Floats:
    """|b - a| as float64, of integers exact until then."""
    if a.dtype.kind not in "iu":
        found: Floats = np.abs(b.astype(np.float64) - a.astype(np.float64))
        return found
    # Modulo 2**64 the difference of the larger and the smaller is exact, with sign or without.
    wide_a, wide_b = (
        x.astype(np.int64).view(np.uint64) if x.dtype.kind == "i" else x.astype(np.uint64)
        for x in (a, b)
    )
    return np.where(b > a, wide_b - wide_a, wide_a - wide_b).astype(np.float64)


def limits(a: Column, tolerance: Tolerance) -> Floats:
    """How far b may be from each of a."""
    limit = abs_and_rel(a, tolerance)
    if tolerance.ulp and a.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            steps = np.spacing(np.abs(a.astype(a.dtype.newbyteorder("=")))).astype(np.float64)
            limit = np.maximum(limit, tolerance.ulp * steps)
    return limit


def agree(a: Column, b: Column, tolerance: Tolerance) -> Mask:
    """Which numbers of one shape are within the tolerance."""
    return ~judge_numbers(a, b, tolerance)[1]
