"""A Python component hosted in this process, without DDS: messages are CDR, time is that of the
messages."""

from __future__ import annotations

import logging
import time
from array import array
from collections.abc import Callable
from typing import Any

from ..cdr.codec import installed_codec
from ..cdr.message_error import MessageError
from ..cdr.rosidl_messages import RosidlDecoder
from ..component import Component, Schedule
from ..errors import RunError, UsageError
from ..message.rosidl import type_name
from .python_component import call, output_encoder

Publish = Callable[[int, int, bytes], None]
"""Takes (index of the output, the run's time in ns, message in CDR)."""


class Execution:
    """Gives a component its time and its parameters, and calls it.

    `publish` gets what it publishes as (name of the output, the run's time in ns, message).
    `durations_ns[name]` has the wall time of each callback of an input or timer.
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
        self._schedule = Schedule([t.period_ns for t in component.timers.values()])
        self._timers = list(component.timers)
        component.host = self
        self._set(parameters)
        call(component, "start", 0)

    @property
    def next_due_ns(self) -> int | None:
        """When the next timer fires; None without timers or before time is known."""
        return self._schedule.next_due_ns

    def take(self, name: str, time_ns: int, message: Any) -> None:
        """Step time to `time_ns`, then give the component a message of the input `name`."""
        self._schedule.advance(time_ns, self._fire)
        self._timed(name, message)
        self.steps += 1

    def advance(self, time_ns: int) -> None:
        """Step time to `time_ns`, firing the timers that fall due on the way."""
        self._schedule.advance(time_ns, self._fire)
        self.steps += 1

    def set_parameters(self, parameters: dict[str, Any]) -> None:
        """Set all of them or none, and tell the component; raises UsageError for what it cannot
        have."""
        for name in parameters:
            declared = self.component.parameters.get(name)
            if declared is not None and declared.read_only:
                raise UsageError(f"parameter '{name}' is read-only")
        self._set(parameters)
        call(self.component, "parameters_changed", self.now())

    def now(self) -> int:
        return self._schedule.now_ns

    def publish(self, output: str, msg: Any) -> None:
        self._publish(output, self._schedule.now_ns, msg)

    def _set(self, parameters: dict[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.component.parameters:
                raise UsageError(f"parameter '{name}' is not declared")
            if objection := self.component.parameters[name].objection(value):
                raise UsageError(f"parameter '{name}' {objection}")
        self.component.parameter_values.update(parameters)

    def _fire(self, index: int) -> None:
        self._timed(self._timers[index])

    def _timed(self, name: str, *args: Any) -> None:
        start = time.perf_counter_ns()
        call(self.component, name, self._schedule.now_ns, *args)
        self.durations_ns[name].append(time.perf_counter_ns() - start)


class InProcess(Execution):
    """An execution whose messages are CDR.

    Messages are encoded when they are published and decoded when they are delivered, so neither
    side keeps hold of an object of the other.
    """

    def __init__(self, component: Component, parameters: dict[str, Any], publish: Publish) -> None:
        """Raises UsageError for parameters that it cannot have, RunError if on_start fails."""
        self._inputs = [
            (name, RosidlDecoder(installed_codec(type_name(port.message_type))))
            for name, port in component.inputs.items()
        ]
        outputs = {
            name: (index, output_encoder(name, port.message_type))
            for index, (name, port) in enumerate(component.outputs.items())
        }

        def publish_encoded(output: str, time_ns: int, message: Any) -> None:
            index, encode = outputs[output]
            publish(index, time_ns, encode(message))

        super().__init__(component, parameters, publish_encoded)

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """The same with a message of the input with the index `port`, in CDR.

        Raises RunError if it is not of its type.
        """
        name, decode = self._inputs[port]
        try:
            message = decode(data)
        except MessageError as error:
            kind = type_name(self.component.inputs[name].message_type)
            raise RunError(
                f"input '{name}': message of step {self.steps} is no valid {kind}; it {error}"
            ) from error
        self.take(name, time_ns, message)
