"""Where two fields differ: the numbers behind the plots, judged as the comparator judges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..compare import Tolerance, align_times
from ..compare.kinds.numbers_apart import abs_and_rel, judge_numbers, signed
from ..errors import ReportError
from ..message.arrays import Floats, Int64s
from .signals import Signal, not_finite
from .style import quantity


@dataclass(frozen=True)
class Difference:
    """`b` against the reference `a`, both (n, k), of n ticks that belong together.

    `error` is b - a, inf where only one side is finite; `limit` is the tolerance (n, k); `ticks`
    (n,) count the messages of `a`, `seconds` (n,) since its first are None where times are unknown.
    """

    a: npt.NDArray[Any]
    b: npt.NDArray[Any]
    error: Floats
    limit: Floats
    wrong: npt.NDArray[np.bool_]
    ticks: Int64s
    seconds: Floats | None
    shape: tuple[int, ...]
    only: tuple[int, int]
    unit: str

    @cached_property
    def wrong_rows(self) -> Int64s:
        """The rows with a difference beyond tolerance."""
        return np.flatnonzero(self.wrong.any(axis=1))

    @cached_property
    def size(self) -> Floats:
        """|b - a| (n, k), NaN where it is no finite number."""
        return np.where(np.isfinite(self.error), np.abs(self.error), np.nan)

    @cached_property
    def worst(self) -> tuple[int, int] | None:
        """Row and element of the largest finite error beyond tolerance, or else of the largest
        within; None if all are 0."""
        if not self.size.size:
            return None
        place = int(np.argmax(largest_first(np.nan_to_num(self.size), self.wrong)))
        row, element = divmod(place, self.size.shape[1])
        return (row, element) if self.size[row, element] > 0 else None

    def element(self, number: int) -> str:
        """How to write an element, `[357]`; empty where values are single numbers."""
        return "".join(f"[{index}]" for index in np.unravel_index(number, self.shape))

    def finding(self, names: tuple[str, str], exact: bool) -> str:
        """The outcome in a sentence; `exact` if the tolerance is none."""
        count, wrong = len(self.ticks), len(self.wrong_rows)
        if not self.error.size:
            text = "there is nothing to compare"
        elif wrong:
            text = f"{wrong} of {count} {'differ' if exact else 'are beyond tolerance'}"
            if self.error.shape[1] > 1:
                text += f" ({int(self.wrong.sum())} of {self.wrong.size} elements)"
            text += f", first at {self._at(int(self.wrong_rows[0]))}"
        else:
            text = f"all {count} are {'within tolerance' if self.worst else 'equal'}"
        if self.worst:
            row, element = self.worst
            error = quantity(float(self.size[row, element]), self.unit)
            text += f", {largest_words(error, wrong)} at tick {self.ticks[row]}"
            text += f" in {self.element(element)}" if self.shape else ""
        for only, name in zip(self.only, names, strict=True):
            text += f"; {only} only in {name}" if only else ""
        for values, name in zip((self.a, self.b), names, strict=True):
            gap = not_finite(values)
            text += f"; {gap} in {name}" if gap else ""
        return text

    def _at(self, row: int) -> str:
        tick = f"tick {self.ticks[row]}"
        return tick if self.seconds is None else f"{tick} ({self.seconds[row]:.3f} s)"


def largest_first(sizes: Floats, wrong: npt.NDArray[np.bool_]) -> Floats:
    """Sizes of differences; if any finite one is beyond tolerance, those within are left out."""
    beyond = np.where(wrong, sizes, 0.0)
    return beyond if beyond.any() else sizes


def largest_words(size: str, wrong: int) -> str:
    """How the largest difference is told, with so many beyond tolerance."""
    return f"largest error {size}" if wrong else f"at most {size} apart"


def difference(a: Signal, b: Signal, tolerance: Tolerance) -> Difference:
    """Compare tick by tick, or else those whose times since the first belong together.

    The latter if the numbers of messages differ. Of the tolerance, abs, rel, ulp, angle and nan
    count. Raises ReportError for values of different shape.
    """
    if a.values.shape[1:] != b.values.shape[1:] and len(a.values) and len(b.values):
        shapes = [" × ".join(map(str, side.values.shape[1:])) or "a number" for side in (a, b)]
        raise ReportError(
            f"each value of a is {shapes[0]}, of b {shapes[1]}; these have no difference"
        )
    rows_a, rows_b, only = _rows(a, b)
    common = np.result_type(a.values, b.values)
    width = int(np.prod(a.values.shape[1:]))
    values_a, values_b = (
        side.values[rows].astype(common, copy=False).reshape(len(rows), width)
        for side, rows in ((a, rows_a), (b, rows_b))
    )
    sizes, wrong = judge_numbers(values_a, values_b, tolerance)
    error = signed(values_a, values_b, sizes, tolerance)
    limit = abs_and_rel(values_a, tolerance)
    seconds = a.seconds()
    return Difference(
        values_a,
        values_b,
        error,
        limit,
        wrong,
        rows_a,
        None if seconds is None else seconds[rows_a],
        a.values.shape[1:],
        only,
        a.unit,
    )


def is_exact(tolerance: Tolerance) -> bool:
    """Whether numbers must be equal."""
    return not (tolerance.abs or tolerance.rel or tolerance.ulp)


def tolerance_of(tolerance: float | Tolerance) -> Tolerance:
    """A number as an absolute tolerance; raises ReportError for one below 0 or NaN."""
    if isinstance(tolerance, Tolerance):
        return tolerance
    if not 0 <= tolerance < np.inf:
        raise ReportError(f"a tolerance of {tolerance} makes no sense; give a number from 0 on")
    return Tolerance(abs=float(tolerance))


def _rows(a: Signal, b: Signal) -> tuple[Int64s, Int64s, tuple[int, int]]:
    count_a, count_b = len(a.values), len(b.values)
    if count_a == count_b:
        ticks = np.arange(count_a)
        return ticks, ticks, (0, 0)
    if a.time_ns is None or b.time_ns is None:
        raise ReportError(
            f"a has {count_a} values and b {count_b}, without times by which to align them; "
            "give both their times"
        )
    times = [at - at[:1].sum() for at in (a.time_ns, b.time_ns)]
    pairs = align_times(times[0], times[1])
    return pairs.a, pairs.b, (len(pairs.only_a), len(pairs.only_b))
