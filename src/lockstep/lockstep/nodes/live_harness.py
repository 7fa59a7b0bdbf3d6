"""The harness of live unit tests: player and recorder in one node, which takes one step at a
time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.node import Node

from lockstep_interfaces.msg import Acknowledgement

from ..component import Contract, stamp_ns
from ..component.parameter import ros_type
from ..errors import Hang, Loss, UsageError
from ..host.execution import Publish
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, PARAMETER_VALUES, resolved
from ..message.rosidl import message_class
from ..message.time import NS_PER_S
from .inbox import Inbox
from .process import ros_node
from .qos import lossless
from .window import Window, insist

START_PATIENCE_S = 30.0
_POLL_S = 0.005
_LATEST_S = 2**31
_UNKNOWN_NS = 0


class HarnessNode:
    """Drives one host in lockstep, as docs/lockstep-protocol.md has it, with one step in flight.

    Outputs go to `publish` as (index of the output, the run's time in ns, CDR). `check` raises if
    the host's process has ended. A step without an answer for `timeout_s` is a RunError.
    """

    def __init__(
        self,
        node: Node,
        contract: Contract,
        publish: Publish,
        timeout_s: float,
        check: Callable[[], None],
    ) -> None:
        self._node = node
        self._contract = contract
        self._publish = publish
        self._timeout_s = timeout_s
        self._check = check
        self._inbox = Inbox(node)
        self._inputs = [
            node.create_publisher(message_class(port.type), resolved(port.topic), lossless())
            for port in contract.inputs
        ]
        self._outputs = [
            self._inbox.subscribe(
                message_class(port.type), resolved(port.topic), lossless(), raw=True
            )
            for port in contract.outputs
        ]
        self._index = {s.topic_name: index for index, s in enumerate(self._outputs)}
        # The window is the player's subscription to the acknowledgements, this one is the
        # recorder's.
        self._window = Window(node, self._inbox, 1, timeout_s)
        self._heard = self._inbox.subscribe(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless())
        self._host = ""
        self._steps = 0
        self.durations_ns: dict[str, list[int]] = {port.name: [] for port in contract.inputs}

    def start(self) -> None:
        """Wait for the host, and take a step at which time is not known yet: the host calls
        on_start before it."""
        deadline = time.monotonic() + START_PATIENCE_S
        while not self._window.ready or not all(p.get_subscription_count() for p in self._inputs):
            self._check()
            if time.monotonic() > deadline:
                raise Hang(f"the host did not report within {START_PATIENCE_S:g} s")
            self._inbox.wait(_POLL_S)
            self._window.take()
        self.step(_UNKNOWN_NS)

    def step(self, time_ns: int, port: int | None = None, data: bytes = b"") -> None:
        """Step time, and give input `port`, if one is named, a message; returns when the host has
        consumed it."""
        if time_ns >= _LATEST_S * NS_PER_S:
            raise UsageError(f"time {time_ns} is later than the stamps of a live run can tell")
        publisher = None if port is None else self._inputs[port]
        topic = "" if publisher is None else publisher.topic_name
        self._window.announce(time_ns, topic, len(data))
        self._steps += 1
        if publisher is not None:
            insist(publisher, data, self._timeout_s)
        while self._window.in_flight:
            self._check()
            self._window.wait()
        durations = self._collect()
        if port is not None:
            self.durations_ns[self._contract.inputs[port].name].extend(durations)

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set all of them or none by the host's service; raises UsageError if the host refuses."""
        client = self._node.create_client(
            SetParametersAtomically, f"{self._host}/set_parameters_atomically"
        )
        try:
            self._until(client.service_is_ready)
            request = SetParametersAtomically.Request(
                parameters=[self._parameter(name, value) for name, value in parameters.items()]
            )
            future = client.call_async(request)
            self._until(future.done)
        finally:
            self._node.destroy_client(client)
        result = future.result().result
        if not result.successful:
            raise UsageError(result.reason)
        self.step(_UNKNOWN_NS)  # its answer tells what on_parameters_changed has published

    def _until(self, is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._timeout_s
        while not is_done():
            self._check()
            if time.monotonic() > deadline:
                raise Hang(f"no answer for {self._timeout_s:g} s to the new parameters")
            time.sleep(_POLL_S)
            self._inbox.serve()

    def _parameter(self, name: str, value: Any) -> Parameter:
        declared = {parameter.name: parameter.type for parameter in self._contract.parameters}
        try:
            type_name = declared[name] if value == [] and name in declared else ros_type(value)
        except TypeError as error:
            raise UsageError(f"parameter '{name}': {error}") from error
        kind, field = PARAMETER_VALUES[type_name]
        return Parameter(name=name, value=ParameterValue(**{"type": kind, field: value}))

    def _collect(self) -> list[int]:
        """Give on what the host says that it published; returns the durations of its callbacks, in
        ns."""
        durations: list[int] = []
        steps = 0
        while steps < self._steps:
            message = self._next(self._heard)
            steps, self._host = message.steps, message.node
            durations.extend(message.duration_ns)
            for index, stamp in zip(message.published_topic, message.published_stamp, strict=True):
                output = self._index[message.topics[index]]
                self._publish(output, stamp_ns(stamp), self._next(self._outputs[output]))
        return durations

    def _next(self, subscription: Any) -> Any:
        deadline = time.monotonic() + self._timeout_s
        while (taken := self._inbox.take(subscription)) is None:
            if time.monotonic() > deadline:
                raise Loss(f"a message of {subscription.topic_name} was lost on its way")
            self._inbox.wait(_POLL_S, subscription)
        return taken[0]


@contextmanager
def harness_node(
    environment: Mapping[str, str],
    contract: Contract,
    publish: Publish,
    timeout_s: float,
    check: Callable[[], None],
) -> Iterator[HarnessNode]:
    """A HarnessNode in this process, on the domain that `environment` says."""
    with ExitStack() as stack:
        with _as_environment(environment):
            node = stack.enter_context(ros_node("lockstep_harness", []))
        yield HarnessNode(node, contract, publish, timeout_s, check)


@contextmanager
def _as_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """The middleware reads the environment when a node is made; tests see their own."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
