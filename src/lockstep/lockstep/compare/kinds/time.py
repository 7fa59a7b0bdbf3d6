"""Points in time and durations: int64 ns in columns, with errors and tolerances in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...message.arrays import Column, Floats, Int64s, Mask
from ...message.schema import TIMES
from ...message.time import NS_PER_S, seconds
from ..deviation import Deviation, Place
from ..tally import FieldTally
from ..tolerance import MEASURES, Tolerance
from .elements import judge_by, show_by, subject_of_elements
from .kind import Kind
from .numbers_apart import distance
from .pixels import no_image
from .shown import Shown, shown


def _kind(name: str, type_name: str, *, is_point: bool) -> Kind:
    """The row of points in time, or of durations.

    Relative to a point in time there is no tolerance: it would grow with the age of the epoch.
    """

    def limit(a: Column, tolerance: Tolerance) -> Floats:
        if is_point:
            return np.full(a.shape, tolerance.abs)
        found: Floats = tolerance.abs + tolerance.rel * np.abs(a.astype(np.float64)) / NS_PER_S
        return found

    def judged(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
        error = distance(a, b) / NS_PER_S
        return error, error > limit(a, tolerance)

    def judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
        return tally.add_all(ticks, *judged(a, b, tally.tolerance))

    def show(a: Column, b: Column, tolerance: Tolerance, origin_ns: int) -> Shown:
        size, wrong = judged(a, b, tolerance)
        start_ns = origin_ns if is_point else 0
        values_a, values_b = ((side - start_ns) / NS_PER_S for side in (a, b))
        error = np.where(b < a, -size, size)
        return shown(values_a, values_b, error, wrong, limit(a, tolerance), tolerance)

    def matches(a: Column, b: Column, tolerance: Tolerance) -> Mask:
        return ~judged(a, b, tolerance)[1]

    def holds(a: Any, b: Any, _: Tolerance) -> bool:
        is_one = getattr(a, "__msgtype__", "") == type_name
        return is_one and hasattr(b, "sec") and hasattr(b, "nanosec")

    def deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
        if place.tolerance.by in MEASURES:
            raise no_image(place.path)
        times = [np.array([t.sec * NS_PER_S + t.nanosec], np.int64) for t in (a, b)]
        error, wrong = judged(times[0], times[1], place.tolerance)
        if error[0]:
            shown_a, shown_b = (seconds(int(time[0])) for time in times)
            yield place.apart(shown_a, shown_b, float(error[0]), wrong=bool(wrong[0]))

    return Kind(
        name=name,
        subject=subject_of_elements(name, frozenset({type_name})),
        judge=judge_by(judge_whole),
        limit=limit,
        show=show_by(show),
        matches=matches,
        holds=holds,
        deviations=deviations,
        elements=frozenset({type_name}),
        origin_ns=_first,
        unit="s",
    )


def _first(column: Column) -> int:
    """The first time of a column, from which on points in time are drawn."""
    first = np.ravel(np.asarray(column[0]))
    return int(first[0]) if first.size and first.dtype != object else 0


TIME = _kind("time", TIMES[0], is_point=True)
DURATION = _kind("duration", TIMES[1], is_point=False)
