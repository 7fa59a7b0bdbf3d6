"""When messages come, and the stamps in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import DistError
from ..message.arrays import Int64s
from ..message.drawn_columns import Drawn
from ..message.time import NS_PER_S
from .exact import log
from .fields import TIMES, Field
from .random import Random
from .rule import Rule, Setting, Source, check_single, finite, misfit, required


@dataclass(frozen=True)
class Timestamps(Rule):
    """Times one after the other, the first at `start_s` since 1970.

    They are 1 / `rate_hz` apart, and each is off by a normal error with a standard deviation of
    `jitter_s`, but never by half of the interval. With `poisson` they are as far apart as
    independent events are. After a share `gaps` of the messages there is a gap of another `gap_s`
    seconds.
    """

    rate_hz: float = 100.0
    jitter_s: float = 0.0
    poisson: bool = False
    gaps: float = 0.0
    gap_s: float = 1.0
    start_s: float = 1.0

    def __post_init__(self) -> None:
        finite("Timestamps", rate_hz=self.rate_hz, jitter_s=self.jitter_s, gaps=self.gaps)
        finite("Timestamps", gap_s=self.gap_s, start_s=self.start_s)
        required(
            0 < self.rate_hz <= 1e9,
            f"rate_hz of Timestamps is {self.rate_hz}; give more than 0, up to 1e9",
        )
        required(
            0 <= self.jitter_s < 0.5 / self.rate_hz,
            f"jitter_s of Timestamps is {self.jitter_s}; give 0 or more, below half of the "
            f"interval of {1 / self.rate_hz:g} s",
        )
        required(
            0 <= self.gaps <= 1, f"gaps of Timestamps is {self.gaps}; give a share from 0 to 1"
        )
        required(self.gap_s >= 0, f"gap_s of Timestamps is {self.gap_s}; give 0 or more")
        required(
            0 < self.start_s < 4e9,
            f"start_s of Timestamps is {self.start_s}; give seconds since 1970, above 0",
        )
        required(
            not (self.poisson and self.jitter_s),
            "Timestamps has both jitter_s and poisson; give one of them",
        )

    @property
    def start_ns(self) -> int:
        """When the first message is due."""
        return round(self.start_s * NS_PER_S)

    def check(self, wanted: Field) -> None:
        check_single(self, wanted)
        if wanted.kind not in TIMES or wanted.array:
            raise misfit(self, wanted, "draws times")

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        if setting.at is self:
            return lambda ticks: Drawn(ticks.time_ns)
        times = self.times(random)
        return lambda ticks: Drawn(times(len(ticks)))

    def times(self, random: Random) -> Callable[[int], Int64s]:
        """What gives the next times (n,) in ns, in ascending order."""
        period_ns = NS_PER_S / self.rate_hz
        jitter, gap = random.named("jitter"), random.named("gaps")
        done = late_ns = 0

        def draw(count: int) -> Int64s:
            nonlocal done, late_ns
            index = np.arange(done, done + count)
            if self.poisson:
                apart = np.rint(-period_ns * log(random.uniform(count))).astype(np.int64)
                apart[index == 0] = 0
            else:
                nominal = np.rint(index * period_ns).astype(np.int64)
                apart = np.diff(nominal, prepend=round(max(0, done - 1) * period_ns))
            if self.gaps:
                apart[(gap.uniform(count) < self.gaps) & (index > 0)] += round(
                    self.gap_s * NS_PER_S
                )
            times = late_ns + np.cumsum(apart)
            if count:
                done, late_ns = done + count, int(times[-1])
            if int(late_ns) + self.start_ns > 1 << 62:
                raise DistError(
                    f"{self!r} goes on for more than a century; give a higher rate or fewer "
                    "messages"
                )
            if self.jitter_s:
                off = np.clip(
                    jitter.normal(count) * (self.jitter_s * NS_PER_S),
                    -0.49 * period_ns,
                    0.49 * period_ns,
                )
                times = times + np.rint(off).astype(np.int64)
            return np.maximum(times + self.start_ns, 0)

        return draw


@dataclass(frozen=True)
class Stamp(Rule):
    """The time at which the message comes, less `latency_s`: as long ago was what it tells of."""

    latency_s: float = 0.0

    def __post_init__(self) -> None:
        finite("Stamp", latency_s=self.latency_s)

    def check(self, wanted: Field) -> None:
        check_single(self, wanted)
        if wanted.kind != "time" or wanted.array:
            raise misfit(self, wanted, "draws times")

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        late_ns = round(self.latency_s * NS_PER_S)
        return lambda ticks: Drawn(np.maximum(ticks.time_ns - late_ns, 0))
