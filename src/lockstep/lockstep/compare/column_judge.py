"""Judging messages whose bytes differ: field by field, as columns of some thousand messages at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..cdr.codec import Codec
from ..errors import CompareError
from ..message.arrays import Column, Floats, Mask
from ..message.images import IMAGE_FIELDS
from ..message.primitives import STRINGS
from ..message.schema import TIMES, base_type
from .definitions import common, unlike
from .fields import FieldComparison
from .images import (
    image_paths,
    judge_images,
    no_image,
    of_one_size,
    pixels_of_pairs,
)
from .judge import QUATERNION, differing, judge_quaternions, judge_texts, judge_times
from .pairs import Side, columns_of
from .tolerance import MEASURES, Tolerances


class ColumnJudge:
    """Judges the messages of one topic and keeps count of each field, by path."""

    def __init__(self, topic: str, codecs: tuple[Codec, Codec], tolerances: Tolerances) -> None:
        self._topic = topic
        self._codecs = codecs
        self.fields: dict[str, FieldComparison] = {}
        self.ignored: list[str] = []
        self._parts: dict[str, tuple[str, ...]] = {}
        """The paths whose columns a field is judged by: its own, or the four of a quaternion."""
        self._images: dict[str, tuple[str, ...]] = {}
        """The paths of size and encoding, and of the data, of fields that are judged as images."""
        self.ignored += [path for path in unlike(*codecs) if tolerances.of(path).ignore]
        for path, described in common(*codecs).items():
            tolerance = tolerances.of(path)
            if tolerance.ignore:
                self.ignored.append(path)
                continue
            name, kind = path, described
            parts: tuple[str, ...] = (path,)
            if tolerance.quaternion is not None and not described.endswith("[4]"):
                name, parts = _quaternion(path, codecs)
                kind = codecs[0].type if not name else "quaternion"
            if tolerance.has_limit and (paths := image_paths(path, common(*codecs))):
                self._images[path] = paths
            elif tolerance.by in MEASURES:
                raise no_image(path)
            self._parts[name] = parts
            if name not in self.fields:
                self.fields[name] = FieldComparison(name, kind, tolerance, parts)

    @property
    def needs_all(self) -> bool:
        """Whether messages with equal bytes count as well."""
        each = ("element", *MEASURES)
        return any(field.tolerance.by not in each for field in self.fields.values())

    def columns(self, a: Side, b: Side) -> tuple[dict[str, Column], dict[str, Column]]:
        """All fields that are judged, of m messages of each side; raises BagError that names a message that is none."""
        wanted = (*self._parts.values(), *self._images.values())
        paths = list(dict.fromkeys(path for parts in wanted for path in parts))
        found_a, found_b = (
            columns_of(side, codec, self._topic, paths)
            for side, codec in zip((a, b), self._codecs, strict=True)
        )
        return found_a, found_b

    def judge(self, ticks: Column, a: dict[str, Column], b: dict[str, Column]) -> Mask:
        """Which of m messages, given as columns, are beyond a tolerance that holds for each element, (m,)."""
        wrong: Mask = np.zeros(len(ticks), np.bool_)
        for name, parts in self._parts.items():
            field = self.fields[name]
            if name in self._images:
                paths = dict(zip(IMAGE_FIELDS, self._images[name], strict=True))
                of_a, of_b = ({of: side[path] for of, path in paths.items()} for side in (a, b))
                if field.tolerance.by in MEASURES:
                    wrong |= judge_images(field, ticks, of_a, of_b, self._topic)
                else:
                    wrong |= _judge_pixels(field, ticks, of_a, of_b)
            elif len(parts) > 1:
                whole_a, whole_b = (np.stack([x[part] for part in parts], axis=-1) for x in (a, b))
                found = judge_quaternions(whole_a, whole_b, field.tolerance)
                wrong |= _add(field, ticks, *found)
            else:
                wrong |= _judge(field, ticks, a[parts[0]], b[parts[0]])
        return wrong


def _quaternion(path: str, codecs: tuple[Codec, Codec]) -> tuple[str, tuple[str, ...]]:
    """The field that a part of a quaternion belongs to, and the paths of all four parts."""
    parent, _, _ = path.rpartition(".")
    parts = tuple(f"{parent}.{part}".lstrip(".") for part in QUATERNION)
    if path not in parts or not common(*codecs).keys() >= set(parts):
        raise CompareError(
            f"'{path}' is no part of a quaternion; give the tolerance quaternion to a field with x, y, z and w"
        )
    return parent, parts


def _judge(field: FieldComparison, ticks: Column, a: Column, b: Column) -> Mask:
    kind = base_type(field.type)
    whole = a.shape == b.shape and not _is_ragged(a, kind) and not _is_ragged(b, kind)
    if whole:
        return _judge_whole(field, kind, ticks, a, b)
    if a.ndim == b.ndim and not _is_ragged(a, kind) and not _is_ragged(b, kind):
        return field.add_lengths(ticks, np.ones(len(ticks), np.bool_))
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    for row in range(len(ticks)):
        tick = ticks[row : row + 1]
        for one, other in _arrays(a[row], b[row], kind):
            if one.shape != other.shape:
                wrong[row] |= field.add_lengths(tick, np.ones(1, np.bool_))[0]
            else:
                wrong[row] |= _judge_whole(field, kind, tick, one[None], other[None])[0]
    return wrong


def _judge_pixels(
    field: FieldComparison, ticks: Column, a: dict[str, Column], b: dict[str, Column]
) -> Mask:
    """Judge the numbers that pixels are, which are bytes only in some encodings."""
    kind = base_type(field.type)
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    for row, (one, other) in enumerate(pixels_of_pairs(a, b)):
        tick = ticks[row : row + 1]
        if of_one_size(one, other):
            wrong[row] = _judge_whole(field, kind, tick, one[None], other[None])[0]
        else:
            wrong[row] = field.add_lengths(tick, np.ones(1, np.bool_))[0]
    return wrong


def _is_ragged(column: Column, kind: str) -> bool:
    """Whether a column holds arrays of different shapes instead of numbers or strings."""
    if column.dtype != object:
        return False
    return kind not in STRINGS or (column.size > 0 and not isinstance(column.flat[0], str))


def _arrays(a: Any, b: Any, kind: str) -> Iterator[tuple[Column, Column]]:
    """The arrays in one message of a ragged column; a pair of different shapes where lengths differ."""
    a, b = np.asarray(a), np.asarray(b)
    if len(a) == len(b) and (_is_ragged(a, kind) or _is_ragged(b, kind)):
        for one, other in zip(a, b, strict=True):
            yield from _arrays(one, other, kind)
    else:
        yield a, b


def _judge_whole(field: FieldComparison, kind: str, ticks: Column, a: Column, b: Column) -> Mask:
    tolerance = field.tolerance
    if kind in STRINGS:
        if tolerance.unordered and a.ndim > 1:
            a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
        wrong = judge_texts(a, b, tolerance)
        return _add(field, ticks, wrong.astype(np.float64), wrong)
    if kind in TIMES:
        duration = kind.endswith("Duration")
        return _add(field, ticks, *judge_times(a, b, tolerance, duration=duration))
    if tolerance.quaternion is not None:
        return _add(field, ticks, *judge_quaternions(a, b, tolerance))
    if tolerance.unordered and a.ndim > 1:
        a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
    if tolerance.by == "cosine":
        field.add_products(a, b)
    at, error, wrong = differing(a, b, tolerance)
    return field.add(ticks, a.size, at // max(1, a[0].size), error, wrong)


def _add(field: FieldComparison, ticks: Column, error: Floats, wrong: Mask) -> Mask:
    """Note what was judged of all elements, (m, …)."""
    at = np.flatnonzero((error != 0) | wrong)
    rows = at // max(1, error[0].size)
    return field.add(ticks, error.size, rows, error.reshape(-1)[at], wrong.reshape(-1)[at])
