"""Components specified by hand, for which there is no reference yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..component.contract import Contract, ParameterContract, PortContract, TimerContract
from ..component.parameter import ros_type
from ..component.qos import QoS
from ..errors import PortError
from ..message.definitions import definition
from ..message.time import NS_PER_S
from .subject import Subject


def specified(
    name: str,
    description: str,
    inputs: Mapping[str, str] | None,
    outputs: Mapping[str, str] | None,
    parameters: Mapping[str, Any] | None,
    timers: Mapping[str, float] | None,
) -> Subject:
    """A subject without a reference; raises PortError for what makes no component, BagError for an
    unknown type."""
    if not name.isidentifier():
        raise PortError(f"give a component, or the name of a class for a new one, not {name!r}")
    if not outputs:
        raise PortError(f"{name} has no outputs; name them with their message types")
    try:
        contract = Contract(
            component=name,
            inputs=_ports(inputs or {}),
            outputs=_ports(outputs),
            parameters=tuple(
                ParameterContract(key, ros_type(value), value)
                for key, value in (parameters or {}).items()
            ),
            timers=tuple(
                TimerContract(key, round(period_s * NS_PER_S))
                for key, period_s in (timers or {}).items()
            ),
        )
    except TypeError as error:
        raise PortError(f"{name}: {error}") from error
    return Subject(contract=contract, description=description.strip() or f"{name}.")


def _ports(types: Mapping[str, str]) -> tuple[PortContract, ...]:
    for type_name in types.values():
        definition(type_name)
    return tuple(PortContract(name, name, kind, None, QoS()) for name, kind in types.items())
