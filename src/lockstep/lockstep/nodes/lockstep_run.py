"""A run in lockstep with a player: its steps in, acknowledgements out (docs/lockstep-protocol.md).

lockstep_cpp's lockstep_run.cpp is the twin.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Acknowledgement, Steps

from ..cdr.codec import installed_codec
from ..cdr.message_error import MessageError
from ..cdr.rosidl_messages import RosidlDecoder
from ..component import stamp_ns
from ..errors import Hang, RunError
from ..host.execution import Execution
from ..host.protocol import (
    ACKNOWLEDGEMENT_TOPIC,
    ANNOUNCEMENT_PERIOD_S,
    MAX_SILENCE_S,
    MAX_UNACKNOWLEDGED,
    PUBLISH_TIMEOUT_S,
    STEPS_TOPIC,
)
from ..host.python_component import output_encoder
from ..message.rosidl import type_name
from ..message.time import Stamp, quick_stamp, seconds
from .inbox import Inbox
from .ports import Ports
from .process import Stop
from .qos import lossless


@dataclass
class _Done:
    """What is to be acknowledged: of each message published and of each callback, in order."""

    published_topic: list[int] = field(default_factory=list)
    published_stamp: list[Stamp] = field(default_factory=list)
    published_step: list[int] = field(default_factory=list)
    duration_ns: list[int] = field(default_factory=list)


class _Input(NamedTuple):
    name: str
    subscription: Subscription
    decode: RosidlDecoder


class LockstepRun:
    """The host of a component that takes messages in the order of steps, and loses nothing."""

    def __init__(
        self, node: Node, inbox: Inbox, ports: Ports, execution: Execution, stop: Stop
    ) -> None:
        self.logger = node.get_logger()
        self._node = node
        self._inbox = inbox
        self._ports = ports
        self._execution = execution
        self._stop = stop
        self._steps = inbox.subscribe(Steps, STEPS_TOPIC, lossless(), raw=True)
        self._decode = installed_codec(type_name(Steps)).decode
        self._announced: deque[tuple[int, str]] = deque()  # time in ns, topic
        self._inputs: dict[str, list[_Input]] = {}
        for subscription, name in ports.inputs.items():
            codec = installed_codec(type_name(cast("type[Any]", subscription.msg_type)))
            self._inputs.setdefault(subscription.topic_name, []).append(
                _Input(name, subscription, RosidlDecoder(codec))
            )
        self._acknowledgements = node.create_publisher(
            Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless()
        )
        self._encode_acknowledgement = installed_codec(type_name(Acknowledgement)).encode
        self._topics = [publisher.topic_name for publisher in ports.outputs.values()]
        self._encode = {
            name: output_encoder(name, cast("type[Any]", publisher.msg_type))
            for name, publisher in ports.outputs.items()
        }
        self._index = {name: index for index, name in enumerate(ports.outputs)}
        self._consumed = 0
        self._acknowledged = 0
        self._acknowledged_s = 0.0
        self._done = _Done()

    def now(self) -> int:
        """The run's time in ns."""
        return self._execution.now_ns

    def publish(self, output: str, msg: Any) -> None:
        """Publish, waiting while the queue is full, and note it for the acknowledgement.

        The message is encoded here, as direct runs do: rmw leaves what was in memory in the gaps of
        a layout.
        """
        self._insist(self._ports.outputs[output], self._encode[output](msg))
        self._done.published_topic.append(self._index[output])
        self._done.published_stamp.append(quick_stamp(self.now()))
        self._done.published_step.append(self._consumed)

    def run(self) -> None:
        """Announce the node until the first step, then run until Stopped is raised.

        Raises RunError if a callback fails, a step is missing, or a message cannot be published.
        """
        self._announce()
        # Not before the first step: only now does the recorder hear what on_start publishes.
        self._execution.start()
        while True:
            self._consume(*self._announced.popleft())
            self._wait_for_step()

    def _announce(self) -> None:
        next_s = 0.0
        while (taken := self._inbox.take(self._steps)) is None:
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + ANNOUNCEMENT_PERIOD_S
                self._publish_acknowledgement(ready=self._is_ready())
            self._wait(self._steps)
        self._take_steps(taken[0])

    def _is_ready(self) -> bool:
        return (
            self._ports.are_connected()
            and self._steps.get_publisher_count() > 0
            # The acknowledgements are for the player and for the recorder.
            and self._acknowledgements.get_subscription_count() >= 2
        )

    def _take_steps(self, data: bytes) -> None:
        """What is announced when all that was announced before is consumed."""
        steps = self._decode(data)
        if steps.index != self._consumed:
            raise RunError(
                f"lockstep failed at {seconds(self.now())} s: "
                f"step {self._consumed} should have come, but step {steps.index} came"
            )
        if len(steps.topic) != len(steps.stamp):
            raise RunError(
                f"lockstep failed at {seconds(self.now())} s: "
                f"{len(steps.topic)} steps came with {len(steps.stamp)} stamps"
            )
        count = len(steps.topics)
        topics = [steps.topics[index] if index < count else "" for index in steps.topic.tolist()]
        self._announced.extend(zip(map(stamp_ns, steps.stamp), topics, strict=True))

    def _consume(self, time_ns: int, topic: str) -> None:
        self._execution.advance(time_ns)
        for one in self._inputs.get(topic, ()):
            self._deliver_next(one)
        self._consumed += 1
        self._inbox.serve()

    def _deliver_next(self, one: _Input) -> None:
        data = self._next(one.subscription)
        try:
            message = one.decode(data)
        except MessageError as error:
            kind = type_name(cast("type[Any]", one.subscription.msg_type))
            raise RunError(
                f"lockstep failed at {seconds(self.now())} s: "
                f"input '{one.name}': no valid {kind} came; it {error}"
            ) from error
        start_ns = time.perf_counter_ns()
        self._execution.deliver(one.name, message)
        self._done.duration_ns.append(time.perf_counter_ns() - start_ns)

    def _wait_for_step(self) -> None:
        """Wait for the next step, acknowledging those before if it does not come at once."""
        self._stop.check()
        if (
            self._consumed - self._acknowledged >= MAX_UNACKNOWLEDGED
            or time.monotonic() - self._acknowledged_s >= MAX_SILENCE_S  # slow is not hanging
        ):
            self._acknowledge()
        while not self._announced:
            self._take_steps(self._next(self._steps))

    def _next(self, subscription: Subscription) -> bytes:
        """Wait for the next message."""
        while (taken := self._inbox.take(subscription)) is None:
            # The player may be holding it back until it has heard of the steps before.
            self._acknowledge()
            self._wait(subscription)
        data: bytes = taken[0]
        return data

    def _acknowledge(self) -> None:
        if self._consumed > self._acknowledged:
            self._publish_acknowledgement(ready=True)

    def _publish_acknowledgement(self, *, ready: bool) -> None:
        done, self._done = self._done, _Done()
        self._acknowledged = self._consumed
        self._acknowledged_s = time.monotonic()
        told = {
            "node": self._node.get_fully_qualified_name(),
            "ready": ready,
            "steps": self._consumed,
            "topics": self._topics,
            **vars(done),
        }
        self._insist(self._acknowledgements, self._encode_acknowledgement(told))

    def _wait(self, subscription: Subscription) -> None:
        self._stop.check()
        self._inbox.wait(ANNOUNCEMENT_PERIOD_S, subscription)
        self._inbox.serve()

    def _insist(self, publisher: Publisher, data: bytes) -> None:
        give_up_s: float | None = None
        while True:
            try:
                publisher.publish(data)
                return
            except rclpy_implementation.RCLError as error:  # a subscriber is slower than this node
                self._stop.check()
                give_up_s = give_up_s or time.monotonic() + PUBLISH_TIMEOUT_S
                if time.monotonic() > give_up_s:
                    raise Hang(
                        f"lockstep failed at {seconds(self.now())} s: no subscriber of "
                        f"'{publisher.topic_name}' has taken a message for {PUBLISH_TIMEOUT_S:g} s"
                    ) from error
