"""Aligned messages of one field as numbers with their errors and limits, judged as the comparator judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compare.fields import FieldComparison
from ..compare.judge import judge, judge_quaternions, judge_texts, judge_times
from ..compare.tolerance import Tolerance
from ..message.arrays import Column, Floats, Mask
from ..message.primitives import STRINGS
from ..message.schema import TIMES, base_type
from ..message.time import NS_PER_S

_LARGEST = 1e300


@dataclass(frozen=True)
class Judged:
    """m messages: values of `a` and `b` (m, k), NaN where there are none; `error` is b - a, inf where it is no number.

    `wrong` and `limit`, the tolerance or NaN, have the shape (m, j) of `error`; j is 1 for a rotation, else k.
    """

    a: Floats
    b: Floats
    error: Floats
    wrong: Mask
    limit: Floats


def kind_of(field: FieldComparison) -> str:
    """The type of the elements of a field."""
    return base_type(field.type)


def is_text(field: FieldComparison) -> bool:
    """Whether a field holds strings."""
    return kind_of(field) in STRINGS


def judged(
    field: FieldComparison, a: Mapping[str, Column], b: Mapping[str, Column], origin_ns: int = 0
) -> Judged:
    """Judge m messages of a field; times are shown in seconds since `origin_ns`."""
    paths, tolerance, kind = field.parts, field.tolerance, kind_of(field)
    if len(paths) > 1:
        whole_a, whole_b = (np.stack([x[part] for part in paths], -1) for x in (a, b))
        return _rotations(whole_a, whole_b, tolerance)
    one, other, missing = _as_rows(a[paths[0]], b[paths[0]], kind, tolerance.unordered)
    if tolerance.quaternion is not None:
        return _rotations(one, other, tolerance)
    if kind in STRINGS:
        found = _texts(one, other, tolerance)
    elif kind in TIMES:
        found = _times(one, other, tolerance, kind.endswith("Duration"), origin_ns)
    else:
        found = _numbers(one, other, tolerance)
    for side, gone in zip((found.a, found.b), missing, strict=True):
        side[gone] = np.nan
    alone = missing[0] != missing[1]
    found.error[alone], found.wrong[alone] = np.inf, True
    return found


def _numbers(a: Column, b: Column, tolerance: Tolerance) -> Judged:
    size, wrong = judge(a, b, tolerance)
    values_a, values_b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = values_b - values_a
        if tolerance.angle:
            apart = np.remainder(apart + np.pi, 2 * np.pi) - np.pi
        error = np.where((apart < 0) | (b < a if not tolerance.angle else False), -size, size)
        limit = tolerance.abs + tolerance.rel * np.abs(values_a)
        if tolerance.ulp and a.dtype.kind == "f":
            steps = np.spacing(np.abs(a.astype(a.dtype.newbyteorder("=")))).astype(np.float64)
            limit = np.maximum(limit, tolerance.ulp * steps)
    return _whole(values_a, values_b, error, wrong, limit, tolerance)


def _times(a: Column, b: Column, tolerance: Tolerance, duration: bool, origin_ns: int) -> Judged:
    size, wrong = judge_times(a, b, tolerance, duration=duration)
    start = 0 if duration else origin_ns
    values_a, values_b = ((side - start) / NS_PER_S for side in (a, b))
    limit = tolerance.abs + (tolerance.rel * np.abs(values_a) if duration else 0.0)
    error = np.where(b < a, -size, size)
    band = np.broadcast_to(limit, size.shape)
    return _whole(values_a, values_b, error, wrong, band, tolerance)


def _texts(a: Column, b: Column, tolerance: Tolerance) -> Judged:
    wrong = judge_texts(a, b, tolerance).copy()
    nothing = np.full(a.shape, np.nan)
    return Judged(nothing, nothing.copy(), wrong.astype(np.float64), wrong, nothing.copy())


def _rotations(a: Column, b: Column, tolerance: Tolerance) -> Judged:
    """Quaternions (m, 4); q and -q are one rotation, so that b is shown by the sign that is nearer to a."""
    error, wrong = judge_quaternions(a, b, tolerance)
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        b = np.where((a * b).sum(axis=-1, keepdims=True) < 0, -b, b)
    limit = np.full((len(a), 1), tolerance.quaternion or 0.0)
    return Judged(_bounded(a), _bounded(b), error.reshape(-1, 1), wrong.reshape(-1, 1), limit)


def _whole(
    a: Floats, b: Floats, error: Floats, wrong: Mask, limit: Floats, tolerance: Tolerance
) -> Judged:
    of_elements = tolerance.by in ("element", "quantile")
    band = np.array(limit) if of_elements else np.full(error.shape, np.nan)
    return Judged(_bounded(a), _bounded(b), np.array(error), np.array(wrong), band)


def _bounded(values: Floats) -> Floats:
    """What a picture can show: no infinity, and nothing whose sums overflow."""
    return np.where(np.isfinite(values), np.clip(values, -_LARGEST, _LARGEST), np.nan)


def _as_rows(
    a: Column, b: Column, kind: str, unordered: bool
) -> tuple[Column, Column, tuple[Mask, Mask]]:
    """Both columns as (m, k) of one type, and which elements of each are missing there."""
    whole = a.shape == b.shape and not _is_ragged(a, kind) and not _is_ragged(b, kind)
    if whole:
        if unordered and a.ndim > 1:
            a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
        a, b = (side.reshape(len(side), -1) for side in (a, b))
        none = np.zeros(a.shape, np.bool_)
        return a, b, (none, none)
    rows = [[_flat(row, unordered) for row in side] for side in (a, b)]
    width = max((len(row) for side in rows for row in side), default=0)
    filled = [_filled(side, width, kind) for side in rows]
    return filled[0][0], filled[1][0], (filled[0][1], filled[1][1])


def _is_ragged(column: Column, kind: str) -> bool:
    if column.dtype != object:
        return False
    return kind not in STRINGS or (column.size > 0 and not isinstance(column.flat[0], str))


def _flat(row: Any, unordered: bool) -> Column:
    values = np.asarray(row)
    if values.dtype == object and values.size and not isinstance(values.flat[0], str):
        parts = [_flat(part, unordered) for part in values.ravel()]
        return np.concatenate(parts) if parts else np.empty(0)
    values = np.ravel(values)
    return np.sort(values) if unordered else values


def _filled(rows: list[Column], width: int, kind: str) -> tuple[Column, Mask]:
    there = [row.dtype for row in rows if row.size]
    dtype = np.dtype(object) if kind in STRINGS else np.result_type(*there) if there else None
    column = np.full((len(rows), width), "" if kind in STRINGS else 0, dtype)
    missing = np.ones(column.shape, np.bool_)
    for index, row in enumerate(rows):
        column[index, : len(row)] = row
        missing[index, : len(row)] = False
    return column, missing
