"""Many short direct runs of one implementation, one after the other in one process as long as that lives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..component import Contract
from ..errors import RunError
from ..host.python_component import CallbackError
from ..run.direct_process import DirectProcess
from ..run.implementation import many_command
from ..run.model import Implementation
from ..run.processes import Process, Processes
from ..run.result import Failure
from .sequence import Step, to_frames

if TYPE_CHECKING:
    from typing_extensions import Self

_LOG_BYTES = 16 << 20

End = Literal["", "raised", "hangs", "crashes"]


@dataclass(frozen=True)
class Published:
    """A message of an output (its index in the contract) in CDR, published during a step at a time of the run."""

    port: int
    step: int
    time_ns: int
    data: bytes


@dataclass(frozen=True)
class Outcome:
    """What an implementation did with a sequence: all that it published, and how it ended if not well.

    `end` is "raised" if a callback did, in `failure.step`; "hangs"; or "crashes", also for what breaks the protocol. In
    which step that was is not known for sure: `failure.step` is the last that it can have been.
    """

    published: tuple[Published, ...]
    end: End = ""
    failure: Failure | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it is not known what it would have done."""
        return self.end in ("hangs", "crashes")


class ManyRuns:
    """Makes runs of an implementation; a new process is started where the last has ended. Use it in a with-statement.

    The log is `folder`/NAME.log. `count` runs were made so far.
    """

    def __init__(
        self,
        name: str,
        implementation: Implementation,
        parameters: dict[str, Any],
        timeout_s: float,
        folder: Path,
    ) -> None:
        self.name = name
        self.count = 0
        self._command, self._goes_on = many_command(name, implementation)
        self._parameters = parameters | implementation.parameters
        self._timeout_s = timeout_s
        self._log = folder / f"{name}.log"
        self._stack = ExitStack()
        self._child: Process | None = None
        self._process: DirectProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.renew()

    @property
    def contract(self) -> Contract:
        """The contract that the process tells."""
        return self._running().contract

    def renew(self) -> None:
        """End the process, so that the next run has a fresh one."""
        self._child = self._process = None
        self._stack.close()

    def start(self) -> None:
        """Start a process, if there is none, without waiting until it is ready."""
        if self._child is None:
            environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
            processes = self._stack.enter_context(Processes(environment))
            self._child = processes.start(self.name, self._command, self._log, pipes=True)

    def run(self, steps: Sequence[Step]) -> Outcome:
        """One run; raises UsageError for parameters that are refused, RunError if the program does not start."""
        process = self._running()
        self.count += 1
        published: list[Published] = []
        try:
            sent = len(steps), to_frames(steps)
            for frames in process.whole_run(self._parameters, *sent):
                columns = (one.tolist() for one in (frames.port, frames.step, frames.time_ns))
                published += [
                    Published(port, step, time_ns, frames.payload(index))
                    for index, (port, step, time_ns) in enumerate(zip(*columns, strict=True))
                ]
        except CallbackError as error:
            if not self._goes_on:
                self.renew()
            return Outcome(tuple(published), "raised", Failure(error.step or 0, str(error)))
        except RunError as error:
            self.renew()
            end: End = "hangs" if " hangs: " in str(error) else "crashes"
            return Outcome(tuple(published), end, Failure(max(0, len(steps) - 1), str(error)))
        if self._log.stat().st_size > _LOG_BYTES:
            self.renew()
        return Outcome(tuple(published))

    def _running(self) -> DirectProcess:
        if self._process is None:
            self.start()
            assert self._child is not None
            self._process = DirectProcess(self._child, self._timeout_s, goes_on=self._goes_on)
        return self._process
