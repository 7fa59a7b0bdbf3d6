"""Contracts: a component's ports, message types, parameters and timers as data (JSON).

Two implementations are comparable when their contracts are the same; names of classes and descriptions of
parameters are no part of that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .component import Component
from .port import type_name
from .qos import QoS

VERSION = 1


@dataclass(frozen=True)
class PortContract:
    """An input or output; `topic` is the name before remapping."""

    name: str
    topic: str
    type: str
    qos: QoS


@dataclass(frozen=True)
class ParameterContract:
    """A parameter; `type` is bool, integer, double, string or one of them + `_array`."""

    name: str
    type: str
    default: Any
    description: str = ""


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
        """Read what `to_json` or a C++ host wrote; raises ValueError if it is no contract."""
        try:
            data = json.loads(text)
            if data["contract"] != VERSION:
                raise ValueError(f"version {data['contract']} of the contract, not {VERSION}")
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


def contract_of(component: type[Component] | Component) -> Contract:
    """The contract of a Python component."""
    cls = component if isinstance(component, type) else type(component)
    return Contract(
        component=cls.__name__,
        inputs=tuple(
            PortContract(p.name, p.topic, type_name(p.message_type), p.qos)
            for p in cls.inputs.values()
        ),
        outputs=tuple(
            PortContract(p.name, p.topic, type_name(p.message_type), p.qos)
            for p in cls.outputs.values()
        ),
        parameters=tuple(
            ParameterContract(p.name, p.type, p.default, p.description)
            for p in cls.parameters.values()
        ),
        timers=tuple(TimerContract(t.name, t.period_ns) for t in cls.timers.values()),
    )


def _port(data: dict[str, Any]) -> PortContract:
    return PortContract(**{**data, "qos": QoS(**data["qos"])})


def _parameter(data: dict[str, Any]) -> ParameterContract:
    # JSON has one kind of number: 1 may stand for the double 1.0.
    if data["type"] == "double":
        data = {**data, "default": float(data["default"])}
    elif data["type"] == "double_array":
        data = {**data, "default": [float(item) for item in data["default"]]}
    return ParameterContract(**data)


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
                if field != "description" and (value != found or type(value) is not type(found)):
                    yield f"{noun} '{name}' has {field} {_say(found)}, the reference has {_say(value)}"


def _say(value: Any) -> str:
    if isinstance(value, QoS):
        return f"{value.reliability}/{value.durability}/depth {value.depth}"
    return repr(value)
