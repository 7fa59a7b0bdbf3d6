"""Component: the unit under test.

Declares ports, parameters and timers; knows no client library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .host_interface import Host, Logger
from .names import name_objection, topic_objection
from .parameter import Parameter
from .port import Input, Output, Port
from .service import Service
from .tf_listener import TfListener
from .timer import Timer

if TYPE_CHECKING:
    from typing_extensions import Self

_KINDS = {
    Input: "input",
    Output: "output",
    Service: "service",
    TfListener: "input",
    Timer: "timer",
    Parameter: "parameter",
}


class Component:
    """Base of every component.

    Declare ports, services, parameters and timers as class attributes and write one `on_<name>`
    method for each input (taking the message), each service (taking the request and returning the
    response) and each timer (taking nothing). A class has its ports as declared, a component has
    its own, which know whose they are. The requests of services are inputs, too, and their
    responses outputs; a TfListener has inputs that it hears itself.
    """

    inputs: Mapping[str, Input[Any]] = {}
    outputs: Mapping[str, Output[Any]] = {}
    parameters: ClassVar[dict[str, Parameter[Any]]] = {}
    services: ClassVar[dict[str, Service]] = {}
    listeners: ClassVar[dict[str, TfListener]] = {}
    timers: ClassVar[dict[str, Timer]] = {}

    host: Host
    parameter_values: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared: dict[str, Any] = {}
        for base in reversed(cls.__mro__[:-1]):
            declared |= vars(base)
        for name, item in declared.items():
            if objection := _objection(name, item):
                raise TypeError(f"{cls.__name__}: {objection}")
        cls.listeners = {
            name: item for name, item in declared.items() if isinstance(item, TfListener)
        }
        cls.services = {name: item for name, item in declared.items() if isinstance(item, Service)}
        cls.inputs, cls.outputs = _inputs(cls.__name__, declared), _outputs(cls.__name__, declared)
        cls.timers = {name: item for name, item in declared.items() if isinstance(item, Timer)}
        cls.parameters = {}
        for item in declared.values():
            if (
                isinstance(item, Parameter)
                and cls.parameters.setdefault(item.name, item) is not item
            ):
                raise TypeError(f"{cls.__name__}: parameter '{item.name}' is declared twice")
        heard = [port.name for listener in cls.listeners.values() for port in listener.inputs]
        for name in [*cls.inputs, *cls.timers]:
            if name in heard:
                if hasattr(cls, f"on_{name}"):
                    raise TypeError(
                        f"{cls.__name__} has a method on_{name}, but '{name}' is heard by a "
                        "TfListener alone"
                    )
            elif not callable(getattr(cls, f"on_{name}", None)):
                raise TypeError(f"{cls.__name__} declares '{name}' but has no method on_{name}")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Not in __init__, so that a component may define its own without calling this one.
        self = super().__new__(cls)
        self.parameter_values = {name: p.default for name, p in cls.parameters.items()}
        for name, listener in cls.listeners.items():
            own = listener.of_its_own()
            self.__dict__ |= {
                name: own,
                f"on_{name}": own.take,
                f"on_{name}_static": own.take_static,
            }
        self.inputs = {name: port.of(self) for name, port in cls.inputs.items()}
        self.outputs = {name: port.of(self) for name, port in cls.outputs.items()}
        for name, port in (*self.inputs.items(), *self.outputs.items()):
            if isinstance(getattr(cls, name, None), Port):  # not those of services
                self.__dict__[name] = port
        return self

    def on_start(self) -> None:
        """Called once when parameters have their values, before the first message or timer."""

    def on_parameters_changed(self) -> None:
        """Called when one or several parameters have got new values in a running component.

        Never before on_start, and never while another callback runs.
        """

    def now(self) -> int:
        """The run's time in nanoseconds: the ROS clock live, the message's time in a direct run."""
        return self.host.now()

    @property
    def logger(self) -> Logger:
        """The node's logger."""
        return self.host.logger


def _inputs(component: str, declared: Mapping[str, Any]) -> dict[str, Input[Any]]:
    inputs: dict[str, Input[Any]] = {}
    for item in declared.values():
        ports: tuple[Any, ...] = item.inputs if isinstance(item, TfListener) else (item,)
        for port in (item.requests,) if isinstance(item, Service) else ports:
            if isinstance(port, Input) and inputs.setdefault(port.name, port) is not port:
                raise TypeError(f"{component}: input '{port.name}' is declared twice")
    return inputs


def _outputs(component: str, declared: Mapping[str, Any]) -> dict[str, Output[Any]]:
    outputs: dict[str, Output[Any]] = {}
    for item in declared.values():
        port = item.responses if isinstance(item, Service) else item
        if isinstance(port, Output) and outputs.setdefault(port.name, port) is not port:
            raise TypeError(f"{component}: output '{port.name}' is declared twice")
    return outputs


def _objection(name: str, item: object) -> str:
    """Why a component cannot have `item` as its attribute `name`; empty if it can."""
    kind = next((kind for part, kind in _KINDS.items() if isinstance(item, part)), "")
    if not kind:
        return ""
    objection = name_objection(kind, name)
    if not objection and isinstance(item, (Input, Output, Service)):
        return topic_objection(kind, name, item.topic)
    return objection
