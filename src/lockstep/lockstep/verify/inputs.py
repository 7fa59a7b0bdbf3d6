"""The inputs of a verification: a bag that is read, or one that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..bag import Bag
from ..distributions.model import sampled_bag
from ..run.inputs import RunInputs, run_inputs
from .plan import Plan

FOLDER = "inputs.sampled"
"""What a drawn bag is called in the folder of a run, where no implementation can be called so."""


@contextmanager
def inputs_of(planned: Plan, place: Path, most: int | None = None) -> Iterator[RunInputs]:
    """The inputs, of which at most so many are drawn, to a bag at `place`, if they are not
    recorded."""
    declared = planned.verification.inputs
    if planned.bag is not None:
        yield run_inputs(declared, planned.bag, planned.contract)
        return
    sample = declared.sample
    assert sample is not None  # as the model of the file has it: there is a bag or a sample
    if most is not None:
        sample = sample.model_copy(update={"n": min(sample.n, most)})
    topics = sampled_bag(sample, planned.contract, planned.component, place)
    drawn = declared.model_copy(update={"bag": place, "topics": topics, "sample": None})
    with Bag(place) as bag:
        yield run_inputs(drawn, bag, planned.contract)
