"""Arrays whose lengths differ from message to message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..errors import DistError
from ..message.drawn_columns import Drawn
from .fields import Field
from .numbers import as_rule
from .random import Random
from .rule import Rule, Setting, Source, misfit
from .texts import as_length, length_source
from .ticks import Ticks


@dataclass(frozen=True)
class Array(Rule):
    """An array with `length` elements (a number, or a rule that draws one), each as `of` says.

    For an array of messages `of` is a Distribution of theirs; without it, their fields have rules
    of their own, by paths such as `poses[].position`.
    """

    of: Any = None
    length: Any = None
    of_lengths = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", as_rule(self.of))
        if self.length is None:
            raise DistError(
                f"Array({self.of!r}) has no length; give a number or a rule, as length=Integers(0, "
                "100)"
            )
        object.__setattr__(self, "length", as_length(self.length, "Array"))

    def offers(self, wanted: Field) -> bool:
        return bool(wanted.array)

    def check(self, wanted: Field) -> None:
        if wanted.array != "sequence":
            what = "has a fixed length" if wanted.array else "is no array"
            raise misfit(self, wanted, f"is for sequences, and the field {what}")
        self.length.check(replace(wanted, kind="length"))
        if wanted.kind == "length":
            return
        if not isinstance(self.of, Rule):
            raise misfit(self, wanted, "does not say how its elements are drawn; give of=")
        self.of.check(_element(wanted))

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        lengths = length_source(self.length, wanted, random, setting)
        if wanted.kind == "length":
            return lengths
        elements = self.of.source(_element(wanted), random, setting)

        def draw(ticks: Ticks) -> Drawn:
            counts = lengths(ticks).values
            return Drawn(elements(ticks.repeated(counts)).values, counts)

        return draw


def _element(wanted: Field) -> Field:
    return replace(wanted, path=f"{wanted.path}[]", array="", size=0)
