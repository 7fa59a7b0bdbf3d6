"""Paths of fields, `pose.position.x`, `ranges[3]`, `transforms[].transform.translation.x`,
resolved in a schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..errors import BagError
from .primitives import SIZES, STRINGS
from .schema import TIMES, Field, Schema

_STEP = re.compile(r"([A-Za-z_]\w*)(\[(\d*)\])?", re.ASCII)


@dataclass(frozen=True)
class Step:
    """One field on a path; `index` chooses one element of an array, None all of them."""

    field: Field
    index: int | None

    @property
    def level(self) -> bool:
        """Whether the step leads to all elements of an array."""
        return bool(self.field.array) and self.index is None


@dataclass(frozen=True)
class Leaf:
    """A path down to a number or string, or to an array of them; `key` is its one spelling."""

    key: str
    steps: tuple[Step, ...]

    @property
    def kind(self) -> str:
        """The type of the numbers, or string or wstring."""
        return self.steps[-1].field.type

    @property
    def levels(self) -> tuple[int, ...]:
        """The size of each array on the path of which all elements are chosen.

        0 if messages say it.
        """
        return tuple(
            step.field.size if step.field.array == "fixed" else 0
            for step in self.steps
            if step.level
        )


@dataclass
class Wanted:
    """What is wanted of a message: `leaves` that end here, or more of a field,
    by its name and the index or None.
    """

    leaves: list[Leaf] = field(default_factory=list)
    inner: dict[str, dict[int | None, Wanted]] = field(default_factory=dict)

    def add(self, leaf: Leaf) -> None:
        """Want one more leaf."""
        node = self
        for step in leaf.steps:
            node = node.inner.setdefault(step.field.name, {}).setdefault(step.index, Wanted())
        if leaf not in node.leaves:
            node.leaves.append(leaf)

    def all_leaves(self) -> list[Leaf]:
        """The leaves here and below."""
        below = (node for nodes in self.inner.values() for node in nodes.values())
        return [*self.leaves, *(leaf for node in below for leaf in node.all_leaves())]


def resolve(schema: Schema, path: str) -> tuple[Leaf, ...]:
    """The leaf that a path names; for a time the two leaves of its seconds and nanoseconds.

    Raises BagError, which says what there is, if the type has no such field.
    """
    steps: list[Step] = []
    here = schema.root
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if not match:
            raise BagError(f"'{path}' is no path of a field; write a.b, a[].b or a[3]")
        if steps and steps[-1].field.type not in schema.types:
            raise BagError(f"'{_key(steps)}' of {schema.root.name} is {steps[-1].field.described}")
        if steps:
            here = schema.types[steps[-1].field.type]
        found = next((one for one in here.fields if one.name == match[1]), None)
        if found is None:
            there = ", ".join(one.name for one in here.fields) or "no fields"
            raise BagError(f"'{path}' is not in {schema.root.name}: {here.name} has {there}")
        if match[2] and not found.array:
            raise BagError(f"'{match[1]}' in '{path}' is no array but {found.described}")
        index = int(match[3]) if match[3] else None
        if index is not None and found.array and 0 < found.size <= index:
            raise BagError(f"'{path}' is beyond {found.described} of {schema.root.name}")
        steps.append(Step(found, index))
    kind = steps[-1].field.type
    if kind in SIZES or kind in STRINGS:
        return (Leaf(_key(steps), tuple(steps)),)
    inner = schema.types[kind].fields
    if kind in TIMES and [one.name for one in inner] == ["sec", "nanosec"]:
        return tuple(Leaf(_key(steps, one), (*steps, Step(one, None))) for one in inner)
    there = ", ".join(one.name for one in inner) or "no fields"
    raise BagError(f"'{path}' is {steps[-1].field.described}; choose one of its fields: {there}")


def leaves(schema: Schema) -> list[Leaf]:
    """All leaves of a type, with all elements of all arrays."""
    found: list[Leaf] = []
    pending: list[tuple[Step, ...]] = [(Step(one, None),) for one in reversed(schema.root.fields)]
    while pending:
        steps = pending.pop()
        inner = schema.types.get(steps[-1].field.type)
        if inner is None:
            found.append(Leaf(_key(list(steps)), steps))
        else:
            pending.extend((*steps, Step(one, None)) for one in reversed(inner.fields))
    return found


def _key(steps: list[Step], last: Field | None = None) -> str:
    written = []
    for step in steps:
        index = "[]" if step.level else "" if step.index is None else f"[{step.index}]"
        written.append(f"{step.field.name}{index}")
    return ".".join([*written, last.name] if last else written).removesuffix("[]")
