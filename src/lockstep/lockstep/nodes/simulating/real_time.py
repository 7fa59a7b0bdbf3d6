"""How fast a simulation runs beside real time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RealTime:
    """Takes what /clock tells, in s of simulated and of wall time, and gives real-time factors."""

    _began: tuple[float, float] | None = None
    _last: tuple[float, float] = (0.0, 0.0)
    _second: tuple[float, float] = (0.0, 0.0)
    by_second: list[float] = field(default_factory=list)
    """The factor in each second of wall time that is over."""

    def see(self, simulated_s: float, wall_s: float) -> None:
        """At so much wall time it is so late in the simulation."""
        now = simulated_s, wall_s
        if self._began is None:
            self._began = self._second = now
        self._last = now
        if wall_s - self._second[1] >= 1.0:
            self.by_second.append(_factor(self._second, now))
            self._second = now

    @property
    def simulated_s(self) -> float:
        """How much time was simulated."""
        return self._last[0] - self._began[0] if self._began else 0.0

    @property
    def wall_s(self) -> float:
        """How long that took."""
        return self._last[1] - self._began[1] if self._began else 0.0

    @property
    def factor(self) -> float:
        """The factor of the whole."""
        return _factor(self._began, self._last) if self._began else 0.0

    def __str__(self) -> str:
        spread = ""
        if self.by_second:
            least, most = min(self.by_second), max(self.by_second)
            spread = f" ({least:.3g} to {most:.3g} by second)"
        return (
            f"simulated {self.simulated_s:.6g} s in {self.wall_s:.4g} s of wall time, "
            f"RTF {self.factor:.3g}{spread}"
        )


def _factor(begin: tuple[float, float], end: tuple[float, float]) -> float:
    wall_s = end[1] - begin[1]
    return (end[0] - begin[0]) / wall_s if wall_s > 0 else 0.0
