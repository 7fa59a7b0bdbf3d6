"""Some of one distribution, some of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DistError
from ..message.drawn_columns import Columns, joined, taken
from .fields import Field
from .numbers import Choice, as_rule
from .random import Random
from .rule import PartSource, Rule, Setting, Source, finite, required
from .ticks import Ticks


@dataclass(frozen=True, init=False)
class Mixture(Rule):
    """Each message (or value) of one of several distributions, by weight: `Mixture((9, Normal()),
    (1, Edges()))`."""

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

        parts: list[PartSource] = [_as_part(source) for source in sources]
        return lambda ticks: self.mixed(parts, random, ticks)[""]

    def mixed(self, sources: Sequence[PartSource], random: Random, ticks: Ticks) -> Columns:
        """Each message of one of the parts, which draws only those that fall to it."""
        weights = [weight for weight, _ in self.parts]
        chosen = Choice(*range(len(sources)), weights=weights).quantile(random.uniform(len(ticks)))
        rows = [np.flatnonzero(chosen == at) for at in range(len(sources))]
        every = [source(ticks.at(mine)) for source, mine in zip(sources, rows, strict=True)]
        order = np.argsort(np.concatenate(rows))
        return taken(joined(every), order)


def _as_part(source: Source) -> PartSource:
    return lambda ticks: {"": source(ticks)}
