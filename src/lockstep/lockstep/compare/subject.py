"""What is judged as one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """What is judged as one: a field, or several that make up one thing, as x, y, z and w do."""

    path: str
    type: str
    kind: str
    """A row of the table of kinds."""
    parts: tuple[str, ...]
    """The paths whose values are its own: one, or those of a quaternion or point."""
    columns: tuple[str, ...]
    """The paths of all columns that it is judged by: pixels need the size of their image."""
