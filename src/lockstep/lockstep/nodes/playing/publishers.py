"""The publishers of a player, one for each name that is played to."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from ...bag import Bag, Topic
from ...bag.metadata import OfferedQoS
from ...errors import UsageError
from ...message.rosidl import message_class
from ...run.timeline import offered
from ..qos import lossless
from .offers import recorded_profile
from .requests import ServiceRequests, is_events, service_class
from .selection import Chosen

Target = Publisher | ServiceRequests
_LOOKED_AT = 200
"""So many topics are asked for their subscribers at once, in turn."""


@dataclass(frozen=True)
class Offering:
    """How topics are offered; `requests` is whose service events are asked again as requests."""

    in_lockstep: bool
    overrides: Mapping[str, OfferedQoS]
    strict: bool = False
    requests: str | None = None


class Publishers:
    """Topic of the bags → what it is published by."""

    def __init__(
        self,
        node: Node,
        bags: Sequence[Bag],
        chosen: Chosen,
        offering: Offering,
        say: Callable[[str], None],
    ) -> None:
        """Topics with one target share a publisher, because DDS orders no two writers.

        What cannot be played is told, and refused if it was asked for by name or `strict`.
        """
        self._node = node
        self._offering = offering
        self._say = say
        self._types: dict[str, str] = {}
        self._by_target: dict[str, Target] = {}
        self._looked_at = 0
        self._told: set[str] = set()
        self.by_topic: dict[str, Target] = {}
        refusals = []
        for name, target in chosen.targets.items():
            topic = _described(bags, name)
            if refusal := self._refusal(topic, bags):
                if offering.strict or name in chosen.named:
                    raise UsageError(refusal)
                refusals.append((name, refusal))
                continue
            self.by_topic[name] = self._offered(topic, target)
        if refusals and not self.by_topic:
            raise UsageError(refusals[0][1])
        for name, refusal in refusals:
            say(f"note: {name} is not played: {refusal}")

    def __iter__(self) -> Any:
        return iter(self._by_target.values())

    def without_subscriber(self) -> str | None:
        """A name that nobody listens to, with its type; None if there is none."""
        for name, target in self._by_target.items():
            if target.get_subscription_count() == 0:
                return f"{target.topic_name} ({self._types[name]})"
        return None

    def subscriptions(self) -> int:
        """How many subscriptions have met their publisher."""
        return sum(target.get_subscription_count() for target in self)

    def tell_incompatible(self, *, of_all: bool = False) -> None:
        """Name the nodes that get nothing because they ask for more than is offered; of thousands
        of topics, some are looked at each time.

        Not by events: each publisher's would be waited for with all others whenever a service is
        served.
        """
        names = [*self._by_target]
        if not of_all and len(names) > _LOOKED_AT:
            names = (names + names)[self._looked_at : self._looked_at + _LOOKED_AT]
            self._looked_at = (self._looked_at + _LOOKED_AT) % len(self._by_target)
        for name in names:
            publisher = self._by_target[name]
            if not isinstance(publisher, Publisher):
                continue
            there = self._node.count_subscribers(publisher.topic_name)
            if there <= publisher.get_subscription_count():
                continue
            for info in self._node.get_subscriptions_info_by_topic(publisher.topic_name):
                found, reason = qos_check_compatible(publisher.qos_profile, info.qos_profile)
                who = f"{info.node_namespace.rstrip('/')}/{info.node_name} gets nothing of {name}"
                if found == QoSCompatibility.ERROR and who not in self._told:
                    self._told.add(who)
                    why = " ".join(reason.replace("ERROR: ", "").split()).rstrip("; .")
                    self._say(
                        f"note: {who}, because it asks for another QoS ({why}); change that, or "
                        "what is offered by --qos-profile-overrides-path"
                    )

    def _offered(self, topic: Topic, target: str) -> Target:
        if target not in self._by_target:
            self._types[target] = topic.type
            self._by_target[target] = self._made(topic, target)
        elif self._types[target] != topic.type:
            raise UsageError(f"{target} cannot be both {self._types[target]} and {topic.type}")
        return self._by_target[target]

    def _made(self, topic: Topic, target: str) -> Target:
        if is_events(topic.name, topic.type):
            if source := self._offering.requests:
                return ServiceRequests(self._node, target, topic.type, source, self._say)
            message_type = service_class(topic.type).Event
        else:
            message_type = message_class(topic.type)
        return self._node.create_publisher(
            message_type,
            target,
            self._qos(topic),
            event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
        )

    def _qos(self, topic: Topic) -> QoSProfile:
        if topic.name in self._offering.overrides:
            return recorded_profile(self._offering.overrides[topic.name])
        qos = offered(topic)
        if self._offering.in_lockstep:  # lifespan and deadline count wall time, which is not ours
            return lossless(qos.durability)
        return recorded_profile(qos, keep_all=qos.reliability == "reliable")

    def _refusal(self, topic: Topic, bags: Sequence[Bag]) -> str | None:
        """Why a topic cannot be played, and what helps; None if it can."""
        if topic.clash:
            return topic.clash
        if topic.message_encoding != "cdr":
            return (
                f"it holds messages in '{topic.message_encoding}', and ROS 2 sends CDR; "
                "leave it out with --exclude-topics"
            )
        try:
            if is_events(topic.name, topic.type):
                service_class(topic.type)
            else:
                message_class(topic.type)
        except LookupError as error:
            (holder, *_) = (bag for bag in bags if topic.name in bag.topics)
            return (
                f"{error}, or write it from the bag: lockstep types "
                f"{shlex.quote(str(holder.path))} -o src"
            )
        return None


def _described(bags: Sequence[Bag], name: str) -> Topic:
    """A topic with the QoS that it had in all bags."""
    (topic, *others) = (bag.topics[name] for bag in bags if name in bag.topics)
    if not others:
        return topic
    return replace(topic, qos=tuple(qos for one in (topic, *others) for qos in one.qos))
