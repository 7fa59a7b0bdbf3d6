"""A Python component hosted in this process: its time, its parameters, and what it publishes."""

from __future__ import annotations

import logging
import time
from array import array
from collections.abc import Callable
from typing import Any

from ..component import Component
from ..errors import UsageError
from .execution import Execution


class Hosted:
    """Gives a component its time and its parameters, and calls it; messages are objects.

    `publish` gets (name of the output, the run's time in ns, message). `durations_ns[name]` has the
    wall time of each callback of an input or timer.
    """

    def __init__(
        self,
        component: Component,
        parameters: dict[str, Any],
        publish: Callable[[str, int, Any], None],
    ) -> None:
        """Raises UsageError for parameters that it cannot have, RunError if on_start fails."""
        self.component = component
        self.steps = 0
        self.logger = logging.getLogger(type(component).__name__)
        self.durations_ns = {name: array("Q") for name in [*component.inputs, *component.timers]}
        self._publish = publish
        self._execution = Execution(component, timer_fired=self._count)
        component.host = self
        self._set(parameters)
        self._execution.start()

    @property
    def next_due_ns(self) -> int | None:
        """When the next timer fires; None without timers or before time is known."""
        return self._execution.next_due_ns

    def take(self, name: str, time_ns: int, message: Any) -> None:
        """Step time to `time_ns`, then give the component a message of the input `name`."""
        self._execution.advance(time_ns)
        start_ns = time.perf_counter_ns()
        self._execution.deliver(name, message)
        self._count(name, time.perf_counter_ns() - start_ns)
        self.steps += 1

    def advance(self, time_ns: int) -> None:
        """Step time to `time_ns`, firing the timers that fall due on the way."""
        self._execution.advance(time_ns)
        self.steps += 1

    def pass_time(self, time_ns: int) -> None:
        """Step time to `time_ns` within a step that goes on."""
        self._execution.advance(time_ns)

    def set_parameters(self, parameters: dict[str, Any]) -> None:
        """Set all of them or none, and tell the component.

        Raises UsageError for what it cannot have.
        """
        for name in parameters:
            declared = self.component.parameters.get(name)
            if declared is not None and declared.read_only:
                raise UsageError(f"parameter '{name}' is read-only")
        self._set(parameters)
        self._execution.parameters_changed()

    def now(self) -> int:
        return self._execution.now_ns

    def publish(self, output: str, msg: Any) -> None:
        self._publish(output, self._execution.now_ns, msg)

    def _set(self, parameters: dict[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.component.parameters:
                raise UsageError(f"parameter '{name}' is not declared")
            if objection := self.component.parameters[name].objection(value):
                raise UsageError(f"parameter '{name}' {objection}")
        self.component.parameter_values.update(parameters)

    def _count(self, name: str, duration_ns: int) -> None:
        self.durations_ns[name].append(duration_ns)
