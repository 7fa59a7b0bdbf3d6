"""Facts of the protocols between a component's host and its harness (docs/direct-protocol.md,
docs/lockstep-protocol.md)."""

from __future__ import annotations

LOCKSTEP = "/lockstep/"
"""What the names of topics begin with that belong to no implementation."""


ACKNOWLEDGEMENT_TOPIC = f"{LOCKSTEP}acknowledgement"


PARAMETER_VALUES = {
    "bool": (1, "bool_value"),
    "integer": (2, "integer_value"),
    "double": (3, "double_value"),
    "string": (4, "string_value"),
    "bool_array": (6, "bool_array_value"),
    "integer_array": (7, "integer_array_value"),
    "double_array": (8, "double_array_value"),
    "string_array": (9, "string_array_value"),
}
"""rcl_interfaces/msg/ParameterType of a parameter's type, and where
rcl_interfaces/msg/ParameterValue has its value."""


def resolved(topic: str) -> str:
    """A topic name as it is in the root namespace."""
    return topic if topic.startswith("/") else f"/{topic}"
