"""Covariances: square matrices, judged by the Frobenius norm of their difference beside A's."""

from __future__ import annotations

import math
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
from .kind import Columns, Kind
from .shown import Shown, bounded

_ROUNDING = 1e-9
"""A covariance may be off by so much beside its largest element and still be one."""


def judge_covariances(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """‖b - a‖ / ‖a‖ in the Frobenius norm, and whether it is beyond the limit; (m, n²) to (m,).

    A b that is no covariance, where a is one, is wrong as well. It is inf where a is 0 and b is
    not, or a number is not finite.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    equal = ((a == b) | (np.isnan(a) & np.isnan(b) & tolerance.nan)).all(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        error = np.linalg.norm(b - a, axis=-1) / np.linalg.norm(a, axis=-1)
    error = np.where(equal, 0.0, np.where(np.isnan(error), np.inf, error))
    wrong = ~(error <= (tolerance.frobenius or 0.0))
    for row in np.flatnonzero(~equal & ~wrong).tolist():
        wrong[row] = not why_none(a[row]) and bool(why_none(b[row]))
    return error, wrong & ~equal


def why_none(values: Floats) -> str:
    """Why a matrix (n²,) is no covariance; "" if it is one."""
    size = math.isqrt(len(values))
    matrix = values.reshape(size, size)
    least = _ROUNDING * float(np.abs(matrix).max(initial=0.0))
    if not np.isfinite(matrix).all():
        return "not finite"
    if np.abs(matrix - matrix.T).max(initial=0.0) > least:
        return "not symmetric"
    if np.linalg.eigvalsh(matrix).min(initial=0.0) < -least:
        return "not positive semidefinite"
    return ""


def _subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
    if tolerance.frobenius is None:
        return None
    described = types[path]
    size = described.partition("[")[2].rstrip("]")
    is_square = size.isdigit() and math.isqrt(int(size)) ** 2 == int(size)
    if not (is_square and base_type(described) in SIZES and "[]" not in path):
        raise CompareError(
            f"'{path}' is no covariance; the tolerance frobenius is for an array of n × n numbers"
        )
    return Subject(path, described, "covariance", (path,), (path,))


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
    (path,) = tally.subject.columns
    return tally.add_all(ticks, *judge_covariances(a[path], b[path], tally.tolerance))


def _show(field: FieldComparison, a: Columns, b: Columns, _: int) -> Shown:
    (path,) = field.parts
    error, wrong = judge_covariances(a[path], b[path], field.tolerance)
    one, other = (bounded(side[path].astype(np.float64)) for side in (a, b))
    flat = (len(error), 1)
    limit = np.full(flat, field.tolerance.frobenius or 0.0)
    return Shown(one, other, error.reshape(flat), wrong.reshape(flat), limit)


def _limit(a: Column, tolerance: Tolerance) -> Floats:
    return np.full((len(a), 1), tolerance.frobenius or 0.0)


def _holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
    if tolerance.frobenius is None or not all(isinstance(x, np.ndarray) for x in (a, b)):
        return False
    return a.shape == b.shape and a.ndim == 1 and math.isqrt(len(a)) ** 2 == len(a)


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    error, wrong = judge_covariances(a[None], b[None], place.tolerance)
    if error[0] or wrong[0]:
        wide = [side.astype(np.float64) for side in (a, b)]
        why = why_none(wide[1])
        one, other = (f"norm {np.linalg.norm(side):.6g}" for side in wide)
        other += f", {why}" if why and not why_none(wide[0]) else ""
        yield Deviation(place.path, one, other, float(error[0]), place.tolerance, not wrong[0])


COVARIANCE = Kind(
    name="covariance",
    subject=_subject,
    judge=_judge,
    limit=_limit,
    show=_show,
    holds=_holds,
    deviations=_deviations,
    errs_by_element=False,
)
