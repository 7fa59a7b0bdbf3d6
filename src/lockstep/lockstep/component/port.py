"""Ports: the typed inputs and outputs of a component."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..message.rosidl import type_name
from .host_interface import Owner
from .qos import QoS

if TYPE_CHECKING:
    from typing_extensions import Self

MessageT = TypeVar("MessageT")


class Port(Generic[MessageT]):
    """What inputs and outputs have in common. `owner` is the component, if it is that of one."""

    owner: Owner

    def __init__(
        self, message_type: type[MessageT], topic: str | None = None, qos: QoS | None = None
    ) -> None:
        self.message_type = message_type
        self.qos = qos or QoS()
        self.name = ""
        self._topic = topic

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def topic(self) -> str:
        """The topic before remapping; relative unless it was declared absolute."""
        return self._topic or self.name

    def of(self, component: Owner, name: str = "") -> Self:
        """This port as owned by one component; `name` is for one that no class declares."""
        port = copy.copy(self)
        port.owner = component
        port.name = name or self.name
        return port


class Input(Port[MessageT]):
    """Receives messages of one type; each goes to the component's `on_<name>(msg)`.

    `dist` is how messages for it are drawn (lockstep.distributions); it is no part of the contract.
    """

    def __init__(
        self,
        message_type: type[MessageT],
        topic: str | None = None,
        qos: QoS | None = None,
        *,
        dist: Any = None,
    ) -> None:
        super().__init__(message_type, topic, qos)
        self.dist = dist


class Output(Port[MessageT]):
    """Sends messages of one type."""

    def publish(self, msg: MessageT) -> None:
        """Send `msg` at the run's current time."""
        message: Any = msg
        if not isinstance(message, self.message_type):
            raise TypeError(
                f"output '{self.name}' takes {type_name(self.message_type)}, "
                f"not {type(message).__name__}"
            )
        self.owner.host.publish(self.name, message)
