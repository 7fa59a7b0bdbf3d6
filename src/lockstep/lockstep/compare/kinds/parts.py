"""Kinds of things that several numbers make up, as x, y, z and w make up a rotation: judged as
one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
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
from .kind import Columns, Fields, Kind
from .named_fields import fields_of
from .shown import Shown, as_rows, bounded, is_ragged


def kind_of_parts(
    name: str,
    thing: str,
    parts: tuple[str, ...],
    limit_names: tuple[str, ...],
    judge: Callable[[Column, Column, Tolerance], tuple[Floats, Mask]],
    *,
    nearer: Callable[[Floats, Floats], Floats] = lambda _, b: b,
    error_unit: str | None = None,
    told: Callable[[Floats, Floats], str] = lambda _, __: "",
    only_these: bool = True,
) -> Kind:
    """The row of things that have these parts, which a tolerance with one of these limits makes.

    `judge` gives the error (…) of a and b (…, n) and whether it is wrong; `nearer` shows b in the
    way that is nearer to a, where several values are one thing; `told` adds words on how two are
    apart. If `only_these` are things with such limits, a field of anything else is refused.
    """

    def limit_of(tolerance: Tolerance) -> float | None:
        limits: list[float | None] = [getattr(tolerance, name) for name in limit_names]
        return next((limit for limit in limits if limit is not None), None)

    def subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
        """An array of as many numbers, or the field that all parts are in."""
        if limit_of(tolerance) is None:
            return None
        described = types[path]
        if described.endswith(f"[{len(parts)}]"):
            is_numeric = base_type(described) in SIZES
            return Subject(path, described, name, (path,), (path,)) if is_numeric else None
        parent, _, _ = path.rpartition(".")
        paths = tuple(f"{parent}.{part}".lstrip(".") for part in parts)
        if path not in paths or not types.keys() >= set(paths):
            if not only_these:
                return None
            limits = " or ".join(limit_names)
            raise CompareError(
                f"'{path}' is no part of a {thing}; give the tolerance {limits} to a field "
                f"with {', '.join(parts[:-1])} and {parts[-1]}"
            )
        return Subject(parent, thing, name, paths, paths)

    def judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
        return tally.add_all(ticks, *judge(a, b, tally.tolerance))

    def judge_columns(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
        paths = tally.subject.columns
        if len(paths) == 1:
            return judge_column(judge_whole, tally, ticks, a[paths[0]], b[paths[0]])
        if not any(is_ragged(side[path]) for side in (a, b) for path in paths):
            one, other = _stacked(a, paths), _stacked(b, paths)
            return (
                judge_whole(tally, ticks, one, other)
                if one.shape == other.shape
                else (tally.add_lengths(ticks))
            )
        wrong: Mask = np.zeros(len(ticks), np.bool_)
        for row in range(len(ticks)):  # of arrays of things, whose lengths vary
            sides = [[_row(side[path][row]) for path in paths] for side in (a, b)]
            one, other = (np.stack(parts, axis=-1)[None] for parts in sides)
            tick = ticks[row : row + 1]
            if one.shape == other.shape:
                wrong[row] = judge_whole(tally, tick, one, other)[0]
            else:
                wrong[row] = tally.add_lengths(tick)[0]
        return wrong

    def limit(a: Column, tolerance: Tolerance) -> Floats:
        return np.full((len(a), a[:1, ..., 0].size if len(a) else 1), limit_of(tolerance) or 0.0)

    def show(field: FieldComparison, a: Columns, b: Columns, _: int) -> Shown:
        tolerance, paths = field.tolerance, field.parts
        if len(paths) > 1:
            plain = all(side[path].ndim == 1 for side in (a, b) for path in paths)
            plain &= not any(is_ragged(side[path]) for side in (a, b) for path in paths)
            one, other = (
                (_stacked(a, paths), _stacked(b, paths)) if plain else _stacked_rows(a, b, paths)
            )
        else:
            unordered = bool(tolerance.unordered)
            one, other, _missing = as_rows(a[paths[0]], b[paths[0]], empty=0, unordered=unordered)
        error, wrong = judge(one, other, tolerance)
        values_a, values_b = one.astype(np.float64), other.astype(np.float64)
        values_b = nearer(values_a, values_b)
        flat = (len(one), -1)
        return Shown(
            bounded(values_a).reshape(flat),
            bounded(values_b).reshape(flat),
            error.reshape(flat),
            wrong.reshape(flat),
            limit(one, tolerance),
        )

    def holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
        if limit_of(tolerance) is None:
            return False
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            numeric = a.dtype.kind in "biuf" and b.dtype.kind in "biuf"
            return numeric and a.shape == b.shape and a.shape[-1:] == (len(parts),)
        named = fields_of(a), fields_of(b)
        return all(fields is not None and set(fields) == set(parts) for fields in named)

    def holds_within(name: str, a: Fields, b: Fields, tolerance: Tolerance) -> bool:
        """Whether the parts are beside other fields of their message."""
        if limit_of(tolerance) is None or name not in parts:
            return False
        return all(fields.keys() > set(parts) for fields in (a, b))

    def deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
        parent, _, name = place.path.rpartition(".")
        if isinstance(a, Mapping) and a.keys() > set(parts):
            if name != parts[0]:  # the first speaks for all
                return
            place = replace(place, path=parent or thing)
        if isinstance(a, np.ndarray):
            common = np.result_type(a, b)
            a, b = a.astype(common), b.astype(common)
            error, wrong = judge(a, b, place.tolerance)
            written = str(a), f"{b}{told(a, b) if a.ndim == 1 else ''}"
        else:
            named = [fields_of(side) or {} for side in (a, b)]
            sides = [np.array([[x[part] for part in parts]], np.float64) for x in named]
            error, wrong = judge(sides[0], sides[1], place.tolerance)
            written_a, written_b = (
                f"({', '.join(repr(x[part]) for part in parts)})" for x in named
            )
            written = written_a, f"{written_b}{told(sides[0][0], sides[1][0])}"
        if error.any() or wrong.any():
            beyond = bool(wrong.any())
            yield Deviation(place.path, *written, float(error.max()), place.tolerance, not beyond)

    return Kind(
        name=name,
        subject=subject,
        judge=judge_columns,
        limit=limit,
        show=show,
        holds=holds,
        deviations=deviations,
        holds_within=holds_within,
        errs_by_element=False,
        error_unit=error_unit,
    )


def rows_of_parts(columns: Columns, paths: tuple[str, ...], row: int) -> Floats:
    """The things in a message, (k, n), by the columns of their n parts."""
    return np.stack([_row(columns[path][row]) for path in paths], axis=-1)


def _row(value: Any) -> Floats:
    """The parts of all things in one message, however they are nested, (k,)."""
    if is_ragged(np.asarray(value)):
        return np.concatenate([_row(inner) for inner in value] or [np.empty(0)])
    return np.asarray(value, np.float64).reshape(-1)


def _stacked_rows(a: Columns, b: Columns, paths: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Both sides as (m, k, n), with NaN where one has fewer things than another."""
    sides = [[[_row(value) for value in side[path]] for path in paths] for side in (a, b)]
    width = max((len(row) for parts in sides for rows in parts for row in rows), default=1)
    found = [np.full((len(parts[0]), width, len(paths)), np.nan) for parts in sides]
    for filled, parts in zip(found, sides, strict=True):
        for part, rows in enumerate(parts):
            for row, values in enumerate(rows):
                filled[row, : len(values), part] = values
    return found[0], found[1]


def _stacked(columns: Columns, paths: tuple[str, ...]) -> Column:
    return np.stack([columns[path] for path in paths], axis=-1)
