"""A limit to how often something is done."""

from __future__ import annotations

import math
from collections import deque


class Limit:
    """Allows so many events per second, at most a second's worth (or one) at once."""

    def __init__(self, hz: float) -> None:
        self._count = math.ceil(hz)
        self._window_s = self._count / hz if hz else 0.0
        self._times: deque[float] = deque()

    def free(self, now_s: float) -> int:
        """How many are allowed now."""
        while self._times and now_s - self._times[0] >= self._window_s:
            self._times.popleft()
        return self._count - len(self._times)

    def count(self, now_s: float) -> None:
        """One has happened."""
        self._times.append(now_s)
