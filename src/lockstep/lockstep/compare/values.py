"""Comparing two values field by field: messages, dataclasses, dicts, arrays and numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from ..bag import BagError
from ..errors import CompareError
from ..message.images import IMAGE_FIELDS
from ..message.schema import TIMES
from ..message.time import NS_PER_S, seconds
from .definitions import leading_to
from .images import Pixels, image_of, likeness, no_image, of_one_size, size
from .judge import QUATERNION, differing, judge, judge_quaternions, judge_texts, judge_times
from .tolerance import MEASURES, Tolerance, Tolerances, measured


@dataclass(frozen=True)
class Deviation:
    """One field in which two messages are not equal; `error` is |b - a|, or None where that has no meaning."""

    field: str
    a: str
    b: str
    error: float | None
    tolerance: Tolerance
    passes: bool


def deviations(
    a: Any,
    b: Any,
    tolerances: Tolerances,
    path: str = "",
    kinds: Mapping[str, str] | None = None,
) -> Iterator[Deviation]:
    """The fields in which `b` is not equal to the reference `a`, those within tolerance included.

    Messages are dataclasses with numpy arrays as bags are decoded; times have sec and nanosec. `kinds` gives the types of
    their fields (`Codec.fields`), which tells float32 from float64; fields without one are left out. An array yields one deviation for its worst element
    beyond tolerance, or else its worst.
    """
    yield from _Walk(tolerances, kinds or {}).compare(a, b, path, path)


class _Walk:
    def __init__(self, tolerances: Tolerances, kinds: Mapping[str, str]) -> None:
        self.tolerances, self.kinds = tolerances, kinds
        self.known = leading_to(kinds)

    def compare(self, a: Any, b: Any, path: str, plain: str) -> Iterator[Deviation]:
        """`path` has indexes, `plain` is as in `kinds`."""
        a, b = (
            np.asarray(x) if isinstance(x, array) else x for x in (a, b)
        )  # as in rclpy's messages
        named = _fields(a), _fields(b)
        if named[0] is not None and named[1] is not None:
            yield from self._compare_fields(a, b, named[0], named[1], path, plain)
            return
        tolerance = self.tolerances.of(path)
        if tolerance.ignore and not self._judges_below(plain):
            return
        if tolerance.by in MEASURES:
            if not all(isinstance(x, np.ndarray) and x.ndim in (2, 3) for x in (a, b)):
                raise no_image(path)
            yield from self._compare_likeness(a, b, tolerance, path)
        elif isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            yield from self._compare_arrays(a, b, tolerance, path)
        elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
            yield from self._compare_lists(a, b, tolerance, path, plain)
        elif _is_number(a) and _is_number(b):
            yield from self._compare_numbers(a, b, tolerance, path, plain)
        elif isinstance(a, str) and isinstance(b, str):
            if judge_texts(np.array([a], object), np.array([b], object), tolerance)[0]:
                yield Deviation(path, repr(a), repr(b), None, tolerance, passes=False)
        elif type(a) is not type(b) or a != b:
            yield Deviation(path, repr(a), repr(b), None, tolerance, passes=False)

    def _judges_below(self, plain: str) -> bool:
        """Whether a field of the messages in an array has a rule of its own, although the array is ignored."""
        below = (path for path in self.kinds if path.startswith(f"{plain}[]."))
        return any(not self.tolerances.of(path).ignore for path in below)

    def _compare_fields(
        self,
        a: Any,
        b: Any,
        fields_a: Mapping[str, Any],
        fields_b: Mapping[str, Any],
        path: str,
        plain: str,
    ) -> Iterator[Deviation]:
        named = fields_a, fields_b
        tolerance = self.tolerances.of(path)
        if getattr(a, "__msgtype__", "") in TIMES:
            yield from self._compare_times(a, b, path)
            return
        if tolerance.quaternion is not None and all(set(QUATERNION) == set(x) for x in named):
            yield from self._compare_quaternions(fields_a, fields_b, tolerance, path)
            return
        for name in dict.fromkeys((*named[0], *named[1])):
            below, plain_below = (f"{at}.{name}" if at else str(name) for at in (path, plain))
            if self.kinds and plain_below not in self.known:
                continue
            rule = self.tolerances.of(below)
            is_image = name == "data" and all(x.keys() >= set(IMAGE_FIELDS) for x in named)
            if is_image and rule.has_limit:
                yield from self._compare_images(fields_a, fields_b, rule, below)
            elif name in named[0] and name in named[1]:
                yield from self.compare(named[0][name], named[1][name], below, plain_below)
            elif not rule.ignore:
                side_a, side_b = (repr(x[name]) if name in x else "missing" for x in named)
                yield Deviation(below, side_a, side_b, None, rule, passes=False)

    def _compare_numbers(
        self, a: Any, b: Any, tolerance: Tolerance, path: str, plain: str
    ) -> Iterator[Deviation]:
        if isinstance(a, (bool, np.bool_)) or isinstance(b, (bool, np.bool_)):
            if bool(a) != bool(b) or isinstance(a, bool) != isinstance(b, bool):
                yield Deviation(path, repr(a), repr(b), None, tolerance, passes=False)
            return
        arrays = _of_one_type(a, b, self.kinds.get(plain, ""))
        if arrays is None:  # integers beyond 64 bits
            if a != b:
                yield Deviation(path, repr(a), repr(b), None, tolerance, passes=False)
            return
        error, wrong = judge(*arrays, tolerance)
        if error[0] or wrong[0]:
            shown_a, shown_b = (_shown(side[0]) for side in arrays)
            passes = not wrong[0] or tolerance.by != "element"
            yield Deviation(path, shown_a, shown_b, float(error[0]), tolerance, passes)

    def _compare_lists(
        self, a: Any, b: Any, tolerance: Tolerance, path: str, plain: str
    ) -> Iterator[Deviation]:
        if tolerance.unordered and all(isinstance(x, str) for x in (*a, *b)):
            a, b = sorted(a), sorted(b)
        if len(a) != len(b):
            yield _lengths(len(a), len(b), tolerance, path)
        for index, (item_a, item_b) in enumerate(zip(a, b, strict=False)):
            yield from self.compare(item_a, item_b, f"{path}[{index}]", f"{plain}[]")

    def _compare_arrays(
        self, a: Any, b: Any, tolerance: Tolerance, path: str
    ) -> Iterator[Deviation]:
        if a.shape != b.shape:
            if a.ndim == b.ndim == 1:
                yield _lengths(len(a), len(b), tolerance, path)
            else:
                shape_a, shape_b = (f"shape {x.shape}" for x in (a, b))
                yield Deviation(path, shape_a, shape_b, None, tolerance, passes=False)
            return
        if a.dtype != b.dtype or a.dtype.kind not in "biuf":
            same = (
                np.result_type(a, b) if a.dtype.kind in "biuf" and b.dtype.kind in "biuf" else None
            )
            if same is None:
                if not np.array_equal(a, b):
                    yield Deviation(path, repr(a), repr(b), None, tolerance, passes=False)
                return
            a, b = a.astype(same), b.astype(same)
        if tolerance.quaternion is not None and a.shape[-1:] == (4,):
            error, wrong = judge_quaternions(a, b, tolerance)
            if error.any() or wrong.any():
                yield Deviation(
                    path, str(a), str(b), float(error.max()), tolerance, not wrong.any()
                )
            return
        if tolerance.unordered:
            a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
        at, error, wrong = differing(a, b, tolerance)
        if not len(at):
            return
        worst = int(np.argmax(np.where(wrong, error, -1.0) if wrong.any() else error))
        place = tuple(int(index) for index in np.unravel_index(at[worst], a.shape))
        count = int(np.count_nonzero(wrong))
        more = f" ({count} of {a.size} elements)" if count > 1 else ""
        yield Deviation(
            f"{path}[{']['.join(map(str, place))}]" if place else path,
            str(a[place]),
            f"{b[place]}{more}",
            float(error[worst]),
            tolerance,
            not count or tolerance.by != "element",
        )

    def _compare_images(
        self, a: Mapping[str, Any], b: Mapping[str, Any], tolerance: Tolerance, path: str
    ) -> Iterator[Deviation]:
        """Images by their pixels. What is none is told if each image is judged as a whole, else its bytes are compared."""
        whole = tolerance.by in MEASURES
        try:
            one = image_of(a)
        except BagError as error:
            if whole:
                raise CompareError(f"'{path}' cannot be judged: {error}") from error
            yield from self.compare(a["data"], b["data"], path, path)
            return
        try:
            other = image_of(b)
        except BagError as error:
            if whole:
                yield Deviation(
                    path, size(one), f"no image: {error}", None, tolerance, passes=False
                )
            else:
                yield from self.compare(a["data"], b["data"], path, path)
            return
        if whole or not of_one_size(one, other):
            yield from self._compare_likeness(one, other, tolerance, path)
        else:
            yield from self._compare_arrays(one, other, tolerance, path)

    def _compare_likeness(
        self, a: Pixels, b: Pixels, tolerance: Tolerance, path: str
    ) -> Iterator[Deviation]:
        if not of_one_size(a, b):
            yield Deviation(path, size(a), size(b), None, tolerance, passes=False)
        elif not np.array_equal(a, b, equal_nan=tolerance.nan):
            value = likeness(a, b, tolerance)
            shown, passes = measured(tolerance.by, value), value >= (tolerance.at_least or 0.0)
            yield Deviation(path, str(tolerance), shown, None, tolerance, passes)

    def _compare_quaternions(
        self, a: Mapping[str, Any], b: Mapping[str, Any], tolerance: Tolerance, path: str
    ) -> Iterator[Deviation]:
        sides = [np.array([[x[part] for part in QUATERNION]], np.float64) for x in (a, b)]
        error, wrong = judge_quaternions(sides[0], sides[1], tolerance)
        if error[0] or wrong[0]:
            shown_a, shown_b = (f"({', '.join(repr(x[p]) for p in QUATERNION)})" for x in (a, b))
            yield Deviation(path, shown_a, shown_b, float(error[0]), tolerance, not wrong[0])

    def _compare_times(self, a: Any, b: Any, path: str) -> Iterator[Deviation]:
        tolerance = self.tolerances.of(path)
        if tolerance.ignore:
            return
        if tolerance.by in MEASURES:
            raise no_image(path)
        times = [np.array([t.sec * NS_PER_S + t.nanosec], np.int64) for t in (a, b)]
        duration = a.__msgtype__.endswith("Duration")
        error, wrong = judge_times(times[0], times[1], tolerance, duration=duration)
        if error[0]:
            shown_a, shown_b = (seconds(int(time[0])) for time in times)
            passes = not wrong[0] or tolerance.by != "element"
            yield Deviation(path, shown_a, shown_b, float(error[0]), tolerance, passes)


def _fields(value: Any) -> Mapping[str, Any] | None:
    """The fields of a message, dataclass or dict by name; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(type(value), "get_fields_and_field_types"):
        return {name: getattr(value, name) for name in value.get_fields_and_field_types()}
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number, np.bool_))


def _of_one_type(a: Any, b: Any, kind: str) -> tuple[Any, Any] | None:
    """Two numbers as arrays (1,) of the type that they have in the message; None if nothing holds both."""
    if kind == "float32" or (isinstance(a, np.float32) and isinstance(b, np.float32)):
        return np.array([a], np.float32), np.array([b], np.float32)
    if isinstance(a, (int, np.integer)) and isinstance(b, (int, np.integer)):
        for dtype in (np.int64, np.uint64):
            limits = np.iinfo(dtype)
            if limits.min <= min(a, b) and max(a, b) <= limits.max:
                return np.array([a], dtype), np.array([b], dtype)
        return None
    return np.array([a], np.float64), np.array([b], np.float64)


def _shown(number: np.generic) -> str:
    """The shortest text that reads back as the same number of its type."""
    value = number.item()
    if isinstance(value, float) and not isinstance(number, np.float32):
        return repr(value)
    return str(number)


def _lengths(a: int, b: int, tolerance: Tolerance, path: str) -> Deviation:
    return Deviation(path, f"{a} elements", f"{b} elements", None, tolerance, passes=False)
