"""Which messages of a bag go to which input port, on what time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..bag import Bag
from ..component import Contract
from ..component.contract import PortContract, service_of
from ..component.service import REQUESTS
from ..errors import UsageError
from ..host.protocol import resolved
from ..message.services import base
from .model import Inputs
from .timeline import Timeline

CLOCK_TOPIC = "/clock"


def is_events(type_name: str) -> bool:
    """Whether it is the type of the events of a service."""
    return bool(base(type_name)) and type_name.endswith("_Event")


@dataclass(frozen=True)
class Arrived:
    """What an external player sent: messages by topic, of which none is missing after the first.

    `before` is how many of a topic its publishers had sent before they had met the recorder.
    """

    domain: str
    bag: Path
    counts: Mapping[str, int]
    before: Mapping[str, int]
    lost_ticks: int = 0
    """Messages of /clock that were lost on the way: it is offered as best effort by most."""

    def sentence(self) -> str:
        """What the verdict rests on."""
        given = ", ".join(f"{count} on {topic}" for topic, count in self.counts.items())
        text = (
            f"inputs: as an external player's messages arrived on ROS_DOMAIN_ID {self.domain}: "
            f"{given}, none lost between the first and the last"
        )
        if self.before:
            earlier = ", ".join(f"{count} on {topic}" for topic, count in self.before.items())
            text += f"; sent before anybody listened, and not judged: {earlier}"
        if self.lost_ticks:
            text += f"; {self.lost_ticks} messages of {CLOCK_TOPIC} were lost"
        return text


@dataclass(frozen=True)
class RunInputs:
    """An open bag, and of its topics those that go to an input: topic of the bag → topic of the
    input port.

    Times are in seconds from the bag's start; `clock` is as in Timeline. `arrived` tells of a bag
    that holds what an external player sent.
    """

    bag: Bag
    topics: Mapping[str, str]
    clock: str = "auto"
    start_s: float = 0.0
    duration_s: float = math.inf
    arrived: Arrived | None = None

    def timeline(self) -> Timeline:
        """What happens when."""
        return Timeline(self.bag, list(self.topics), self.clock, self.start_s, self.duration_s)

    def steps(self) -> int:
        """How many steps a run of them has; reads the whole bag."""
        return sum(len(steps.time_ns) for steps in self.timeline().steps())

    def ports(self, contract: Contract) -> dict[str, int]:
        """Topic of the bag → index of the input port."""
        index = {resolved(port.topic): number for number, port in enumerate(contract.inputs)}
        return {name: index[target] for name, target in self.topics.items()}


def run_inputs(declared: Inputs, bag: Bag, contract: Contract) -> RunInputs:
    """The inputs that a verify.yaml declares, in its bag; raises UsageError if they do not fit the
    contract."""
    topics: dict[str, str] = {}
    for name, port in ports_of(declared, contract).items():
        found = bag.topic(name).type
        asks = name in declared.services.values()
        if (found.replace("_Event", "_Request") if asks else found) != port.type:
            raise UsageError(
                f"topic {name} of {declared.bag} is {found}, but input '{port.name}' takes "
                f"{port.type}{f'; add {_where(port)}' if is_events(found) else ''}"
            )
        topics[name] = resolved(port.topic)
    return RunInputs(
        bag,
        topics,
        declared.clock,
        declared.start,
        math.inf if declared.duration is None else declared.duration,
    )


def ports_of(declared: Inputs, contract: Contract) -> dict[str, PortContract]:
    """Topic of the bag, or of the player → the input port that it goes to; raises UsageError if
    they are not those of the contract."""
    ports = {port.name: port for port in contract.inputs}
    by_topic = {resolved(port.topic): port for port in contract.inputs}
    topics: dict[str, PortContract] = {}
    for port_name, names in declared.topics.items():
        port = ports.get(port_name)
        if port is None:
            raise UsageError(
                f"the contract has no input '{port_name}'; it has {', '.join(ports) or 'none'}"
            )
        for name in [names] if isinstance(names, str) else names:
            if name in topics:
                raise UsageError(f"topic {name} is given to two inputs")
            topics[name] = port
    for service, name in declared.services.items():
        if name in topics:
            raise UsageError(f"topic {name} is given to two inputs")
        topics[name] = by_topic[f"{resolved(service)}{REQUESTS}"]
    unknown = set(declared.silent) - ports.keys()
    if unknown:
        raise UsageError(f"inputs.silent: the contract has no input '{min(unknown)}'")
    served = {port.name for port in topics.values()}
    unfed = ports.keys() - served - set(declared.silent)
    if unfed:
        name = min(unfed)
        raise UsageError(
            f"input '{name}' gets no topic; add {_where(ports[name])}, or leave it out "
            f"with inputs: {{silent: [{name}]}}"
        )
    return topics


def _where(port: PortContract) -> str:
    """Where a verify.yaml says what an input gets."""
    service = service_of(port)
    return (
        "it under inputs.topics"
        if service is None
        else (f"the events of its service as inputs: {{services: {{{service[0]}: TOPIC}}}}")
    )
