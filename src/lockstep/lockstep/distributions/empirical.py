"""Values from recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import DistError
from ..message.arrays import Column, Int64s
from ..message.drawn_columns import Columns, Drawn, taken
from .best_fit import best_fit
from .fields import TEXTS, TIMES, Field, Structure
from .numbers import check_values
from .random import Random
from .rule import (
    PartRule,
    PartSource,
    Recordings,
    Rule,
    Setting,
    Source,
    fitted,
    misfit,
    required,
)
from .ticks import Ticks

By = Literal["value", "block", "fit"]


@dataclass(frozen=True)
class Empirical(Rule, PartRule):
    """Recorded messages of a topic of a bag, or, with `field`, one of their fields, drawn anew.

    `by` "value" draws each on its own; "block" draws stretches of `block` messages in a row, which
    keeps what goes on over time; "fit" draws a number from the distribution of scipy.stats that
    fits the recorded ones best.
    """

    bag: str
    topic: str
    field: str = ""
    by: By = "value"
    block: int = 100

    def __post_init__(self) -> None:
        required(
            self.by in ("value", "block", "fit"),
            f"by of Empirical is {self.by!r}; use 'value', 'block' or 'fit'",
        )
        whole = isinstance(self.block, int) and not isinstance(self.block, bool) and self.block > 0
        required(
            whole, f"block of Empirical is {self.block!r}; give a number of messages from 1 on"
        )
        required(
            self.by != "fit" or bool(self.field),
            "Empirical(by='fit') fits one field of numbers; name it with field=",
        )

    @property
    def of_fields(self) -> bool:  # type: ignore[override]
        return bool(self.field)

    def offers(self, wanted: Field) -> bool:
        return self.of_fields

    def check(self, wanted: Field) -> None:
        if wanted.array or wanted.kind == "length":
            raise misfit(self, wanted, "draws single values; draw whole messages without field=")
        if self.by == "fit" and not wanted.kind.startswith("float"):
            raise misfit(self, wanted, "draws fractions")

    def paths(self, structure: Structure) -> list[str]:
        return [] if self.field else list(structure.fields)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        values = self._recorded(setting).column(self.bag, self.topic, self.field)
        required(len(values) > 0, f"{self.topic} of {self.bag} has no messages to draw from")
        if values.ndim > 1:
            raise misfit(self, wanted, "leads to an array; name one element, as ranges[0]")
        if wanted.kind in TEXTS or values.dtype == object:
            check_values(self, values[:1].tolist(), wanted)
        if self.by == "fit":
            fit: Rule = best_fit(values.astype(np.float64))
            return fit.source(wanted, random, setting)
        if wanted.kind not in (*TEXTS, *TIMES):
            if values.dtype.kind == "f" and wanted.dtype.kind != "f":
                raise misfit(self, wanted, f"leads to {values.dtype}")
            values = fitted(values, wanted)
        rows = self._rows(len(values), random)
        return lambda ticks: Drawn(values[rows(len(ticks))])

    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        columns = self._recorded(setting).columns(self.bag, self.topic, structure)
        count = len(next(iter(columns.values()), Drawn(np.empty(0))))
        required(count > 0, f"{self.topic} of {self.bag} has no messages to draw from")
        rows = self._rows(count, random)

        def draw(ticks: Ticks) -> Columns:
            return taken(columns, rows(len(ticks)))

        return draw

    def _recorded(self, setting: Setting) -> Recordings:
        if setting.recordings is None:
            raise DistError(
                f"{self!r} needs a recording; draw it with lockstep.distributions.drawing"
            )
        return setting.recordings

    def _rows(self, recorded: int, random: Random) -> Callable[[int], Int64s]:
        """What gives the indexes of the recorded messages that are drawn next."""
        if self.by == "value":
            return lambda count: random.integers(0, recorded - 1, count)
        size = min(self.block, recorded)
        left: Column = np.empty(0, np.int64)

        def draw(count: int) -> Int64s:
            nonlocal left
            needed = -(-max(0, count - len(left)) // size)
            begins = random.integers(0, recorded - size, needed)
            rows = (begins[:, None] + np.arange(size)).reshape(-1)
            rows = np.concatenate([left, rows])
            left = rows[count:]
            drawn: Int64s = rows[:count]
            return drawn

        return draw
