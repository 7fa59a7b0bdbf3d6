"""Ordinary nodes under test, unmodified: a new process for each run, given one step after the other
(docs/any-node.md)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..component import Contract
from ..errors import UsageError
from ..host.frames import Frames
from ..host.in_process import Publish
from ..printable import tell
from ..run.model import Implementation
from ..run.nodes.node_process import NodeProcess
from ..run.nodes.parameters import set_parameters
from ..run.nodes.run_node import check_control
from ..run.nodes.started import Start, started
from ..run.processes import Processes
from .harness import Durations


class NodeHarness:
    """Starts a node anew for each run, with its first step: that is when its time begins.

    Parameters that are set before that are set then.
    """

    def __init__(
        self,
        name: str,
        implementation: Implementation,
        contract: Contract,
        folder: Path,
        timeout_s: float,
        *,
        allow_uncontrolled: bool,
    ) -> None:
        """A node that keeps `contract`; logs go to `folder`."""
        self.contract = contract
        self._name = name
        self._implementation = implementation
        self._folder = folder
        self._timeout_s = timeout_s
        self._allow_uncontrolled = allow_uncontrolled
        self._stack = ExitStack()
        self._count = 0
        self._process: NodeProcess | None = None

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run; the node starts with the first step."""
        self._check(parameters)
        self._parameters = parameters
        self._set_later: list[Mapping[str, Any]] = []
        self._publish = publish

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Deliver a message."""
        self._take(self._begun(time_ns).deliver(port, time_ns, data))

    def advance(self, time_ns: int) -> None:
        """Step time."""
        self._take(self._begun(time_ns).advance(time_ns))

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set parameters by the node's service."""
        self._check(parameters)
        if self._process is None:
            self._set_later.append(parameters)
        else:
            self._set(self._process, parameters)

    def end(self) -> Durations:
        """End the run; a node tells no times of its callbacks."""
        if (process := self._process) is not None:
            self._take(process.end())
            for note in process.notes:
                tell(note.sentence(self._name))
            process.close()
            self.discard()
            if not self._allow_uncontrolled:
                check_control(self._name, process)
        ports, timers = self.contract.inputs, self.contract.timers
        return {name: [] for name in (*(p.name for p in ports), *(t.name for t in timers))}

    def discard(self) -> None:
        """End the process."""
        self._process = None
        self._stack.close()

    def close(self) -> None:
        """Nothing is left of the last run."""
        self.discard()

    def _check(self, parameters: Mapping[str, Any]) -> None:
        declared = {parameter.name: parameter for parameter in self.contract.parameters}
        for name, value in parameters.items():
            if name not in declared:  # which ROS would pass over
                raise UsageError(f"parameter '{name}' is not declared")
            if objection := declared[name].objection(value):
                raise UsageError(f"parameter '{name}' {objection}")

    def _set(self, process: NodeProcess, parameters: Mapping[str, Any]) -> None:
        kinds = {parameter.name: parameter.type for parameter in self.contract.parameters}
        values = {name: (kinds[name], value) for name, value in parameters.items()}
        published, objection = set_parameters(process, values)
        self._take(published)
        if objection:
            raise UsageError(f"{self._name}: {objection}")

    def _begun(self, time_ns: int) -> NodeProcess:
        """The process, whose time begins now if there is none yet."""
        if self._process is None:
            self._count += 1
            folder = self._folder / f"{self._name}.{self._count}"
            folder.mkdir()
            with ExitStack() as stack:
                processes = stack.enter_context(Processes(os.environ))
                start = Start(
                    self._name,
                    self._implementation,
                    self.contract,
                    self._parameters,
                    folder,
                    self._timeout_s,
                )
                log = folder / "node.log"
                stack.callback(lambda: tell(log.read_text("utf-8", "replace").rstrip()))
                process = stack.enter_context(started(start, processes, time_ns))
                self._take(process.start())
                for values in self._set_later:
                    self._set(process, values)
                self._stack = stack.pop_all()
            self._process = process
        return self._process

    def _take(self, blocks: Iterable[Frames]) -> None:
        for frames in blocks:
            times = frames.time_ns.tolist()
            for index, port in enumerate(frames.port.tolist()):
                self._publish(port, times[index], frames.payload(index))
