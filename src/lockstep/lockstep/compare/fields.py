"""What is known of a field after comparing: how many elements differ, by how much, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .tolerance import MEASURES, TRAJECTORY, Tolerance


@dataclass(frozen=True)
class FieldComparison:
    """One field over all messages whose bytes differ, or all if `tolerance.by` is a statistic.

    Counts are of elements, of which an array has several in each message, unless they say ticks.
    Errors are |b - a| in the unit of the field (times in seconds, quaternions in radians, of points
    the distance); they are inf where a number meets none.
    """

    field: str
    type: str
    kind: str
    """The row of the table of kinds that it was judged by."""
    parts: tuple[str, ...]
    """The paths of its values: its own, or those of a quaternion or point."""
    tolerance: Tolerance
    compared: int
    unequal: int
    wrong: int
    wrong_ticks: int
    other_lengths: int
    """Messages in which the array has another length, or the image another size."""
    max_error: float
    max_tick: int | None
    """Where the largest error is; if any element is wrong, the largest of those."""
    first_tick: int | None
    """The first tick that is wrong."""
    mean_error: float
    """Mean of |b - a|."""
    rmse: float
    """Root of the mean square of |b - a|."""
    judged: float | None
    """What `tolerance.by` asks for, that of the worst image; None if each element is judged."""
    judged_tick: int | None
    """Where each image is judged, that of the worst one; None if none differs."""
    alone: tuple[int, int] = (0, 0)
    """Elements of A and of B that have no partner, of those that are matched."""
    moved: int = 0
    """Messages in which elements that are matched are in another order."""

    @property
    def matches(self) -> bool:
        """Whether the field is within its tolerance."""
        if self.other_lengths:
            return False
        if self.judged is None:
            return not self.wrong
        if self.tolerance.at_most is not None:
            return self.judged <= self.tolerance.at_most
        if self.tolerance.at_least is not None:
            return self.judged >= self.tolerance.at_least
        if self.tolerance.by == "quantile":
            return self.judged >= self.tolerance.quantile
        return self.judged <= self.tolerance.abs


def statistic(field: FieldComparison) -> tuple[str, str]:
    """What a field is judged by and its value: "rmse", "0.5"; of images, that of the worst one."""
    tolerance, value = field.tolerance, field.judged
    assert value is not None
    if tolerance.by in (told := MEASURES | TRAJECTORY):
        name, unit = told[tolerance.by]
        where = "" if field.judged_tick is None else f" at tick {field.judged_tick}"
        return name, f"{value:.6g}{unit}{where}"
    name = f"share within {tolerance.abs:g}" if tolerance.by == "quantile" else tolerance.by
    return name, f"{value:.6g}"


def as_data(field: FieldComparison) -> dict[str, Any]:
    """A field as result.json holds it; there are no infinities in JSON."""
    numbers = {
        "max_error": field.max_error,
        "mean_error": field.mean_error,
        "rmse": field.rmse,
        "judged": field.judged,
    }
    return {
        "type": field.type,
        "match": field.matches,
        "tolerance": str(field.tolerance),
        "compared": field.compared,
        "unequal": field.unequal,
        "wrong": field.wrong,
        "wrong_ticks": field.wrong_ticks,
        "other_lengths": field.other_lengths,
        "first_tick": field.first_tick,
        "max_tick": field.max_tick,
        "judged_tick": field.judged_tick,
        **({"missing": field.alone[0], "extra": field.alone[1]} if any(field.alone) else {}),
        **({"other_order": field.moved} if field.moved else {}),
        **{
            name: value if value is not None and math.isfinite(value) else None
            for name, value in numbers.items()
        },
    }
