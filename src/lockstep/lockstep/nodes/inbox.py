"""Taking messages straight from subscriptions.

An rclpy executor rebuilds its bookkeeping for every callback, which costs more than most callbacks.
Here one wait set watches the data, the caller takes messages in the order it wants, and an executor
only serves the rest (parameters, services) now and then, in the same thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.service import Service
from rclpy.subscription import Subscription
from rosgraph_msgs.msg import Clock

SERVE_PERIOD_S = 0.02
RARELY_S = 0.2
"""For a node without services."""
SHARE = 0.1
"""Of the time that what is repeated may take: with thousands of topics it is done less often."""
_SIZES = 8


class _HandsOff(CallbackGroup):
    """Keeps the executor away from the subscriptions of an inbox."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        """Never reached."""


class Inbox:
    """The subscriptions of a node, and what is left for its executor."""

    def __init__(
        self,
        node: Node,
        meanwhile: Callable[[], None] | None = None,
        serve_period_s: float = SERVE_PERIOD_S,
    ) -> None:
        """`meanwhile` is called before each wait; `serve_period_s` is how often the executor looks
        for what is left to it, which takes it up to a millisecond."""
        self._node = node
        self._meanwhile = meanwhile
        self._group = _HandsOff()
        self._subscriptions: dict[Subscription, Any] = {}  # with their handles
        self._services: list[Service] = []
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._serve_period_s = serve_period_s
        self._served_s = 0.0
        self._serving_s = 0.0  # of processor time, the last time
        self._clock: Subscription | None = None
        self._wait_sets: dict[int, Any] = {}

    def subscribe(
        self,
        message_type: type,
        topic: str,
        qos: QoSProfile,
        *,
        raw: bool = False,
        warns: bool = True,
    ) -> Subscription:
        """Subscribe; messages stay in the queue until `take`.

        What `warns` of publishers with other QoS is waited for by the executor, one by one.
        """
        subscription = self._node.create_subscription(
            message_type,
            topic,
            _no_callback,
            qos,
            raw=raw,
            callback_group=self._group,
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=warns),
        )
        self._subscriptions[subscription] = subscription.handle
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscription, and what is in its queue."""
        del self._subscriptions[subscription]
        self._node.destroy_subscription(subscription)

    def watch(self, service: Service) -> None:
        """Let a request to a service of the node end each wait, and the next `serve` look for it
        at once."""
        self._services.append(service)
        self._wait_sets.clear()

    def wait(self, timeout_s: float, only: Subscription | None = None) -> list[Subscription]:
        """The subscriptions that have a message (or whether `only` that one has).

        It waits for `timeout_s` at most. Under use_sim_time, it also brings the node's clock up to
        date.
        """
        if self._meanwhile is not None:
            self._meanwhile()
        watched = self._subscriptions if only is None else {only: only.handle}
        if self._clock is not None:
            watched = {**watched, self._clock: self._clock.handle}
        if not watched and not self._services:  # rcl refuses to wait for nothing
            time.sleep(timeout_s)
            return []
        wait_set = self._wait_set(len(watched))
        wait_set.clear_entities()
        for handle in watched.values():
            wait_set.add_subscription(handle)
        for service in self._services:
            wait_set.add_service(service.handle)
        wait_set.wait(max(0, int(timeout_s * 1e9)))
        if self._services and wait_set.get_ready_entities("service"):
            self._served_s = 0.0
        ready = set(wait_set.get_ready_entities("subscription"))
        if self._clock is not None and (taken := self.take(self._clock)) is not None:
            self._clock.callback(taken[0])
        if not ready:
            return []
        return [
            subscription
            for subscription, handle in watched.items()
            if handle.pointer in ready and subscription is not self._clock
        ]

    def _wait_set(self, size: int) -> Any:
        """One for so many subscriptions; to make it anew costs more than to wait."""
        if size not in self._wait_sets:
            if len(self._wait_sets) >= _SIZES:  # while thousands of subscriptions come one by one
                self._wait_sets.clear()
            self._wait_sets[size] = rclpy_implementation.WaitSet(
                size, 0, 0, 0, len(self._services), 0, self._node.context.handle
            )
        return self._wait_sets[size]

    @staticmethod
    def take(subscription: Subscription) -> tuple[Any, dict[str, int]] | None:
        """The next message (bytes if raw) and its rmw message info; None if there is none."""
        taken: tuple[Any, dict[str, int]] | None = subscription.handle.take_message(
            subscription.msg_type, subscription.raw
        )
        return taken

    def serve(self, period_s: float | None = None) -> None:
        """Answer services, at most so often; cheap to call after every message.

        With thousands of subscriptions, which the executor all looks at, it is done less often.
        """
        now_s = time.monotonic()
        least_s = self._serve_period_s if period_s is None else period_s
        if now_s - self._served_s >= max(least_s, self._serving_s / SHARE):
            began_s = time.thread_time()
            self._executor.spin_once(timeout_sec=0)
            self._clock = self._subscription_of_time()
            self._serving_s = time.thread_time() - began_s
            self._served_s = now_s

    def _subscription_of_time(self) -> Subscription | None:
        """What rclpy itself listens to under use_sim_time, whatever it is remapped to; not what
        somebody takes from this inbox."""
        return next(
            (
                s
                for s in self._node.subscriptions
                if s.msg_type is Clock and s not in self._subscriptions
            ),
            None,
        )


def _no_callback(message: Any) -> None:
    """Subscriptions of an inbox are taken from, never called."""
