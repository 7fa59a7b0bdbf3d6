"""When timers fire: on the run's time, in order, none skipped or merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Schedule:
    """The run's time and the timers that hang on it.

    Time advances from one message (or /clock) to the next; every timer that falls due in between
    fires first, at its own due time, in the order of (due time, declaration). Time 0 means that no
    time is known yet. When time steps backwards (a bag that loops, a simulation that resets) every
    timer starts again from there.
    """

    def __init__(self, periods_ns: Sequence[int]) -> None:
        self._periods_ns = list(periods_ns)
        self._dues_ns = [0] * len(self._periods_ns)
        self.now_ns = 0

    @property
    def next_due_ns(self) -> int | None:
        """When the next timer fires; None without timers or before time is known."""
        return min(self._dues_ns, default=None) if self.now_ns else None

    def advance(self, now_ns: int, fire: Callable[[int], None]) -> None:
        """Step time to `now_ns`, calling `fire(index)` for each timer that falls due on the way."""
        if now_ns <= 0:
            return
        if self.now_ns == 0 or now_ns < self.now_ns:
            self._dues_ns = [now_ns + period for period in self._periods_ns]
        elif self._dues_ns:
            while (due := min(self._dues_ns)) <= now_ns:
                index = self._dues_ns.index(due)
                self._dues_ns[index] = due + self._periods_ns[index]
                self.now_ns = due
                fire(index)
        self.now_ns = now_ns

    def restart(self) -> None:
        """Forget the time: the next step starts every timer again.

        For when time has another source.
        """
        self.now_ns = 0
