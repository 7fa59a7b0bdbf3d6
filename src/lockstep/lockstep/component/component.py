"""Component: the unit under test.

Declares ports, parameters and timers; knows no client library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .host_interface import Host, Logger
from .parameter import Parameter
from .port import Input, Output
from .timer import Timer

if TYPE_CHECKING:
    from typing_extensions import Self

_OWN = frozenset({"inputs", "outputs", "parameters", "timers", "host", "parameter_values"})
"""Attributes of a component that hold its declarations and what is around it; its methods are taken
as well."""

HOOKS = ("start", "parameters_changed")
"""What `on_<name>` is called for that is no port and no timer."""


class Component:
    """Base of every component.

    Declare ports, parameters and timers as class attributes and write one `on_<name>` method for
    each input (taking the message) and each timer (taking nothing). A class has its ports as
    declared, a component has its own, which know whose they are.
    """

    inputs: Mapping[str, Input[Any]] = {}
    outputs: Mapping[str, Output[Any]] = {}
    parameters: ClassVar[dict[str, Parameter[Any]]] = {}
    timers: ClassVar[dict[str, Timer]] = {}

    host: Host
    parameter_values: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared: dict[str, Any] = {}
        for base in reversed(cls.__mro__[:-1]):
            declared |= vars(base)
        for name, item in declared.items():
            if isinstance(item, (Input, Output, Timer, Parameter)) and (
                name in _OWN or hasattr(Component, name)
            ):
                raise TypeError(
                    f"{cls.__name__} cannot name a port, parameter or timer '{name}', which every "
                    "component has as an attribute of its own; choose another name, and give a "
                    "port its topic as Input(TYPE, topic) or Output(TYPE, topic)"
                )
        cls.inputs = {name: item for name, item in declared.items() if isinstance(item, Input)}
        cls.outputs = {name: item for name, item in declared.items() if isinstance(item, Output)}
        cls.timers = {name: item for name, item in declared.items() if isinstance(item, Timer)}
        cls.parameters = {}
        for item in declared.values():
            if (
                isinstance(item, Parameter)
                and cls.parameters.setdefault(item.name, item) is not item
            ):
                raise TypeError(f"{cls.__name__} declares parameter '{item.name}' twice")
        for name in [*cls.inputs, *cls.timers]:
            if name in HOOKS:
                raise TypeError(
                    f"{cls.__name__} cannot name a port or timer '{name}': "
                    f"on_{name} is called for another reason"
                )
            if not callable(getattr(cls, f"on_{name}", None)):
                raise TypeError(f"{cls.__name__} declares '{name}' but has no method on_{name}")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Not in __init__, so that a component may define its own without calling this one.
        self = super().__new__(cls)
        self.parameter_values = {name: p.default for name, p in cls.parameters.items()}
        self.inputs = {name: port.of(self) for name, port in cls.inputs.items()}
        self.outputs = {name: port.of(self) for name, port in cls.outputs.items()}
        self.__dict__.update(self.inputs, **self.outputs)
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
