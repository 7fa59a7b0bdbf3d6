"""Scripted velocities of a mobile base, by the time of a simulation."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from ...errors import UsageError

HOW = "SECONDS:LINEAR,ANGULAR, in s, m/s and rad/s"


@dataclass(frozen=True)
class Velocities:
    """From each of `begins_s` on the velocity of the same place in `values`, (linear, angular)."""

    begins_s: tuple[float, ...]
    values: tuple[tuple[float, float], ...]

    def at(self, time_s: float) -> tuple[float, float] | None:
        """The velocity at a time; None before the first."""
        index = bisect_right(self.begins_s, time_s)
        return self.values[index - 1] if index else None


def parse_velocities(text: str) -> Velocities:
    """Words as `0:0.5,0 4:0.5,0.4`; raises UsageError."""
    rows = sorted(_row(word) for word in text.split())
    begins_s = tuple(begin_s for begin_s, _ in rows)
    if len(set(begins_s)) < len(begins_s):
        raise UsageError(f"velocities '{text}' name a time twice")
    return Velocities(begins_s, tuple(value for _, value in rows))


def _row(word: str) -> tuple[float, tuple[float, float]]:
    begin, _, value = word.partition(":")
    linear, _, angular = value.partition(",")
    try:
        numbers = float(begin), float(linear), float(angular)
    except ValueError as error:
        raise UsageError(f"velocity '{word}' is not {HOW}") from error
    if not all(math.isfinite(number) for number in numbers) or numbers[0] < 0:
        raise UsageError(f"velocity '{word}' is not {HOW}, with a time from 0 on")
    return numbers[0], (numbers[1], numbers[2])
