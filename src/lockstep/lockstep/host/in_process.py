"""A Python component hosted in this process whose messages are CDR, as those of a direct run
are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cdr.codec import installed_codec
from ..cdr.message_error import MessageError
from ..cdr.rosidl_messages import RosidlDecoder
from ..component import Component
from ..errors import RunError
from ..message.rosidl import type_name
from .hosted import Hosted
from .python_component import output_encoder

Publish = Callable[[int, int, bytes], None]
"""Takes (index of the output, the run's time in ns, message in CDR)."""


class InProcess(Hosted):
    """Messages are encoded when they are published and decoded when they are delivered.

    So neither side keeps hold of an object of the other.
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
        """Step time to `time_ns`, then give the component a message of the input `port`, an index.

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
        self.take(name, time_ns, message)
