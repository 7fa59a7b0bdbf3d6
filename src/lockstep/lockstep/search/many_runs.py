"""Many short direct runs of one implementation: of a component one after the other in one process
as long as that lives, of an ordinary node each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..closing import Closable
from ..component import Contract
from ..errors import CallbackError, Hang, RunError
from ..host.frames import Frames
from ..run.direct_program import DirectProgram, direct_environment
from ..run.implementation import many_command
from ..run.model import Implementation
from ..run.nodes.run_node import check_control
from ..run.nodes.started import Start, started
from ..run.processes import Processes
from ..run.result import Failure
from ..verify.model import Verification
from .sequence import Step, to_frames

_LOG_BYTES = 16 << 20

End = Literal["", "raised", "hangs", "crashes"]


@dataclass(frozen=True)
class Published:
    """A message of an output (its index in the contract) in CDR, published during a step at a time
    of the run."""

    port: int
    step: int
    time_ns: int
    data: bytes


@dataclass(frozen=True)
class Outcome:
    """What an implementation did with a sequence: all that it published, and how it ended if not
    well.

    `end` is "raised" if a callback did, in `failure.step`; "hangs"; or "crashes", also for what
    breaks the protocol. In which step that was is not known for sure: `failure.step` is the last
    that it can have been.
    """

    published: tuple[Published, ...]
    end: End = ""
    failure: Failure | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it is not known what it would have done."""
        return self.end in ("hangs", "crashes")


class ManyRuns(Closable):
    """Makes runs of an implementation; a new process is started where the last has ended. Use it in
    a with-statement.

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
        self._parameters = parameters | implementation.parameters
        command, goes_on = many_command(name, implementation)
        self._stack = ExitStack()
        processes = self._stack.enter_context(Processes(direct_environment()))
        self._program = DirectProgram(
            name, command, folder / f"{name}.log", processes, timeout_s, goes_on=goes_on
        )

    def close(self) -> None:
        """End the process."""
        self._stack.close()

    @property
    def contract(self) -> Contract:
        """The contract that the process tells."""
        return self._program.contract

    def renew(self) -> None:
        """End the process, so that the next run has a fresh one."""
        self._program.end()

    def start(self) -> None:
        """Start a process, if there is none, without waiting until it is ready."""
        self._program.start()

    def run(self, steps: Sequence[Step]) -> Outcome:
        """One run; raises UsageError for parameters that are refused, RunError if the program does
        not start."""
        process = self._program.process
        self.count += 1
        published: list[Published] = []
        try:
            sent = len(steps), to_frames(steps)
            for frames in process.whole_run(self._parameters, *sent):
                published += _published(frames)
        except CallbackError as error:
            if not self._program.goes_on:
                self.renew()
            return Outcome(
                tuple(published), "raised", Failure(error.step or 0, len(steps), str(error))
            )
        except RunError as error:
            self.renew()
            return _lost(published, steps, error)
        if self._program.log.stat().st_size > _LOG_BYTES:
            self.renew()
        return Outcome(tuple(published))


class NodeRuns(Closable):
    """Makes runs of an ordinary node that keeps a contract. Use it in a with-statement.

    The log of the last run is `folder`/NAME/node.log. Raises RunError from a run that depends on
    more than its inputs, unless that is allowed.
    """

    def __init__(self, name: str, declared: Verification, contract: Contract, folder: Path) -> None:
        self.name = name
        self._folder = folder / name
        self._folder.mkdir()
        self._allow_uncontrolled = declared.run.allow_uncontrolled
        implementation = declared.implementations[name]
        self._start = Start(
            name,
            implementation,
            contract,
            declared.parameters | implementation.parameters,
            self._folder,
            declared.run.timeout,
        )
        self._stack = ExitStack()
        self._processes = self._stack.enter_context(Processes(direct_environment()))

    def close(self) -> None:
        """Nothing is left of the last run."""
        self._stack.close()

    def start(self) -> None:
        """Nothing to do: each run starts a process."""

    def renew(self) -> None:
        """Nothing to do: each run has a fresh process."""

    def run(self, steps: Sequence[Step]) -> Outcome:
        """One run, whose time begins with the first step."""
        published: list[Published] = []
        start_ns = next((step.time_ns for step in steps if step.time_ns), 0)
        try:
            with started(self._start, self._processes, start_ns) as process:
                for frames in process.run([(len(steps), to_frames(steps))]):
                    published += _published(frames)
                process.close()
        except RunError as error:
            return _lost(published, steps, error)
        if not self._allow_uncontrolled:
            check_control(self.name, process)
        return Outcome(tuple(published))


def _published(frames: Frames) -> list[Published]:
    columns = (one.tolist() for one in (frames.port, frames.step, frames.time_ns))
    return [
        Published(port, step, time_ns, frames.payload(index))
        for index, (port, step, time_ns) in enumerate(zip(*columns, strict=True))
    ]


def _lost(published: Sequence[Published], steps: Sequence[Step], error: RunError) -> Outcome:
    """A run that a crash or hang has ended."""
    end: End = "hangs" if isinstance(error, Hang) else "crashes"
    failure = Failure(max(0, len(steps) - 1), len(steps), str(error))
    return Outcome(tuple(published), end, failure)
