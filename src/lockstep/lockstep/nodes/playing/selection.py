"""Which topics of the bags are played, and under which names: by the rules of `ros2 bag play`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...bag import Bag, BagError, Topic
from ...bag.clock import CLOCK_TYPE
from ...errors import UsageError

EVENTS_OF_SERVICE = "/_service_event"


@dataclass(frozen=True)
class Selection:
    """What is asked for; nothing: all topics but /clock, which is the player's own.

    `topics` are NAME or NAME:=TARGET, `remap` OLD:=NEW, patterns are of whole names, types are
    those of the topics.
    """

    topics: Sequence[str] = ()
    exclude_topics: Sequence[str] = ()
    services: Sequence[str] = ()
    exclude_services: Sequence[str] = ()
    regex: str = ""
    exclude_regex: str = ""
    types: Sequence[str] = ()
    exclude_types: Sequence[str] = ()
    remap: Sequence[str] = ()


@dataclass(frozen=True)
class Chosen:
    """Topic → the name it is played under; `named` are those that were asked for by name, and
    `remarks` tell what had no effect."""

    targets: dict[str, str]
    named: frozenset[str] = frozenset()
    remarks: list[str] = field(default_factory=list)


def choose(bags: Sequence[Bag], selection: Selection) -> Chosen:
    """Raises BagError for a name that no bag has, UsageError for a pattern that is none, and where
    nothing is left to play."""
    topics = _topics(bags)
    renamed = dict(map(_pair, selection.remap))
    named: dict[str, str] = {}
    for argument in selection.topics:
        name, _, target = argument.partition(":=")
        named[name] = target or name
    named |= {name: name for name in map(_events_of, selection.services)}
    for name in named:
        if name not in topics:
            _refuse(name, topics, bags)
    excluded = {*selection.exclude_topics, *map(_events_of, selection.exclude_services)}
    included, left_out = _pattern(selection.regex), _pattern(selection.exclude_regex)
    by_rule = bool(selection.regex or selection.types)
    targets: dict[str, str] = {}
    for name, topic in topics.items():
        if name in excluded or left_out(name) or topic.type in selection.exclude_types:
            continue
        if name in named:
            targets[name] = renamed.get(name, named[name])
            continue
        fits = included(name) or topic.type in selection.types
        if fits if by_rule else not named and topic.type != CLOCK_TYPE:
            targets[name] = renamed.get(name, name)
    if not targets and topics:
        raise UsageError(
            f"no topic is left to play; {_named(bags)} has {', '.join(sorted(topics))}"
        )
    return Chosen(targets, frozenset(named), _remarks(topics, excluded, renamed, selection, bags))


def _topics(bags: Sequence[Bag]) -> dict[str, Topic]:
    topics: dict[str, Topic] = {}
    for bag in bags:
        for name, topic in bag.topics.items():
            known = topics.setdefault(name, topic)
            if known.type != topic.type:
                raise UsageError(
                    f"{name} is {known.type} in one bag and {topic.type} in {bag.path}; "
                    "leave it out of one with 'lockstep convert'"
                )
    return topics


def _remarks(
    topics: Mapping[str, Topic],
    excluded: Iterable[str],
    renamed: Iterable[str],
    selection: Selection,
    bags: Sequence[Bag],
) -> list[str]:
    types = {topic.type for topic in topics.values()}
    unknown = [
        *((f"to exclude {name}", name in topics) for name in sorted(excluded)),
        *((f"to remap {name}", name in topics) for name in renamed),
        *((f"to exclude {name}", name in types) for name in selection.exclude_types),
        *((f"to play {name}", name in types) for name in selection.types),
    ]
    return [f"{_named(bags)} has nothing {what}" for what, there in unknown if not there]


def _refuse(name: str, topics: Mapping[str, Topic], bags: Sequence[Bag]) -> None:
    there = ", ".join(sorted(topics)) or "no topics"
    raise BagError(f"{_named(bags)} has no topic {name}; it has {there}")


def _named(bags: Sequence[Bag]) -> str:
    return " and ".join(str(bag.path) for bag in bags)


def _events_of(service: str) -> str:
    return service.removesuffix(EVENTS_OF_SERVICE) + EVENTS_OF_SERVICE


def _pair(rule: str) -> tuple[str, str]:
    old, sign, new = rule.partition(":=")
    if not sign or not old or not new:
        raise UsageError(f"'{rule}' is no rule to remap; give OLD:=NEW")
    return old, new


def _pattern(text: str) -> Callable[[str], bool]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(f"'{text}' is no regular expression: {error}") from error
    return lambda name: bool(text) and pattern.fullmatch(name) is not None
