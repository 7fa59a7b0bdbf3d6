"""Fields that are judged element by element: whole columns, or row by row where they vary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from ...message.arrays import Column, Int64s, Mask
from ...message.schema import base_type
from ..fields import FieldComparison
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import Tolerance
from .shown import Shown, as_rows, is_ragged

JudgeWhole: TypeAlias = Callable[[FieldTally, Int64s, Column, Column], Mask]
"""Judges m messages whose elements (m, …) have one shape on both sides."""
ShowRows: TypeAlias = Callable[[Column, Column, Tolerance, int], Shown]
"""Shows m messages of (m, k) elements each."""


def subject_of_elements(
    kind: str, elements: frozenset[str]
) -> Callable[[str, Mapping[str, str], Tolerance], Subject | None]:
    """For kinds that are told by the type of the elements alone."""

    def subject(path: str, types: Mapping[str, str], _: Tolerance) -> Subject | None:
        if base_type(types[path]) not in elements:
            return None
        return Subject(path, types[path], kind, (path,), (path,))

    return subject


def judge_by(
    judge_whole: JudgeWhole,
) -> Callable[[FieldTally, Int64s, Mapping[str, Column], Mapping[str, Column]], Mask]:
    """Judge the one column of a subject."""

    def judge(
        tally: FieldTally, ticks: Int64s, a: Mapping[str, Column], b: Mapping[str, Column]
    ) -> Mask:
        (path,) = tally.subject.columns
        return judge_column(judge_whole, tally, ticks, a[path], b[path])

    return judge


def judge_column(
    judge_whole: JudgeWhole, tally: FieldTally, ticks: Int64s, a: Column, b: Column
) -> Mask:
    """Judge m messages, some of which may hold arrays of other lengths; which are wrong, (m,)."""
    ragged = is_ragged(a) or is_ragged(b)
    if a.shape == b.shape and not ragged:
        return judge_whole(tally, ticks, a, b)
    if a.ndim == b.ndim and not ragged:
        return tally.add_lengths(ticks)
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    for row in range(len(ticks)):
        tick = ticks[row : row + 1]
        for one, other in _arrays(a[row], b[row]):
            if one.shape == other.shape:
                wrong[row] |= judge_whole(tally, tick, one[None], other[None])[0]
            else:
                wrong[row] |= tally.add_lengths(tick)[0]
    return wrong


def _arrays(a: Any, b: Any) -> Iterator[tuple[Column, Column]]:
    """The arrays in one message of a ragged column; of different shapes where lengths differ."""
    a, b = np.asarray(a), np.asarray(b)
    if len(a) == len(b) and (is_ragged(a) or is_ragged(b)):
        for one, other in zip(a, b, strict=True):
            yield from _arrays(one, other)
    else:
        yield a, b


def in_any_order(a: Column, b: Column, tally: FieldTally) -> tuple[Column, Column]:
    """Both sorted, if they are arrays whose order does not matter.

    The fields of an array of messages are in an order of both already.
    """
    if tally.tolerance.unordered and "[" in tally.subject.type and a.ndim > 1:
        return np.sort(a, axis=-1), np.sort(b, axis=-1)
    return a, b


def show_by(
    show_rows: ShowRows, *, empty: Any = 0
) -> Callable[[FieldComparison, Mapping[str, Column], Mapping[str, Column], int], Shown]:
    """Show the one column of a field; an element that one side lacks is wrong."""

    def show(
        field: FieldComparison,
        a: Mapping[str, Column],
        b: Mapping[str, Column],
        origin_ns: int,
    ) -> Shown:
        (path,) = field.parts
        unordered = bool(field.tolerance.unordered)
        one, other, missing = as_rows(a[path], b[path], empty=empty, unordered=unordered)
        found = show_rows(one, other, field.tolerance, origin_ns)
        for side, gone in zip((found.a, found.b), missing, strict=True):
            side[gone] = np.nan
        alone = missing[0] != missing[1]
        found.error[alone], found.wrong[alone] = np.inf, True
        return found

    return show
