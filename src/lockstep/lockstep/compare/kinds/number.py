"""Numbers and arrays of them, each element by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...message.arrays import Column, Int64s, Mask
from ...message.primitives import SIZES
from ..deviation import Deviation, Place
from ..tally import FieldTally
from ..tolerance import Tolerance
from .elements import in_any_order, judge_by, show_by, subject_of_elements
from .kind import Kind
from .numbers_apart import differing, judge_numbers, limits, signed
from .shown import Shown, shown

WHOLE_TYPES = frozenset(SIZES) - {"float32", "float64"}
"""The types of elements that are whole numbers or bools."""
_NUMBERS = (int, float, np.number, np.bool_)


def judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
    """Judge m messages of numbers (m, …); which are wrong, (m,)."""
    a, b = in_any_order(a, b, tally)
    if tally.tolerance.by == "cosine":
        tally.add_products(a, b)
    at, error, wrong = differing(a, b, tally.tolerance)
    if a.dtype.kind == "f":
        tally.add_floats(a.reshape(-1)[at])
    return tally.add(ticks, a.size, at // max(1, a[0].size), error, wrong)


def _show(a: Column, b: Column, tolerance: Tolerance, _: int) -> Shown:
    size, wrong = judge_numbers(a, b, tolerance)
    error, limit = signed(a, b, size, tolerance), limits(a, tolerance)
    return shown(a.astype(np.float64), b.astype(np.float64), error, wrong, limit, tolerance)


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
    show=show_by(_show),
    holds=_holds,
    deviations=_deviations,
    elements=frozenset(SIZES),
    has_distribution=True,
)
