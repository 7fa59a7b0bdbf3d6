"""Contracts: a component's ports, message types, parameters and timers as data (JSON).

Two implementations are comparable when their contracts are the same; names of classes and
descriptions of parameters are no part of that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..message.rosidl import type_hash, type_name
from ..message.services import base
from .component import Component
from .parameter import objection
from .port import Input, Output
from .qos import QoS
from .service import REQUESTS, RESPONSES
from .tf_listener import CHANGING, OF_STATIC, STATIC, TRANSFORMS

VERSION = 2


class ContractVersionError(ValueError):
    """A contract in another version of the format; the text is one sentence."""


_VALUES = ("default", "minimum", "maximum")


@dataclass(frozen=True)
class PortContract:
    """An input or output; `topic` is the name before remapping. A service is both: `service_of`.

    `type_hash` is the RIHS01 hash of the message as it was built (REP 2016), None where a host
    cannot tell.
    """

    name: str
    topic: str
    type: str
    type_hash: str | None
    qos: QoS


@dataclass(frozen=True)
class ParameterContract:
    """A parameter; `type` is bool, integer, double, string or one of them + `_array`.

    `minimum` and `maximum` bound a number, or every element of an array of numbers; None where
    there is no bound.
    """

    name: str
    type: str
    default: Any
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    read_only: bool = False

    def objection(self, value: object) -> str:
        """Why `value` cannot be the parameter's, as a predicate; empty if it can."""
        return objection(value, self.type, self.minimum, self.maximum)


@dataclass(frozen=True)
class TimerContract:
    """A timer on the run's time."""

    name: str
    period_ns: int


@dataclass(frozen=True)
class Contract:
    """What a component promises to the graph."""

    component: str
    inputs: tuple[PortContract, ...]
    outputs: tuple[PortContract, ...]
    parameters: tuple[ParameterContract, ...]
    timers: tuple[TimerContract, ...]

    def to_json(self) -> str:
        """The contract as JSON, as `--contract` of every host prints it."""
        return json.dumps({"contract": VERSION, **asdict(self)}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Read what `to_json` or a C++ host wrote.

        Raises ContractVersionError if it is in another version of the format, and ValueError if it
        is no contract.
        """
        try:
            data = json.loads(text)
            if data["contract"] != VERSION:
                raise ContractVersionError(
                    f"the contract is in version {data['contract']} of the format, not {VERSION}; "
                    "build the component with this version of Lockstep"
                )
            return cls(
                component=data["component"],
                inputs=tuple(_port(p) for p in data["inputs"]),
                outputs=tuple(_port(p) for p in data["outputs"]),
                parameters=tuple(_parameter(p) for p in data["parameters"]),
                timers=tuple(TimerContract(**t) for t in data["timers"]),
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a contract ({type(error).__name__}: {error})") from error

    def differences(self, other: Contract) -> list[str]:
        """One sentence for each promise on which `other` differs; empty if they agree."""
        return list(_differences(self, other))


def service_of(port: PortContract) -> tuple[str, str] | None:
    """The service whose requests or responses a port has: its name before remapping, and its type;
    None for a port of messages."""
    for part, topic in (("_Request", REQUESTS), ("_Response", RESPONSES)):
        if base(port.type) and port.type.endswith(part) and port.topic.endswith(topic):
            return port.topic.removesuffix(topic), port.type.removesuffix(part)
    return None


def listeners_of(contract: Contract) -> list[str]:
    """The names of the listeners to transforms that a contract tells of, by their inputs."""
    ports = {port.name: (port.type, port.topic, port.qos) for port in contract.inputs}
    changing, static = (TRANSFORMS, *CHANGING), (TRANSFORMS, *STATIC)
    return [
        name
        for name, port in ports.items()
        if port == changing and ports.get(f"{name}{OF_STATIC}") == static
    ]


def contract_of(component: type[Component] | Component) -> Contract:
    """The contract of a Python component."""
    cls = component if isinstance(component, type) else type(component)
    return Contract(
        component=cls.__name__,
        inputs=tuple(_port_contract(port) for port in cls.inputs.values()),
        outputs=tuple(_port_contract(port) for port in cls.outputs.values()),
        parameters=tuple(
            ParameterContract(
                p.name, p.type, p.default, p.description, p.minimum, p.maximum, p.read_only
            )
            for p in cls.parameters.values()
        ),
        timers=tuple(TimerContract(t.name, t.period_ns) for t in cls.timers.values()),
    )


def _port_contract(port: Input[Any] | Output[Any]) -> PortContract:
    message_type = port.message_type
    return PortContract(
        port.name, port.topic, type_name(message_type), type_hash(message_type), port.qos
    )


def _port(data: dict[str, Any]) -> PortContract:
    return PortContract(**{**data, "qos": QoS(**data["qos"])})


def _parameter(data: dict[str, Any]) -> ParameterContract:
    # JSON has one kind of number: 1 may stand for the double 1.0.
    if data["type"] in ("double", "double_array"):
        data = {key: _double(data[key]) if key in _VALUES else data[key] for key in data}
    return ParameterContract(**data)


def _double(value: Any) -> Any:
    if isinstance(value, list):
        return [float(item) for item in value]
    return None if value is None else float(value)


def _differences(ours: Contract, theirs: Contract) -> Iterator[str]:
    for kind in ("inputs", "outputs", "parameters", "timers"):
        mine = {item.name: item for item in getattr(ours, kind)}
        other = {item.name: item for item in getattr(theirs, kind)}
        noun = kind[:-1]
        yield from (f"{noun} '{name}' is missing" for name in mine if name not in other)
        yield from (
            f"{noun} '{name}' is not in the reference" for name in other if name not in mine
        )
        for name in mine.keys() & other.keys():
            for field, value in vars(mine[name]).items():
                found = getattr(other[name], field)
                if field in ("description", "type_hash"):
                    continue
                if value != found or type(value) is not type(found):
                    yield (
                        f"{noun} '{name}' has {field} {_say(found)}, "
                        f"the reference has {_say(value)}"
                    )
            if kind in ("inputs", "outputs"):
                yield from _hash_differences(f"{noun} '{name}'", mine[name], other[name])


def _hash_differences(port: str, ours: PortContract, theirs: PortContract) -> Iterator[str]:
    if ours.type != theirs.type or ours.type_hash is None or theirs.type_hash is None:
        return
    if ours.type_hash != theirs.type_hash:
        yield (
            f"{port} has {ours.type} with hash {_short(theirs.type_hash)}, the reference has "
            f"{_short(ours.type_hash)}: the message is defined differently in the two builds"
        )


def _short(type_hash: str) -> str:
    return f"{type_hash[: len('RIHS01_') + 8]}…"


def _say(value: Any) -> str:
    if isinstance(value, QoS):
        return f"{value.reliability}/{value.durability}/depth {value.depth}"
    return "none" if value is None else repr(value)
