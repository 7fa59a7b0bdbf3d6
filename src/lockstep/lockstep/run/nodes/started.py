"""The process of an ordinary node, started as its command line says and connected."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...component import Contract
from ...host.protocol import resolved
from ...temporary_folder import TemporaryFolder
from ..implementation import commands_of
from ..live import parameters_file, remaps_of_own_topics
from ..model import Implementation
from ..processes import Process, Processes
from ..request import RunRequest
from .gathering import Connection, first_connection, further_connections
from .node_process import NodeProcess
from .preloading import check_preloading
from .world import fixed_addresses, variables


@dataclass(frozen=True)
class Start:
    """What to start: a node with its parameters, whose topics are to be those of a contract; its
    log goes into `folder`."""

    name: str
    implementation: Implementation
    contract: Contract
    parameters: Mapping[str, Any]
    folder: Path
    timeout_s: float
    cost_us: float = 0.0

    def commands(self) -> list[list[str]]:
        """The command lines."""
        ports = {p.name: p.topic for p in (*self.contract.inputs, *self.contract.outputs)}
        ros = ["--ros-args"]
        if self.parameters:
            ros += ["--params-file", str(parameters_file(self.folder, self.parameters))]
        ros += remaps_of_own_topics(ports.values())
        for port, topic in self.implementation.remap.items():
            ros += ["-r", f"{topic}:={resolved(ports[port])}"]
        given = ros if len(ros) > 1 else []
        return [[*command, *given] for command in commands_of(self.name, self.implementation)]


def start_of(request: RunRequest) -> Start:
    """What a run is to start."""
    return Start(
        request.name,
        request.implementation,
        request.contract,
        request.parameters,
        request.folder,
        request.options.timeout,
        request.options.cost.fixed_us,
    )


@contextmanager
def begun(
    start: Start, processes: Processes, start_ns: int, *, keeps_log: bool = True
) -> Iterator[Callable[[], NodeProcess]]:
    """Start a node whose time begins at `start_ns`, and give what waits until it is connected; it
    has ended in the end."""
    with TemporaryFolder("lockstep-node-") as folder, socket.socket(socket.AF_UNIX) as listening:
        path = folder.path / "socket"
        listening.bind(str(path))
        listening.listen()
        (command,) = start.commands()
        log = start.folder / "node.log"
        child = _process(start.name, command, start, processes, log, path, start_ns, keeps_log)
        yield lambda: NodeProcess(child, listening, start.contract, start.timeout_s)
        processes.end(child)


@contextmanager
def started(
    start: Start, processes: Processes, start_ns: int, *, keeps_log: bool = True
) -> Iterator[NodeProcess]:
    """Start a node whose time begins at `start_ns`; it has ended in the end."""
    with begun(start, processes, start_ns, keeps_log=keeps_log) as connected:
        yield connected()


@contextmanager
def begun_system(
    start: Start, processes: Processes, start_ns: int, *, keeps_log: bool = True
) -> Iterator[Callable[[], list[Connection]]]:
    """Start several processes whose time begins at `start_ns`, and give what waits until all of
    them that are nodes are connected; they have ended in the end."""
    with TemporaryFolder("lockstep-nodes-") as folder, ExitStack() as stack:
        begun = []
        for number, command in enumerate(start.commands(), 1):
            path = folder.path / f"socket{number}"
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(path))
            listening.listen()
            name = f"process {number} of {start.name}"
            log = start.folder / f"node{number}.log"
            child = _process(name, command, start, processes, log, path, start_ns, keeps_log)
            begun.append((child, listening))
        yield lambda: _connected(begun)
        for child, _ in reversed(begun):
            processes.end(child)


def _connected(begun: Sequence[tuple[Process, socket.socket]]) -> list[Connection]:
    firsts = [first_connection(child, listening) for child, listening in begun]
    return [one for first in firsts for one in (first, *further_connections(first))]


def _process(
    name: str,
    command: list[str],
    start: Start,
    processes: Processes,
    log: Path,
    path: Path,
    start_ns: int,
    keeps_log: bool,
) -> Process:
    check_preloading(name, command[0])
    with fixed_addresses():
        return processes.start(
            name,
            command,
            log,
            variables={**variables(path, start_ns), **_cost(start.cost_us)},
            keeps_log=keeps_log,
        )


def _cost(cost_us: float) -> dict[str, str]:
    return {"LOCKSTEP_COST": str(round(cost_us * 1000))} if cost_us else {}
