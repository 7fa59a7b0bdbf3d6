"""Which topics of the graph are recorded: by the rules of `ros2 bag record`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ...errors import UsageError
from ...host.protocol import LOCKSTEP

_EVENTS = "/_service_event"
_ACTION = "/_action/"
_ACTION_TOPICS = ("feedback", "status")


@dataclass(frozen=True)
class Choice:
    """What is asked for. Services and actions are by their own names, patterns are searched for in
    the names of topics, services and actions."""

    topics: Collection[str] = ()
    services: Collection[str] = ()
    actions: Collection[str] = ()
    types: Collection[str] = ()
    all_topics: bool = False
    all_services: bool = False
    all_actions: bool = False
    regex: str = ""
    exclude_regex: str = ""
    exclude_topics: Collection[str] = ()
    exclude_services: Collection[str] = ()
    exclude_actions: Collection[str] = ()
    exclude_types: Collection[str] = ()
    include_hidden: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a pattern that is none."""
        for pattern in (self.regex, self.exclude_regex):
            _search(pattern)

    def takes(self, topic: str, type_name: str) -> bool:
        """Whether messages of a topic are to be recorded; what this suite says to itself is only if
        it is named."""
        if topic in self.topics:
            return not self._excludes(topic)
        if topic.startswith(LOCKSTEP) or self._excludes(topic):
            return False
        if action := _action_of(topic):
            return self._takes_one(action, self.all_actions, self.actions, self.exclude_actions)
        if topic.endswith(_EVENTS):
            return self._takes_one(
                topic.removesuffix(_EVENTS),
                self.all_services,
                self.services,
                self.exclude_services,
            )
        if type_name in self.exclude_types or (_is_hidden(topic) and not self.include_hidden):
            return False
        return self._takes_one(topic, self.all_topics, (), ()) or type_name in self.types

    def _takes_one(
        self, name: str, all_: bool, named: Collection[str], excluded: Collection[str]
    ) -> bool:
        if name in excluded or _search(self.exclude_regex)(name):
            return False
        return all_ or name in named or _search(self.regex)(name)

    def _excludes(self, topic: str) -> bool:
        return topic in self.exclude_topics or _search(self.exclude_regex)(topic)


def _action_of(topic: str) -> str:
    name, found, rest = topic.partition(_ACTION)
    return name if found and (rest in _ACTION_TOPICS or rest.endswith(_EVENTS)) else ""


def _is_hidden(topic: str) -> bool:
    return any(token.startswith("_") for token in topic.split("/"))


def _search(pattern: str) -> Callable[[str], bool]:
    try:
        compiled = re.compile(pattern)  # which caches
    except re.error as error:
        raise UsageError(f"'{pattern}' is no regular expression: {error}") from error
    return lambda name: bool(pattern) and compiled.search(name) is not None
