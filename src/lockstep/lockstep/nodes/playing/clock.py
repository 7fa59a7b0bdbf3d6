"""When /clock is published: before each message, at a rate, or by chosen topics; never beyond the
message that comes next."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

PERIOD_S = 0.01
"""Between sparse messages, and at most in lockstep, where a host goes by its steps."""


@dataclass(frozen=True)
class ClockOptions:
    """Where the time comes from (see Timeline), and when it is published.

    `rate_hz`: at this rate of wall time; `topics`: before their messages only (all of them: None);
    without either before each message, and between sparse ones at 100 Hz.
    """

    source: str = "auto"
    rate_hz: float | None = None
    by_topics: bool = False
    topics: Collection[str] | None = None


class ClockTicks:
    """Decides about /clock; `publish` takes a time in ns."""

    def __init__(
        self,
        options: ClockOptions,
        publish: Callable[[int], None],
        *,
        recorded: bool,
        in_lockstep: bool,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`recorded`: the times are those of a recorded /clock, which is played as it is."""
        self._options = options
        self._publish = publish
        self._recorded = recorded
        self._in_lockstep = in_lockstep
        self._now = now
        self._period_s = 1 / options.rate_hz if options.rate_hz else PERIOD_S
        self._last_ns = 0
        self._next_s = -math.inf
        self.count = 0
        self.epochs = 1
        """One more for each time that /clock went back."""

    def before(self, time_ns: int, topic: str) -> None:
        """The next event is at `time_ns` (0: not known yet), of a topic or of /clock itself."""
        if not time_ns:
            return
        back = time_ns < self._last_ns
        if self._options.by_topics and not self._in_lockstep:
            if topic and (self._options.topics is None or topic in self._options.topics):
                self._tick(time_ns)
        elif self._options.rate_hz or self._in_lockstep:
            if back or self._now() >= self._next_s:
                self._tick(time_ns)
        elif time_ns != self._last_ns or (self._recorded and not topic):
            self._tick(time_ns)

    def wait_s(self) -> float:
        """How long until `between` has something to do."""
        if not self._last_ns or self._options.by_topics or self._in_lockstep:
            return math.inf
        if self._recorded:
            return math.inf
        return max(0.0, self._next_s - self._now())

    def between(self, time_ns: int) -> None:
        """It is `time_ns` now, and the next event is not due yet."""
        if self.wait_s() <= 0 and (self._options.rate_hz or time_ns > self._last_ns):
            self._tick(max(time_ns, self._last_ns))

    def _tick(self, time_ns: int) -> None:
        now_s = self._now()
        # From deadline to deadline, unless one was missed: that is not made up for.
        next_s = self._next_s + self._period_s
        self._next_s = (
            next_s if self._options.rate_hz and next_s > now_s else now_s + self._period_s
        )
        self.epochs += time_ns < self._last_ns
        self._last_ns = time_ns
        self._publish(time_ns)
        self.count += 1
