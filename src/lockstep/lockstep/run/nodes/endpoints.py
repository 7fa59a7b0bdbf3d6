"""What a node registers, and what it tells about a run."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ...component import Contract
from ...host.protocol import resolved


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


@dataclass(frozen=True)
class Note:
    """What a node's middleware tells beside its messages.

    `uncontrolled`: what makes the run depend on more than its inputs. `dropped`: messages that a
    queue of the node had no room for. `unread`: inputs that came before anybody subscribed. What is
    known without it, `addresses`: that its memory lies somewhere else in each run.
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
        if self.kind == "addresses":
            return (
                f"{name}: this system does not let its memory lie at fixed addresses (in a "
                "container of Docker, --security-opt seccomp=unconfined does), so what depends on "
                "them may differ from run to run"
            )
        return f"{name} is not wholly under control: {self.what}"


def differences(
    contract: Contract, endpoints: Collection[Endpoint], silent: frozenset[str]
) -> list[str]:
    """One sentence for each promise of a contract that what a node has registered does not keep.

    Topics that are `silent` need not be there.
    """
    found = []
    for kind, verb, ports in (
        ("subscription", "subscribe to", contract.inputs),
        ("publisher", "publish", contract.outputs),
    ):
        for port in ports:
            topic = resolved(port.topic)
            types = {one.type for one in endpoints if one.kind == kind and one.name == topic}
            if not types and topic not in silent:
                found.append(f"it does not {verb} {topic}{_it_has(kind, endpoints)}")
            found += [f"{topic} is {one}, not {port.type}" for one in sorted(types - {port.type})]
    return found


OF_EVERY_NODE = ("/rosout", "/parameter_events", "/clock")
"""Topics that belong to no contract."""


def _it_has(kind: str, endpoints: Collection[Endpoint]) -> str:
    names = {one.name for one in endpoints if one.kind == kind} - set(OF_EVERY_NODE)
    return f" (but {', '.join(sorted(names))})" if names else ""
