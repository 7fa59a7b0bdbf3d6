"""The player's side of lockstep: announces steps, and holds back until they are acknowledged."""

from __future__ import annotations

import time
from array import array
from collections import deque
from typing import Any, Protocol

import numpy as np
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

from lockstep_interfaces.msg import Acknowledgement, Steps

from ..cdr.codec import installed_codec
from ..errors import Hang, RunError
from ..host.protocol import (
    ACKNOWLEDGEMENT_TOPIC,
    MAX_BYTES_IN_FLIGHT,
    MAX_UNACKNOWLEDGED,
    STEPS_TOPIC,
)
from ..message.rosidl import type_name
from ..message.time import quick_stamp
from .inbox import Inbox
from .process import Stop
from .qos import lossless

_SHARE = 4
"""So many announcements fill a window: one is on its way while the host works on another."""


class Window:
    """At most `size` steps, and 32 MiB, are in flight; a host silent for `timeout_s` has hung.

    Steps are announced together where there are many, as one message takes as long as ten more
    steps in it: at the latest before this waits for anything. Who waits elsewhere calls `flush`.
    """

    def __init__(self, node: Node, inbox: Inbox, size: int, timeout_s: float) -> None:
        self._inbox = inbox
        self._size = size
        self._timeout_s = timeout_s
        self._steps = node.create_publisher(Steps, STEPS_TOPIC, lossless())
        self._encode = installed_codec(type_name(Steps)).encode
        self._acknowledgements = inbox.subscribe(
            Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless(), raw=True
        )
        self._decode = installed_codec(type_name(Acknowledgement)).decode
        self._together = min(MAX_UNACKNOWLEDGED, max(1, size // _SHARE))
        self._unannounced: list[tuple[str, int]] = []  # topic, time in ns
        self._unannounced_bytes = 0
        self._in_flight: deque[tuple[str, int, int]] = deque()  # topic, time in ns, bytes
        self._bytes = 0
        self._sent = 0
        self._consumed = 0
        self.published: dict[str, int] = {}
        self._durations_ns = array("Q")
        self._progress_s = time.monotonic()
        self._started_s = 0.0
        self._ended_s = 0.0
        self._host = ""
        self.ready = False

    @property
    def in_flight(self) -> int:
        """How many steps are not acknowledged yet."""
        return len(self._in_flight)

    def announce(self, time_ns: int, topic: str, size: int) -> None:
        """Announce the next step, now or soon; what belongs to it may be sent at once."""
        if not self._sent:
            self._started_s = self._progress_s = time.monotonic()
        elif not self._in_flight:
            self._progress_s = time.monotonic()
        self._sent += 1
        self._in_flight.append((topic, time_ns, size))
        self._bytes += size
        self._unannounced.append((topic, time_ns))
        self._unannounced_bytes += size
        if (
            len(self._unannounced) >= self._together
            or self._unannounced_bytes >= MAX_BYTES_IN_FLIGHT // _SHARE
        ):
            self.flush()

    def flush(self) -> None:
        """Send the steps that are to be announced."""
        if not self._unannounced:
            return
        topics = list(dict.fromkeys(topic for topic, _ in self._unannounced if topic))
        index = {topic: number for number, topic in enumerate(topics)}
        steps = {
            "index": self._sent - len(self._unannounced),
            "topics": topics,
            "topic": [index.get(topic, len(topics)) for topic, _ in self._unannounced],
            "stamp": [quick_stamp(time_ns) for _, time_ns in self._unannounced],
        }
        self._unannounced.clear()
        self._unannounced_bytes = 0
        insist(self._steps, self._encode(steps), self._timeout_s)

    def wait_for_room(self, size: int, stop: Stop) -> None:
        """Wait until the window has room for one more message of `size` bytes."""
        if self.has_room(size):
            return
        self.take()
        while not self.has_room(size) and not stop.requested:
            self.wait()

    def has_room(self, size: int) -> bool:
        """Whether one more message of `size` bytes may be in flight."""
        return not self._in_flight or (
            len(self._in_flight) < self._size and self._bytes + size <= MAX_BYTES_IN_FLIGHT
        )

    def drain(self, stop: Stop) -> None:
        """Wait until every step is acknowledged."""
        while self._in_flight and not stop.requested:
            self.wait()

    def wait(self) -> None:
        """Wait a moment for an acknowledgement; raises RunError if none has come for too long."""
        self.flush()
        self._inbox.wait(0.05, self._acknowledgements)
        self.take()
        self._inbox.serve()
        if self._in_flight and time.monotonic() - self._progress_s > self._timeout_s:
            topic, time_ns, _ = self._in_flight[0]
            what = f"the message of {topic}" if topic else "the step of time"
            raise Hang(
                f"no answer for {self._timeout_s:g} s to {what} at {time_ns * 1e-9:.9f} s "
                f"(step {self._consumed} of {self._sent})"
            )

    def take(self) -> None:
        """Take the acknowledgements that are there."""
        while (taken := self._inbox.take(self._acknowledgements)) is not None:
            self._count(self._decode(taken[0]))

    def report(self) -> dict[str, Any]:
        """Counts and the times of callbacks, as data."""
        durations = np.frombuffer(self._durations_ns, np.uint64)
        percentiles = np.percentile(durations, [50, 99]) if len(durations) else (None, None)
        return {
            "steps": self._sent,
            "acknowledged": self._consumed,
            "callbacks": len(durations),
            "published": self.published,
            "callback_ns": {"median": percentiles[0], "p99": percentiles[1]},
            "wall_s": self._ended_s - self._started_s,
        }

    def _count(self, message: Any) -> None:
        self._host = self._host or message.node
        if message.node != self._host:
            raise RunError(f"{self._host} and {message.node} both answer; run one host in a domain")
        self.ready = self.ready or message.ready
        if not self.published:
            self.published = dict.fromkeys(message.topics, 0)
        done = message.steps - self._consumed
        if done < 0 or done > len(self._in_flight):
            raise RunError(
                f"{message.node} acknowledged {message.steps} steps, but {self._sent} were sent; "
                "is a second player or host running in this domain?"
            )
        for _ in range(done):
            self._bytes -= self._in_flight.popleft()[2]
        self._consumed = message.steps
        for topic, count in zip(
            message.topics, np.bincount(message.published_topic, minlength=0).tolist(), strict=False
        ):
            self.published[topic] += count
        self._durations_ns.frombytes(message.duration_ns.tobytes())
        if done:
            self._progress_s = self._ended_s = time.monotonic()


class Sender(Protocol):
    """What messages are sent by: a publisher, or what takes its place."""

    @property
    def topic_name(self) -> str:
        """Where they go."""

    def publish(self, msg: Any) -> None:
        """Send one."""


def insist(publisher: Sender, message: Any, timeout_s: float) -> None:
    """Publish; while the queue is full, wait (it holds back instead of losing)."""
    deadline: float | None = None
    while True:
        try:
            publisher.publish(message)
            return
        except rclpy_implementation.RCLError as error:
            deadline = deadline or time.monotonic() + timeout_s
            if time.monotonic() > deadline:
                raise Hang(
                    f"nobody takes {publisher.topic_name} any more; its queue is full"
                ) from error
