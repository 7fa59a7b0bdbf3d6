"""The contract of an ordinary node: what it has registered when it has started, and its parameters,
which its own services tell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...cdr.codec import codec
from ...component import Contract
from ...component.contract import ParameterContract, PortContract
from ...component.qos import QoS
from ...host.protocol import PARAMETER_VALUES
from ...message.definitions import definition
from ...temporary_folder import TemporaryFolder
from ..model import Implementation
from ..processes import Processes
from .endpoints import OF_EVERY_NODE, Endpoint
from .node_process import NodeProcess
from .started import Start, started

_START_NS = 1_000_000_000_000_000_000
_TIMEOUT_S = 30.0
_KEEPS_ALL_DEPTH = 1000
_OF_EVERY_NODE = ("use_sim_time", "start_type_description_service", "qos_overrides.")
_RULE = "\n" + "=" * 80 + "\nMSG: "
_VALUES = {number: (kind, field) for kind, (number, field) in PARAMETER_VALUES.items()}


def registered_contract(name: str, implementation: Implementation) -> Contract:
    """Start a node without inputs and ask what it is.

    Its ports are called as its topics are, with _ for /. Raises RunError if it does not start.
    """
    empty = Contract(name, (), (), (), ())
    with TemporaryFolder("lockstep-contract-") as folder, Processes(os.environ) as processes:
        start = Start(
            name, implementation, empty, implementation.parameters, folder.path, _TIMEOUT_S
        )
        with started(start, processes, _START_NS) as process:
            process.settle()
            contract = Contract(
                component=name,
                inputs=tuple(_ports(process, "subscription")),
                outputs=tuple(_ports(process, "publisher")),
                parameters=tuple(_parameters(process)),
                timers=(),
            )
            for _ in process.run(()):
                pass
            process.close()
        return contract


def port_name(topic: str) -> str:
    """What the port of a topic is called."""
    return topic.strip("/").replace("/", "_")


def _ports(process: NodeProcess, kind: str) -> Iterator[PortContract]:
    known: set[str] = set()
    for one in process.endpoints.values():
        if one.kind != kind or one.name in OF_EVERY_NODE or one.name in known:
            continue
        known.add(one.name)
        yield PortContract(port_name(one.name), one.name, one.type, one.type_hash, _qos(one))


def _qos(endpoint: Endpoint) -> QoS:
    return QoS(
        reliability="best_effort" if endpoint.reliability == "best_effort" else "reliable",
        durability="transient_local" if endpoint.durability == "transient_local" else "volatile",
        depth=endpoint.depth or _KEEPS_ALL_DEPTH,
    )


def _parameters(process: NodeProcess) -> Iterator[ParameterContract]:
    """The parameters of the first node of the process, in the order of their names."""
    services = {
        one.type: number
        for number, one in reversed(process.endpoints.items())
        if one.kind == "service"
    }
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


@dataclass(frozen=True)
class _Service:
    """A service of parameters, and how its two messages are defined."""

    type: str
    request: str
    response: str


def _defined(line: str, *types: str) -> str:
    """A message of one line, with what it uses."""
    used = (f"{_RULE}{name.replace('/msg/', '/')}\n{definition(name)}" for name in types)
    return "".join([line, *used])


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


def _ask(
    process: NodeProcess, services: Mapping[str, int], service: _Service, request: dict[str, Any]
) -> Any:
    """The answer; None if there is no such service, or none comes."""
    number = services.get(service.type)
    if number is None:
        return None
    asked = codec("lockstep/msg/Request", service.request).encode(request)
    answer = process.ask(number, asked)
    if answer is None:
        return None
    used = re.findall(r"rcl_interfaces/(\w+)", service.response)
    text = _defined(service.response, *(f"rcl_interfaces/msg/{name}" for name in used))
    return codec("lockstep/msg/Response", text).decode(answer)
