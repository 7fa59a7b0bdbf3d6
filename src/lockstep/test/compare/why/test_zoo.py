"""Faults that ports have are named, and what has nothing to do with each other is not.

`make bench` plants the whole zoo (ROWS=zoo,zoo_unrelated).
"""

from __future__ import annotations

import pytest
from zoo.faults import FAULTS
from zoo.unrelated import false_names, unrelated

SOME = (
    "a window off by one",
    "a median of 7 instead of 5",
    "no low-pass",
    "every fourth value is dropped",
    "moves by a limited step",
    "play",
    "told on change only",
    "a constant dt in an integral",
    "a constant dt in a derivative",
    "Euler instead of trapezoids",
    "no carry of nanoseconds",
    "a reset that is missing",
    "no limit",
    "no dead band",
    "no hysteresis",
    "half the speed in curves",
    "halves away from zero",
    "covariance with rotations first",
    "NED",
    "order of a product",
    "speed in the map instead of the robot",
    "from north clockwise",
    "atan for atan2",
    "late and scaled",
    "late and rounded",
    "limited, then smoothed",
    "optical and scaled",
)


@pytest.mark.parametrize("name", SOME)
def test_a_fault_that_was_planted_is_named(name):
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    said = {path: law and (law.law, law.sentence) for path, law in fault.diagnoses().items()}
    assert fault.is_named(), said


def test_every_fault_of_the_zoo_has_a_name_of_its_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 60


def test_the_zoo_is_of_five_recordings_or_more():
    assert len({fault.on for fault in FAULTS}) >= 5


def test_what_has_nothing_to_do_with_each_other_follows_no_law():
    assert [name for told in unrelated(20, seed=3) for name in false_names(told)] == []
