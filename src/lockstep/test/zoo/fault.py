"""A fault of a port, and how one is written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from lockstep.compare.simplest_law import Diagnosis
from lockstep.compare.why.diagnose import diagnose

from .recordings import Array, Columns, Recording, recording

Plant = Callable[[Recording], Columns]


@dataclass(frozen=True)
class Fault:
    """A node and a port of it that has this fault."""

    name: str
    laws: tuple[str, ...]
    on: str
    right: Plant
    wrong: Plant

    def diagnoses(self) -> Mapping[str, Diagnosis | None]:
        """What is said of each field that differs."""
        source = recording(self.on)
        with np.errstate(all="ignore"):
            a, b = self.right(source), self.wrong(source)
        return diagnose(a, b, source.time_ns, inputs=source.inputs)

    def is_named(self) -> bool:
        """Whether each field that differs is said to do so by this fault."""
        told = self.diagnoses()
        return bool(told) and all(law and law.law in self.laws for law in told.values())


def one(field: str, f: Callable[[Array], Array], path: str = "value") -> Plant:
    """A number that is made of a field."""
    return lambda r: {path: f(r[field])}


def each(paths: tuple[str, ...], f: Callable[[Array], Array]) -> Plant:
    """Vectors (n, k) of these fields to vectors of the same names."""
    return lambda r: dict(zip(paths, f(r.stack(paths)).T, strict=True))


def whole(field: str, f: Callable[[Array], Array]) -> Plant:
    """An array that is made of an array."""
    return lambda r: {field: f(r[field])}


def timed(field: str, f: Callable[[Array, Array], Array], path: str = "value") -> Plant:
    """A number that is made of a field and the time since the message before."""
    return lambda r: {path: f(r[field], r.step_s)}


def same(x: Array) -> Array:
    """As it is."""
    return x


def constant_step(
    f: Callable[[Array, Array], Array], step: float
) -> Callable[[Array, Array], Array]:
    """The same with a time step that is written down."""
    return lambda x, step_s: f(x, np.full(len(x), step))


MOUNT = np.array([[0.3, -0.2, 0.5, math.sqrt(1 - 0.38)]])
MM = 1000.0
