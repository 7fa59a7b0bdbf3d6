"""In what a node, as it has registered itself, is not what is promised.

Its ports have no names of their own, so they are held against each other by topic. How deep a queue
is, bounds of parameters and timers are the node's own matter: it does not tell all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ...component import Contract
from ...component.contract import ParameterContract, PortContract, service_of
from ...host.protocol import resolved

_KINDS = (("inputs", "subscribe to"), ("outputs", "publish"))


def contradictions(promised: Contract, registered: Contract, given: Collection[str]) -> list[str]:
    """What a node registers at its start against what is promised, a sentence each.

    A topic that is not there may still come, and a node may do more than is promised. Defaults of
    parameters that are `given` are not known.
    """
    return [
        *_of_topics(promised, registered),
        *_of_parameters(promised, registered, given),
    ]


def differences_by_topic(ours: Contract, theirs: Contract) -> list[str]:
    """All in which two contracts differ of which one at least is a node's, a sentence each."""
    return [
        *_topics_of_one(ours, theirs),
        *_of_topics(ours, theirs),
        *_of_parameters(ours, theirs, ()),
        *(
            f"it has a parameter '{name}', which the other has not"
            for name in _names(theirs) - _names(ours)
        ),
    ]


def as_promised(registered: Contract, promised: Contract, remap: Mapping[str, str]) -> Contract:
    """A node's contract with the topics of another one for its own, as remapped by port."""
    ports = (*promised.inputs, *promised.outputs)
    own = {resolved(remap[port.name]): resolved(port.topic) for port in ports if port.name in remap}

    def moved(ports: tuple[PortContract, ...]) -> tuple[PortContract, ...]:
        return tuple(
            replace(port, topic=own.get(resolved(port.topic), port.topic)) for port in ports
        )

    return replace(registered, inputs=moved(registered.inputs), outputs=moved(registered.outputs))


def _by_topic(contract: Contract, kind: str) -> dict[str, PortContract]:
    return {resolved(port.topic): port for port in getattr(contract, kind)}


def _topics_of_one(ours: Contract, theirs: Contract) -> Iterator[str]:
    for kind, verb in _KINDS:
        mine, other = _by_topic(ours, kind), _by_topic(theirs, kind)
        for topic, port in mine.items():
            if topic not in other and (done := _done(port, verb, kind)):
                yield f"it does not {done}"
        for topic, port in other.items():
            if topic not in mine and (done := _done(port, verb, kind)):
                yield f"it does {done}, which the other does not"


def _done(port: PortContract, verb: str, kind: str) -> str:
    """What is done with a topic, or that a service is served, which is told by its requests."""
    if (service := service_of(port)) is None:
        return f"{verb} {resolved(port.topic)}"
    return f"serve {resolved(service[0])}" if kind == "inputs" else ""


def _of_topics(ours: Contract, theirs: Contract) -> Iterator[str]:
    for kind, _ in _KINDS:
        mine, other = _by_topic(ours, kind), _by_topic(theirs, kind)
        for topic in mine:
            if topic in other:
                yield from _of_port(topic, mine[topic], other[topic])


def _of_port(topic: str, mine: PortContract, other: PortContract) -> Iterator[str]:
    if mine.type != other.type:
        yield f"{topic} is {other.type}, not {mine.type}"
    elif None not in (mine.type_hash, other.type_hash) and mine.type_hash != other.type_hash:
        yield f"{topic} is {mine.type}, but the message is defined differently in the two builds"
    for policy in ("reliability", "durability"):
        wanted, found = getattr(mine.qos, policy), getattr(other.qos, policy)
        if wanted != found:
            yield f"{topic} has {policy} {found}, not {wanted}"


def _names(contract: Contract) -> set[str]:
    return {one.name for one in contract.parameters}


def _of_parameters(ours: Contract, theirs: Contract, given: Collection[str]) -> Iterator[str]:
    other = {one.name: one for one in theirs.parameters}
    for mine in ours.parameters:
        if mine.name not in other:
            yield f"it has no parameter '{mine.name}'"
            continue
        yield from _of_parameter(mine, other[mine.name], mine.name in given)


def _of_parameter(
    mine: ParameterContract, other: ParameterContract, is_given: bool
) -> Iterator[str]:
    if mine.type != other.type:
        yield f"parameter '{mine.name}' is of type {other.type}, not {mine.type}"
    elif repr(mine.default) != repr(other.default) and not is_given:  # NaN is NaN
        yield f"parameter '{mine.name}' is {other.default!r} by default, not {mine.default!r}"
