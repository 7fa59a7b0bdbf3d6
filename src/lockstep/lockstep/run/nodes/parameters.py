"""The parameters of an ordinary node, which its own services tell and set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...bag import BagError
from ...cdr.codec import Codec, codec
from ...component.contract import ParameterContract
from ...errors import RunError, UsageError
from ...host.frames import Frames
from ...host.protocol import PARAMETER_VALUES
from ...message.definitions import definition
from .endpoints import Endpoint
from .node_process import NodeProcess

_OF_EVERY_NODE = ("use_sim_time", "start_type_description_service", "qos_overrides.")
_USED = re.compile(r"rcl_interfaces/(\w+)")
_RULE = "\n" + "=" * 80 + "\nMSG: "
_VALUES = {number: (kind, field) for kind, (number, field) in PARAMETER_VALUES.items()}
_NO_VALUE = {
    "bool_value": False,
    "integer_value": 0,
    "double_value": 0.0,
    "string_value": "",
    **{field: [] for _, field in PARAMETER_VALUES.values() if field.endswith("_array_value")},
    "byte_array_value": [],
}


class Asked(Protocol):
    """A process whose services can be asked."""

    @property
    def endpoints(self) -> Mapping[int, Endpoint]:
        """What it has registered, by number."""

    def ask(
        self, service: int, request: bytes, published: list[Frames] | None = None
    ) -> bytes | None:
        """The response (CDR) to a request (CDR), if it gives one at once; what it puts out
        meanwhile is added to `published`."""


def parameters(process: Asked) -> Iterator[ParameterContract]:
    """The parameters of the first node of the process, in the order of their names."""
    services = _services(process)
    listed = _ask(process, services, _LIST, {"prefixes": [], "depth": 0})
    if listed is None:
        return
    every = sorted(name for name in listed.names if not name.startswith(_OF_EVERY_NODE))
    described = _ask(process, services, _DESCRIBE, {"names": every})
    values = _ask(process, services, _GET, {"names": every})
    if described is None or values is None:
        return
    for one, value in zip(described.descriptors, values.values, strict=True):
        if one.type not in _VALUES:
            continue  # it has no value, or one of bytes
        kind, field = _VALUES[one.type]
        default = getattr(value, field)
        bounds = (*one.floating_point_range, *one.integer_range)[:1]
        yield ParameterContract(
            one.name,
            kind,
            default.tolist() if isinstance(default, np.ndarray) else default,
            one.description,
            bounds[0].from_value if bounds else None,
            bounds[0].to_value if bounds else None,
            read_only=one.read_only,
        )


def set_parameters(
    process: NodeProcess, values: Mapping[str, tuple[str, Any]]
) -> tuple[list[Frames], str]:
    """Set parameters of a node while it runs, all or none: (type, value) by name; gives what it
    puts out meanwhile, and why it refuses them, if it does.

    Raises RunError if it does not answer, UsageError for what is no value of its type.
    """
    published: list[Frames] = []
    asked = []
    for name, (kind, value) in values.items():
        number, field = PARAMETER_VALUES[kind]
        asked.append({"name": name, "value": {**_NO_VALUE, "type": number, field: value}})
    try:
        answer = _ask(process, _services(process), _SET, {"parameters": asked}, published)
    except BagError as error:
        raise UsageError(str(error)) from error
    if answer is None:
        raise RunError("the node does not answer its service of parameters")
    reason = answer.result.reason or "the node refuses them and does not say why"
    return published, "" if answer.result.successful else reason


@dataclass(frozen=True)
class _Service:
    """A service of parameters, and how its two messages are defined."""

    type: str
    request: str
    response: str


def _codec(line: str) -> Codec:
    """Of a message of one line, which uses others of the package."""
    parts = (
        f"{_RULE}rcl_interfaces/{name}\n{definition(f'rcl_interfaces/msg/{name}')}"
        for name in _USED.findall(line)
    )
    return codec("lockstep/msg/Message", "".join([line, *parts]))


_LIST = _Service(
    "rcl_interfaces/srv/ListParameters",
    "string[] prefixes\nuint64 depth",
    "string[] names\nstring[] prefixes",
)
_DESCRIBE = _Service(
    "rcl_interfaces/srv/DescribeParameters",
    "string[] names",
    "rcl_interfaces/ParameterDescriptor[] descriptors",
)
_GET = _Service(
    "rcl_interfaces/srv/GetParameters",
    "string[] names",
    "rcl_interfaces/ParameterValue[] values",
)


_SET = _Service(
    "rcl_interfaces/srv/SetParametersAtomically",
    "rcl_interfaces/Parameter[] parameters",
    "rcl_interfaces/SetParametersResult result",
)


def _services(process: Asked) -> dict[str, int]:
    """The services of the first node of a process: numbers by type."""
    return {
        one.type: number
        for number, one in reversed([*process.endpoints.items()])
        if one.kind == "service"
    }


def _ask(
    process: Asked,
    services: Mapping[str, int],
    service: _Service,
    request: dict[str, Any],
    published: list[Frames] | None = None,
) -> Any:
    """The answer; None if there is no such service, or none comes."""
    number = services.get(service.type)
    if number is None:
        return None
    answer = process.ask(number, _codec(service.request).encode(request), published)
    return None if answer is None else _codec(service.response).decode(answer)
