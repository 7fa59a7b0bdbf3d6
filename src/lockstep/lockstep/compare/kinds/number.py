"""Numbers and arrays of them, each element by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...message.arrays import Column, Floats, Int64s, Mask
from ...message.primitives import SIZES
from ..deviation import Deviation, Place
from ..tally import FieldTally
from ..tolerance import Tolerance
from .elements import in_any_order, judge_by, show_by, subject_of_elements
from .kind import Kind
from .shown import Shown, shown

WHOLE_TYPES = frozenset(SIZES) - {"float32", "float64"}
"""The types of elements that are whole numbers or bools."""
_WHOLE_TURN = 2 * np.pi
_NUMBERS = (int, float, np.number, np.bool_)


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
    unequal = a != b
    if a.dtype.kind == "f" and tolerance.nan:
        unequal &= ~(np.isnan(a) & np.isnan(b))
    at = np.flatnonzero(unequal)
    error, wrong = judge_numbers(a[at], b[at], tolerance)
    return at, error, wrong


def judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
    """Judge m messages of numbers (m, …); which are wrong, (m,)."""
    a, b = in_any_order(a, b, tally)
    if tally.tolerance.by == "cosine":
        tally.add_products(a, b)
    at, error, wrong = differing(a, b, tally.tolerance)
    if a.dtype.kind == "f":
        tally.add_floats(a.reshape(-1)[at])
    return tally.add(ticks, a.size, at // max(1, a[0].size), error, wrong)


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


def _limit(a: Column, tolerance: Tolerance) -> Floats:
    limit = abs_and_rel(a, tolerance)
    if tolerance.ulp and a.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            steps = np.spacing(np.abs(a.astype(a.dtype.newbyteorder("=")))).astype(np.float64)
            limit = np.maximum(limit, tolerance.ulp * steps)
    return limit


def _show(a: Column, b: Column, tolerance: Tolerance, _: int) -> Shown:
    size, wrong = judge_numbers(a, b, tolerance)
    error, limit = signed(a, b, size, tolerance), _limit(a, tolerance)
    return shown(a.astype(np.float64), b.astype(np.float64), error, wrong, limit, tolerance)


def _matches(a: Column, b: Column, tolerance: Tolerance) -> Mask:
    return ~judge_numbers(a, b, tolerance)[1]


def _holds(a: Any, b: Any, _: Tolerance) -> bool:
    if isinstance(a, _NUMBERS):
        return isinstance(b, _NUMBERS)
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray)


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    """How two numbers differ, or two arrays: the latter in their worst element beyond tolerance."""
    if isinstance(a, np.ndarray):
        yield from _deviations_of_arrays(a, b, place)
    elif any(isinstance(x, (bool, np.bool_)) for x in (a, b)):
        if bool(a) != bool(b) or isinstance(a, bool) != isinstance(b, bool):
            yield place.unlike(repr(a), repr(b))
    elif (arrays := _of_one_type(a, b, place.type)) is not None:
        error, wrong = judge_numbers(*arrays, place.tolerance)
        if error[0] or wrong[0]:
            shown_a, shown_b = (_written(side[0]) for side in arrays)
            yield place.apart(shown_a, shown_b, float(error[0]), wrong=bool(wrong[0]))
    elif a != b:  # integers beyond 64 bits
        yield place.unlike(repr(a), repr(b))


def _deviations_of_arrays(a: Column, b: Column, place: Place) -> Iterator[Deviation]:
    """The one deviation of two arrays: of the worst element beyond tolerance, or else the worst."""
    tolerance = place.tolerance
    if a.shape != b.shape:
        one_axis = a.ndim == b.ndim == 1
        yield place.unlike(
            *(f"{len(x)} elements" if one_axis else f"shape {x.shape}" for x in (a, b))
        )
        return
    if a.dtype != b.dtype or a.dtype.kind not in "biuf":
        if not all(side.dtype.kind in "biuf" for side in (a, b)):
            if not np.array_equal(a, b):
                yield place.unlike(repr(a), repr(b))
            return
        common = np.result_type(a, b)
        a, b = a.astype(common), b.astype(common)
    if tolerance.unordered:
        a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
    at, error, wrong = differing(a, b, tolerance)
    if not len(at):
        return
    worst = int(np.argmax(np.where(wrong, error, -1.0) if wrong.any() else error))
    index = tuple(int(i) for i in np.unravel_index(at[worst], a.shape))
    count = int(np.count_nonzero(wrong))
    more = f" ({count} of {a.size} elements)" if count > 1 else ""
    element = replace(place, path=f"{place.path}{place.named(index)}" if index else place.path)
    yield element.apart(str(a[index]), f"{b[index]}{more}", float(error[worst]), wrong=count > 0)


def _of_one_type(a: Any, b: Any, kind: str) -> tuple[Any, Any] | None:
    """Two numbers as arrays (1,) of the type that they have in the message; None if none can."""
    if kind == "float32" or (isinstance(a, np.float32) and isinstance(b, np.float32)):
        return np.array([a], np.float32), np.array([b], np.float32)
    if isinstance(a, (int, np.integer)) and isinstance(b, (int, np.integer)):
        for dtype in (np.int64, np.uint64):
            limits = np.iinfo(dtype)
            if limits.min <= min(a, b) and max(a, b) <= limits.max:
                return np.array([a], dtype), np.array([b], dtype)
        return None
    return np.array([a], np.float64), np.array([b], np.float64)


def _written(number: np.generic) -> str:
    """The shortest text that reads back as the same number of its type."""
    value = number.item()
    if isinstance(value, float) and not isinstance(number, np.float32):
        return repr(value)
    return str(number)


NUMBER = Kind(
    name="number",
    subject=subject_of_elements("number", frozenset(SIZES)),
    judge=judge_by(judge_whole),
    limit=_limit,
    show=show_by(_show),
    matches=_matches,
    holds=_holds,
    deviations=_deviations,
    elements=frozenset(SIZES),
    has_distribution=True,
)
