"""Some of one distribution, some of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import Columns, Drawn, Int64s, Ticks, joined, taken
from .errors import DistError
from .fields import Field
from .numbers import Choice, as_rule
from .random import Random
from .rule import Rule, Setting, Source, finite, required


@dataclass(frozen=True, init=False)
class Mixture(Rule):
    """Each message (or value) of one of several distributions, by weight: `Mixture((9, Normal()), (1, Edges()))`."""

    parts: tuple[tuple[float, Any], ...]

    def __init__(self, *parts: tuple[float, Any]) -> None:
        for part in parts:
            if not isinstance(part, (tuple, list)) or len(part) != 2:
                raise DistError(f"{part!r} is no part of a Mixture; give (weight, distribution)")
            finite("Mixture", weight=part[0])
            required(part[0] >= 0, f"a weight of Mixture is {part[0]}; give 0 or more")
        required(
            sum(weight for weight, _ in parts) > 0, "Mixture() has no part with a weight; give some"
        )
        object.__setattr__(self, "parts", tuple((weight, as_rule(rule)) for weight, rule in parts))

    def __repr__(self) -> str:
        return f"Mixture({', '.join(map(repr, self.parts))})"

    @property
    def of_fields(self) -> bool:  # type: ignore[override]
        return all(isinstance(rule, Rule) and rule.of_fields for _, rule in self.parts)

    @property
    def of_lengths(self) -> bool:  # type: ignore[override]
        return all(isinstance(rule, Rule) and rule.of_lengths for _, rule in self.parts)

    def offers(self, wanted: Field) -> bool:
        return self.of_fields and all(rule.offers(wanted) for _, rule in self.parts)

    def check(self, wanted: Field) -> None:
        for _, rule in self.parts:
            rule.check(wanted)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        sources = [
            rule.source(wanted, random.named(str(at)), setting)
            for at, (_, rule) in enumerate(self.parts)
        ]

        def draw(ticks: Ticks) -> Drawn:
            every: list[Columns] = [{"": source(ticks)} for source in sources]
            return self.mixed(every, random, len(ticks))[""]

        return draw

    def mixed(self, every: list[Columns], random: Random, count: int) -> Columns:
        """Of each of `count` messages the one of a part that is drawn, by weight."""
        weights = [weight for weight, _ in self.parts]
        chosen = Choice(*range(len(every)), weights=weights).quantile(random.uniform(count))
        rows: Int64s = chosen * count + np.arange(count)
        return taken(joined(every), rows)
