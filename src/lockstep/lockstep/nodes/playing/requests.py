"""Recorded service events (REP-2012) as requests: what a client asked is asked again."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from service_msgs.msg import ServiceEventInfo

from .selection import EVENTS_OF_SERVICE

SOURCES = {
    "service_introspection": ServiceEventInfo.REQUEST_RECEIVED,
    "client_introspection": ServiceEventInfo.REQUEST_SENT,
}
"""Of whom the events are that count: either side may have recorded each request."""
_EVENT = "_Event"
_NAP_S = 0.01


def is_events(topic: str, type_name: str) -> bool:
    """Whether a topic holds the events of a service."""
    return topic.endswith(EVENTS_OF_SERVICE) and "/srv/" in type_name and type_name.endswith(_EVENT)


def service_class(event_type: str) -> Any:
    """The class of the service whose events these are; raises LookupError if it is not
    installed."""
    package, _, name = event_type.removesuffix(_EVENT).partition("/srv/")
    try:
        return getattr(importlib.import_module(f"{package}.srv"), name)
    except (ImportError, AttributeError) as error:
        raise LookupError(
            f"service type {package}/srv/{name} is not installed; build or source the package "
            f"'{package}'"
        ) from error


class ServiceRequests:
    """Takes the place of the publisher of a topic of events; asks the service instead."""

    def __init__(
        self,
        node: Node,
        events_topic: str,
        event_type: str,
        source: str,
        say: Callable[[str], None],
    ) -> None:
        self.topic_name = events_topic.removesuffix(EVENTS_OF_SERVICE)
        self._class = service_class(event_type)
        self._client = node.create_client(self._class, self.topic_name)
        self._kind = SOURCES[source]
        self._say = say
        self._told: set[str] = set()
        self._asked: list[Any] = []

    def publish(self, msg: bytes) -> None:
        """Ask, if the event is a request and its content was recorded."""
        event: Any = deserialize_message(msg, self._class.Event)
        if event.info.event_type != self._kind:
            return
        if not event.request:
            self._tell("the requests of {} were recorded without their content")
        elif not self._client.service_is_ready():
            self._tell("there is no service {}; its requests are left out")
        else:
            self._asked = [future for future in self._asked if not future.done()]
            self._asked.append(self._client.call_async(event.request[0]))

    def get_subscription_count(self) -> int:
        """As that of a publisher: whether somebody is there."""
        return int(self._client.service_is_ready())

    def wait_for_all_acked(self, timeout: Duration) -> bool:
        """As that of a publisher: whether all requests have been answered; waits a moment."""
        self._asked = [future for future in self._asked if not future.done()]
        if self._asked:
            time.sleep(_NAP_S)
        return not self._asked

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._say(f"note: {sentence.format(self.topic_name)}")
