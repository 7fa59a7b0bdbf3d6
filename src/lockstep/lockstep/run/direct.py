"""Direct runs in process: a Python component driven without DDS, for unit tests and quick looks."""

from __future__ import annotations

import logging
from typing import Any

from ..component import Component, Schedule


class DirectRun:
    """Hosts one component in this process; time is the time of the messages sent to it.

    `outputs[name]` lists what each output published, as (time in ns, message).
    """

    def __init__(self, component: Component, parameters: dict[str, Any] | None = None) -> None:
        unknown = (parameters or {}).keys() - component.parameters.keys()
        if unknown:
            raise KeyError(f"{type(component).__name__} has no parameter '{min(unknown)}'")
        self.component = component
        self.outputs: dict[str, list[tuple[int, Any]]] = {name: [] for name in component.outputs}
        self.logger = logging.getLogger(type(component).__name__)
        self._timers = list(component.timers)
        self._schedule = Schedule([t.period_ns for t in component.timers.values()])
        component.host = self
        component.parameter_values.update(parameters or {})
        component.on_start()

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

    def _fire(self, index: int) -> None:
        getattr(self.component, f"on_{self._timers[index]}")()
