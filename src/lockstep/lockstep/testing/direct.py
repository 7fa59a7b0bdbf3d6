"""Executables under test, in direct mode: one process makes one run for each test
(docs/direct-protocol.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ..component import Contract
from ..host.execution import Publish
from ..host.frames import TIMER_PORTS, Frames
from ..run.direct_program import DirectProgram, direct_environment
from ..run.processes import Processes
from .harness import Durations
from .log import show_log


class DirectHarness:
    """Starts the executable when it is needed, and again after it has crashed."""

    contract: Contract

    def __init__(self, name: str, command: Sequence[str], folder: Path, timeout_s: float) -> None:
        """Raises RunError if it does not tell its contract; logs go to `folder`."""
        self._name = name
        self._stack = ExitStack()
        processes = self._stack.enter_context(Processes(direct_environment()))
        log = folder / f"{name}.log"
        self._program = DirectProgram(name, command, log, processes, timeout_s)
        self._log_start = 0
        self._has_ended_a_run = False
        try:
            self.contract = self._program.contract
        except BaseException:
            self._stack.close()
            raise

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run, in the process that made the last one."""
        self._publish = publish
        process = self._program.process
        self._log_start = self._program.log.stat().st_size
        self._has_ended_a_run = False
        self._take(process.start(parameters))

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Deliver a message."""
        self._take(self._program.process.deliver(port, time_ns, data))

    def advance(self, time_ns: int) -> None:
        """Step time."""
        self._take(self._program.process.advance(time_ns))

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Skips the test: in direct mode, parameters have their values from the start."""
        pytest.skip(
            f"{self._name} takes parameters only at its start in direct mode; use --live to change "
            "them later"
        )

    def end(self) -> Durations:
        """End the run; the process waits for the next one."""
        process = self._program.process
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
        self._program.end()

    def close(self) -> None:
        """Let the process exit by itself; raises RunError if it does not, or not with 0."""
        with self._stack:
            if self._program.is_running and self._has_ended_a_run:
                self._program.process.close()

    def _take(self, blocks: Iterator[Frames]) -> None:
        for frames in blocks:
            times = frames.time_ns.tolist()
            for index, port in enumerate(frames.port.tolist()):
                self._publish(port, times[index], frames.payload(index))

    def _show_log(self) -> None:
        if self._program.is_running:
            show_log(self._program.start(), self._log_start)
