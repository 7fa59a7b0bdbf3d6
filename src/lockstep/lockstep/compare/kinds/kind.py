"""What a kind of field is: a row of the table of kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...message.arrays import Column, Floats, Int64s, Mask
from ..deviation import Deviation, Place
from ..fields import FieldComparison
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import Tolerance
from .numbers_apart import agree, limits
from .shown import Shown

Columns: TypeAlias = Mapping[str, Column]
"""Columns of m messages by path."""
Fields: TypeAlias = Mapping[str, Any]
"""The fields of one message by name."""


def _never(*_: Any) -> bool:
    return False


def _from_zero(_: Column) -> int:
    return 0


@dataclass(frozen=True)
class Kind:
    """How fields of one kind are judged, limited, shown and explained."""

    name: str
    subject: Callable[[str, Mapping[str, str], Tolerance], Subject | None]
    """What is judged for the field at a path, given the types of all fields; None if that is not of
    this kind. Raises CompareError for a tolerance that makes no sense there."""
    judge: Callable[[FieldTally, Int64s, Columns, Columns], Mask]
    """Judge the m messages of ticks (m,), by the columns of the subject, and count what is found;
    gives which are beyond a tolerance that holds for each element, (m,)."""
    show: Callable[[FieldComparison, Columns, Columns, int], Shown]
    """m messages as numbers that can be drawn; times are seconds since an origin in ns."""
    deviations: Callable[[Any, Any, Place], Iterator[Deviation]]
    """How two single values differ, if they do, within tolerance or not."""
    limit: Callable[[Column, Tolerance], Floats] = limits
    """How far b may be from the values of a, in the unit of the error and in its shape."""
    matches: Callable[[Column, Column, Tolerance], Mask] = agree
    """Which elements of two columns of one shape agree: what a law must bring about to explain.
    The parts of what is judged as a whole have laws each by itself."""
    holds: Callable[[Any, Any, Tolerance], bool] = _never
    """Whether two single values, as messages hold them, are of this kind."""
    holds_within: Callable[[str, Fields, Fields, Tolerance], bool] | None = None
    """Whether the field of a name is of this kind by what is beside it in both messages; then
    `deviations` is given these."""
    elements: frozenset[str] = frozenset()
    """The types of elements that are of this kind by themselves."""
    has_numbers: bool = True
    """Whether values are numbers, which have laws and can be drawn; others are counted."""
    has_distribution: bool = False
    """Whether values can be compared as samples of a distribution."""
    errs_by_element: bool = True
    """Whether each element of an array has an error of its own."""
    goes_below: bool = False
    """Whether the values that such ones are made of are compared as well."""
    origin_ns: Callable[[Column], int] = _from_zero
    """From which time on the values of a column are shown."""
    unit: str | None = None
    """The unit in which values are shown; None if the name of the field tells it."""
    error_unit: str | None = None
    """The unit of errors, if it is another."""
