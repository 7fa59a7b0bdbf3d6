"""A host's side of lockstep: steps of the player in, acknowledgements out; docs/lockstep-protocol.md describes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Acknowledgement, Step

from ..component import to_stamp
from ..errors import Hang
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC
from ..host.python_component import output_encoder
from ..message.time import seconds
from .inbox import Inbox
from .process import Stop
from .qos import lossless

STEP_TOPIC = "/lockstep/step"
HELLO_PERIOD_S = 0.05
PENDING_STEPS = 64
PENDING_S = 0.05
PUBLISH_PATIENCE_S = 10.0


class Flow:
    """Takes steps and messages in their order, publishes without loss, and acknowledges."""

    def __init__(
        self,
        node: Node,
        inbox: Inbox,
        outputs: dict[str, Publisher],
        now: Callable[[], int],
        stop: Stop,
    ) -> None:
        self.steps = 0
        self._node = node
        self._inbox = inbox
        self._outputs = outputs
        self._now = now
        self._stop = stop
        self._steps = inbox.subscribe(Step, STEP_TOPIC, lossless())
        self._acknowledgements = node.create_publisher(
            Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless()
        )
        self._encode = {
            name: output_encoder(name, cast("type[Any]", publisher.msg_type))
            for name, publisher in outputs.items()
        }
        self._index = {name: index for index, name in enumerate(outputs)}
        self._acknowledged = 0
        self._acknowledged_s = 0.0
        self._pending = self._fresh()

    def first_step(self, is_connected: Callable[[], bool]) -> Step:
        """Wait for the first step, announcing the node meanwhile."""
        next_s = 0.0
        while (taken := self._inbox.take(self._steps)) is None:
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + HELLO_PERIOD_S
                self._acknowledge(
                    ready=is_connected()
                    and self._steps.get_publisher_count() > 0
                    # The acknowledgements are for the player and for the recorder.
                    and self._acknowledgements.get_subscription_count() >= 2
                )
            self._wait(self._steps)
        step: Step = taken[0]
        return step

    def next(self, subscription: Subscription) -> Any:
        """Wait for the next message."""
        while (taken := self._inbox.take(subscription)) is None:
            # The player may be holding it back until it has heard of the steps before.
            self._acknowledge_pending()
            self._wait(subscription)
        return taken[0]

    def next_step(self) -> Step:
        """Wait for the next step, acknowledging those before if it does not come at once."""
        self._stop.check()
        if (
            self.steps - self._acknowledged >= PENDING_STEPS
            or time.monotonic() - self._acknowledged_s >= PENDING_S  # slow is not hanging
        ):
            self._acknowledge_pending()
        step: Step = self.next(self._steps)
        return step

    def publish(self, output: str, msg: Any) -> None:
        """Publish, waiting while the queue is full, and note it for the acknowledgement.

        The message is encoded here, as direct runs do: rmw leaves what was in memory in the gaps of a layout.
        """
        self._insist(self._outputs[output], self._encode[output](msg))
        self._pending.published_topic.append(self._index[output])
        self._pending.published_stamp.append(to_stamp(self._now()))
        self._pending.published_step.append(self.steps)

    def count_duration(self, duration_ns: int) -> None:
        """Note how long the callback of an input took."""
        self._pending.duration_ns.append(duration_ns)

    def _acknowledge_pending(self) -> None:
        if self.steps > self._acknowledged:
            self._acknowledge(ready=True)

    def _acknowledge(self, *, ready: bool) -> None:
        message, self._pending = self._pending, self._fresh()
        message.ready = ready
        message.steps = self._acknowledged = self.steps
        self._acknowledged_s = time.monotonic()
        self._insist(self._acknowledgements, message)

    def _fresh(self) -> Acknowledgement:
        return Acknowledgement(
            node=self._node.get_fully_qualified_name(),
            topics=[publisher.topic_name for publisher in self._outputs.values()],
        )

    def _wait(self, subscription: Subscription) -> None:
        self._stop.check()
        self._inbox.wait(HELLO_PERIOD_S, subscription)
        self._inbox.serve()

    def _insist(self, publisher: Publisher, msg: Any) -> None:
        give_up_s = time.monotonic() + PUBLISH_PATIENCE_S
        while True:
            try:
                publisher.publish(msg)
                return
            except rclpy_implementation.RCLError as error:  # a subscriber is slower than this node
                self._stop.check()
                if time.monotonic() > give_up_s:
                    raise Hang(
                        f"lockstep failed at {seconds(self._now())} s: no subscriber of "
                        f"'{publisher.topic_name}' has taken a message for {PUBLISH_PATIENCE_S:g} s"
                    ) from error
