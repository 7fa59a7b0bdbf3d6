"""Kinds of things that several numbers make up, as x, y, z and w make up a rotation: judged as
one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def kind_of_parts(
    name: str,
    thing: str,
    parts: tuple[str, ...],
    limit_name: str,
    judge: Callable[[Column, Column, Tolerance], tuple[Floats, Mask]],
    *,
    nearer: Callable[[Floats, Floats], Floats] = lambda _, b: b,
    error_unit: str | None = None,
) -> Kind:
    """The row of things that have these parts, which a tolerance with a limit of that name makes.

    `judge` gives the error (…) of a and b (…, n) and whether it is wrong; `nearer` shows b in the
    way that is nearer to a, where several values are one thing.
    """

    def limit_of(tolerance: Tolerance) -> float | None:
        limit: float | None = getattr(tolerance, limit_name)
        return limit

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
            raise CompareError(
                f"'{path}' is no part of a {thing}; give the tolerance {limit_name} to a field "
                f"with {', '.join(parts[:-1])} and {parts[-1]}"
            )
        return Subject(parent, thing, name, paths, paths)

    def judge_whole(tally: FieldTally, ticks: Int64s, a: Column, b: Column) -> Mask:
        return tally.add_all(ticks, *judge(a, b, tally.tolerance))

    def judge_columns(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
        paths = tally.subject.columns
        if len(paths) == 1:
            return judge_column(judge_whole, tally, ticks, a[paths[0]], b[paths[0]])
        return judge_whole(tally, ticks, _stacked(a, paths), _stacked(b, paths))

    def limit(a: Column, tolerance: Tolerance) -> Floats:
        return np.full((len(a), 1), limit_of(tolerance) or 0.0)

    def show(field: FieldComparison, a: Columns, b: Columns, _: int) -> Shown:
        tolerance, paths = field.tolerance, field.parts
        if len(paths) > 1:
            one, other = _stacked(a, paths), _stacked(b, paths)
        else:
            unordered = bool(tolerance.unordered)
            one, other, _missing = as_rows(a[paths[0]], b[paths[0]], empty=0, unordered=unordered)
        error, wrong = judge(one, other, tolerance)
        values_a, values_b = one.astype(np.float64), other.astype(np.float64)
        size, beyond = error.reshape(-1, 1), wrong.reshape(-1, 1)
        values_b = nearer(values_a, values_b)
        return Shown(bounded(values_a), bounded(values_b), size, beyond, limit(one, tolerance))

    def holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
        if limit_of(tolerance) is None:
            return False
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            numeric = a.dtype.kind in "biuf" and b.dtype.kind in "biuf"
            return numeric and a.shape == b.shape and a.shape[-1:] == (len(parts),)
        named = fields_of(a), fields_of(b)
        return all(fields is not None and set(fields) == set(parts) for fields in named)

    def deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
        if isinstance(a, np.ndarray):
            common = np.result_type(a, b)
            a, b = a.astype(common), b.astype(common)
            error, wrong = judge(a, b, place.tolerance)
            written = str(a), str(b)
        else:
            named = [fields_of(side) or {} for side in (a, b)]
            sides = [np.array([[x[part] for part in parts]], np.float64) for x in named]
            error, wrong = judge(sides[0], sides[1], place.tolerance)
            written_a, written_b = (
                f"({', '.join(repr(x[part]) for part in parts)})" for x in named
            )
            written = written_a, written_b
        if error.any() or wrong.any():
            beyond = bool(wrong.any())
            yield Deviation(place.path, *written, float(error.max()), place.tolerance, not beyond)

    return Kind(
        name=name,
        subject=subject,
        judge=judge_columns,
        limit=limit,
        show=show,
        matches=NUMBER.matches,  # the parts have laws, each by itself
        holds=holds,
        deviations=deviations,
        errs_by_element=False,
        error_unit=error_unit,
    )


def _stacked(columns: Columns, paths: tuple[str, ...]) -> Column:
    return np.stack([columns[path] for path in paths], axis=-1)
