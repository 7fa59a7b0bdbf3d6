"""What has nothing to do with each other, and what is said of it all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from lockstep.compare.simplest_law import Diagnosis
from lockstep.compare.why.diagnose import diagnose

from .recordings import RECORDINGS, Array, Recording, recording

_ROBOTS = {
    "husky": "husky",
    "office": "office",
    "gazebo": "gazebo",
    "wall": "gazebo",
    "sick": "sick",
}
"""Recordings of one robot may well follow from each other."""


def unrelated(count: int, seed: int = 0) -> Iterator[Mapping[str, Diagnosis | None]]:
    """What is said of so many pairs of numbers, or vectors, of different recordings."""
    rng = np.random.default_rng(seed)
    robots: dict[str, list[str]] = {}
    for name in RECORDINGS:
        robots.setdefault(_ROBOTS[name.partition(" ")[0]], []).append(name)
    for _ in range(count):
        chosen = rng.choice(list(robots), 2, replace=False).tolist()
        one, other = (recording(str(rng.choice(robots[robot]))) for robot in chosen)
        size = int(rng.choice([1, 1, 1, 2, 3]))
        sides = [_numbers(source, size, rng) for source in (one, other)]
        ticks = min(len(side[0]) for side in sides)
        paths = ["value"] if size == 1 else [f"v.{axis}" for axis in "xyz"[:size]]
        a, b = (dict(zip(paths, (x[:ticks] for x in side), strict=True)) for side in sides)
        inputs = {
            path: x[:ticks]
            for path, x in other.inputs.items()
            if not any(np.array_equal(x[:ticks], y) for y in b.values())
        }
        yield diagnose(a, b, one.time_ns[:ticks], inputs=inputs)


def _numbers(source: Recording, count: int, rng: np.random.Generator) -> list[Array]:
    """Some fields of a recording that move."""
    moving = [
        np.asarray(column, np.float64)
        for path, column in source.columns.items()
        if column.ndim == 1 and path != "header.stamp" and len(np.unique(column)) > 10
    ]
    if "ranges" in source.columns:
        beams_ = np.where(np.isfinite(source["ranges"]), source["ranges"], 25.0)
        moving = [beams_[:, i].astype(np.float64) for i in range(0, beams_.shape[1], 60)]
    return [moving[i] for i in rng.choice(len(moving), count, replace=count > len(moving))]


NO_LAW_OF_A = frozenset({"constant", "mean", "nan", "infinite"})
"""True of any two series for which they are told."""


def false_names(told: Mapping[str, Diagnosis | None]) -> list[str]:
    """What was said of unrelated fields that is not so."""
    return [law.sentence for law in told.values() if law and law.law not in NO_LAW_OF_A]
