"""Components under test as nodes of the real ROS graph, in lockstep, each run on a domain of its
own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..component import Contract
from ..errors import CallbackError, Crash, RunError, UsageError
from ..host.events import told_error
from ..host.in_process import Publish
from ..nodes.live_harness import HarnessNode, harness_node
from ..run.graph import own_graph
from ..run.guard import DomainGuard
from ..run.live import parameters_file, remaps_of_own_topics
from ..run.processes import Process
from .harness import Durations
from .log import show_log


class LiveHarness:
    """Starts the component's host anew for each run."""

    def __init__(
        self, name: str, command: list[str], contract: Contract, folder: Path, timeout_s: float
    ) -> None:
        """`command` starts the host; logs go to `folder`."""
        self.contract = contract
        self._name = name
        self._command = command
        self._folder = folder
        self._timeout_s = timeout_s
        self._stack = ExitStack()
        self._count = 0
        self._has_started = False
        self._process: Process | None = None
        self._node: HarnessNode | None = None
        self._guard: DomainGuard | None = None

    @property
    def _current(self) -> HarnessNode:
        assert self._node is not None, "start comes first"
        return self._node

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run; on_start is called before it returns."""
        declared = {parameter.name for parameter in self.contract.parameters}
        for unknown in sorted(parameters.keys() - declared):  # which ROS would pass over
            raise UsageError(f"parameter '{unknown}' is not declared")
        self._count += 1
        self._has_started = False
        folder = self._folder / f"{self._name}.{self._count}"
        folder.mkdir()
        file = parameters_file(folder, parameters)
        command = [*self._command, "--lockstep", "--ros-args", "--params-file", str(file)]
        ports = (*self.contract.inputs, *self.contract.outputs)
        command += remaps_of_own_topics(port.topic for port in ports)
        with ExitStack() as stack:
            graph = stack.enter_context(own_graph(folder, self._silence, in_lockstep=True))
            self._guard = graph.guard
            self._process = graph.processes.start(self._name, command, folder / "node.log")
            self._node = stack.enter_context(
                harness_node(
                    graph.environment, self.contract, publish, self._timeout_s, self._check
                )
            )
            self._stack = stack.pop_all()
        with self._telling():
            self._node.start()
        self._has_started = True

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Deliver a message."""
        with self._telling():
            self._current.step(time_ns, port, data)

    def advance(self, time_ns: int) -> None:
        """Step time."""
        with self._telling():
            self._current.step(time_ns)

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set parameters by the node's service."""
        with self._telling():
            self._current.set_parameters(parameters)

    def end(self) -> Durations:
        """Interrupt the node; raises RunError if it does not end well."""
        durations = self._current.durations_ns
        assert self._process is not None
        self._check()
        if not self._process.interrupt():
            raise RunError(f"{self._name} did not end within 5 s of SIGINT")
        if self._process.child.returncode != 0:
            raise RunError(
                f"{self._name} ended badly on SIGINT ({self._process.how_it_ended()}); "
                f"{self._process.last_words()}"
            )
        self.discard()
        return durations

    def discard(self) -> None:
        """End the node."""
        self._stack.close()
        if self._process is not None:
            show_log(self._process)
        self._process = self._node = None

    def _silence(self) -> None:
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Nothing outlives its run."""
        self.discard()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Adds what a component that still runs has logged to what went wrong."""
        assert self._process is not None
        try:
            yield
        except RunError as error:
            if self._process.ended:
                raise
            raise RunError(f"{self._name}: {error}; {self._process.last_words()}") from None

    def _check(self) -> None:
        """Raise the error that ended the process, if it has ended."""
        assert self._process is not None
        if self._guard is not None:
            self._guard.check()
        if not self._process.ended:
            return
        told = told_error(self._process.events)
        if isinstance(told, CallbackError):
            raise told
        if isinstance(told, UsageError) and not self._has_started:
            raise UsageError(f"{self._name}: {told}")
        raise Crash(
            f"{self._name} ended during the run ({self._process.how_it_ended()}); "
            f"{self._process.last_words()}"
        )
