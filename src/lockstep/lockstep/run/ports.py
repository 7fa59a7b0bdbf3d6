"""Which topic of a bag goes to which port, and what topics are called in the root namespace."""

from __future__ import annotations

from ..bag import Bag
from ..component import Contract
from ..errors import UsageError
from ..host.protocol import resolved
from .model import Inputs


def bag_topics(inputs: Inputs, contract: Contract) -> dict[str, str]:
    """Topic of the bag → topic of the input port. Raises UsageError if bag and contract do not fit."""
    bag = Bag(inputs.bag)
    ports = {port.name: port for port in contract.inputs}
    topics: dict[str, str] = {}
    for port_name, names in inputs.topics.items():
        port = ports.get(port_name)
        if port is None:
            raise UsageError(
                f"the contract has no input '{port_name}'; it has {', '.join(ports) or 'none'}"
            )
        for name in [names] if isinstance(names, str) else names:
            topic = bag.topic(name)
            if topic.type != port.type:
                raise UsageError(
                    f"topic {name} of {inputs.bag} is {topic.type}, but input '{port_name}' takes {port.type}"
                )
            if name in topics:
                raise UsageError(f"topic {name} is given to two inputs")
            topics[name] = resolved(port.topic)
    unknown = set(inputs.silent) - ports.keys()
    if unknown:
        raise UsageError(f"inputs.silent: the contract has no input '{min(unknown)}'")
    unfed = ports.keys() - inputs.topics.keys()
    if unfed:
        raise UsageError(
            f"input '{min(unfed)}' gets no topic of the bag; add it under inputs.topics"
        )
    return topics
