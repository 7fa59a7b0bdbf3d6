"""All faults of the zoo."""

from __future__ import annotations

from .fault import Fault
from .faults_in_time import filters, steps_of_time
from .faults_of_places import angles, arrays, axes
from .faults_of_values import digits, limits
from .two_faults import two_at_once

FAULTS: tuple[Fault, ...] = (
    *filters(),
    *steps_of_time(),
    *limits(),
    *digits(),
    *arrays(),
    *axes(),
    *angles(),
    *two_at_once(),
)
