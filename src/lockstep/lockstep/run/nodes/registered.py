"""The contract of an ordinary node: what it has registered when it has started, and its parameters,
which its own services tell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack

from ...component import Contract
from ...component.contract import PortContract, TimerContract
from ...component.qos import QoS
from ...errors import UsageError
from ...host.protocol import resolved
from ...temporary_folder import TemporaryFolder
from ..model import Implementation
from ..processes import Processes
from .endpoints import OF_EVERY_NODE, Endpoint
from .node_process import NodeProcess
from .parameters import parameters
from .started import Start, begun

NOTHING = Contract("", (), (), (), ())
"""What is promised by whoever is asked for it."""
_START_NS = 1_000_000_000_000_000_000
_TIMEOUT_S = 30.0
_KEEPS_ALL_DEPTH = 1000


def registered_contract(name: str, implementation: Implementation) -> Contract:
    """The contract of one node; see `registered_contracts`."""
    return registered_contracts({name: implementation})[name]


def registered_contracts(implementations: Mapping[str, Implementation]) -> dict[str, Contract]:
    """Start nodes, by name, all at once without inputs, and ask what they are.

    Their ports are called as their own topics are, with _ for /. Only a class of nodes
    (`node: MODULE:CLASS`) tells its timers, and topics as they stand in its source. Raises RunError
    for one that does not start, UsageError for one that cannot be.
    """
    if not implementations:
        return {}
    with TemporaryFolder("lockstep-contract-") as folder, ExitStack() as stack:
        processes = stack.enter_context(Processes(os.environ))
        connecting = {}
        for number, (name, one) in enumerate(implementations.items()):
            place = folder.path / str(number)
            place.mkdir()
            plain = one.model_copy(update={"remap": {}})
            start = Start(name, plain, NOTHING, one.parameters, place, _TIMEOUT_S)
            node = begun(start, processes, _START_NS, keeps_log=False)
            connecting[name] = stack.enter_context(node)
        return {
            name: _told(_called(name, implementations[name]), connected())
            for name, connected in connecting.items()
        }


def _told(name: str, process: NodeProcess) -> Contract:
    process.settle()
    if process.ended_by_itself:
        process.close()  # which tells what went wrong, if something did
    contract = Contract(
        component=name,
        inputs=tuple(_ports(process, "subscription")),
        outputs=tuple(_ports(process, "publisher")),
        parameters=tuple(parameters(process)),
        timers=tuple(TimerContract(*timer) for timer in process.declared().timers.items()),
    )
    for _ in process.end():
        pass
    return contract


def _called(name: str, implementation: Implementation) -> str:
    """What the contract is of: the class, or the executable, or what the command is called."""
    if implementation.node is not None:
        return implementation.node.rpartition(":")[2]
    if implementation.executable is not None:
        return implementation.executable.rpartition("/")[2]
    return name


def _ports(process: NodeProcess, kind: str) -> Iterator[PortContract]:
    """The ports of a kind; raises UsageError for topics that cannot be told apart."""
    endpoints = [one for one in process.endpoints.values() if one.name not in OF_EVERY_NODE]
    heard = {one.name for one in endpoints if one.kind == "subscription"}
    said = {one.name for one in endpoints if one.kind == "publisher"}
    names = port_names(sorted(heard | said))
    known: set[str] = set()
    for one in endpoints:
        if one.kind != kind or one.name in known:
            continue
        known.add(one.name)
        is_heard_too = kind == "publisher" and one.name in heard
        name = f"{names[one.name]}_out" if is_heard_too else names[one.name]
        in_source = process.declared().topics.get(one.name, one.name)
        topic = in_source if resolved(in_source) == one.name else one.name
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
    for topic, name in names.items():
        others = [other for other in topics if other != topic and names[other] == name]
        if others:
            raise UsageError(
                f"the ports of topics {topic} and {others[0]} would both be called '{name}'; remap "
                "one of them in the node's command (--ros-args -r)"
            )
    return names


def _qos(endpoint: Endpoint) -> QoS:
    return QoS(
        reliability="best_effort" if endpoint.reliability == "best_effort" else "reliable",
        durability="transient_local" if endpoint.durability == "transient_local" else "volatile",
        depth=endpoint.depth or _KEEPS_ALL_DEPTH,
    )
