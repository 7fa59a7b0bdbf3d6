"""The process of an ordinary node, started as its command line says and connected."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...component import Contract
from ...host.protocol import resolved
from ...temporary_folder import TemporaryFolder
from ..implementation import command_of
from ..live import parameters_file, remaps_of_own_topics
from ..model import Implementation
from ..processes import Processes
from .endpoints import Note
from .node_process import NodeProcess
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

    def command(self) -> list[str]:
        """The command line."""
        ports = {p.name: p.topic for p in (*self.contract.inputs, *self.contract.outputs)}
        ros = ["--ros-args"]
        if self.parameters:
            ros += ["--params-file", str(parameters_file(self.folder, self.parameters))]
        ros += remaps_of_own_topics(ports.values())
        for port, topic in self.implementation.remap.items():
            ros += ["-r", f"{topic}:={resolved(ports[port])}"]
        return [*command_of(self.name, self.implementation), *(ros if len(ros) > 1 else [])]


@contextmanager
def started(start: Start, processes: Processes, start_ns: int) -> Iterator[NodeProcess]:
    """Start a node whose time begins at `start_ns`; it has ended in the end."""
    with TemporaryFolder("lockstep-node-") as folder, socket.socket(socket.AF_UNIX) as listening:
        path = folder.path / "socket"
        listening.bind(str(path))
        listening.listen()
        with fixed_addresses() as is_fixed:
            child = processes.start(
                start.name,
                start.command(),
                start.folder / "node.log",
                variables=variables(path, start_ns),
            )
        process = NodeProcess(child, listening, start.contract, start.timeout_s)
        if not is_fixed:
            process.notes.append(Note("addresses"))
        yield process
        processes.end(child)
