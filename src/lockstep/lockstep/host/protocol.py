"""The facts of the protocols between a component's host and its harness, once for Python.

docs/direct-protocol.md and docs/lockstep-protocol.md are the specification; lockstep_cpp's
lockstep/host/protocol.hpp is the twin.
"""

from __future__ import annotations

from enum import IntEnum

# Both protocols

MAX_UNACKNOWLEDGED = 64
"""A host tells what it has consumed at least every so many steps,"""
MAX_SILENCE_S = 0.05
"""and at least this often in wall time: slow is not hanging."""
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
"""A parameter's type as rcl_interfaces/msg/ParameterType, and its field in …/ParameterValue."""

# The direct protocol


class Kind(IntEnum):
    """What a frame says; from 129 on it comes from the component.

    Those from TOPIC to NUMBER and from PROCESS on are of nodes that are no components.
    """

    PARAMETER = 1
    START = 2
    INPUT = 3
    ADVANCE = 4
    END = 5
    TOPIC = 6
    REQUEST = 7
    PEER = 8
    PEER_GONE = 9
    MESSAGE = 10
    LATCHED = 11
    ANSWER = 12
    NUMBER = 13
    CONTRACT = 129
    OUTPUT = 130
    DONE = 131
    TIMES = 132
    FAILED = 133
    FINISHED = 134
    PROCESS = 135
    ENTITY = 136
    GONE = 137
    NOTE = 138
    RESPONSE = 139
    ASKED = 140


MAGIC = b"LKD1"
"""What every frame begins with."""
HEADER_SIZE = 32
"""The bytes before the payload of a frame."""
MAX_PAYLOAD = 256 << 20
"""The most bytes of a payload."""
TIMER_PORTS = 32768
"""TIMES of timers have ports from here on."""
BY_ITSELF = 1
"""The port of FINISHED where a node has ended before the END of the run."""
HARNESS_CLIENT = b"lockstep harness"
"""What names the client of a REQUEST that the harness makes itself."""
TO_DEADLINE = 1
"""The port of ADVANCE to a deadline, at which /clock does not tick."""

# The lockstep protocol

LOCKSTEP = "/lockstep/"
"""What the names of topics begin with that belong to no implementation."""
STEPS_TOPIC = f"{LOCKSTEP}steps"
"""Where the player announces what is next."""
ACKNOWLEDGEMENT_TOPIC = f"{LOCKSTEP}acknowledgement"
"""Where a host tells what it has done."""
STATUS_TOPIC = f"{LOCKSTEP}recorder"
"""Where the recorder tells that it is ready, and what it has got."""
ANNOUNCEMENT_PERIOD_S = 0.05
"""A host that waits for the first step says so this often."""
PUBLISH_TIMEOUT_S = 10.0
"""A host whose queue is full fails after so long."""
MAX_BYTES_IN_FLIGHT = 32 << 20
"""The player sends no further message before the host has acknowledged some of so many bytes."""


def resolved(topic: str) -> str:
    """A topic name as it is in the root namespace; one of the node's own (~/…) as it is in every
    run, whatever the implementation's node is called."""
    if topic.startswith("~/"):
        return f"/node/{topic.removeprefix('~/')}"
    return topic if topic.startswith("/") else f"/{topic}"
