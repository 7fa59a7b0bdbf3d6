"""Ranges by the angle of their beam, where two scans have not the same beams.

Any message with the fields of sensor_msgs/msg/LaserScan is a scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...message.arrays import Column, Int64s, Mask
from ..deviation import Deviation, Place
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import Tolerance
from .elements import judge_column
from .kind import Columns, Fields, Kind
from .number import NUMBER, judge_whole

_BEAMS = ("angle_min", "angle_increment")
_VALUES = ("ranges", "intensities")


def same_beams(a: Fields, b: Fields, count_a: int, count_b: int) -> bool:
    """Whether the i-th beam of either scan goes where that of the other does."""
    return count_a == count_b and all(a[name] == b[name] for name in _BEAMS)


def nearest_beams(a: Fields, b: Fields, count_a: int, count_b: int) -> tuple[Int64s, Mask]:
    """The beam of B that is nearest in angle to each of A, (n,), and whether there is one, (n,).

    There is none further than half the step of whichever has the wider one.
    """
    (start_a, step_a), (start_b, step_b) = (
        [float(side[name]) for name in _BEAMS] for side in (a, b)
    )
    angles = start_a + step_a * np.arange(count_a, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.rint((angles - start_b) / step_b)
    at = np.where(np.isfinite(at), at, 0.0)
    inside = (at >= 0) & (at < count_b)
    partner = np.clip(at, 0, max(count_b - 1, 0)).astype(np.int64)
    off = np.abs(start_b + step_b * partner - angles)
    reach = max(abs(step_a), abs(step_b)) / 2
    return partner, inside & (off <= reach * (1 + 1e-6))


def by_angle(a: Fields, b: Fields, values_a: Column, values_b: Column) -> Column:
    """The values of B at the beams of A, (n,); NaN where B has no such beam."""
    if not len(values_b):
        return np.full(len(values_a), np.nan, values_a.dtype)
    partner, there = nearest_beams(a, b, len(values_a), len(values_b))
    return np.where(there, values_b[partner], np.nan).astype(values_a.dtype)


def _subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
    parent, dot, name = path.rpartition(".")
    beams = tuple(f"{parent}{dot}{beam}" for beam in _BEAMS)
    if name not in _VALUES or "[]" in path or not types.keys() >= set(beams):
        return None
    if tolerance.unordered or not types[path].endswith("[]"):
        return None
    return Subject(path, types[path], "scan", (path,), (path, *beams))


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
    path, *beams = tally.subject.columns
    apart = np.array([len(x) != len(y) for x, y in zip(a[path], b[path], strict=True)], np.bool_)
    for beam in beams:
        apart |= a[beam] != b[beam]
    if not apart.any():
        return judge_column(judge_whole, tally, ticks, a[path], b[path])
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    for row in range(len(ticks)):
        one, other = np.asarray(a[path][row]), np.asarray(b[path][row])
        if apart[row] and len(one):
            of_a, of_b = (
                {name: side[beam][row] for name, beam in zip(_BEAMS, beams, strict=True)}
                for side in (a, b)
            )
            other = by_angle(of_a, of_b, one, other)
        values = one[None], other[None]
        wrong[row] = judge_column(judge_whole, tally, ticks[row : row + 1], *values)[0]
    return wrong


def _holds(*_: Any) -> bool:
    return False


def _holds_within(name: str, a: Fields, b: Fields, tolerance: Tolerance) -> bool:
    if name not in _VALUES or tolerance.unordered:
        return False
    if not all(side.keys() >= {name, *_BEAMS} for side in (a, b)):
        return False
    return len(a[name]) > 0 and not same_beams(a, b, len(a[name]), len(b[name]))


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    name = place.path.rpartition(".")[2]
    one, other = (np.asarray(side[name]) for side in (a, b))
    start, step = (float(a[beam]) for beam in _BEAMS)

    def named(index: tuple[int, ...]) -> str:
        return f"[{index[0]}, at {start + step * index[0]:.6g} rad]"

    if not place.tolerance.ignore:
        at_beams = by_angle(a, b, one, other)
        yield from NUMBER.deviations(one, at_beams, replace(place, named=named))


SCAN = Kind(
    name="scan",
    subject=_subject,
    judge=_judge,
    show=NUMBER.show,
    holds=_holds,
    deviations=_deviations,
    holds_within=_holds_within,
)
