"""What comes out of comparing one topic: how its messages were aligned, judged and explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..message.arrays import Int64s
from .align import Align, Alignment
from .deviation import Deviation
from .distribution import DistributionComparison
from .fields import FieldComparison
from .simplest_law import Diagnosis, Extent

Grade = Literal[
    "identical bytes", "equal values", "within tolerance", "wrong values", "wrong messages"
]
GRADES: tuple[Grade, ...] = (
    "identical bytes",
    "equal values",
    "within tolerance",
    "wrong values",
    "wrong messages",
)
"""How well B does what A does, best first; only the first three match."""
KEPT_TICKS = 100
"""Differing ticks kept for the text diff of a key; the rest is only counted."""


@dataclass(frozen=True)
class TickDifference:
    """A tick whose values differ beyond tolerance; time in ns since the origin of A."""

    tick_a: int
    tick_b: int
    time_ns: int
    fields: tuple[Deviation, ...]


def no_ticks() -> Int64s:
    """Messages of one side only: none."""
    return np.empty((0, 2), np.int64)


def _no_times() -> tuple[Int64s, Int64s]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


@dataclass(frozen=True)
class Aligned:
    """Which messages of a key belong together. Times in ns since the origin of their bag."""

    count_a: int = 0
    count_b: int = 0
    """All messages of A and of B."""
    by: Align = "time"
    """How they were aligned."""
    stamp: str = ""
    """The field by which they were, if they were by "stamp"."""
    count: int = 0
    """Pairs of messages that belong together."""
    pairs: Alignment | None = None
    """Which these are; None if there is a problem, for distributions, and for live topics."""
    times_ns: tuple[Int64s, Int64s] = field(default_factory=_no_times)
    """The times by which the messages of A and of B were aligned, (count_a,) and (count_b,)."""
    epochs: tuple[Int64s, Int64s] = field(default_factory=_no_times)
    """The ticks of A and of B at which these times begin anew, (k,) and (l,)."""
    steps: tuple[Int64s, Int64s] | None = None
    """The steps that they answer, (count_a,) and (count_b,), if they were aligned by "cause"."""
    only_a: Int64s = field(default_factory=no_ticks)
    only_b: Int64s = field(default_factory=no_ticks)
    """(tick, time) of each message that has no partner, (n, 2)."""
    reordered: Int64s = field(default_factory=no_ticks)
    """(tick of A, tick of B) of each message that B has before or after others than A; not
    compared, (n, 2)."""
    unlisted: tuple[int, int, int] = (0, 0, 0)
    """How many more than only_a, only_b and reordered list there are: streams have no end."""
    duplicates: tuple[int, int] = (0, 0)
    """Messages of A and of B that have the time of another message of their topic."""
    largest_shift_ns: int = 0
    """By how much the times of two messages that were aligned differ at most."""
    clock_offset_ns: float = 0.0
    clock_drift: float = 0.0
    """The times of B are those of A, plus the offset, plus the drift times the time of A: a least
    squares fit."""

    @property
    def alone(self) -> int:
        """Messages that are listed as without partner, or out of order."""
        return len(self.only_a) + len(self.only_b) + len(self.reordered)


@dataclass(frozen=True)
class BetterAlign:
    """Another way to align, with which less than half as many messages of a key are wrong."""

    align: Align
    wrong: int
    """Messages that then differ, or have no partner."""


@dataclass(frozen=True)
class Judged:
    """How the values of messages that belong together agree."""

    equal_bytes: int = 0
    """Pairs of messages with the same bytes."""
    differing: int = 0
    """Pairs with an element beyond its tolerance."""
    fields: Mapping[str, FieldComparison] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    """The fields that a tolerance leaves out."""
    kept: tuple[TickDifference, ...] = ()
    """The first pairs that differ, at most KEPT_TICKS."""
    beyond_rounding: TickDifference | None = None
    """The first pair that differs by more than rounding, and not by next to nothing beside others;
    None if none does."""
    worst: Deviation | None = None
    worst_tick: int | None = None
    distributions: Mapping[str, DistributionComparison] = field(default_factory=dict)
    """The fields of messages that are not aligned ("none")."""

    @property
    def first(self) -> TickDifference | None:
        """The first pair that differs."""
        return self.kept[0] if self.kept else None

    @property
    def hidden(self) -> TickDifference | None:
        """The first pair that differs by more than rounding, if others by rounding come before."""
        first, clear = self.first, self.beyond_rounding
        return clear if first and clear and clear.tick_a != first.tick_a else None

    @property
    def is_worst_wrong(self) -> bool:
        """Whether the largest difference is an error, rather than within tolerance."""
        return self.worst is not None and not (self.worst.passes and self.fields_match)

    @property
    def fields_match(self) -> bool:
        """Whether every field is within its tolerance."""
        return all(found.matches for found in self.fields.values())


@dataclass(frozen=True)
class Explained:
    """Why the values of messages that belong together differ."""

    diagnoses: Mapping[str, Diagnosis | None] = field(default_factory=dict)
    """The law by which each field differs that does, by path; None if there is no simple one."""
    extents: Mapping[str, Extent] = field(default_factory=dict)
    """Of the fields that differ beyond the ticks that were looked at: in which ticks that was."""


@dataclass(frozen=True)
class KeyComparison:
    """The outcome for one topic."""

    topic: str
    type: str
    problem: str | None = None
    """Why its messages cannot be compared."""
    redefined: str | None = None
    """How the types or definitions of both sides differ, if only common fields are compared."""
    undecoded: str = ""
    """Why its messages cannot be decoded, so that their bytes are compared."""
    is_json: bool = False
    """Whether they are JSON on both sides, which is compared value by value, without columns."""
    unlike: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The fields that are not compared, for one side lacks them or has another kind: both kinds."""
    aligned: Aligned = field(default_factory=Aligned)
    better: BetterAlign | None = None
    judged: Judged = field(default_factory=Judged)
    explained: Explained = field(default_factory=Explained)

    @property
    def matches(self) -> bool:
        """Whether both sides have the same messages with the same values."""
        return self.grade in GRADES[:3]

    @property
    def wrong(self) -> int:
        """Messages that differ, stand alone or are out of order."""
        return self.judged.differing + self.aligned.alone

    @property
    def samples(self) -> int:
        """Messages that were compared."""
        aligned = self.aligned
        return min(aligned.count_a, aligned.count_b) if aligned.by == "none" else aligned.count

    @property
    def grade(self) -> Grade:
        """How well B does what A does."""
        aligned, judged = self.aligned, self.judged
        if self.problem or aligned.alone or not self.unlike.keys() <= set(judged.ignored):
            return "wrong messages"
        if judged.differing or not judged.fields_match:
            return "wrong values"
        if aligned.by == "none":
            alike = all(found.matches for found in judged.distributions.values())
            return "within tolerance" if alike else "wrong values"
        if judged.equal_bytes == aligned.count and not self.redefined:
            return "identical bytes"
        unequal = any(found.unequal or found.wrong for found in judged.fields.values())
        return "within tolerance" if unequal or judged.ignored or self.redefined else "equal values"
