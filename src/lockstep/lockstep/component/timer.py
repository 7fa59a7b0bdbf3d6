"""Timers: calls at a fixed rate on the run's time."""

from __future__ import annotations

from ..message.time import NS_PER_S


class Timer:
    """Calls `on_<name>` every `period_s` seconds of the run's time, first one period after its
    start."""

    def __init__(self, period_s: float) -> None:
        if not period_s * NS_PER_S >= 1:
            raise ValueError(f"a timer's period is {period_s} s; make it 1 ns or more")
        self.period_ns = round(period_s * NS_PER_S)
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
