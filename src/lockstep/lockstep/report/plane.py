"""Two trajectories in the plane that they are widest in, B as it was aligned for its error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bag import Bag
from ..compare.comparison import Comparison
from ..compare.fields import FieldComparison, statistic
from ..compare.key_comparison import KeyComparison
from ..compare.kinds.parts import rows_of_parts
from ..compare.kinds.trajectory import PATH
from ..compare.meant import paired_columns
from ..compare.trajectory import aligned
from ..errors import CompareError
from ..message.arrays import Floats
from .style import (
    SIDES,
    VERMILLION,
    File,
    finished,
    new_figure,
    plain,
    set_legend,
    set_titles,
    tidy,
)

_MOST = 2_000
"""Points of each trajectory that are drawn."""


@dataclass(frozen=True)
class Plane:
    """Both trajectories (n, 2) along two axes, and the pose at which they are furthest apart."""

    a: Floats
    b: Floats
    axes: str
    worst: int
    title: str
    finding: str


def planes(
    bags: tuple[Bag, Bag], comparison: Comparison, key: KeyComparison
) -> Iterator[tuple[FieldComparison, Plane]]:
    """The trajectories of a topic that are beyond their limit; of paths, the worst one."""
    for found in key.judged.fields.values():
        if found.kind != PATH.name or found.matches or key.aligned.pairs is None:
            continue
        a, b = _poses(bags, comparison, key, found)
        if len(a) != len(b) or not len(a):
            continue
        try:
            b = aligned(a, b, found.tolerance)
        except CompareError:
            continue
        apart = np.linalg.norm(np.nan_to_num(b[:, :3] - a[:, :3]), axis=1)
        spans = np.ptp(np.nan_to_num(a[:, :3]), axis=0)
        across = sorted(np.argsort(-spans, kind="stable")[:2].tolist())
        kept = np.unique(
            [*np.linspace(0, len(a) - 1, min(len(a), _MOST)).astype(int), int(apart.argmax())]
        )
        name, value = statistic(found)
        yield (
            found,
            Plane(
                a[kept][:, across],
                b[kept][:, across],
                "".join("xyz"[axis] for axis in across),
                int(np.searchsorted(kept, apart.argmax())),
                f"{key.topic} {found.field}".rstrip(),
                f"{name} is {value}, tolerance {found.tolerance}",
            ),
        )


def _poses(
    bags: tuple[Bag, Bag], comparison: Comparison, key: KeyComparison, found: FieldComparison
) -> tuple[Floats, Floats]:
    """The poses of all messages, or those of the worst path."""
    assert key.aligned.pairs is not None
    sides: tuple[list[Floats], list[Floats]] = ([], [])
    every = paired_columns(*bags, key.topic, key.aligned.pairs, found.parts, comparison.tolerances)
    for ticks, a, b in every:
        for poses, columns in zip(sides, (a, b), strict=True):
            if "[]" not in found.parts[0]:
                poses.append(np.stack([columns[path] for path in found.parts], axis=-1))
                continue
            at = np.flatnonzero(ticks == found.judged_tick).tolist()
            poses.extend(rows_of_parts(columns, found.parts, row) for row in at)
    none = np.empty((0, len(found.parts)))
    of_a, of_b = (np.concatenate([none, *side]) for side in sides)
    return of_a, of_b


def plot_plane(plane: Plane, *, names: tuple[str, str], file: File | None = None) -> Any:
    """Both trajectories from above, with a line where they are furthest apart."""
    figure = new_figure(6.0)
    axes = figure.subplots()
    tidy(axes, f"{plane.axes[1]} [m]", f"{plane.axes[0]} [m]")
    axes.set_aspect("equal", adjustable="datalim")
    for (colour, line), side, name in zip(SIDES, (plane.a, plane.b), names, strict=True):
        axes.plot(*side.T, color=colour, linestyle=line, label=plain(name, 30))
    ends = np.stack([plane.a[plane.worst], plane.b[plane.worst]])
    axes.plot(*ends.T, color=VERMILLION, marker=".", label="furthest apart")
    set_legend(axes)
    set_titles(figure, axes, plane.finding, plain(plane.title))
    return finished(figure, file)


def plane_data(
    bags: tuple[Bag, Bag], comparison: Comparison, key: KeyComparison
) -> Iterator[Mapping[str, Any]]:
    """What the report's page draws of the trajectories of a topic."""
    for _, plane in planes(bags, comparison, key):
        yield {
            "title": plane.title,
            "sentence": plane.finding,
            "axes": plane.axes,
            "a": _numbers(plane.a),
            "b": _numbers(plane.b),
            "worst": plane.worst,
        }


def _numbers(side: Floats) -> list[list[float | None]]:
    return [
        [float(f"{value:.6g}") if np.isfinite(value) else None for value in axis]
        for axis in side.T.tolist()
    ]
