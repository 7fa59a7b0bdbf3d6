"""Components wired to each other in this process, without ROS: outputs give to inputs, in memory.

All share the time of what drives them, such as a playback of a dataset, as the nodes of a live run
share /clock: when it steps, timers fire first, in the order in which they fall due. A message is
delivered at the time at which it was published, in the order of publishing, and never while a
callback runs. Each input gets a copy, so that nobody holds what another may change.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ..component import Component, Input, Output
from ..errors import UsageError
from .hosted import Hosted

if TYPE_CHECKING:
    from typing_extensions import Self


class Wiring:
    """Hosts components, and carries what one publishes to the inputs that take it."""

    def __init__(self) -> None:
        self._executions: list[Wired] = []
        self._waiting: deque[tuple[Wired, str, int, Any]] = deque()
        self._is_calling = False

    def add(self, component: Component, parameters: Mapping[str, Any] | None = None) -> Self:
        """Host a component and start it; what it publishes in on_start waits for the first step.

        `connect` does so where nobody has, with the parameters as they are by default. Raises
        UsageError for parameters that it cannot have, RunError if on_start fails.
        """
        if getattr(component, "host", None) is not None:
            raise UsageError(
                f"this {type(component).__name__} has a host already; make another one to wire"
            )
        made = self._call(Wired, component, dict(parameters or {}), self)
        self._executions.append(made)
        return self

    def connect(self, output: Output[Any], input: Input[Any]) -> Self:
        """From now on, the input of one component takes what the output of another publishes.

        Ports are those of components, such as `filter.outputs["filtered"]`. Raises UsageError for
        ports of different types; an output of any kind of value, as a playback has, fits them all.
        """
        gives, takes = output.message_type, input.message_type
        if gives is not object and not issubclass(gives, takes):
            raise UsageError(
                f"output '{output.name}' gives {gives.__name__}, but input '{input.name}' takes "
                f"{takes.__name__}; connect ports of one type"
            )
        source, target = self._hosted(output), self._hosted(input)
        source.wires.setdefault(output.name, []).append((target, input.name))
        return self

    def advance(self, time_ns: int) -> None:
        """Step the time of all components to `time_ns`, firing the timers due on the way."""
        while (due_ns := self._next_due_ns()) is not None and due_ns <= time_ns:
            self._step(due_ns)
        self._step(time_ns)

    def post(self, source: Wired, output: str, time_ns: int, message: Any) -> None:
        """Deliver a message, now or after the callback that published it."""
        self._waiting.append((source, output, time_ns, copy.deepcopy(message)))
        if not self._is_calling:
            self._deliver()

    def _next_due_ns(self) -> int | None:
        dues_ns = [execution.next_due_ns for execution in self._executions]
        return min((due_ns for due_ns in dues_ns if due_ns is not None), default=None)

    def _step(self, time_ns: int) -> None:
        for execution in self._executions:
            self._deliver()
            self._call(execution.advance, time_ns)
        self._deliver()

    def _deliver(self) -> None:
        while self._waiting:
            source, output, time_ns, message = self._waiting.popleft()
            wires = source.wires.get(output, [])
            copies = [message, *(copy.deepcopy(message) for _ in wires[1:])]
            for (target, name), own in zip(wires, copies, strict=False):
                self._call(target.take, name, time_ns, own)

    def _call(self, callback: Callable[..., Any], *args: Any) -> Any:
        """Call into a component; what it publishes meanwhile waits until it returns."""
        self._is_calling = True
        try:
            return callback(*args)
        except BaseException:
            self._waiting.clear()  # the run is over
            raise
        finally:
            self._is_calling = False

    def _hosted(self, port: Output[Any] | Input[Any]) -> Wired:
        """The execution of a port's component, which is added if it has no host yet."""
        component: Any = getattr(port, "owner", None)
        if component is None:
            raise UsageError(
                f"'{port.name}' is a port of a class; connect that of a component made of it"
            )
        host = getattr(component, "host", None)
        if not isinstance(host, Wired) or host.wiring is not self:
            self.add(component)
            host = component.host
        return cast("Wired", host)


class Wired(Hosted):
    """A component in a wiring; `wires` are the inputs that each output goes to."""

    def __init__(self, component: Component, parameters: dict[str, Any], wiring: Wiring) -> None:
        self.wiring = wiring
        self.wires: dict[str, list[tuple[Wired, str]]] = {}
        super().__init__(
            component,
            parameters,
            lambda output, time_ns, message: wiring.post(self, output, time_ns, message),
        )

    def drive(self, time_ns: int, output: str, message: Any) -> None:
        """Step the time of all that is wired, then publish: for what time comes from."""
        self.wiring.advance(time_ns)
        self.publish(output, message)
