"""A run in lockstep with a player: its steps in, acknowledgements out (docs/lockstep-protocol.md).

lockstep_cpp's lockstep_run.cpp is the twin.
"""

from __future__ import annotations

import time
from typing import Any, cast

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Acknowledgement, Step

from ..component import stamp_ns, to_stamp
from ..errors import Hang, RunError
from ..host.execution import Execution
from ..host.protocol import (
    ACKNOWLEDGEMENT_TOPIC,
    ANNOUNCEMENT_PERIOD_S,
    MAX_SILENCE_S,
    MAX_UNACKNOWLEDGED,
    PUBLISH_TIMEOUT_S,
    STEP_TOPIC,
)
from ..host.python_component import output_encoder
from ..message.time import seconds
from .inbox import Inbox
from .ports import Ports
from .process import Stop
from .qos import lossless


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
        self._steps = inbox.subscribe(Step, STEP_TOPIC, lossless())
        self._acknowledgements = node.create_publisher(
            Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless()
        )
        self._encode = {
            name: output_encoder(name, cast("type[Any]", publisher.msg_type))
            for name, publisher in ports.outputs.items()
        }
        self._index = {name: index for index, name in enumerate(ports.outputs)}
        self._consumed = 0
        self._acknowledged = 0
        self._acknowledged_s = 0.0
        self._pending = self._fresh()

    def now(self) -> int:
        """The run's time in ns."""
        return self._execution.now_ns

    def publish(self, output: str, msg: Any) -> None:
        """Publish, waiting while the queue is full, and note it for the acknowledgement.

        The message is encoded here, as direct runs do: rmw leaves what was in memory in the gaps of
        a layout.
        """
        self._insist(self._ports.outputs[output], self._encode[output](msg))
        self._pending.published_topic.append(self._index[output])
        self._pending.published_stamp.append(to_stamp(self.now()))
        self._pending.published_step.append(self._consumed)

    def run(self) -> None:
        """Announce the node until the first step, then run until Stopped is raised.

        Raises RunError if a callback fails, a step is missing, or a message cannot be published.
        """
        step = self._announce()
        # Not before the first step: only now does the recorder hear what on_start publishes.
        self._execution.start()
        while True:
            self._consume(step)
            step = self._next_step()

    def _announce(self) -> Step:
        next_s = 0.0
        while (taken := self._inbox.take(self._steps)) is None:
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + ANNOUNCEMENT_PERIOD_S
                self._publish_acknowledgement(ready=self._is_ready())
            self._wait(self._steps)
        step: Step = taken[0]
        return step

    def _is_ready(self) -> bool:
        return (
            self._ports.are_connected()
            and self._steps.get_publisher_count() > 0
            # The acknowledgements are for the player and for the recorder.
            and self._acknowledgements.get_subscription_count() >= 2
        )

    def _consume(self, step: Step) -> None:
        if step.index != self._consumed:
            raise RunError(
                f"lockstep failed at {seconds(self.now())} s: "
                f"step {self._consumed} should have come, but step {step.index} came"
            )
        self._execution.advance(stamp_ns(step.stamp))
        for subscription, name in self._ports.inputs.items():
            if subscription.topic_name == step.topic:
                self._deliver_next(subscription, name)
        self._consumed += 1
        self._inbox.serve()

    def _deliver_next(self, subscription: Subscription, name: str) -> None:
        message = self._next(subscription)
        start_ns = time.perf_counter_ns()
        self._execution.deliver(name, message)
        self._pending.duration_ns.append(time.perf_counter_ns() - start_ns)

    def _next_step(self) -> Step:
        """Wait for the next step, acknowledging those before if it does not come at once."""
        self._stop.check()
        if (
            self._consumed - self._acknowledged >= MAX_UNACKNOWLEDGED
            or time.monotonic() - self._acknowledged_s >= MAX_SILENCE_S  # slow is not hanging
        ):
            self._acknowledge()
        step: Step = self._next(self._steps)
        return step

    def _next(self, subscription: Subscription) -> Any:
        """Wait for the next message."""
        while (taken := self._inbox.take(subscription)) is None:
            # The player may be holding it back until it has heard of the steps before.
            self._acknowledge()
            self._wait(subscription)
        return taken[0]

    def _acknowledge(self) -> None:
        if self._consumed > self._acknowledged:
            self._publish_acknowledgement(ready=True)

    def _publish_acknowledgement(self, *, ready: bool) -> None:
        message, self._pending = self._pending, self._fresh()
        message.ready = ready
        message.steps = self._acknowledged = self._consumed
        self._acknowledged_s = time.monotonic()
        self._insist(self._acknowledgements, message)

    def _fresh(self) -> Acknowledgement:
        return Acknowledgement(
            node=self._node.get_fully_qualified_name(),
            topics=[publisher.topic_name for publisher in self._ports.outputs.values()],
        )

    def _wait(self, subscription: Subscription) -> None:
        self._stop.check()
        self._inbox.wait(ANNOUNCEMENT_PERIOD_S, subscription)
        self._inbox.serve()

    def _insist(self, publisher: Publisher, msg: Any) -> None:
        give_up_s = time.monotonic() + PUBLISH_TIMEOUT_S
        while True:
            try:
                publisher.publish(msg)
                return
            except rclpy_implementation.RCLError as error:  # a subscriber is slower than this node
                self._stop.check()
                if time.monotonic() > give_up_s:
                    raise Hang(
                        f"lockstep failed at {seconds(self.now())} s: no subscriber of "
                        f"'{publisher.topic_name}' has taken a message for {PUBLISH_TIMEOUT_S:g} s"
                    ) from error
