"""The inputs of a verification: a bag that is read, one that is drawn, or what an external player
sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..bag import Bag
from ..distributions.model import Sample, sampled_bag
from ..host.protocol import resolved
from ..run.arrivals import record_arrivals
from ..run.inputs import RunInputs, ports_of, run_inputs
from ..run.service_requests import with_requests
from .model import Verification
from .plan import Plan
from .runs import Watch
from .verdict import Verdict

_SAMPLED = "inputs.sampled"
"""What a drawn bag is called in the folder of a run, where no implementation can be called so,"""
_ARRIVED = "inputs.arrived"
"""the folder of the bag that holds what an external player sent,"""
_REQUESTS = "inputs.requests"
"""and a bag with the requests that events tell."""


@contextmanager
def inputs_of(
    planned: Plan, folder: Path, watch: Watch | None = None, *, most: int | None = None
) -> Iterator[RunInputs]:
    """The inputs, of which at most so many are drawn; what is not recorded yet goes to `folder`."""
    declared = planned.verification.inputs
    if planned.bag is not None:
        recorded = run_inputs(declared, planned.bag, planned.contract)
        with with_requests(recorded, folder / _REQUESTS) as inputs:
            yield inputs
        return
    if declared.sample is None:
        with _arrived(planned, folder / _ARRIVED, watch) as inputs:
            yield inputs
        return
    place = folder / _SAMPLED
    sample = _at_most(declared.sample, most)
    topics = sampled_bag(sample, planned.contract, planned.component, place)
    drawn = declared.model_copy(update={"bag": place, "topics": topics, "sample": None})
    with Bag(place) as bag:
        yield run_inputs(drawn, bag, planned.contract)


def inputs_left(verification: Verification, verdict: Verdict) -> tuple[Path | str, list[str]]:
    """The bag of the inputs of a verification that has run, and which of its topics they are."""
    declared = verification.inputs
    if declared.is_recorded:
        assert declared.bag is not None
        return declared.bag, list(ports_of(declared, verdict.contract))
    bag = verdict.folder / _SAMPLED if verdict.arrived is None else verdict.arrived.bag
    with Bag(bag) as opened:
        return bag, list(opened.topics)


def _at_most(sample: Sample, most: int | None) -> Sample:
    return sample if most is None else sample.model_copy(update={"n": min(sample.n, most)})


@contextmanager
def _arrived(planned: Plan, place: Path, watch: Watch | None) -> Iterator[RunInputs]:
    declared = planned.verification.inputs
    arrived = record_arrivals(declared, planned.contract, place, watch)
    topics = {
        port: [resolved(name) for name in ([names] if isinstance(names, str) else names)]
        for port, names in declared.topics.items()
    }
    recorded = declared.model_copy(update={"bag": arrived.bag, "topics": topics, "player": "own"})
    with Bag(arrived.bag) as bag:
        yield replace(run_inputs(recorded, bag, planned.contract), arrived=arrived)
