"""What a node registers, and what it tells about a run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...component import Contract
from ...component.contract import PortContract, service_of
from ...errors import RunError
from ...host.protocol import resolved
from ..request import RunRequest


@dataclass(frozen=True)
class Endpoint:
    """A publisher, subscription, service or client; `depth` 0 keeps all."""

    kind: str
    name: str
    type: str
    type_hash: str
    node: str
    depth: int
    reliability: str
    durability: str

    @classmethod
    def from_json(cls, text: str) -> Endpoint:
        """Read an ENTITY frame; raises ValueError if it is none."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from error


def is_matched(publisher: Endpoint, subscription: Endpoint) -> bool:
    """Whether a subscription gets what a publisher publishes: not if its type is another one, or
    it wants more of its QoS than is offered."""
    return (
        (publisher.kind, subscription.kind) == ("publisher", "subscription")
        and (publisher.name, publisher.type) == (subscription.name, subscription.type)
        and not (publisher.reliability == "best_effort" and subscription.reliability == "reliable")
        and not (
            publisher.durability == "volatile" and subscription.durability == "transient_local"
        )
    )


@dataclass(frozen=True)
class Note:
    """What a node's middleware tells beside its messages.

    `uncontrolled`: what makes the run depend on more than its inputs. `dropped`: messages that a
    queue of the node had no room for. `unread`: inputs that came before anybody subscribed.
    `unserved`: requests to a service that nobody served.
    """

    kind: str
    what: str = ""
    topic: str = ""
    count: int = 0

    @classmethod
    def from_json(cls, text: str) -> Note:
        """Read a NOTE frame; raises ValueError if it is none."""
        try:
            data: dict[str, Any] = json.loads(text)
            return cls(data.pop("note"), **data)
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error

    def sentence(self, name: str) -> str:
        """What is to be said of it, where `name` is the implementation."""
        if self.kind == "dropped":
            return (
                f"{name}: its own queue for {self.topic} overflowed: it never took {self.count} "
                "messages, as it would not on a robot (QoS depth)"
            )
        if self.kind == "unread":
            return f"{name}: {self.count} messages of {self.topic} came before it subscribed"
        if self.kind == "unserved":
            return f"{name}: {_counted(self.count)} to {self.topic}, which nobody served then"
        return f"{name} is not wholly under control: {self.what}"


def differences(
    contract: Contract, endpoints: Collection[Endpoint], silent: frozenset[str]
) -> list[str]:
    """One sentence for each promise of a contract that what a node has registered does not keep.

    Topics that are `silent` need not be there.
    """
    found = []
    known: dict[tuple[str, str], set[str]] = {}
    for one in endpoints:
        known.setdefault((one.kind, one.name), set()).add(one.type)
    for kind, verb, ports in (
        ("subscription", "subscribe to", contract.inputs),
        ("publisher", "publish", contract.outputs),
    ):
        for port in ports:
            if (service := service_of(port)) is not None:
                found += _unserved(service, endpoints) if kind == "subscription" else []
                continue
            topic = resolved(port.topic)
            types = known.get((kind, topic), set())
            if not types and topic not in silent:
                found.append(f"it does not {verb} {topic}{_it_has(kind, endpoints)}")
            found += [f"{topic} is {one}, not {port.type}" for one in sorted(types - {port.type})]
    return found


def _counted(requests: int) -> str:
    return "1 request" if requests == 1 else f"{requests} requests"


def announced(port: PortContract) -> bytes:
    """An input as a TOPIC frame tells it: name, type and how many messages are latched."""
    latched = port.qos.depth if port.qos.durability == "transient_local" else 0
    return f"{resolved(port.topic)}\0{port.type}\0{latched}".encode()


def _unserved(service: tuple[str, str], endpoints: Collection[Endpoint]) -> list[str]:
    name, kind = resolved(service[0]), service[1]
    types = {one.type for one in endpoints if (one.kind, one.name) == ("service", name)}
    if kind in types:
        return []
    return (
        [f"it serves {name} as {', '.join(sorted(types))}, not {kind}"]
        if types
        else [f"it does not serve {name}"]
    )


def not_deterministic(name: str, found: Sequence[str]) -> RunError:
    """That something was not under control."""
    return RunError(
        f"{name} is not deterministic: {'; '.join(found)}; what comes of that may differ from run "
        "to run, so take it out of the node, or accept it with run: {allow_uncontrolled: true}"
    )


def made_later(request: RunRequest, endpoints: Iterable[Endpoint]) -> list[str]:
    """A sentence for each topic that is not in a contract which was read at the start."""
    if not request.is_own_contract:
        return []
    known = {resolved(p.topic) for p in (*request.contract.inputs, *request.contract.outputs)}
    verbs = {"publisher": ("publishes", "kept"), "subscription": ("subscribes to", "given")}
    later = {
        f"{request.name} {verbs[one.kind][0]} {one.name} only later than at its start, so nothing "
        f"of it was {verbs[one.kind][1]}; tell it in a contract: of a verify.yaml"
        for one in endpoints
        if one.kind in verbs and one.name not in known and one.name not in OF_EVERY_NODE
    }
    return sorted(later)


OF_EVERY_NODE = ("/rosout", "/parameter_events", "/clock")
"""Topics that belong to no contract."""


def _it_has(kind: str, endpoints: Collection[Endpoint]) -> str:
    names = {one.name for one in endpoints if one.kind == kind} - set(OF_EVERY_NODE)
    return f" (but {', '.join(sorted(names))})" if names else ""
