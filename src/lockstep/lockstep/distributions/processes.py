"""Numbers that go on over the time of the messages."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np

from ..errors import DistError
from ..message.arrays import Floats
from ..message.drawn_columns import Drawn
from .exact import exp, sin_turns
from .fields import Field
from .random import Random
from .rule import (
    Rule,
    Setting,
    Source,
    check_number,
    finite,
    fitted,
    misfit,
    required,
)
from .ticks import Ticks

Course: TypeAlias = Callable[[Floats], Floats]
"""Gives the values at the next times (n,), in seconds since the first message."""


class Process(Rule):
    """A number as a function of time."""

    @property
    @abstractmethod
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value; infinite where there is none."""

    @abstractmethod
    def course(self, random: Random) -> Course:
        """One course of the process."""

    def check(self, wanted: Field) -> None:
        if wanted.array == "sequence":
            raise misfit(
                self, wanted, "is one number over time, and this is an array; give Array(…)"
            )
        check_number(self, wanted, False, self.limits)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        elements = range(wanted.size) if wanted.array else [0]
        courses = [
            self.course(random.named(str(at)) if wanted.array else random) for at in elements
        ]

        def draw(ticks: Ticks) -> Drawn:
            values = np.stack([course(ticks.seconds) for course in courses], axis=-1)
            return Drawn(fitted(values.reshape(len(ticks), *wanted.shape), wanted))

        return draw


@dataclass(frozen=True)
class RandomWalk(Process):
    """A walk from `start` with normal steps, `std` for the first second; turned back at `low` and
    `high` if they are given."""

    std: float
    start: float = 0.0
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        finite("RandomWalk", std=self.std, start=self.start)
        required(self.std >= 0, f"std of RandomWalk is {self.std}; give 0 or more")
        if (self.low is None) != (self.high is None):
            raise DistError(f"{self!r} is bounded on one side; give both low and high, or neither")
        if self.low is not None and self.high is not None:
            finite("RandomWalk", low=self.low, high=self.high)
            required(self.low < self.high, f"{self!r} has no room; give low < high")
            required(self.low <= self.start <= self.high, f"{self!r} starts out of its bounds")

    @property
    def limits(self) -> tuple[float, float]:
        if self.low is None or self.high is None:
            return -math.inf, math.inf
        return self.low, self.high

    def course(self, random: Random) -> Course:
        place, last_s = 0.0, 0.0

        def draw(times_s: Floats) -> Floats:
            nonlocal place, last_s
            apart_s = np.maximum(np.diff(times_s, prepend=last_s), 0.0)
            steps = np.sqrt(apart_s) * random.normal(len(times_s)) * self.std
            walked = np.add.accumulate(np.concatenate([[place], steps]))[1:]
            if len(times_s):
                place, last_s = float(walked[-1]), float(times_s[-1])
            return self._turned_back(self.start + walked)

        return draw

    def _turned_back(self, values: Floats) -> Floats:
        if self.low is None or self.high is None:
            return values
        room = self.high - self.low
        off = np.remainder(values - self.low, 2 * room)
        turned: Floats = np.clip(self.low + np.minimum(off, 2 * room - off), self.low, self.high)
        return turned


@dataclass(frozen=True)
class OrnsteinUhlenbeck(Process):
    """Normal numbers with `mean` and `std` that forget over `time_s` seconds: noise with a
    memory."""

    mean: float = 0.0
    std: float = 1.0
    time_s: float = 1.0

    def __post_init__(self) -> None:
        finite("OrnsteinUhlenbeck", mean=self.mean, std=self.std, time_s=self.time_s)
        required(self.std >= 0, f"std of OrnsteinUhlenbeck is {self.std}; give 0 or more")
        required(self.time_s > 0, f"time_s of OrnsteinUhlenbeck is {self.time_s}; give more than 0")

    @property
    def limits(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def course(self, random: Random) -> Course:
        last: float | None = None
        last_s = 0.0

        def draw(times_s: Floats) -> Floats:
            nonlocal last, last_s
            noise = random.normal(len(times_s))
            if not len(times_s):
                return noise
            apart_s = np.maximum(np.diff(times_s, prepend=last_s), 0.0)
            kept = exp(-apart_s / self.time_s)
            if last is None:
                kept[0] = 0.0
            fresh = np.sqrt(1.0 - kept * kept) * noise
            steps = zip(kept.tolist(), fresh.tolist(), strict=True)
            found = list(
                accumulate(steps, lambda at, step: at * step[0] + step[1], initial=last or 0.0)
            )
            last, last_s = found[-1], float(times_s[-1])
            return self.mean + self.std * np.array(found[1:], np.float64)

        return draw


class _Fixed(Process):
    """A course in which nothing is random."""

    @abstractmethod
    def at(self, times_s: Floats) -> Floats:
        """The values at some times."""

    def course(self, random: Random) -> Course:
        return self.at


@dataclass(frozen=True)
class Sine(_Fixed):
    """`offset` + `amplitude` · sin(2π (`frequency_hz` · t + `phase`)); the phase is in turns."""

    amplitude: float = 1.0
    frequency_hz: float = 1.0
    offset: float = 0.0
    phase: float = 0.0

    def __post_init__(self) -> None:
        finite(
            "Sine",
            amplitude=self.amplitude,
            frequency_hz=self.frequency_hz,
            offset=self.offset,
            phase=self.phase,
        )

    @property
    def limits(self) -> tuple[float, float]:
        return self.offset - abs(self.amplitude), self.offset + abs(self.amplitude)

    def at(self, times_s: Floats) -> Floats:
        return self.offset + self.amplitude * sin_turns(self.frequency_hz * times_s + self.phase)


@dataclass(frozen=True)
class Chirp(_Fixed):
    """A sine whose frequency goes from `start_hz` to `end_hz` in `duration_s` seconds, evenly, over
    and over."""

    start_hz: float
    end_hz: float
    duration_s: float
    amplitude: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        finite("Chirp", start_hz=self.start_hz, end_hz=self.end_hz, duration_s=self.duration_s)
        finite("Chirp", amplitude=self.amplitude, offset=self.offset)
        required(self.duration_s > 0, f"duration_s of Chirp is {self.duration_s}; give more than 0")

    @property
    def limits(self) -> tuple[float, float]:
        return self.offset - abs(self.amplitude), self.offset + abs(self.amplitude)

    def at(self, times_s: Floats) -> Floats:
        t = np.remainder(times_s, self.duration_s)
        faster = (self.end_hz - self.start_hz) / (2 * self.duration_s)
        return self.offset + self.amplitude * sin_turns((self.start_hz + faster * t) * t)


@dataclass(frozen=True)
class Steps(_Fixed):
    """One of `levels` after the other, each for `every_s` seconds, over and over."""

    levels: tuple[float, ...]
    every_s: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        required(bool(self.levels), "levels of Steps is empty; give some numbers")
        finite(
            "Steps",
            every_s=self.every_s,
            **{f"levels[{at}]": one for at, one in enumerate(self.levels)},
        )
        required(self.every_s > 0, f"every_s of Steps is {self.every_s}; give more than 0")

    @property
    def limits(self) -> tuple[float, float]:
        return min(self.levels), max(self.levels)

    def at(self, times_s: Floats) -> Floats:
        step = np.floor(times_s / self.every_s).astype(np.int64) % len(self.levels)
        return np.array(self.levels, np.float64)[step]


@dataclass(frozen=True)
class Piecewise(_Fixed):
    """Straight lines between `points`, value by time in seconds; then the last value, or with
    `repeat` all over again."""

    points: Any
    repeat: bool = False

    def __post_init__(self) -> None:
        given = self.points.items() if isinstance(self.points, Mapping) else self.points
        points = tuple((float(time_s), float(value)) for time_s, value in given)
        object.__setattr__(self, "points", points)
        required(bool(points), "points of Piecewise is empty; give {time in s: value}")
        for time_s, value in points:
            finite("Piecewise", time=time_s, value=value)
        times = [time_s for time_s, _ in points]
        ascending = all(a < b for a, b in pairwise(times))
        required(ascending and times[0] >= 0, f"the times of {self!r} must ascend, from 0 s on")
        required(
            not self.repeat or times[-1] > 0,
            f"{self!r} has no length to repeat; give a time above 0",
        )

    @property
    def limits(self) -> tuple[float, float]:
        values = [value for _, value in self.points]
        return min(values), max(values)

    def at(self, times_s: Floats) -> Floats:
        knots = np.array([time_s for time_s, _ in self.points])
        values = np.array([value for _, value in self.points])
        t = np.remainder(times_s, knots[-1]) if self.repeat else times_s
        if len(knots) == 1:
            return np.full_like(t, values[0])
        after = np.clip(np.searchsorted(knots, t, "right"), 1, len(knots) - 1)
        share = np.clip((t - knots[after - 1]) / (knots[after] - knots[after - 1]), 0.0, 1.0)
        found: Floats = values[after - 1] * (1.0 - share) + values[after] * share
        return found
