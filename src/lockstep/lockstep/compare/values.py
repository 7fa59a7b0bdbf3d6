"""Comparing two messages field by field."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from .tolerance import EXACT, Tolerance, Tolerances

NS_PER_S = 1_000_000_000
_TIMES = ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")


@dataclass(frozen=True)
class Deviation:
    """One field in which two messages are not equal; `error` is |b - a|, or None where that has no meaning."""

    field: str
    a: str
    b: str
    error: float | None
    tolerance: Tolerance
    passes: bool


def deviations(a: Any, b: Any, tolerances: Tolerances, path: str = "") -> Iterator[Deviation]:
    """The fields in which `b` is not equal to the reference `a`, those within tolerance included.

    Messages are dataclasses as rosbags decodes them: arrays are numpy arrays, times have sec and nanosec.
    NaN equals NaN. An array yields one deviation for its worst element beyond tolerance, or else its worst.
    """
    if is_dataclass(a) and is_dataclass(b):
        if getattr(a, "__msgtype__", "") in _TIMES:
            yield from _time(a, b, tolerances, path)
            return
        for field in fields(a):
            name = f"{path}.{field.name}" if path else field.name
            yield from deviations(getattr(a, field.name), getattr(b, field.name), tolerances, name)
        return
    tolerance = tolerances.of(path)
    if tolerance.ignore:
        return
    if isinstance(a, np.ndarray):
        yield from _array(a, b, tolerance, path)
    elif isinstance(a, list):
        if len(a) != len(b):
            yield _lengths(len(a), len(b), tolerance, path)
        for index, (item_a, item_b) in enumerate(zip(a, b, strict=False)):
            yield from deviations(item_a, item_b, tolerances, f"{path}[{index}]")
    elif isinstance(a, (bool, str, bytes)) or not isinstance(a, (int, float)):
        if a != b:
            yield Deviation(path, repr(a), repr(b), None, tolerance, passes=False)
    elif not (a == b or (math.isnan(a) and math.isnan(b))):
        error = math.inf if math.isnan(a) or math.isnan(b) else float(abs(b - a))
        limit = tolerance.abs + tolerance.rel * abs(a)
        passes = math.isfinite(error) and error <= limit
        yield Deviation(path, repr(a), repr(b), error, tolerance, passes)


def _array(a: Any, b: Any, tolerance: Tolerance, path: str) -> Iterator[Deviation]:
    if len(a) != len(b):
        yield _lengths(len(a), len(b), tolerance, path)
        return
    if a.dtype.kind == "b":
        tolerance = EXACT
    equal = a == b
    if a.dtype.kind == "f":
        equal |= np.isnan(a) & np.isnan(b)
    if equal.all():
        return
    exact = a.dtype.kind in "iu"
    reference, other = (a.astype(object), b.astype(object)) if exact and a.itemsize == 8 else (a, b)
    reference, other = (
        x if x.dtype == object else x.astype(np.float64) for x in (reference, other)
    )
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(equal, 0.0, np.abs(other - reference).astype(np.float64))
        error[np.isnan(error)] = np.inf
        limit = tolerance.abs + tolerance.rel * np.abs(reference).astype(np.float64)
        wrong = ~equal & ~((error <= limit) & np.isfinite(limit) & np.isfinite(error))
    index = int(np.argmax(np.where(wrong, error, -1.0) if wrong.any() else error))
    count = int(wrong.sum())
    more = f" ({count} of {len(a)} elements)" if count > 1 else ""
    yield Deviation(
        f"{path}[{index}]",
        str(a[index]),
        f"{b[index]}{more}",
        float(error[index]),
        tolerance,
        not count,
    )


def _lengths(a: int, b: int, tolerance: Tolerance, path: str) -> Deviation:
    return Deviation(path, f"{a} elements", f"{b} elements", None, tolerance, passes=False)


def _time(a: Any, b: Any, tolerances: Tolerances, path: str) -> Iterator[Deviation]:
    tolerance = tolerances.of(path)
    ns_a, ns_b = (t.sec * NS_PER_S + t.nanosec for t in (a, b))
    if ns_a != ns_b and not tolerance.ignore:
        error = abs(ns_b - ns_a) / NS_PER_S
        # Relative to a point in time there is no tolerance: it would grow with the age of the epoch.
        rel = tolerance.rel if a.__msgtype__.endswith("Duration") else 0.0
        passes = error <= tolerance.abs + rel * abs(ns_a) / NS_PER_S
        yield Deviation(path, seconds(ns_a), seconds(ns_b), error, tolerance, passes)


def seconds(time_ns: int) -> str:
    """Nanoseconds as seconds with nine decimals, exactly."""
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), NS_PER_S)
    return f"{sign}{whole}.{rest:09d}"
