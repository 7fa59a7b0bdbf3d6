"""Which messages of a bag go to which input port, on what time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..bag import Bag
from ..component import Contract
from ..errors import UsageError
from ..host.protocol import resolved
from .model import Inputs
from .timeline import Timeline


@dataclass(frozen=True)
class RunInputs:
    """An open bag, and of its topics those that go to an input: topic of the bag → topic of the
    input port.

    Times are in seconds from the bag's start; `clock` is as in Timeline.
    """

    bag: Bag
    topics: Mapping[str, str]
    clock: str = "auto"
    start_s: float = 0.0
    duration_s: float = math.inf

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
    return RunInputs(
        bag,
        _topics(declared, bag, contract),
        declared.clock,
        declared.start,
        math.inf if declared.duration is None else declared.duration,
    )


def _topics(declared: Inputs, bag: Bag, contract: Contract) -> dict[str, str]:
    ports = {port.name: port for port in contract.inputs}
    topics: dict[str, str] = {}
    for port_name, names in declared.topics.items():
        port = ports.get(port_name)
        if port is None:
            raise UsageError(
                f"the contract has no input '{port_name}'; it has {', '.join(ports) or 'none'}"
            )
        for name in [names] if isinstance(names, str) else names:
            topic = bag.topic(name)
            if topic.type != port.type:
                raise UsageError(
                    f"topic {name} of {declared.bag} is {topic.type}, "
                    f"but input '{port_name}' takes {port.type}"
                )
            if name in topics:
                raise UsageError(f"topic {name} is given to two inputs")
            topics[name] = resolved(port.topic)
    unknown = set(declared.silent) - ports.keys()
    if unknown:
        raise UsageError(f"inputs.silent: the contract has no input '{min(unknown)}'")
    unfed = ports.keys() - declared.topics.keys() - set(declared.silent)
    if unfed:
        name = min(unfed)
        raise UsageError(
            f"input '{name}' gets no topic of the bag; add it under inputs.topics, or leave it out "
            f"with inputs: {{silent: [{name}]}}"
        )
    return topics
