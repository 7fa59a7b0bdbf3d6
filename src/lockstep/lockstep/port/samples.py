"""What the reference does with the first messages of its dataset."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from ..bag import Bag
from ..component import Component, Contract, contract_of
from ..distributions.model import sampled_bag
from ..host.execution import InProcess
from ..host.protocol import resolved
from ..host.python_component import make
from ..run.inputs import run_inputs
from ..run.model import Inputs
from ..verify.model import Verification

_SHOWN_ELEMENTS = 16


@dataclass
class Step:
    """One step of a run: time steps to `time_ns`, `port` gets `data` (nothing if only time steps).

    `outputs` has (port, time in ns, message in CDR) for all that was published on the way, `log` the lines logged.
    """

    time_ns: int
    port: str
    data: bytes
    outputs: list[tuple[str, int, bytes]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def steps_of(component: type[Component], verification: Verification, count: int) -> Iterator[Step]:
    """The first steps of the reference's run, each a message of the dataset or a tick of its clock.

    Raises BagError or UsageError for a bag that cannot be read or does not fit, RunError if a callback raises.
    """
    contract = contract_of(component)
    reference = verification.implementations[verification.reference]
    ports = {resolved(port.topic): (i, port.name) for i, port in enumerate(contract.inputs)}
    names = [port.name for port in contract.outputs]
    step = Step(0, "", b"")

    def publish(index: int, time_ns: int, data: bytes) -> None:
        step.outputs.append((names[index], time_ns, data))

    with ExitStack() as stack:
        declared = _recorded(verification.inputs, contract, reference.component, count, stack)
        inputs = run_inputs(declared, stack.enter_context(Bag(declared.bag)), contract)
        topics = inputs.topics
        lines = stack.enter_context(logged(component))
        host = InProcess(
            make(component), {**verification.parameters, **reference.parameters}, publish
        )
        for event in islice(inputs.timeline().events(), count):
            index, port = ports[topics[event.topic]] if event.topic in topics else (0, "")
            step = Step(event.time_ns, port, event.data if port else b"")
            if port:
                host.deliver(index, event.time_ns, event.data)
            else:
                host.advance(event.time_ns)
            step.log += lines
            lines.clear()
            yield step


def _recorded(
    inputs: Inputs, contract: Contract, component: str | None, count: int, stack: ExitStack
) -> Inputs:
    """Inputs that are a bag; a sample is drawn, as far as it is wanted, to one that goes with the stack."""
    if inputs.sample is None:
        return inputs
    place = Path(stack.enter_context(TemporaryDirectory()), "bag")
    declared = inputs.sample.model_copy(update={"n": min(inputs.sample.n, count)})
    topics = sampled_bag(declared, contract, component, place)
    return inputs.model_copy(update={"bag": place, "topics": topics, "sample": None})


@contextmanager
def logged(component: type[Component]) -> Iterator[list[str]]:
    """What a component logs meanwhile, line by line, instead of on stderr."""
    logger = logging.getLogger(component.__name__)
    handler = _Lines()
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname.lower()}: {record.getMessage()}")
