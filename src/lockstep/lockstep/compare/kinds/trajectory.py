"""Trajectories: poses over all messages, or those in a message, judged as a whole by ATE or RPE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...errors import CompareError
from ...message.arrays import Column, Floats, Int64s, Mask
from ..deviation import Deviation, Place
from ..fields import FieldComparison
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import EXACT, TRAJECTORY, Tolerance, Tolerances, measured
from ..trajectory import trajectory_error
from .kind import Columns, Kind
from .named_fields import fields_of
from .parts import rows_of_parts
from .shown import Shown, bounded

_POSES = {"position": "orientation", "translation": "rotation"}


def parts_of(path: str, types: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """The pose or point that a field belongs to, and the paths of its 7 or 3 numbers."""
    parent, _, _ = path.rpartition(".")
    outer, _, name = parent.rpartition(".")
    turned_to = {orientation: position for position, orientation in _POSES.items()}
    position = f"{outer}.{turned_to.get(name, name)}".lstrip(".")
    places = tuple(f"{position}.{part}".lstrip(".") for part in "xyz")
    orientation = _POSES.get(position.rpartition(".")[2])
    turns = tuple(f"{outer}.{orientation}.{part}".lstrip(".") for part in "xyzw")
    if orientation and types.keys() >= {*places, *turns}:
        return (outer, (*places, *turns)) if path in (*places, *turns) else None
    return (parent, places) if path in places and types.keys() >= set(places) else None


def rule_in(path: str, types: Mapping[str, str], tolerances: Tolerances) -> Tolerance:
    """The tolerance of a field; what is beside the poses of a trajectory must be equal."""
    rule = tolerances.of(path)
    if rule.by not in TRAJECTORY or path not in types or parts_of(path, types) is not None:
        return rule
    alike = (one for one in types if tolerances.of(one) is rule)
    return EXACT if any(parts_of(one, types) for one in alike) else rule


def _subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
    if tolerance.by not in TRAJECTORY:
        return None
    found = parts_of(path, types)
    if found is None or path.count("[") > 1:
        raise CompareError(
            f"'{path}' is no part of a pose; by: ate and by: rpe are for a field with position "
            "and orientation, or with x, y and z"
        )
    whole, parts = found
    if tolerance.by == "rpe" and len(parts) < 7:
        raise CompareError(f"'{whole}' has no orientation, which by: rpe needs; use by: ate")
    return Subject(whole, "pose" if len(parts) == 7 else "point", "trajectory", parts, parts)


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
    parts = tally.subject.columns
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    if "[]" not in parts[0]:
        sides = [np.stack([side[path] for path in parts], axis=-1) for side in (a, b)]
        tally.add_poses(ticks, *(side.astype(np.float64) for side in sides))
        return wrong
    for row in range(len(ticks)):
        one, other = (rows_of_parts(side, parts, row) for side in (a, b))
        tick = ticks[row : row + 1]
        if one.shape != other.shape:
            wrong[row] = tally.add_lengths(tick)[0]
            continue
        try:
            value = trajectory_error(one, other, tally.tolerance)
        except CompareError as error:
            told = f"path {tick[0]} of {tally.topic} cannot be judged: {error}"
            raise CompareError(told) from error
        apart = np.linalg.norm(other[:, :3] - one[:, :3], axis=1)
        wrong[row] = tally.add_path(tick, apart, value)[0]
    return wrong


def _show(field: FieldComparison, a: Columns, b: Columns, _: int) -> Shown:
    """Poses by their numbers, and how far their positions are apart, unaligned."""
    counts = [len(np.atleast_1d(np.asarray(row))) for row in a[field.parts[0]]]
    sides = [
        [rows_of_parts(side, field.parts, row) for row in range(len(counts))] for side in (a, b)
    ]
    width = max((len(row) for rows in sides for row in rows), default=1)
    filled = [np.full((len(counts), width, len(field.parts)), np.nan) for _ in sides]
    for whole, rows in zip(filled, sides, strict=True):
        for row, poses in enumerate(rows):
            whole[row, : len(poses)] = poses
    one, other = filled
    with np.errstate(invalid="ignore"):
        error = np.linalg.norm(other[..., :3] - one[..., :3], axis=-1)
    error = np.where(np.isnan(error) & ~np.isnan(one[..., 0]), np.inf, np.nan_to_num(error))
    flat = (len(counts), -1)
    beyond = np.zeros(error.shape, np.bool_)
    none = np.full(error.shape, np.nan)
    return Shown(bounded(one).reshape(flat), bounded(other).reshape(flat), error, beyond, none)


def _limit(a: Column, _: Tolerance) -> Floats:
    return np.full((len(a), 1), np.nan)


def _holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
    """Whether two lists of poses are to be judged as trajectories."""
    if tolerance.by not in TRAJECTORY:
        return False
    return all(isinstance(side, (list, tuple)) and not _is_none(side) for side in (a, b))


def _is_none(poses: Any) -> bool:
    return any(_pose(pose) is None for pose in poses)


def _pose(value: Any) -> list[float] | None:
    """The numbers of a pose, whatever it is wrapped in; None if it is none."""
    fields = fields_of(value)
    if fields is None:
        return None
    for position, orientation in _POSES.items():
        if position in fields:
            place, turn = fields_of(fields[position]), fields_of(fields.get(orientation))
            numbers = [(place or {}).get(part) for part in "xyz"]
            numbers += [turn.get(part) for part in "xyzw"] if turn else []
            return None if None in numbers else [float(number or 0) for number in numbers]
    if {"x", "y", "z"} <= fields.keys():
        return [float(fields[part]) for part in "xyz"]
    return next((found for one in fields.values() if (found := _pose(one))), None)


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    tolerance = place.tolerance
    if len(a) != len(b):
        yield place.unlike(f"{len(a)} poses", f"{len(b)} poses")
        return
    one, other = (np.array([_pose(pose) for pose in side], np.float64) for side in (a, b))
    if len(one) and not np.array_equal(one, other, equal_nan=True):
        value = trajectory_error(one, other, tolerance)
        written = f"{tolerance}", measured(tolerance.by, value)
        yield Deviation(
            place.path, *written, None, tolerance, passes=value <= (tolerance.at_most or 0.0)
        )


PATH = Kind(
    name="trajectory",
    subject=_subject,
    judge=_judge,
    limit=_limit,
    show=_show,
    holds=_holds,
    deviations=_deviations,
    errs_by_element=False,
    goes_below=True,
)
