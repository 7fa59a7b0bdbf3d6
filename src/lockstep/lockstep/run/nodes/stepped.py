"""An ordinary node that is given one step after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from ...closing import Closable
from ...errors import UsageError
from ...host.frames import Frames
from ..processes import Processes
from .node_process import NodeProcess
from .parameters import set_parameters
from .started import Start, started

Publish = Callable[[int, int, bytes], None]
"""Takes (index of the output, the run's time in ns, message in CDR)."""


class SteppedNode(Closable):
    """One run of a node, which starts with its first step: that is when its time begins. Use it in
    a with-statement.

    Outputs go to `publish` before what caused them returns or raises. Raises RunError when it
    crashes or hangs, UsageError for what is no node.
    """

    def __init__(self, start: Start, publish: Publish, *, keeps_log: bool = True) -> None:
        self._start, self._publish, self._keeps_log = start, publish, keeps_log
        self._set_later: list[Mapping[str, Any]] = []
        self._stack = ExitStack()
        self._process: NodeProcess | None = None

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Step time, give input `port` a message in CDR, and wait until the node waits."""
        self._take(self._begun(time_ns).deliver(port, time_ns, data))

    def pass_time(self, time_ns: int) -> None:
        """Step time, and wait until the node has done what falls due."""
        self._take(self._begun(time_ns).advance(time_ns))

    def advance(self, time_ns: int) -> None:
        """The same: a node does not tell a step that is only of time from another."""
        self.pass_time(time_ns)

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set parameters by the node's service, before its first step as soon as it has started;
        raises UsageError for what the node refuses."""
        if self._process is None:
            self._set_later.append(parameters)
        else:
            self._set(self._process, parameters)

    def end(self) -> NodeProcess | None:
        """Let the run end; gives the process that has ended, if one was started."""
        process = self._process
        if process is not None:
            self._take(process.end())
            process.close()
        self.close()
        return process

    def close(self) -> None:
        """End the process, in whatever state it is."""
        self._process = None
        self._stack.close()

    def _begun(self, time_ns: int) -> NodeProcess:
        if self._process is None:
            with ExitStack() as stack:
                processes = stack.enter_context(Processes(os.environ))
                begun = started(self._start, processes, time_ns, keeps_log=self._keeps_log)
                process = stack.enter_context(begun)
                self._take(process.start())
                for parameters in self._set_later:
                    self._set(process, parameters)
                self._stack = stack.pop_all()
            self._process = process
        return self._process

    def _set(self, process: NodeProcess, parameters: Mapping[str, Any]) -> None:
        kinds = {parameter.name: parameter.type for parameter in self._start.contract.parameters}
        values = {name: (kinds[name], value) for name, value in parameters.items()}
        published, objection = set_parameters(process, values)
        self._take(published)
        if objection:
            raise UsageError(f"{self._start.name}: {objection}")

    def _take(self, blocks: Iterable[Frames]) -> None:
        for frames in blocks:
            times = frames.time_ns.tolist()
            for index, port in enumerate(frames.port.tolist()):
                self._publish(port, times[index], frames.payload(index))
