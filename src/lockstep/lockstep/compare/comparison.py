"""What comes out of comparing two datasets: per key, per field, per tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..message.arrays import Int64s
from .align import Alignment
from .distribution import DistributionComparison
from .fields import FieldComparison
from .tolerance import Tolerances
from .values import Deviation
from .why.diagnose import Diagnosis

Align = Literal["auto", "time", "stamp", "tick", "cause", "none"]
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


@dataclass
class KeyComparison:
    """The outcome for one topic. Times in ns since the origin of their bag."""

    topic: str
    type: str
    count_a: int = 0
    count_b: int = 0
    problem: str | None = None
    align: Align = "time"
    """How its messages were aligned."""
    aligned: int = 0
    largest_shift_ns: int = 0
    """By how much the times of two messages that were aligned differ at most."""
    clock_offset_ns: float = 0.0
    clock_drift: float = 0.0
    """The times of B are those of A, plus the offset, plus the drift times the time of A: a least squares fit."""
    equal_bytes: int = 0
    differing: int = 0
    first: TickDifference | None = None
    worst: Deviation | None = None
    worst_tick: int | None = None
    kept: list[TickDifference] = field(default_factory=list)
    only_a: Int64s = field(default_factory=no_ticks)
    only_b: Int64s = field(default_factory=no_ticks)
    """(tick, time) of each message that has no partner, (n, 2)."""
    reordered: Int64s = field(default_factory=no_ticks)
    """(tick of A, tick of B) of each message that B has before or after others than A; not compared, (n, 2)."""
    unlisted: tuple[int, int, int] = (0, 0, 0)
    """How many more of them there are than only_a, only_b and reordered list: streams have no end."""
    duplicates: tuple[int, int] = (0, 0)
    """Messages of A and of B that have the time of another message of their topic."""
    alignment: Alignment | None = None
    """Which messages belong together; None if there is a problem."""
    times_ns: tuple[Int64s, Int64s] = field(
        default_factory=lambda: (no_ticks()[:, 0], no_ticks()[:, 0])
    )
    """The times by which the messages of A and of B were aligned, (count,) each."""
    steps: tuple[Int64s, Int64s] | None = None
    """The steps that the messages of A and of B answer, (count,) each, if they were aligned by them ("cause")."""
    fields: dict[str, FieldComparison] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    """The fields that a tolerance leaves out."""
    diagnoses: dict[str, Diagnosis | None] = field(default_factory=dict)
    """The law by which each field differs that does, by path; None if there is no simple one."""
    redefined: str | None = None
    """How the types or definitions of both sides differ, if only the fields that both have are compared."""
    unlike: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The fields that are not compared, for one side lacks them or has another kind: the kinds of both."""
    distributions: dict[str, DistributionComparison] = field(default_factory=dict)
    """The fields of messages that are not aligned ("none")."""

    @property
    def matches(self) -> bool:
        """Whether both sides have the same messages with the same values."""
        return self.grade in GRADES[:3]

    @property
    def grade(self) -> Grade:
        """How well B does what A does."""
        if self.problem or len(self.only_a) or len(self.only_b) or len(self.reordered):
            return "wrong messages"
        if not self.unlike.keys() <= set(self.ignored):
            return "wrong messages"
        if self.differing or not all(found.matches for found in self.fields.values()):
            return "wrong values"
        if self.align == "none":
            alike = all(found.matches for found in self.distributions.values())
            return "within tolerance" if alike else "wrong values"
        if self.equal_bytes == self.aligned and not self.redefined:
            return "identical bytes"
        unequal = any(found.unequal or found.wrong for found in self.fields.values())
        return "within tolerance" if unequal or self.ignored or self.redefined else "equal values"


@dataclass
class Comparison:
    """The outcome of comparing bag B with the reference A."""

    name_a: str
    name_b: str
    align: Align
    tolerances: Tolerances
    common_fields: bool = False
    """Whether topics of other types or definitions are compared in the fields that both have."""
    keys: dict[str, KeyComparison] = field(default_factory=dict)

    @property
    def all_match(self) -> bool:
        """Whether every key matches."""
        return all(key.matches for key in self.keys.values())

    @property
    def grade(self) -> Grade:
        """That of the worst key."""
        return max((key.grade for key in self.keys.values()), key=GRADES.index, default=GRADES[0])

    @property
    def samples(self) -> int:
        """Messages that were compared."""
        return sum(
            min(key.count_a, key.count_b) if key.align == "none" else key.aligned
            for key in self.keys.values()
        )

    def summary(self) -> str:
        """The verdict and what is to be known of each key, some lines."""
        from .text_diff import summary

        return "\n".join(summary(self))

    def differences(self) -> Iterator[tuple[str, TickDifference]]:
        """The ticks that differ with their keys, at most KEPT_TICKS of each key."""
        for name, key in self.keys.items():
            for difference in key.kept:
                yield name, difference
