"""Direct runs in process: a Python component driven without DDS, for unit tests and quick looks."""

from __future__ import annotations

import logging
from typing import Any

from ..component import Component, Schedule


class DirectRun:
    """Hosts one component in this process; time is the time of the messages sent to it.

    `outputs[name]` lists what each output published, as (time in ns, message). Raises KeyError for a parameter that
    the component does not have, ValueError for a value that it cannot have.
    """

    def __init__(self, component: Component, parameters: dict[str, Any] | None = None) -> None:
        self.component = component
        self.outputs: dict[str, list[tuple[int, Any]]] = {name: [] for name in component.outputs}
        self.logger = logging.getLogger(type(component).__name__)
        self._timers = list(component.timers)
        self._schedule = Schedule([t.period_ns for t in component.timers.values()])
        component.host = self
        self._set(parameters or {})
        component.on_start()

    def set_parameters(self, parameters: dict[str, Any]) -> None:
        """Set all of them or none, as `ros2 param set` does in a live run, and tell the component.

        Raises KeyError for one that the component does not have, ValueError for a value that it cannot have.
        """
        for name in parameters:
            if name in self.component.parameters and self.component.parameters[name].read_only:
                raise ValueError(f"parameter '{name}' is read-only")
        self._set(parameters)
        self.component.on_parameters_changed()

    def send(self, name: str, msg: Any, time_ns: int) -> None:
        """Advance time to `time_ns`, firing timers on the way, then deliver `msg` to input `name`."""
        self.advance(time_ns)
        getattr(self.component, f"on_{name}")(msg)

    def advance(self, time_ns: int) -> None:
        """Step time to `time_ns`, firing timers on the way."""
        self._schedule.advance(time_ns, self._fire)

    def last(self, name: str) -> Any:
        """The message that output `name` published last."""
        return self.outputs[name][-1][1]

    def now(self) -> int:
        return self._schedule.now_ns

    def publish(self, output: str, msg: Any) -> None:
        self.outputs[output].append((self.now(), msg))

    def _set(self, parameters: dict[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.component.parameters:
                raise KeyError(f"{type(self.component).__name__} has no parameter '{name}'")
            if objection := self.component.parameters[name].objection(value):
                raise ValueError(f"parameter '{name}' {objection}")
        self.component.parameter_values.update(parameters)

    def _fire(self, index: int) -> None:
        getattr(self.component, f"on_{self._timers[index]}")()
