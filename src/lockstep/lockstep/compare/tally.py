"""Counting what is found of a field while its messages are judged, some thousand at a time."""

from __future__ import annotations

import math

import numpy as np

from ..errors import CompareError
from ..message.arrays import Column, Floats, Int64s, Mask
from .fields import FieldComparison
from .subject import Subject
from .tolerance import TRAJECTORY, Tolerance
from .trajectory import trajectory_error

_CLIMB = 10.0
_NONE: Floats = np.empty(0)
_NOWHERE: Mask = np.empty(0, np.bool_)
_ROUNDING = 64.0
"""So many steps of the type at the largest value are rounding."""


class FieldTally:
    """What is known so far of one field of a topic."""

    def __init__(self, topic: str, subject: Subject, tolerance: Tolerance) -> None:
        self.topic, self.subject, self.tolerance = topic, subject, tolerance
        self.max_tick: int | None = None
        self._compared = self._unequal = self._wrong = 0
        self._wrong_ticks = self._other_lengths = 0
        self._max_error = 0.0
        self._max_is_wrong = False
        self._first_tick: int | None = None
        self._judged_tick: int | None = None
        self._climbs: list[tuple[int, float]] = []
        self._largest_value = self._eps = 0.0
        self._sum = self._squares = 0.0
        self._products = (0.0, 0.0, 0.0)
        self._likeness = math.inf
        self._apart = 0.0
        self._poses: list[tuple[Floats, Floats]] = []
        self._alone = (0, 0)
        self._moved = 0

    def add(self, ticks: Int64s, compared: int, rows: Int64s, error: Floats, wrong: Mask) -> Mask:
        """Take what was judged of m messages with so many elements; gives which are wrong, (m,).

        The k elements that are not equal are in the messages `rows`, with their errors and whether
        they are wrong, (k,).
        """
        self._compared += compared
        self._unequal += len(error)
        self._wrong += int(np.count_nonzero(wrong))
        self._sum += float(error.sum())
        self._squares += float(error @ error)
        wrong_ticks: Mask = np.zeros(len(ticks), np.bool_)
        by_element = self.tolerance.by == "element"
        if by_element:
            wrong_ticks[rows[wrong]] = True
            self._note(ticks, wrong_ticks)
            self._climb(ticks, rows, error, wrong)
        self._see_largest(ticks, rows, error, wrong, prefer_wrong=by_element)
        return wrong_ticks

    def add_all(self, ticks: Int64s, error: Floats, wrong: Mask) -> Mask:
        """The same, of the errors of all elements, (m, …)."""
        at = np.flatnonzero((error != 0) | wrong)
        rows = at // max(1, error[0].size)
        return self.add(ticks, error.size, rows, error.reshape(-1)[at], wrong.reshape(-1)[at])

    def add_image(self, tick: Int64s, pixels: int, error: Floats, value: float) -> Mask:
        """Take how alike the images of a tick (1,) are, and the errors of unequal pixels.

        Gives whether the image is wrong, (1,).
        """
        nowhere = np.zeros(len(error), np.int64)
        self.add(tick, pixels, nowhere, error, np.zeros(len(error), np.bool_))
        if len(error) and (self._judged_tick is None or value < self._likeness):
            self._likeness, self._judged_tick = value, int(tick[0])
        wrong: Mask = np.array([value < (self.tolerance.at_least or 0.0)])
        self._note(tick, wrong)
        return wrong

    def add_path(self, tick: Int64s, error: Floats, value: float) -> Mask:
        """Take how far the trajectories of a tick (1,) are apart, and each of their poses, (k,)."""
        off = error[error != 0]
        nowhere = np.zeros(len(off), np.int64)
        self.add(tick, len(error), nowhere, off, np.zeros(len(off), np.bool_))
        if len(off) and (self._judged_tick is None or value > self._apart):
            self._apart, self._judged_tick = value, int(tick[0])
        wrong: Mask = np.array([value > (self.tolerance.at_most or 0.0)])
        self._note(tick, wrong)
        return wrong

    def add_poses(self, ticks: Int64s, a: Floats, b: Floats) -> None:
        """Take poses (m, 7) or positions (m, 3) of one trajectory over all messages."""
        self._poses.append((a, b))
        if self.tolerance.alignment == "none":
            with np.errstate(invalid="ignore"):
                error = np.linalg.norm(b[:, :3] - a[:, :3], axis=1)
            error = np.where(np.isnan(error), math.inf, error)
            error[(a == b).all(axis=1)] = 0.0
            self.add_all(ticks, error, np.zeros(len(error), np.bool_))
        else:
            self._compared += len(a)

    def _trajectory(self) -> float:
        """How far all poses are apart; raises CompareError as `trajectory_error` does."""
        if not self._poses:
            return self._apart
        a, b = (np.concatenate(side) for side in zip(*self._poses, strict=True))
        self._poses = [(a, b)]
        try:
            return trajectory_error(a, b, self.tolerance)
        except CompareError as error:
            what = f"{self.subject.path} of {self.topic}"
            raise CompareError(f"{what} cannot be judged: {error}") from error

    def add_lengths(self, ticks: Int64s) -> Mask:
        """Take m messages whose arrays have other lengths, which is wrong; (m,)."""
        self._other_lengths += len(ticks)
        wrong: Mask = np.ones(len(ticks), np.bool_)
        self._note(ticks, wrong)
        self._climb(ticks, np.arange(len(ticks)), np.full(len(ticks), math.inf), wrong)
        return wrong

    def add_set(
        self,
        tick: Int64s,
        compared: int,
        alone: tuple[int, int],
        are_wrong: bool,
        error: Floats = _NONE,
        wrong: Mask = _NOWHERE,
        *,
        is_moved: bool = False,
    ) -> bool:
        """Take the elements of a tick (1,) that are matched; gives whether it is wrong.

        Some are `alone` in A or in B; of the others k are not the same, with errors (k,). They may
        all be there, but in another order.
        """
        self._alone = self._alone[0] + alone[0], self._alone[1] + alone[1]
        self._moved += is_moved
        nowhere = np.zeros(len(error), np.int64)
        is_wrong = bool(self.add(tick, compared, nowhere, error, wrong)[0])
        self._unequal += sum(alone) + is_moved
        if not are_wrong:
            return is_wrong
        self._wrong += sum(alone)
        if not is_wrong:
            self._note(tick, np.ones(1, np.bool_))
        self._climb(tick, np.zeros(1, np.int64), np.full(1, math.inf), np.ones(1, np.bool_))
        return True

    def add_floats(self, values: Floats) -> None:
        """Take numbers of A that B has not quite; what is tiny beside the largest is rounding."""
        finite = np.abs(values[np.isfinite(values)])
        self._largest_value = max(self._largest_value, float(finite.max(initial=0.0)))
        self._eps = float(np.finfo(values.dtype).eps)

    @property
    def climbed_at(self) -> set[int]:
        """The ticks at which errors beyond tolerance became ten times larger than ever before."""
        return {tick for tick, _ in self._climbs}

    def first_larger(self, error: float) -> int | None:
        """About the first tick with an error beyond tolerance that is larger, and no rounding."""
        least = max(error, _ROUNDING * self._eps * self._largest_value)
        return next((tick for tick, size in self._climbs if size > least), None)

    def add_products(self, a: Column, b: Column) -> None:
        """Take all numbers of both sides, for the cosine between them."""
        left, right = (np.asarray(x, np.float64).ravel() for x in (a, b))
        dot, square_a, square_b = self._products
        self._products = (
            dot + float(left @ right),
            square_a + float(left @ left),
            square_b + float(right @ right),
        )

    def result(self) -> FieldComparison:
        """What is known of the field."""
        count, by = self._compared, self.tolerance.by
        mean_error = self._sum / count if count else 0.0
        rmse = math.sqrt(self._squares / count) if count else 0.0
        statistics = {
            "mean": mean_error,
            "rmse": rmse,
            "cosine": 1 - self._cosine(),
            "psnr": self._likeness,
            "ssim": min(self._likeness, 1.0),
            "quantile": 1 - self._wrong / count if count else 1.0,
        }
        return FieldComparison(
            field=self.subject.path,
            type=self.subject.type,
            kind=self.subject.kind,
            parts=self.subject.parts,
            tolerance=self.tolerance,
            compared=count,
            unequal=self._unequal,
            wrong=self._wrong,
            wrong_ticks=self._wrong_ticks,
            other_lengths=self._other_lengths,
            max_error=self._max_error,
            max_tick=self.max_tick,
            first_tick=self._first_tick,
            mean_error=mean_error,
            rmse=rmse,
            judged=(self._trajectory() if self.tolerance.by in TRAJECTORY else statistics.get(by)),
            judged_tick=self._judged_tick,
            alone=self._alone,
            moved=self._moved,
        )

    def _cosine(self) -> float:
        """That of the angle between all of a and all of b; 1 if one is zero and both are equal."""
        dot, a, b = self._products
        if not (a and b):
            return 1.0 if a == b else 0.0
        return dot / math.sqrt(a) / math.sqrt(b)

    def _see_largest(
        self, ticks: Int64s, rows: Int64s, error: Floats, wrong: Mask, *, prefer_wrong: bool
    ) -> None:
        if not len(error):
            return
        is_wrong = prefer_wrong and bool(wrong.any())
        worst = int(np.argmax(np.where(wrong, error, -1.0) if is_wrong else error))
        if error[worst] and (is_wrong, error[worst]) > (self._max_is_wrong, self._max_error):
            self._max_is_wrong = is_wrong
            self._max_error, self.max_tick = float(error[worst]), int(ticks[rows[worst]])

    def _climb(self, ticks: Int64s, rows: Int64s, error: Floats, wrong: Mask) -> None:
        at = np.flatnonzero(wrong)
        while len(at):
            highest = self._climbs[-1][1] if self._climbs else 0.0
            higher = np.flatnonzero(error[at] > _CLIMB * highest)
            if not len(higher):
                break
            at = at[higher[0] :]
            self._climbs.append((int(ticks[rows[at[0]]]), float(error[at[0]])))

    def _note(self, ticks: Int64s, wrong: Mask) -> None:
        self._wrong_ticks += int(np.count_nonzero(wrong))
        if self._first_tick is None and wrong.any():
            self._first_tick = int(ticks[np.argmax(wrong)])
