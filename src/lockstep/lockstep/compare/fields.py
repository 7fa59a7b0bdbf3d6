"""What is known of each field after comparing: how many elements differ, by how much, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..message.arrays import Column, Floats, Int64s, Mask
from .tolerance import MEASURES, Tolerance


@dataclass
class FieldComparison:
    """One field over all messages whose bytes differ, or all messages if `tolerance.by` is a statistic over all.

    Counts are of elements, of which an array has several in each message, unless they say ticks. Errors are |b - a| in
    the unit of the field (times in seconds, quaternions in radians); they are inf where a number meets none.
    """

    field: str
    type: str
    tolerance: Tolerance
    parts: tuple[str, ...] = ()
    """The paths that it is judged by: its own, or the four of a quaternion."""
    compared: int = 0
    unequal: int = 0
    wrong: int = 0
    wrong_ticks: int = 0
    other_lengths: int = 0
    """Messages in which the array has another length, or the image another size."""
    max_error: float = 0.0
    max_tick: int | None = None
    """Where the largest error is; if any element is wrong, the largest of those."""
    first_tick: int | None = None
    """The first tick that is wrong."""
    judged_tick: int | None = None
    """Where each image is judged, that of the worst one; None if none differs."""
    _sum: float = 0.0
    _squares: float = 0.0
    _products: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _max_is_wrong: bool = False
    _likeness: float = math.inf

    @property
    def mean_error(self) -> float:
        """Mean of |b - a|."""
        return self._sum / self.compared if self.compared else 0.0

    @property
    def rmse(self) -> float:
        """Root of the mean square of |b - a|."""
        return math.sqrt(self._squares / self.compared) if self.compared else 0.0

    @property
    def cosine(self) -> float:
        """Cosine of the angle between all of a and all of b; 1 if one of them is zero and both are equal."""
        dot, a, b = self._products
        if not (a and b):
            return 1.0 if a == b else 0.0
        return dot / math.sqrt(a) / math.sqrt(b)

    @property
    def judged(self) -> float | None:
        """The statistic that `tolerance.by` asks for, that of the worst image; None if each element is judged."""
        statistics = {
            "mean": self.mean_error,
            "rmse": self.rmse,
            "cosine": 1 - self.cosine,
            "psnr": self._likeness,
            "ssim": min(self._likeness, 1.0),
            "quantile": 1 - self.wrong / self.compared if self.compared else 1.0,
        }
        return statistics.get(self.tolerance.by)

    @property
    def matches(self) -> bool:
        """Whether the field is within its tolerance."""
        if self.other_lengths:
            return False
        judged = self.judged
        if judged is None:
            return not self.wrong
        if self.tolerance.at_least is not None:
            return judged >= self.tolerance.at_least
        if self.tolerance.by == "quantile":
            return judged >= self.tolerance.quantile
        return judged <= self.tolerance.abs

    def add(self, ticks: Int64s, compared: int, rows: Int64s, error: Floats, wrong: Mask) -> Mask:
        """Take what was judged of m messages with so many elements; returns which of them are wrong, (m,).

        The k elements that are not equal are in the messages `rows`, with their errors and whether they are wrong, (k,).
        """
        self.compared += compared
        self.unequal += len(error)
        self.wrong += int(np.count_nonzero(wrong))
        self._sum += float(error.sum())
        self._squares += float(error @ error)
        wrong_ticks: Mask = np.zeros(len(ticks), np.bool_)
        by_element = self.tolerance.by == "element"
        if by_element:
            wrong_ticks[rows[wrong]] = True
            self._note(ticks, wrong_ticks)
        self._see_largest(ticks, rows, error, wrong, prefer_wrong=by_element)
        return wrong_ticks

    def add_image(self, tick: Int64s, pixels: int, error: Floats, value: float) -> Mask:
        """Take how alike the images of a tick (1,) are, and the errors of the pixels that are not equal; whether it is wrong."""
        self.add(
            tick, pixels, np.zeros(len(error), np.int64), error, np.zeros(len(error), np.bool_)
        )
        if len(error) and (self.judged_tick is None or value < self._likeness):
            self._likeness, self.judged_tick = value, int(tick[0])
        wrong: Mask = np.array([value < (self.tolerance.at_least or 0.0)])
        self._note(tick, wrong)
        return wrong

    def add_lengths(self, ticks: Int64s, other: Mask) -> Mask:
        """Take which of m messages have an array of another length, (m,)."""
        self.other_lengths += int(np.count_nonzero(other))
        self._note(ticks, other)
        return other

    def add_products(self, a: Column, b: Column) -> None:
        """Take all numbers of both sides, for the cosine between them."""
        left, right = (np.asarray(x, np.float64).ravel() for x in (a, b))
        dot, square_a, square_b = self._products
        self._products = (
            dot + float(left @ right),
            square_a + float(left @ left),
            square_b + float(right @ right),
        )

    def _see_largest(
        self, ticks: Int64s, rows: Int64s, error: Floats, wrong: Mask, *, prefer_wrong: bool
    ) -> None:
        if not len(error):
            return
        is_wrong = prefer_wrong and bool(wrong.any())
        worst = int(np.argmax(np.where(wrong, error, -1.0) if is_wrong else error))
        if error[worst] and (is_wrong, error[worst]) > (self._max_is_wrong, self.max_error):
            self._max_is_wrong = is_wrong
            self.max_error, self.max_tick = float(error[worst]), int(ticks[rows[worst]])

    def _note(self, ticks: Int64s, wrong: Mask) -> None:
        self.wrong_ticks += int(np.count_nonzero(wrong))
        if self.first_tick is None and wrong.any():
            self.first_tick = int(ticks[np.argmax(wrong)])


def statistic(field: FieldComparison) -> tuple[str, str]:
    """What a field is judged by and its value: "rmse", "0.5"; where each image is judged, that of the worst one."""
    tolerance, value = field.tolerance, field.judged
    assert value is not None
    if tolerance.by in MEASURES:
        name, unit = MEASURES[tolerance.by]
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
        **{
            name: value if value is not None and math.isfinite(value) else None
            for name, value in numbers.items()
        },
    }
