"""Executables under test, in direct mode: one process makes one run for each test (docs/direct-protocol.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ..component import Contract
from ..host.frames import Frames
from ..host.in_process import Publish
from ..host.protocol import TIMER_PORTS
from ..run.direct_process import DirectProcess
from ..run.processes import Process, Processes
from .harness import Durations
from .log import show_log


class DirectHarness:
    """Starts the executable when it is needed, and again after it has crashed."""

    contract: Contract

    def __init__(self, name: str, command: Sequence[str], folder: Path, timeout_s: float) -> None:
        """Raises RunError if it does not tell its contract; logs go to `folder`."""
        self._name = name
        self._command = command
        self._folder = folder
        self._timeout_s = timeout_s
        self._stack = ExitStack()
        self._started = 0
        self._child: Process | None = None
        self._process: DirectProcess | None = None
        self._log_start = 0
        self._has_ended_a_run = False
        self.contract = self._current().contract

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run, in the process that made the last one."""
        self._publish = publish
        process = self._current()
        assert self._child is not None
        self._log_start = self._child.log.stat().st_size
        self._has_ended_a_run = False
        self._take(process.start(parameters))

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Deliver a message."""
        self._take(self._current().deliver(port, time_ns, data))

    def advance(self, time_ns: int) -> None:
        """Step time."""
        self._take(self._current().advance(time_ns))

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Skips the test: in direct mode, parameters have their values from the start."""
        pytest.skip(
            f"{self._name} takes parameters only at its start in direct mode; use --live to change them later"
        )

    def end(self) -> Durations:
        """End the run; the process waits for the next one."""
        process = self._current()
        process.end()
        self._has_ended_a_run = True
        self._show_log()
        inputs = {port.name: index for index, port in enumerate(self.contract.inputs)}
        timers = {t.name: TIMER_PORTS + index for index, t in enumerate(self.contract.timers)}
        found = process.durations_ns
        return {
            name: list(map(int, found[port])) if port in found else []
            for name, port in (inputs | timers).items()
        }

    def discard(self) -> None:
        """End the process."""
        self._show_log()
        self._child = self._process = None
        self._stack.close()

    def close(self) -> None:
        """Let the process exit by itself; raises RunError if it does not, or not with 0."""
        with self._stack:
            if self._process is not None and self._has_ended_a_run:
                self._process.close()

    def _current(self) -> DirectProcess:
        if self._process is None:
            self._started += 1
            log = self._folder / f"{self._name}.{self._started}.log"
            environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
            with ExitStack() as stack:
                processes = stack.enter_context(Processes(environment))
                child = processes.start(self._name, self._command, log, pipes=True)
                self._process = DirectProcess(child, self._timeout_s)
                self._child = child
                self._stack = stack.pop_all()
        return self._process

    def _take(self, blocks: Iterator[Frames]) -> None:
        for frames in blocks:
            times = frames.time_ns.tolist()
            for index, port in enumerate(frames.port.tolist()):
                self._publish(port, times[index], frames.payload(index))

    def _show_log(self) -> None:
        if self._child is not None:
            show_log(self._child, self._log_start)
