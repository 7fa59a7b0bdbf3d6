"""Consensus recording: what implementations disagree about is recorded, and learnt."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from lockstep.compare import Tolerances
from lockstep.dataset import Dataset
from lockstep.dataset.series import Series

FIELDS = {"wrench.force.x": "N", "wrench.torque.z": "Nm"}
"""What the network answers, with units."""


def errors(reference: Dataset, other: Dataset) -> dict[str, npt.NDArray[np.float64]]:
    """By field, how far the one is from the other at each tick, (n,)."""
    a, b = reference["/wrench"], other["/wrench"]
    return {field: b.column(field) - a.column(field) for field in FIELDS}


def disagreement(
    reference: Dataset, other: Dataset, tolerances: Tolerances
) -> npt.NDArray[np.bool_]:
    """At which ticks a field is beyond its tolerance, (n,)."""
    found = errors(reference, other)
    return np.any(
        [np.abs(error) > tolerances.of(field).abs for field, error in found.items()], axis=0
    )


def recorded(series: Mapping[str, Series], ticks: npt.NDArray[np.bool_]) -> Dataset:
    """A dataset of some ticks of each series, by key."""
    records = [
        record._replace(key=key) for key, one in series.items() for record in one[ticks].records()
    ]
    chosen = Dataset.create()
    for record in sorted(records, key=lambda record: record.stamp_ns):
        chosen.append(record.key, record.value, record.stamp_ns)
    return chosen
