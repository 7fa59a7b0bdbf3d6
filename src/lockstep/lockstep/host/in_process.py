"""A Python component hosted in this process, without DDS: messages are CDR, time is theirs."""

from __future__ import annotations

import logging
import time
from array import array
from collections.abc import Callable
from typing import Any

from ..cdr.codec import installed_codec
from ..cdr.message_error import MessageError
from ..cdr.rosidl_messages import RosidlDecoder
from ..component import Component
from ..errors import RunError, UsageError
from ..message.rosidl import type_name
from .execution import Execution
from .python_component import output_encoder

Publish = Callable[[int, int, bytes], None]
"""Takes (index of the output, the run's time in ns, message in CDR)."""


class InProcess:
    """Gives a component its ports and its time.

    Messages are encoded when they are published and decoded when they are delivered, so neither
    side keeps hold of an object of the other. `durations_ns[name]` has the wall time of each
    callback of an input or timer.
    """

    def __init__(self, component: Component, parameters: dict[str, Any], publish: Publish) -> None:
        """Raises UsageError for parameters that it cannot have, RunError if on_start fails."""
        self.component = component
        self.steps = 0
        self.logger = logging.getLogger(type(component).__name__)
        self.durations_ns = {name: array("Q") for name in [*component.inputs, *component.timers]}
        self._publish = publish
        self._execution = Execution(component, timer_fired=self._count)
        self._inputs = [
            (name, RosidlDecoder(installed_codec(type_name(port.message_type))))
            for name, port in component.inputs.items()
        ]
        self._outputs = {
            name: (index, output_encoder(name, port.message_type))
            for index, (name, port) in enumerate(component.outputs.items())
        }
        component.host = self
        self._set(parameters)
        self._execution.start()

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Step time to `time_ns`, then give the component a message of input `port`.

        Raises RunError for bytes that are no such message, or if a callback fails.
        """
        name, decode = self._inputs[port]
        try:
            message = decode(data)
        except MessageError as error:
            kind = type_name(self.component.inputs[name].message_type)
            raise RunError(
                f"input '{name}': message of step {self.steps} is no valid {kind}; it {error}"
            ) from error
        self._execution.advance(time_ns)
        start_ns = time.perf_counter_ns()
        self._execution.deliver(name, message)
        self._count(name, time.perf_counter_ns() - start_ns)
        self.steps += 1

    def advance(self, time_ns: int) -> None:
        """Step time to `time_ns`, firing the timers that fall due on the way."""
        self._execution.advance(time_ns)
        self.steps += 1

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
        index, encode = self._outputs[output]
        self._publish(index, self._execution.now_ns, encode(msg))

    def _set(self, parameters: dict[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.component.parameters:
                raise UsageError(f"parameter '{name}' is not declared")
            if objection := self.component.parameters[name].objection(value):
                raise UsageError(f"parameter '{name}' {objection}")
        self.component.parameter_values.update(parameters)

    def _count(self, name: str, duration_ns: int) -> None:
        self.durations_ns[name].append(duration_ns)
