"""What the reference does with the first messages of its dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice

from ..bag import Bag
from ..component import Contract
from ..distributions.model import sampled_bag
from ..host.protocol import resolved
from ..run.inputs import run_inputs
from ..run.model import Inputs
from ..run.service_requests import asked_only, with_requests
from ..temporary_folder import TemporaryFolder
from ..verify.plan import component_of
from .reference_run import reference_run
from .subject import Subject, with_verification

_SHOWN_ELEMENTS = 16


@dataclass(frozen=True)
class Published:
    """A message in CDR that an output published at a time of the run in ns."""

    port: str
    time_ns: int
    data: bytes


@dataclass
class Step:
    """One step of a run: time steps to `time_ns`, `port` gets `data` (nothing if only time steps).

    The first one `starts` the component and nothing else.
    """

    time_ns: int
    port: str
    data: bytes
    starts: bool = False
    events: list[Published | str] = field(default_factory=list)
    """What was published, and the lines logged, in their order."""
    delivered: int = 0
    """How many of them came before the message, as those of timers do."""

    @property
    def outputs(self) -> list[Published]:
        """What was published."""
        return [event for event in self.events if isinstance(event, Published)]

    @property
    def log(self) -> list[str]:
        """The lines logged."""
        return [event for event in self.events if isinstance(event, str)]


def steps_of(subject: Subject, count: int) -> Iterator[Step]:
    """The start of the reference and the first steps of its run, each a message of the dataset or a
    tick of its clock.

    Raises BagError or UsageError for a bag that cannot be read or does not fit, RunError if a
    callback raises.
    """
    verification = with_verification(subject)
    if subject.is_node:
        contract = asked_only(subject.contract, verification.inputs)
        subject = replace(subject, contract=contract)
    contract = subject.contract
    reference = verification.implementations[verification.reference]
    ports = {resolved(port.topic): (i, port.name) for i, port in enumerate(contract.inputs)}
    names = [port.name for port in contract.outputs]
    step = Step(0, "", b"", starts=True)

    def publish(index: int, time_ns: int, data: bytes) -> None:
        step.events.append(Published(names[index], time_ns, data))

    with ExitStack() as stack:
        declared = _recorded(
            verification.inputs, contract, component_of(verification), count, stack
        )
        recorded = run_inputs(declared, stack.enter_context(Bag(declared.bag)), contract)
        inputs = stack.enter_context(with_requests(recorded))
        topics = inputs.topics
        parameters = {**verification.parameters, **reference.parameters}
        run = reference_run(subject, parameters, publish, lambda line: step.events.append(line))
        host = stack.enter_context(run)
        yield step
        for event in islice(inputs.timeline().events(), count):
            index, port = ports[topics[event.topic]] if event.topic in topics else (0, "")
            step = Step(event.time_ns, port, event.data if port else b"")
            if port:
                host.pass_time(event.time_ns)
                step.delivered = len(step.events)
                host.deliver(index, event.time_ns, event.data)
            else:
                host.advance(event.time_ns)
            yield step


def _recorded(
    inputs: Inputs, contract: Contract, component: str | None, count: int, stack: ExitStack
) -> Inputs:
    """Inputs that are a bag; a sample is drawn, as far as it is wanted, to one that goes with the
    stack."""
    if inputs.sample is None:
        return inputs
    place = stack.enter_context(TemporaryFolder("lockstep-")).path / "bag"
    declared = inputs.sample.model_copy(update={"n": min(inputs.sample.n, count)})
    topics = sampled_bag(declared, contract, component, place)
    return inputs.model_copy(update={"bag": place, "topics": topics, "sample": None})
