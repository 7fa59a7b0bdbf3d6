"""How two values of one field differ, as text and as one number."""

from __future__ import annotations

from dataclasses import dataclass

from .tolerance import Tolerance


@dataclass(frozen=True)
class Deviation:
    """One field in which two messages are not equal.

    `error` is |b - a|, or None where that has no meaning.
    """

    field: str
    a: str
    b: str
    error: float | None
    tolerance: Tolerance
    passes: bool


@dataclass(frozen=True)
class Place:
    """Where in a message two values are: the path of their field and its type, "" if unknown."""

    path: str
    type: str
    tolerance: Tolerance

    def unlike(self, a: str, b: str) -> Deviation:
        """What differs, whatever the tolerance, and has no size."""
        return Deviation(self.path, a, b, None, self.tolerance, passes=False)

    def apart(self, a: str, b: str, error: float, *, wrong: bool) -> Deviation:
        """What differs by so much; where not each element is judged, no single one is wrong."""
        passes = not wrong or self.tolerance.by != "element"
        return Deviation(self.path, a, b, error, self.tolerance, passes)
