"""When each message is due: by absolute deadlines on a monotonic clock, so that lateness never
adds up, and how late the messages were in the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from ...errors import UsageError

LATE_S = 0.005
BEHIND_S = 0.1
_BEHIND_FOR_S = 0.5
_NOT_HELD = 0.95
FAST_HZ = 1000.0
"""More messages in a second than a node with a queue of ten is sure to keep up with."""
_PER_OCTAVE = 16
_FINEST_S = 1e-6


def checked_rtf(rtf: float) -> float:
    """A real-time factor that can be played; raises UsageError."""
    if not rtf > 0:
        raise UsageError(f"real-time factor {rtf:g} is not greater than 0")
    return rtf


class Pace:
    """The time of the bag as a line over wall time, which pauses, jumps and changes its slope."""

    def __init__(
        self, rtf: float, *, paused: bool = False, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._rtf = rtf
        self.paused = paused
        self._wall_s = 0.0
        self._bag_ns: int | None = None
        """The time of the bag at `_wall_s`, or where it is held; None until it is known."""
        self._ran_s = 0.0
        self._ran_ns = 0
        self._last: tuple[float, int] | None = None
        """When the message before was sent, and its time; None after a pause or jump."""

    @property
    def rtf(self) -> float:
        """Seconds of the bag in a second."""
        return self._rtf

    @rtf.setter
    def rtf(self, rtf: float) -> None:
        """Go on at another slope from where the bag is now."""
        self._hold()
        self._rtf = rtf

    def pause(self) -> None:
        """Hold the time of the bag."""
        if not self.paused:
            self._hold()
            self._last = None
            self.paused = True

    def resume(self) -> None:
        """Let it go on from where it is held."""
        if self.paused:
            self._wall_s = self._now()
            self.paused = False

    def jump(self, bag_ns: int | None) -> None:
        """Be at another time of the bag; None: at that of the message that comes next."""
        self._bag_ns, self._last = bag_ns, None
        self._wall_s = self._now()

    def due_s(self, bag_ns: int) -> float:
        """When, on the monotonic clock, what was logged at `bag_ns` is due; not while paused."""
        if math.isinf(self._rtf):
            return self._now()
        if self._bag_ns is None:
            self.jump(bag_ns)
        assert self._bag_ns is not None
        return self._wall_s + (bag_ns - self._bag_ns) * 1e-9 / self._rtf

    def position_ns(self) -> int | None:
        """The time of the bag now; None if it is not known yet."""
        if self._bag_ns is None or self.paused or math.isinf(self._rtf):
            return self._bag_ns
        return self._bag_ns + round((self._now() - self._wall_s) * self._rtf * 1e9)

    def played(self, bag_ns: int) -> None:
        """A message logged at `bag_ns` was sent."""
        if self.paused or math.isinf(self._rtf):  # a single one, or at no time of its own
            self._bag_ns = bag_ns
        if self.paused:
            return
        now_s = self._now()
        if self._last is not None:
            self._ran_s += now_s - self._last[0]
            self._ran_ns += max(0, bag_ns - self._last[1])
        self._last = now_s, bag_ns

    def achieved_rtf(self) -> float | None:
        """Seconds of the bag for each second that was not paused; None if none was played."""
        return self._ran_ns * 1e-9 / self._ran_s if self._ran_s > 0 and self._ran_ns else None

    def sent_hz(self, count: int) -> float:
        """Messages in each second that was not paused, of so many."""
        return count / self._ran_s if self._ran_s > 0 else 0.0

    def _hold(self) -> None:
        self._bag_ns = self.position_ns()
        self._wall_s = self._now()


class Lateness:
    """How late messages were, in bounded memory: counts in bins of 4 %, from 1 µs on."""

    def __init__(self) -> None:
        self._bins: dict[int, int] = {}
        self.count = 0
        self.late = 0
        """Messages later than LATE_S."""
        self.max_s = 0.0
        self._mean_s = 0.0
        self._squares = 0.0

    def add(self, late_s: float) -> None:
        """One more message; what is early by the grain of a clock is in time."""
        late_s = max(late_s, 0.0)
        place = round(math.log2(max(late_s, _FINEST_S) / _FINEST_S) * _PER_OCTAVE)
        self._bins[place] = self._bins.get(place, 0) + 1
        self.count += 1
        self.late += late_s > LATE_S
        self.max_s = max(self.max_s, late_s)
        off_s = late_s - self._mean_s
        self._mean_s += off_s / self.count
        self._squares += off_s * (late_s - self._mean_s)

    def percentile_s(self, percent: float) -> float | None:
        """The lateness that so many percent of the messages do not exceed; None without any."""
        left = self.count * percent / 100
        for place in sorted(self._bins):
            left -= self._bins[place]
            if left <= 0:
                return min(_FINEST_S * math.pow(2.0, place / _PER_OCTAVE), self.max_s)
        return None

    def jitter_s(self) -> float:
        """The standard deviation of the lateness."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0

    def report(self) -> dict[str, Any]:
        """All of it as data, in seconds."""
        return {
            "p50_s": self.percentile_s(50),
            "p99_s": self.percentile_s(99),
            "max_s": self.max_s,
            "jitter_s": self.jitter_s(),
            "late": self.late,
        }


class Behind:
    """Tells when the pace is lost for longer than a moment, once each time that happens."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._told = False

    def check(self, late_s: float, now_s: float) -> bool:
        """Whether it is time to tell."""
        if late_s < BEHIND_S:
            self._since_s, self._told = None, False
            return False
        self._since_s = now_s if self._since_s is None else self._since_s
        if self._told or now_s - self._since_s < _BEHIND_FOR_S:
            return False
        self._told = True
        return True


def was_held(asked: float, achieved: float | None) -> bool:
    """Whether a rate that was asked for has been achieved."""
    return achieved is None or math.isinf(asked) or achieved >= _NOT_HELD * asked
