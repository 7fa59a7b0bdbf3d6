"""Why the values of a field differ: the simplest law that accounts for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..message.arrays import Column, Int64s

InputsOf: TypeAlias = Callable[[str, Int64s], Mapping[str, Column]]
"""Gives, of a topic and ticks (n,) of A, the numbers (n,) in what these answer, by path."""


@dataclass(frozen=True)
class Diagnosis:
    """The simplest law that accounts for how `b` differs from the reference `a`.

    `explains` is 1 - sum((b - law(a))²) / sum((b - a)²) over the finite elements that the law
    predicts, at least 0. For the laws in `why.diagnose.UNPREDICTED` it is the share of the
    difference in the place, or within the bound, that they name. A place may have a law of its own
    in `rest`, whose `explains` it then takes; without, it says nothing of values, and `predicts` is
    false.
    """

    law: str
    sentence: str
    explains: float
    parameters: Mapping[str, float] = field(default_factory=dict)
    rest: Diagnosis | None = None
    predicts: bool = True


@dataclass(frozen=True)
class Extent:
    """The ticks of A in which a law was sought, where a field differs in others as well."""

    first: int
    last: int
    differing: int
    """Messages among them in which the field differs."""
    of: int | None
    """Messages in which it differs in all; None if no single one is judged."""
