"""Comparing two values field by field: messages, dataclasses, dicts, arrays and numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .any_order import arranged_fields, arranged_messages
from .definitions import leading_to
from .deviation import Deviation, Place, indexed
from .keyed import keyed_fields, keyed_messages, named_by
from .kinds import kind_of_values, kind_within
from .kinds.keyed import KeyPair, deviation_of_keys
from .kinds.named_fields import fields_of
from .kinds.trajectory import rule_in
from .tolerance import TRAJECTORY, Tolerance, Tolerances


def deviations(
    a: Any,
    b: Any,
    tolerances: Tolerances,
    path: str = "",
    kinds: Mapping[str, str] | None = None,
) -> Iterator[Deviation]:
    """The fields in which `b` is not equal to the reference `a`, those within tolerance included.

    Messages are dataclasses with numpy arrays as bags are decoded; times have sec and nanosec.
    `kinds` gives the types of their fields (`Codec.fields`), which tells float32 from float64;
    fields without one are left out. An array yields one deviation for its worst element beyond
    tolerance, or else its worst. Raises CompareError for what is to be judged as an image and is
    none.
    """
    yield from _Walk(tolerances, kinds or {}).compare(a, b, path, path)


class _Walk:
    """Through all fields of two messages; what has no fields is judged by its kind."""

    def __init__(self, tolerances: Tolerances, types: Mapping[str, str]) -> None:
        self._tolerances, self._types = tolerances, types
        self._known = leading_to(types)

    def compare(
        self, a: Any, b: Any, path: str, plain: str, keys: KeyPair | None = None
    ) -> Iterator[Deviation]:
        """`path` has indexes, `plain` is as in the types; `keys` are those of arrays' elements."""
        if isinstance(a, array):  # as in rclpy's messages
            a = np.asarray(a)
        if isinstance(b, array):
            b = np.asarray(b)
        tolerance = self._tolerances.of(path)
        if tolerance.by in TRAJECTORY:
            tolerance = rule_in(plain, self._types, self._tolerances)
        kind = kind_of_values(a, b, tolerance)
        if kind is not None:
            if not tolerance.ignore:
                yield from kind.deviations(a, b, self._place(path, plain, tolerance, keys))
            if not kind.goes_below:
                return
        fields_a, fields_b = fields_of(a), fields_of(b)
        if fields_a is not None and fields_b is not None:
            yield from self._compare_fields(fields_a, fields_b, path, plain)
        elif tolerance.ignore and not self._judges_below(plain):
            return
        elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
            yield from self._compare_lists(
                a, b, self._place(path, plain, tolerance, keys), plain, keys
            )
        elif type(a) is not type(b) or a != b:
            yield self._place(path, plain, tolerance).unlike(repr(a), repr(b))

    def _place(
        self, path: str, plain: str, tolerance: Tolerance, keys: KeyPair | None = None
    ) -> Place:
        named = indexed if keys is None else partial(named_by, keys)
        return Place(path, self._types.get(plain, ""), tolerance, self._tolerances, named)

    def _judges_below(self, plain: str) -> bool:
        """Whether messages in an array have a field with a rule, although the array is ignored."""
        below = (path for path in self._types if path.startswith(f"{plain}[]."))
        return any(not self._tolerances.of(path).ignore for path in below)

    def _compare_fields(
        self, a: Mapping[str, Any], b: Mapping[str, Any], path: str, plain: str
    ) -> Iterator[Deviation]:
        a, b = arranged_fields(a, b, path, self._tolerances)
        a, b, heads, keys = keyed_fields(a, b, path, self._tolerances)
        for name in dict.fromkeys((*a, *b)):
            below, plain_below = (f"{at}.{name}" if at else str(name) for at in (path, plain))
            if self._types and plain_below not in self._known:
                continue
            tolerance = self._tolerances.of(below)
            kind = kind_within(name, a, b, tolerance)
            if kind is not None:
                yield from kind.deviations(a, b, self._place(below, plain_below, tolerance))
            elif name in heads:
                yield from deviation_of_keys(
                    heads[name], self._place(below, plain_below, tolerance)
                )
            elif name in a and name in b:
                yield from self.compare(a[name], b[name], below, plain_below, keys.get(name))
            elif not tolerance.ignore:
                side_a, side_b = (repr(x[name]) if name in x else "missing" for x in (a, b))
                yield self._place(below, plain_below, tolerance).unlike(side_a, side_b)

    def _compare_lists(
        self, a: Any, b: Any, place: Place, plain: str, keys: KeyPair | None
    ) -> Iterator[Deviation]:
        if place.tolerance.unordered and all(isinstance(x, str) for x in (*a, *b)):
            a, b = sorted(a), sorted(b)
        else:
            a, b = (arranged_messages(side, place.path, self._tolerances) for side in (a, b))
        if keys is None:
            keys = keyed_messages(a, b, place.path, self._tolerances)
            if keys and keys.a != keys.b:
                yield from deviation_of_keys(keys, place)
                if not keys.repeated:
                    a, b = (
                        [side[at] for at in places.tolist()]
                        for side, places in zip((a, b), keys.places, strict=True)
                    )
        if keys is not None:
            place = replace(place, named=partial(named_by, keys))
        if len(a) != len(b):
            yield place.unlike(f"{len(a)} elements", f"{len(b)} elements")
        for index, (item_a, item_b) in enumerate(zip(a, b, strict=False)):
            yield from self.compare(
                item_a, item_b, f"{place.path}{place.named((index,))}", f"{plain}[]"
            )
