"""Where networks and the controller disagree, which is recorded and learnt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from lockstep.compare import Tolerances
from lockstep.compare.disagreement import Disagreement, disagreements_of
from lockstep.dataset import Dataset
from lockstep.search.hard_inputs import Hardest, hardest, record

FIELDS = {"wrench.force.x": "N", "wrench.torque.z": "Nm"}
"""What the network answers, with units."""


def errors(reference: Dataset, other: Dataset) -> dict[str, npt.NDArray[np.float64]]:
    """By field, how far the one is from the other at each tick, (n,)."""
    a, b = reference["/wrench"], other["/wrench"]
    return {field: b.column(field) - a.column(field) for field in FIELDS}


def disagreeing(reference: Dataset, other: Dataset, tolerances: Tolerances) -> float:
    """At which share of ticks a field is beyond its tolerance."""
    found = disagreements_of(reference, other, tolerance=tolerances)
    return sum(len(one.tick) for one in found.values()) / len(reference["/wrench"])


def disagreements(
    states: Dataset, expected: Dataset, found: Dataset, tolerances: Tolerances
) -> tuple[Hardest, Dataset]:
    """The error states at which the network answers otherwise than the controller, and what both
    answer."""
    where: Mapping[str, Mapping[str, Disagreement]] = {
        "nn": disagreements_of(expected, found, tolerance=tolerances)
    }
    hard = hardest(states, where, most=len(states["/state"]))
    recorded = Dataset.create()
    record(recorded, states, {"python": expected, "nn": found}, hard)
    return hard, recorded
