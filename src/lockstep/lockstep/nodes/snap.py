"""Snap: the next messages of some topics of a driver or simulator that runs, into a bag.

It only listens: it holds no publisher back, has no services, and joins the domain of the shell.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rclpy.exceptions import InvalidTopicNameException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription

from ..bag.writer import BagWriter
from ..errors import BagError, Hang, Interrupted, LockstepError, UsageError
from ..message.definitions import definition, type_hash
from ..message.rosidl import message_class
from ..progress import Progress
from .inbox import Inbox
from .offered_qos import offered_by
from .process import of_a_run, ros_node, sentence
from .qos import watching

LOOK_PERIOD_S = 0.1
SILENCE_S = 1.0
"""After so long without a message that is waited for, it is told what is waited for."""
DEEPEST = 1000
_NAMED = 8


@dataclass
class _Topic:
    name: str
    wanted: int
    """How many messages to wait for."""
    most: float
    """How many to keep."""
    subscription: Subscription | None = None
    asked: QoSProfile | None = None
    type: str = ""
    is_latched: bool = False
    count: int = 0

    @property
    def is_complete(self) -> bool:
        return self.count >= self.wanted


def snap(
    topics: Sequence[str],
    count: int,
    output: Path,
    *,
    beside: Sequence[str] = (),
    patience_s: float,
    say: Callable[[str], None],
    progress: Progress,
) -> dict[str, int]:
    """Write `count` messages of each of `topics` to a new bag, and of each of `beside` what comes
    meanwhile, at least one; gives how many came by topic.

    What is waited for is said after a second. When nothing of it has come for `patience_s`, Hang is
    raised; UsageError for topics that cannot be recorded. Whatever has come is in the bag then, and
    if nothing has, there is none.
    """
    if output.exists():
        raise UsageError(f"{output} exists already; choose another folder or delete it")
    name = f"lockstep_snap_{os.getpid()}"
    with ros_node(name, [], **of_a_run()) as node:
        asked = _resolved(node, topics, beside, count)
        writer = BagWriter(output)
        try:
            with writer:
                _wait(_Listener(node, writer, asked), patience_s, say, progress)
        except (Interrupted, LockstepError):
            if sum(writer.counts.values()):
                say(f"{output} holds {told_counts(writer.counts)}")
            raise
        finally:
            if not sum(writer.counts.values()):
                _remove(output)
    return writer.counts


def told_counts(counts: Mapping[str, int]) -> str:
    """How many messages there are of each topic, in words."""
    return ", ".join(f"{count} of {topic}" for topic, count in counts.items())


def _resolved(node: Node, topics: Sequence[str], beside: Sequence[str], count: int) -> list[_Topic]:
    def full(name: str) -> str:
        try:
            return node.resolve_topic_name(name)
        except (rclpy_implementation.RCLError, InvalidTopicNameException) as error:
            raise UsageError(f"'{name}' is no topic: {sentence(error)}") from error

    found = [
        *(_Topic(full(name), count, count) for name in topics),
        *(_Topic(full(name), 1, math.inf) for name in beside),
    ]
    names = [topic.name for topic in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{twice} is given twice; give each topic once")
    return found


class _Listener:
    """The subscriptions, which come and go with the publishers."""

    def __init__(self, node: Node, writer: BagWriter, topics: list[_Topic]) -> None:
        self._node, self._writer, self.topics = node, writer, topics
        self._inbox = Inbox(node)
        self._by_subscription: dict[Subscription, _Topic] = {}

    @property
    def missing(self) -> list[_Topic]:
        """What is waited for."""
        return [topic for topic in self.topics if not topic.is_complete]

    def take(self) -> bool:
        """Write what has come; whether something of it was waited for."""
        was_waited_for = False
        for subscription in self._inbox.wait(LOOK_PERIOD_S):
            topic = self._by_subscription[subscription]
            while topic.count < topic.most:
                taken = self._inbox.take(subscription)
                if taken is None:
                    break
                was_waited_for |= not topic.is_complete
                data, info = taken
                self._writer.write(topic.name, data, time.time_ns(), info["source_timestamp"])
                topic.count += 1
            if topic.count >= topic.most:
                self._forget(topic)
        self._writer.flush()
        return was_waited_for

    def look(self) -> None:
        """Subscribe to what is published by now, so that all its publishers are heard."""
        for topic in self.topics:
            if topic.count >= topic.most:
                continue
            publishers = self._node.get_publishers_info_by_topic(topic.name)
            if not publishers:
                continue
            types = sorted({publisher.topic_type for publisher in publishers})
            if len(types) > 1:
                raise UsageError(f"{topic.name} is published as {' and as '.join(types)}")
            offered = [publisher.qos_profile for publisher in publishers]
            asked = watching(offered, min(max(topic.wanted, 100), DEEPEST))
            if topic.asked == asked:
                continue
            if not topic.type:
                self._begin(topic, types[0], offered)
            self._forget(topic)
            topic.asked = asked
            topic.is_latched = asked.durability == DurabilityPolicy.TRANSIENT_LOCAL
            topic.subscription = self._inbox.subscribe(
                message_class(topic.type), topic.name, asked, raw=True
            )
            self._by_subscription[topic.subscription] = topic

    def reason(self, topic: _Topic) -> str:
        """What is missing of a topic."""
        if not self._node.count_publishers(topic.name):
            return "its publisher is gone" if topic.count else "nobody publishes it"
        if not topic.count:
            return "its publisher has sent nothing yet"
        return "it is latched, give it by --beside" if topic.is_latched else "no more came"

    def others(self) -> list[str]:
        """The topics that somebody publishes."""
        names = [name for name, _ in self._node.get_topic_names_and_types()]
        own = ("/parameter_events", "/rosout")
        return sorted(n for n in names if n not in own and self._node.count_publishers(n))

    def _begin(self, topic: _Topic, type_name: str, offered: list[QoSProfile]) -> None:
        try:
            message_class(type_name)
            described = definition(type_name), type_hash(type_name)
        except (LookupError, BagError) as error:
            package = type_name.partition("/")[0]
            distro = os.environ.get("ROS_DISTRO", "jazzy")
            raise UsageError(
                f"cannot record {topic.name}: its type {type_name} is not installed here; source "
                "the workspace of its publisher (. install/setup.bash), or: "
                f"sudo apt install ros-{distro}-{package.replace('_', '-')}"
            ) from error
        self._writer.add_topic(topic.name, type_name, *described, offered_by(offered))
        topic.type = type_name

    def _forget(self, topic: _Topic) -> None:
        if topic.subscription is not None:
            del self._by_subscription[topic.subscription]
            self._inbox.unsubscribe(topic.subscription)
            topic.subscription = None


def _wait(
    listener: _Listener, patience_s: float, say: Callable[[str], None], progress: Progress
) -> None:
    total = sum(topic.wanted for topic in listener.topics)
    last_s, looked_s, told = time.monotonic(), 0.0, ""
    while listener.missing:
        if (now_s := time.monotonic()) - looked_s >= LOOK_PERIOD_S:
            looked_s = now_s
            listener.look()
        if listener.take():
            last_s = time.monotonic()
            progress(sum(min(topic.count, topic.wanted) for topic in listener.topics), total)
            continue
        silent_s = time.monotonic() - last_s
        if silent_s >= patience_s and listener.missing:
            raise Hang(f"nothing came for {patience_s:g} s of {_told(listener)}{_hint(listener)}")
        if silent_s >= SILENCE_S and (now_told := _told(listener)) != told:
            say(f"waiting for {now_told}")
            told = now_told


def _told(listener: _Listener) -> str:
    return ", ".join(
        f"{topic.name} ({topic.count} of {topic.wanted}: {listener.reason(topic)})"
        for topic in listener.missing
    )


def _hint(listener: _Listener) -> str:
    """Where one may have looked in vain."""
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    if any(topic.subscription is not None for topic in listener.topics):
        return f" on ROS_DOMAIN_ID {domain}"
    others = listener.others()
    if not others:
        return f"; on ROS_DOMAIN_ID {domain} nobody publishes anything"
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return f"; on ROS_DOMAIN_ID {domain} there are {', '.join(others[:_NAMED])}{more}"


def _remove(output: Path) -> None:
    """Remove a bag that was begun and holds nothing, so that the next attempt can have its name."""
    if output.is_dir():
        shutil.rmtree(output, ignore_errors=True)
    else:
        output.unlink(missing_ok=True)
