"""Quaternions: four numbers that are one rotation, whose error is an angle in radians."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...errors import CompareError
from ...message.arrays import Column, Floats, Int64s, Mask
from ...message.primitives import SIZES
from ...message.schema import base_type
from ..deviation import Deviation, Place
from ..fields import FieldComparison
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import Tolerance
from .elements import judge_column
from .kind import Columns, Kind
from .named_fields import fields_of
from .number import NUMBER
from .shown import Shown, as_rows, bounded

QUATERNION = ("x", "y", "z", "w")
"""The parts of a quaternion, as geometry_msgs names them."""


def judge_quaternions(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """The angle in radians of the rotation from a to b (…, 4), whatever the order of parts; (…).

    The angle is 4 atan2(|p - q|, |p + q|) of the unit quaternions, with the sign of q chosen so
    that it is the smaller one: exact also for small angles, where the arc cosine of the dot product
    is not. What has no length has no rotation, and agrees only with its equal.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    equal = ((a == b) | (np.isnan(a) & np.isnan(b) & tolerance.nan)).all(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        p, q = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b))
        q = np.where((p * q).sum(axis=-1, keepdims=True) < 0, -q, q)
        apart, together = (np.linalg.norm(x, axis=-1) for x in (p - q, p + q))
        error = np.where(equal, 0.0, 4 * np.arctan2(apart, together))
    error[np.isnan(error)] = np.inf
    return error, ~equal & ~(error <= (tolerance.quaternion or 0.0))


def _subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
    """An array of four numbers, or the field that x, y, z and w are in."""
    if tolerance.quaternion is None:
        return None
    described = types[path]
    if described.endswith("[4]"):
        is_numeric = base_type(described) in SIZES
        return Subject(path, described, "rotation", (path,), (path,)) if is_numeric else None
    parent, _, _ = path.rpartition(".")
    parts = tuple(f"{parent}.{part}".lstrip(".") for part in QUATERNION)
    if path not in parts or not types.keys() >= set(parts):
        raise CompareError(
            f"'{path}' is no part of a quaternion; "
            "give the tolerance quaternion to a field with x, y, z and w"
        )
    return Subject(parent, "quaternion", "rotation", parts, parts)


def _judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
    return tally.add_all(ticks, *judge_quaternions(a, b, tally.tolerance))


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
    paths = tally.subject.columns
    if len(paths) == 1:
        return judge_column(_judge_whole, tally, ticks, a[paths[0]], b[paths[0]])
    return _judge_whole(tally, ticks, _stacked(a, paths), _stacked(b, paths))


def _stacked(columns: Columns, paths: tuple[str, ...]) -> Column:
    return np.stack([columns[path] for path in paths], axis=-1)


def _limit(a: Column, tolerance: Tolerance) -> Floats:
    return np.full((len(a), 1), tolerance.quaternion or 0.0)


def _show(field: FieldComparison, a: Columns, b: Columns, _: int) -> Shown:
    """q and -q are one rotation, so that b is shown by the sign that is nearer to a."""
    tolerance, paths = field.tolerance, field.parts
    if len(paths) > 1:
        one, other = _stacked(a, paths), _stacked(b, paths)
    else:
        unordered = bool(tolerance.unordered)
        one, other, _missing = as_rows(a[paths[0]], b[paths[0]], empty=0, unordered=unordered)
    error, wrong = judge_quaternions(one, other, tolerance)
    values_a, values_b = one.astype(np.float64), other.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        turned = (values_a * values_b).sum(axis=-1, keepdims=True) < 0
        values_b = np.where(turned, -values_b, values_b)
    angle, beyond = error.reshape(-1, 1), wrong.reshape(-1, 1)
    return Shown(bounded(values_a), bounded(values_b), angle, beyond, _limit(one, tolerance))


def _holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
    if tolerance.quaternion is None:
        return False
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        numeric = a.dtype.kind in "biuf" and b.dtype.kind in "biuf"
        return numeric and a.shape == b.shape and a.shape[-1:] == (4,)
    named = fields_of(a), fields_of(b)
    return all(fields is not None and set(fields) == set(QUATERNION) for fields in named)


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    if isinstance(a, np.ndarray):
        common = np.result_type(a, b)
        a, b = a.astype(common), b.astype(common)
        error, wrong = judge_quaternions(a, b, place.tolerance)
        written = str(a), str(b)
    else:
        named = [fields_of(side) or {} for side in (a, b)]
        sides = [np.array([[x[part] for part in QUATERNION]], np.float64) for x in named]
        error, wrong = judge_quaternions(sides[0], sides[1], place.tolerance)
        written_a, written_b = (
            f"({', '.join(repr(x[part]) for part in QUATERNION)})" for x in named
        )
        written = written_a, written_b
    if error.any() or wrong.any():
        beyond = bool(wrong.any())
        yield Deviation(place.path, *written, float(error.max()), place.tolerance, not beyond)


ROTATION = Kind(
    name="rotation",
    subject=_subject,
    judge=_judge,
    limit=_limit,
    show=_show,
    matches=NUMBER.matches,  # its parts have laws, each by itself
    holds=_holds,
    deviations=_deviations,
    errs_by_element=False,
    error_unit="rad",
)
