"""How two values of one field differ, as text and as one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .tolerance import Tolerance, Tolerances


def indexed(index: tuple[int, ...]) -> str:
    """An element of an array as it is written after the path of the array: `[2][0]`."""
    return "".join(f"[{i}]" for i in index)


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
    """Where in a message two values are: the path of their field and its type, "" if unknown.

    `tolerances` are those of what is below it, `named` writes an element of an array.
    """

    path: str
    type: str
    tolerance: Tolerance
    tolerances: Tolerances = field(default_factory=Tolerances)
    named: Callable[[tuple[int, ...]], str] = indexed

    def unlike(self, a: str, b: str) -> Deviation:
        """What differs, whatever the tolerance, and has no size."""
        return Deviation(self.path, a, b, None, self.tolerance, passes=False)

    def apart(self, a: str, b: str, error: float, *, wrong: bool) -> Deviation:
        """What differs by so much; where not each element is judged, no single one is wrong."""
        passes = not wrong or self.tolerance.by != "element"
        return Deviation(self.path, a, b, error, self.tolerance, passes)
