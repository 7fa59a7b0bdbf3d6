"""The ports of nodes that tell only which topics they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from ...component.contract import PortContract
from ...component.qos import QoS
from ...errors import UsageError
from ...host.protocol import resolved
from .endpoints import OF_EVERY_NODE, Endpoint

_KEEPS_ALL_DEPTH = 1000


def ports(
    registered: Collection[Endpoint],
    kind: str,
    in_source: Mapping[str, str] = MappingProxyType({}),
    *,
    are_inner: bool = True,
) -> Iterator[PortContract]:
    """The ports of a kind; raises UsageError for topics that cannot be told apart.

    Their topics are as they stand `in_source`, by those that they are, where that is known.
    Of a system, a topic that is published and subscribed to is inner, and an output only.
    """
    endpoints = [one for one in registered if one.name not in OF_EVERY_NODE]
    heard = {one.name for one in endpoints if one.kind == "subscription"}
    said = {one.name for one in endpoints if one.kind == "publisher"}
    names = port_names(sorted(heard | said))
    known: set[str] = set()
    if not are_inner and kind == "subscription":
        known |= said
    for one in endpoints:
        if one.kind != kind or one.name in known:
            continue
        known.add(one.name)
        is_heard_too = are_inner and kind == "publisher" and one.name in heard
        name = f"{names[one.name]}_out" if is_heard_too else names[one.name]
        written = in_source.get(one.name, one.name)
        topic = written if resolved(written) == one.name else one.name
        yield PortContract(name, topic, one.type, one.type_hash, _qos(one))


def port_names(topics: Collection[str]) -> dict[str, str]:
    """What the ports of topics are called: as the topic, with _ for /, and with __ where two were
    the same; raises UsageError if they still are."""
    plain = {topic: topic.strip("/").replace("/", "_") for topic in topics}
    count = Counter(plain.values())
    names = {
        topic: name if count[name] == 1 else topic.strip("/").replace("/", "__")
        for topic, name in plain.items()
    }
    first: dict[str, str] = {}
    for topic, name in names.items():
        if first.setdefault(name, topic) != topic:
            raise UsageError(
                f"the ports of topics {first[name]} and {topic} would both be called '{name}'; "
                "remap one of them in the node's command (--ros-args -r)"
            )
    return names


def _qos(endpoint: Endpoint) -> QoS:
    return QoS(
        reliability="best_effort" if endpoint.reliability == "best_effort" else "reliable",
        durability="transient_local" if endpoint.durability == "transient_local" else "volatile",
        depth=endpoint.depth or _KEEPS_ALL_DEPTH,
    )
