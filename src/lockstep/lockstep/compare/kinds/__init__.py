"""The table of kinds of fields: how each is judged, limited, shown and explained, in one place.

A kind is a row, which a file of its own makes; whoever has a field looks its row up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...message.schema import base_type
from ..subject import Subject
from ..tolerance import Tolerance
from .cloud import CLOUD
from .covariance import COVARIANCE
from .keyed import KEYED
from .kind import Fields, Kind
from .number import NUMBER
from .pixels import PIXELS
from .place_on_earth import PLACE_ON_EARTH
from .point import POINT
from .rotation import ROTATION
from .scan import SCAN
from .text import TEXT
from .time import DURATION, TIME
from .trajectory import PATH
from .vector import VECTOR

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        CLOUD,
        KEYED,
        PATH,
        ROTATION,
        PLACE_ON_EARTH,
        POINT,
        VECTOR,
        COVARIANCE,
        PIXELS,
        SCAN,
        TEXT,
        TIME,
        DURATION,
        NUMBER,
    )
}
"""By name. What several may judge belongs to the first: a tolerance can make numbers a rotation
or a point."""


def subject_of(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject:
    """What is judged for a field, given the types of all; raises CompareError as the kinds do."""
    found = (kind.subject(path, types, tolerance) for kind in KINDS.values())
    return next(subject for subject in found if subject is not None)


def kind_of_elements(described: str) -> Kind:
    """The kind of the elements of a field by its type alone, as for the parts of a rotation."""
    element = base_type(described)
    return next(kind for kind in KINDS.values() if element in kind.elements)


def kind_of_values(a: Any, b: Any, tolerance: Tolerance) -> Kind | None:
    """The kind of two single values; None for messages, lists, and what is of different kinds."""
    for kind in KINDS.values():
        if kind.holds(a, b, tolerance):
            return kind
    return None


def kind_within(name: str, a: Fields, b: Fields, tolerance: Tolerance) -> Kind | None:
    """The kind of a field by what is beside it in both messages; None if that does not matter."""
    for kind in KINDS.values():
        if kind.holds_within is not None and kind.holds_within(name, a, b, tolerance):
            return kind
    return None
