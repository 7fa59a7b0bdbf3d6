"""A component's program in direct mode that starts when it is needed, and anew after it has
ended."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..component import Contract
from .direct_process import DirectProcess
from .processes import Process, Processes


def direct_environment() -> dict[str, str]:
    """The environment of programs in direct mode, which lose nothing of what they print before they
    crash."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


class DirectProgram:
    """Whoever ends `processes` ends it, too.

    A program that `goes_on` takes the next run after one that a callback has ended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        processes: Processes,
        timeout_s: float,
        *,
        goes_on: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self.goes_on = goes_on
        self._name, self._command = name, command
        self._processes, self._timeout_s = processes, timeout_s
        self._variables = variables
        self._child: Process | None = None
        self._process: DirectProcess | None = None

    def start(self) -> Process:
        """Start the process, if there is none, without waiting until it is ready."""
        if self._child is None:
            self._child = self._processes.start(
                self._name, self._command, self.log, pipes=True, variables=self._variables
            )
        return self._child

    @property
    def process(self) -> DirectProcess:
        """The process, ready; raises RunError or UsageError if it does not start."""
        if self._process is None:
            self._process = DirectProcess(self.start(), self._timeout_s, goes_on=self.goes_on)
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._child is not None

    @property
    def contract(self) -> Contract:
        """The contract that it tells."""
        return self.process.contract

    def end(self) -> None:
        """End the process, so that the next run has a fresh one."""
        child, self._child, self._process = self._child, None, None
        if child is not None:
            self._processes.end(child)
