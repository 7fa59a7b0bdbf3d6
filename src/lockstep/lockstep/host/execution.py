"""A component's callbacks on the run's time: lockstep_cpp's execution.cpp is the twin.

Knows neither CDR nor rclpy; a direct run, a run in lockstep and a free run of a live node all
stand on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..component import Component, Schedule
from .python_component import call


def _go_on() -> None:
    """No stop was requested."""


class Execution:
    """Runs a component's callbacks on the run's time and tells which one failed.

    Every method raises CallbackError if a callback raises; between two timers `check_stop` may
    raise what it likes.
    """

    def __init__(
        self,
        component: Component,
        check_stop: Callable[[], None] = _go_on,
        timer_fired: Callable[[str, int], None] | None = None,
    ) -> None:
        """`timer_fired` is told the name of each timer that has fired, and how many ns it took."""
        self._component = component
        self._check_stop = check_stop
        self._timer_fired = timer_fired
        self._timers = list(component.timers)
        self._services = component.services
        self._schedule = Schedule([timer.period_ns for timer in component.timers.values()])
        self._started = False

    @property
    def now_ns(self) -> int:
        """The run's time; 0 before it is known."""
        return self._schedule.now_ns

    @property
    def next_due_ns(self) -> int | None:
        """When the next timer fires; None without timers or before time is known."""
        return self._schedule.next_due_ns

    def start(self) -> None:
        """Call on_start; the time is 0."""
        self._call("start")
        self._started = True

    def parameters_changed(self) -> None:
        """Call on_parameters_changed, unless the component has not been started yet."""
        if self._started:
            self._call("parameters_changed")

    def advance(self, now_ns: int) -> None:
        """Step time, firing the timers that fall due on the way."""
        self._schedule.advance(now_ns, self._fire)

    def deliver(self, name: str, message: Any) -> None:
        """Call the callback of an input; that of a service gives a response, which is
        published."""
        service = self._services.get(name)
        call(self._component, name, self._schedule.now_ns, message, service=service)

    def restart(self) -> None:
        """Time has another source from now on: the timers start again."""
        self._schedule.restart()

    def _fire(self, index: int) -> None:
        self._check_stop()
        name = self._timers[index]
        start_ns = time.perf_counter_ns()
        self._call(name)
        if self._timer_fired is not None:
            self._timer_fired(name, time.perf_counter_ns() - start_ns)

    def _call(self, name: str) -> None:
        call(self._component, name, self._schedule.now_ns)
