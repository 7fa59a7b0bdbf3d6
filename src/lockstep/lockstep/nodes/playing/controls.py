"""What interferes with a replay: pause, single messages, another rate, another time, the end. Asked
for by services and keys, done by the player between two messages."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import UsageError
from .pace import Pace, checked_rtf

RATE_STEP = 0.1


@dataclass
class Burst:
    """Messages to be played while paused; `done` is told how many were."""

    wanted: float
    done: Callable[[int], None]
    played: int = 0


class Controls:
    """The state that services and keys change."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._bursts: deque[Burst] = deque()
        self.seek_ns: int | None = None
        """Where to go on, a log time."""
        self.stopped = False

    @property
    def paused(self) -> bool:
        """Whether nothing is played but what is asked for by `burst`."""
        return self._pace.paused

    @property
    def rtf(self) -> float:
        """The real-time factor that is asked for."""
        return self._pace.rtf

    @property
    def bursting(self) -> bool:
        """Whether a message is to be played though the player pauses."""
        return bool(self._bursts)

    @property
    def interrupted(self) -> bool:
        """Whether what was about to be played is not to be played now."""
        return self.stopped or self.seek_ns is not None

    def pause(self) -> None:
        """Hold, until `resume`."""
        self._pace.pause()

    def resume(self) -> None:
        """Go on; whoever asked for single messages gets no more of them."""
        self._pace.resume()
        self.end_bursts()

    def toggle(self) -> None:
        """Pause or resume."""
        if self.paused:
            self.resume()
        else:
            self.pause()

    def set_rtf(self, rtf: float) -> None:
        """Go on at another real-time factor; raises UsageError for one that cannot be."""
        self._pace.rtf = checked_rtf(rtf)

    def change_rtf(self, by: float) -> None:
        """The same as a difference; below a step nothing changes."""
        rtf = round(self._pace.rtf + by, 6)
        if rtf > 0 and math.isfinite(rtf):
            self.set_rtf(rtf)

    def burst(self, count: int, done: Callable[[int], None]) -> None:
        """Play the next messages, 0: all, while paused; raises UsageError if it is not."""
        if not self.paused:
            raise UsageError("pause before playing single messages")
        self._bursts.append(Burst(count or math.inf, done))

    def played(self) -> None:
        """One message of a topic was played."""
        if not self._bursts:
            return
        burst = self._bursts[0]
        burst.played += 1
        if burst.played >= burst.wanted:
            self._bursts.popleft()
            burst.done(burst.played)

    def end_bursts(self) -> None:
        """Nothing is left of what was asked for."""
        while self._bursts:
            burst = self._bursts.popleft()
            burst.done(burst.played)

    def seek(self, log_time_ns: int) -> None:
        """Go on at another time."""
        self.seek_ns = log_time_ns

    def stop(self) -> None:
        """End the replay, as if the bag ended here."""
        self.stopped = True
