"""Which planted faults a sequence of inputs tells from the original."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..cdr.codec import installed_codec
from ..compare import Tolerances
from ..compare.values import deviations
from ..component import Component, Contract, contract_of
from ..errors import RunError, UsageError
from ..host.frames import Frames
from ..host.in_process import InProcess
from ..host.python_component import make
from ..run.model import Implementation
from ..run.nodes.started import Start, started
from ..run.processes import Processes
from .mutants import Mutant

_PATIENCE = 20
_LEAST_PATIENCE_S = 2.0
_NODE_TIMEOUT_S = 10.0


class Given(NamedTuple):
    """A message in CDR for the input of that index, at a time of the run in ns."""

    port: int
    time_ns: int
    data: bytes


Published = list[tuple[int, int, bytes]]
"""What one step published: (index of the output, time in ns, message in CDR)."""


class Runs(Protocol):
    """How a component or an ordinary node is run on inputs, as it is or with a fault."""

    contract: Contract

    def original(self, inputs: Sequence[Given]) -> Iterator[Published]:
        """What each input leads to; raises RunError if it fails, UsageError for bad parameters."""

    def mutant(
        self, mutant: Mutant, inputs: Sequence[Given], limit_s: float
    ) -> Iterator[Published]:
        """The same with a fault, for as long as it takes no longer than `limit_s`."""


class Original:
    """What the component or node itself does with some inputs, and by which tolerances others are
    held against it."""

    def __init__(self, runs: Runs, inputs: Sequence[Given], tolerances: Tolerances) -> None:
        """Runs it; raises as `Runs.original` does."""
        self.inputs = inputs
        self._runs = runs
        outputs = runs.contract.outputs
        self._codecs = [installed_codec(port.type) for port in outputs]
        self._tolerances = [tolerances.at(port.name) for port in outputs]
        start = time.perf_counter()
        self.published = list(runs.original(inputs))
        self._limit_s = _LEAST_PATIENCE_S + _PATIENCE * (time.perf_counter() - start)

    def killed_at(self, mutant: Mutant) -> int | None:
        """The index of the input at which a mutant is first seen to differ, beyond the tolerances;
        None if it never is.

        One that raises, hangs, or cannot be made differs there.
        """
        step = 0
        try:
            for published in self._runs.mutant(mutant, self.inputs, self._limit_s):
                if not self._alike(self.published[step], published):
                    return step
                step += 1
        except (RunError, UsageError, _TooSlow):
            return min(step, len(self.inputs) - 1)
        return None

    def _alike(self, expected: Published, found: Published) -> bool:
        if expected == found:
            return True
        if [one[:2] for one in expected] != [one[:2] for one in found]:
            return False
        for (index, _, a), (_, _, b) in zip(expected, found, strict=True):
            if a == b:
                continue
            kind, tolerances = self._codecs[index], self._tolerances[index]
            if not all(
                one.passes for one in deviations(kind.decode(a), kind.decode(b), tolerances)
            ):
                return False
        return True


class InThisProcess:
    """Runs of a component."""

    def __init__(self, component: type[Component], parameters: dict[str, Any]) -> None:
        self.contract = contract_of(component)
        self._component, self._parameters = component, parameters

    def original(self, inputs: Sequence[Given]) -> Iterator[Published]:
        """As in `Runs`."""
        return _run(self._component, self._parameters, inputs)

    def mutant(
        self, mutant: Mutant, inputs: Sequence[Given], limit_s: float
    ) -> Iterator[Published]:
        """As in `Runs`."""
        component = mutant.make()
        with _limited(limit_s):
            yield from _run(component, self._parameters, inputs)


class InProcesses:
    """Runs of an ordinary node, each in a process of its own; a folder is theirs meanwhile."""

    def __init__(
        self, target: str, contract: Contract, parameters: dict[str, Any], folder: Path
    ) -> None:
        self.contract = contract
        self._target, self._parameters, self._folder = target, parameters, folder

    def original(self, inputs: Sequence[Given]) -> Iterator[Published]:
        """As in `Runs`."""
        return self._run(Implementation(node=self._target), inputs, _NODE_TIMEOUT_S)

    def mutant(
        self, mutant: Mutant, inputs: Sequence[Given], limit_s: float
    ) -> Iterator[Published]:
        """As in `Runs`."""
        file = self._folder / "mutant"
        mutant.save(file)
        start = [sys.executable, "-m", "lockstep.nodes.mutant", str(file), self._target]
        return self._run(Implementation(command=start), inputs, limit_s)

    def _run(
        self, implementation: Implementation, inputs: Sequence[Given], timeout_s: float
    ) -> Iterator[Published]:
        name = self.contract.component
        start = Start(
            name, implementation, self.contract, self._parameters, self._folder, timeout_s
        )
        with (
            Processes(os.environ) as processes,
            started(start, processes, inputs[0].time_ns, keeps_log=False) as process,
        ):
            published: Published = []

            def take(blocks: Iterable[Frames]) -> None:
                for frames in blocks:
                    times = frames.time_ns.tolist()
                    for at, port in enumerate(frames.port.tolist()):
                        published.append((port, times[at], frames.payload(at)))

            take(process.start())
            for port, time_ns, data in inputs:
                take(process.deliver(port, time_ns, data))
                yield published
                published = []


def _run(
    component: type[Component], parameters: dict[str, Any], inputs: Sequence[Given]
) -> Iterator[Published]:
    """What each input leads to."""
    published: Published = []
    logger = logging.getLogger(component.__name__)
    silenced, logger.disabled = logger.disabled, True
    try:
        host = InProcess(make(component), parameters, lambda *message: published.append(message))
        for port, time_ns, data in inputs:
            host.deliver(port, time_ns, data)
            yield published
            published = []
    finally:
        logger.disabled = silenced


class _TooSlow(BaseException):
    """A mutant does not come to an end. No Exception, which a callback's host would take for the
    component's."""


@contextlib.contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    """Raises _TooSlow in this thread if what is done within takes longer."""
    thread = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    over = False

    def end() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TooSlow))

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()
