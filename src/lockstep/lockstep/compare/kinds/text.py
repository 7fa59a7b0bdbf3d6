"""Strings, which are equal or not, or match a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...message.arrays import Column, Floats, Int64s, Mask
from ...message.primitives import STRINGS
from ..deviation import Deviation, Place
from ..tally import FieldTally
from ..tolerance import Tolerance
from .elements import in_any_order, judge_by, show_by, subject_of_elements
from .kind import Kind
from .shown import Shown, shown


def judge_texts(a: Column, b: Column, tolerance: Tolerance) -> Mask:
    """Which strings of two object columns of one shape do not agree."""
    if tolerance.text is None:
        found: Mask = np.asarray(a != b, np.bool_)
        return found
    pattern = re.compile(tolerance.text)
    return np.array([not pattern.fullmatch(text) for text in b.ravel()], np.bool_).reshape(b.shape)


def _judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
    wrong = judge_texts(*in_any_order(a, b, tally), tally.tolerance)
    return tally.add_all(ticks, wrong.astype(np.float64), wrong)


def _limit(a: Column, _: Tolerance) -> Floats:
    return np.full(a.shape, np.nan)


def _show(a: Column, b: Column, tolerance: Tolerance, _: int) -> Shown:
    wrong = judge_texts(a, b, tolerance)
    nothing = _limit(a, tolerance)
    return shown(nothing, nothing, wrong.astype(np.float64), wrong, nothing, tolerance)


def _matches(a: Column, b: Column, tolerance: Tolerance) -> Mask:
    return ~judge_texts(a, b, tolerance)


def _holds(a: Any, b: Any, _: Tolerance) -> bool:
    return isinstance(a, str) and isinstance(b, str)


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    if judge_texts(np.array([a], object), np.array([b], object), place.tolerance)[0]:
        yield place.unlike(repr(a), repr(b))


TEXT = Kind(
    name="text",
    subject=subject_of_elements("text", frozenset(STRINGS)),
    judge=judge_by(_judge_whole),
    limit=_limit,
    show=show_by(_show, empty=""),
    matches=_matches,
    holds=_holds,
    deviations=_deviations,
    elements=frozenset(STRINGS),
    has_numbers=False,
    has_distribution=True,
)
