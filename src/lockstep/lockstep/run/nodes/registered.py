"""The contract of an ordinary node: what it has registered when it has started, and its parameters,
which its own services tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress

from ...component import Contract
from ...component.contract import ParameterContract, TimerContract
from ...errors import BagError
from ...temporary_folder import TemporaryFolder
from ..model import Implementation
from ..processes import Processes
from ..service_requests import with_service
from .endpoints import Endpoint
from .gathering import Connection
from .node_process import NodeProcess
from .parameters import parameters
from .ports import ports
from .started import Start, begun, begun_system
from .system import System

NOTHING = Contract("", (), (), (), ())
"""What is promised by whoever is asked for it."""
_START_NS = 1_000_000_000_000_000_000
_TIMEOUT_S = 30.0
_OF_EVERY_NODE = ("rcl_interfaces", "type_description_interfaces")
"""Packages of the services that belong to no contract."""
_OF_ACTIONS = "/_action/"


def registered_contract(name: str, implementation: Implementation) -> Contract:
    """The contract of one node; see `registered_contracts`."""
    return registered_contracts({name: implementation})[name]


def registered_contracts(implementations: Mapping[str, Implementation]) -> dict[str, Contract]:
    """Start nodes and systems, by name, all at once without inputs, and ask what they are.

    Their ports are called as their own topics are, with _ for /. Inputs of a system are what its
    nodes subscribe to and none of them publishes; outputs, what any of them publishes. Services are
    inputs of requests and outputs of responses. Only a class
    of nodes (`node: MODULE:CLASS`) tells its timers, and topics as they stand in its source. Raises
    RunError for one that does not start, UsageError for one that cannot be.
    """
    if not implementations:
        return {}
    with TemporaryFolder("lockstep-contract-") as folder, ExitStack() as stack:
        processes = stack.enter_context(Processes(os.environ))
        connecting: dict[str, Callable[[], NodeProcess]] = {}
        systems: dict[str, Callable[[], list[Connection]]] = {}
        for number, (name, one) in enumerate(implementations.items()):
            place = folder.path / str(number)
            place.mkdir()
            plain = one.model_copy(update={"remap": {}})
            start = Start(name, plain, NOTHING, one.parameters, place, _TIMEOUT_S)
            if one.nodes is not None:
                system = begun_system(start, processes, _START_NS, keeps_log=False)
                systems[name] = stack.enter_context(system)
            else:
                node = begun(start, processes, _START_NS, keeps_log=False)
                connecting[name] = stack.enter_context(node)
        told = {name: _told_by_system(name, connected()) for name, connected in systems.items()}
        for name, connected in connecting.items():
            told[name] = _told(_called(name, implementations[name]), connected())
        return {name: told[name] for name in implementations}


def _told_by_system(name: str, connections: Sequence[Connection]) -> Contract:
    """The contract of several processes as one system; of a parameter that several have, that of
    the first."""
    system = System(connections, NOTHING, _START_NS, _TIMEOUT_S)
    system.start()
    endpoints = [endpoint for _, endpoint in system.known]
    found: dict[str, ParameterContract] = {}
    for member in system.members:
        for one in parameters(system.asked(member)):
            found.setdefault(one.name, one)
    system.end()
    contract = Contract(
        component=name,
        inputs=tuple(ports(endpoints, "subscription", are_inner=False)),
        outputs=tuple(ports(endpoints, "publisher", are_inner=False)),
        parameters=tuple(sorted(found.values(), key=lambda one: one.name)),
        timers=(),
    )
    return _and_services(contract, endpoints)


def _told(name: str, process: NodeProcess) -> Contract:
    if companions := process.companions():
        return _told_by_system(name, [process.connection, *companions])
    process.settle()
    if process.ended_by_itself:
        process.close()  # which tells what went wrong, if something did
    declared = process.declared()
    contract = Contract(
        component=name,
        inputs=tuple(ports(process.endpoints.values(), "subscription", declared.topics)),
        outputs=tuple(ports(process.endpoints.values(), "publisher", declared.topics)),
        parameters=tuple(parameters(process)),
        timers=tuple(TimerContract(*timer) for timer in declared.timers.items()),
    )
    for _ in process.end():
        pass
    return _and_services(contract, process.endpoints.values())


def _and_services(contract: Contract, endpoints: Collection[Endpoint]) -> Contract:
    """The contract with the services, but for those of every node and of actions, and for types
    that are not installed here."""
    for one in dict.fromkeys((one.name, one.type) for one in endpoints if one.kind == "service"):
        name, kind = one
        if kind.partition("/")[0] not in _OF_EVERY_NODE and _OF_ACTIONS not in name:
            with suppress(BagError):
                contract = with_service(contract, name, kind)
    return contract


def _called(name: str, implementation: Implementation) -> str:
    """What the contract is of: the class, or the executable, or what the command is called."""
    if implementation.node is not None:
        return implementation.node.rpartition(":")[2]
    if implementation.executable is not None:
        return implementation.executable.rpartition("/")[2]
    return name
