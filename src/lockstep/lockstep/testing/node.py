"""Ordinary nodes under test, unmodified: a new process for each run (docs/any-node.md)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..component import Contract
from ..errors import UsageError
from ..host.in_process import Publish
from ..printable import tell
from ..run.model import Implementation
from ..run.nodes.run_node import check_control
from ..run.nodes.started import Start
from ..run.nodes.stepped import SteppedNode
from .harness import Durations


class NodeHarness:
    """Starts a node anew for each run, with its first step: that is when its time begins."""

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

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run; the node starts with the first step."""
        self._check(parameters)
        self._count += 1
        folder = self._folder / f"{self._name}.{self._count}"
        folder.mkdir()
        start = Start(
            self._name, self._implementation, self.contract, parameters, folder, self._timeout_s
        )
        self._stack.callback(_show, folder / "node.log")
        self._node = self._stack.enter_context(SteppedNode(start, publish))

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Deliver a message."""
        self._node.deliver(port, time_ns, data)

    def advance(self, time_ns: int) -> None:
        """Step time."""
        self._node.advance(time_ns)

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set parameters by the node's service."""
        self._check(parameters)
        self._node.set_parameters(parameters)

    def end(self) -> Durations:
        """End the run; a node tells no times of its callbacks."""
        if (process := self._node.end()) is not None:
            for note in process.notes:
                tell(note.sentence(self._name))
        self.discard()
        if process is not None and not self._allow_uncontrolled:
            check_control(self._name, process)
        ports, timers = self.contract.inputs, self.contract.timers
        return {name: [] for name in (*(p.name for p in ports), *(t.name for t in timers))}

    def discard(self) -> None:
        """End the process."""
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


def _show(log: Path) -> None:
    """Write a log on to stderr, where pytest captures it."""
    if log.is_file() and (text := log.read_text("utf-8", "replace").rstrip()):
        tell(text)
