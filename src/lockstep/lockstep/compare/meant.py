"""Columns of messages that belong together, as they are meant: points of clouds by their fields,
and elements of arrays in an order of both sides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TypeAlias

import numpy as np

from ..bag import Bag, BagError
from ..cdr.codec import Codec
from ..message.arrays import Column, Int64s
from .align import Alignment
from .any_order import AnyOrder
from .definitions import common
from .keyed import KeyedArrays
from .kinds.cloud import Clouds, cloud_fields, clouds_in
from .kinds.trajectory import rule_in
from .side_by_side import Side, columns_of, pairs
from .tolerance import Tolerance, Tolerances

Columns: TypeAlias = dict[str, Column]


class Meant:
    """The fields of the messages of a topic, of which some make up others."""

    def __init__(self, topic: str, codecs: tuple[Codec, Codec], tolerances: Tolerances) -> None:
        self._topic, self._codecs = topic, codecs
        tolerances, types = tolerances.at(topic), common(*codecs)
        self._any_order = AnyOrder(types, tolerances)
        self._keyed = KeyedArrays(types, tolerances)
        self._clouds = list(clouds_in(types, tolerances))
        implied = frozenset().union(*(clouds.implied(types) for clouds in self._clouds))
        self.types: dict[str, str] = {p: kind for p, kind in types.items() if p not in implied}
        """The types of what is judged, by path; those that only messages tell as they are seen."""
        self._tolerances = tolerances

    @property
    def rules_to_come(self) -> Iterator[Tolerance]:
        """The tolerances of fields that messages may still tell of."""
        return (rule for clouds in self._clouds for rule in clouds.rules)

    @property
    def opened(self) -> list[str]:
        """The paths whose columns tell of more fields, if any of those is judged."""
        return [one.path for one in self._clouds if not all(rule.ignore for rule in one.rules)]

    @property
    def keyed(self) -> frozenset[str]:
        """The fields by which the elements of arrays are matched."""
        return self._keyed.keys

    def tolerance_of(self, path: str) -> Tolerance:
        """The tolerance of a field."""
        of = (one for one in self._clouds if path.startswith(f"{one.path}."))
        clouds = next(of, None)
        if clouds:
            return clouds.rule_of(path)
        return rule_in(path, self.types, self._tolerances)

    def columns(
        self, a: Side, b: Side, paths: Sequence[str], *, for_laws: bool = False
    ) -> tuple[Columns, Columns]:
        """The columns of `paths` and of the fields that only messages tell, of both sides.

        `for_laws` takes of large clouds some points only. Raises BagError that names a message that
        is none, CompareError for arrays that cannot be put in order.
        """
        clouds = [one for one in self._clouds if _is_wanted(one, paths)]
        known = [path for path in paths if path in self._raw]
        read = dict.fromkeys([*known, *(path for one in clouds for path in one.columns)])
        by = [*self._any_order.keys_of(known), *self._keyed.needed_for(known)]
        sides = [
            columns_of(side, codec, self._topic, list(dict.fromkeys([*read, *by])))
            for side, codec in zip((a, b), self._codecs, strict=True)
        ]
        of_a, of_b = self._any_order.arranged(sides[0], sides[1])
        of_a, of_b = self._keyed.arranged(of_a, of_b)
        found_a, found_b = ({path: side[path] for path in known} for side in (of_a, of_b))
        for one in clouds:
            more_a, more_b, types = one.seen(sides[0], sides[1], for_laws=for_laws)
            self.types |= types
            found_a, found_b = found_a | more_a, found_b | more_b
        return found_a, found_b

    @property
    def _raw(self) -> frozenset[str]:
        return frozenset(self._codecs[0].fields())


def _is_wanted(clouds: Clouds, paths: Sequence[str]) -> bool:
    return any(path == clouds.path or path.startswith(f"{clouds.path}.") for path in paths)


def opened_in(fields: Iterable[str]) -> set[str]:
    """Those of the fields of messages below which only messages tell of fields: data of clouds."""
    types = dict.fromkeys(fields, "uint8[]")
    return {clouds.path for clouds in clouds_in(types, Tolerances())}


def fields_of_clouds(bags: Iterable[Bag], topics: Collection[str]) -> set[str]:
    """The paths of the fields of points that the first message of each topic tells."""
    found: set[str] = set()
    for bag in bags:
        for topic in topics:
            with suppress(BagError):  # it is none, which comparing will say, or has no fields
                clouds = list(clouds_in(bag.codec(topic).fields(), Tolerances()))
                first = next(bag.batches([topic]), None) if clouds else None
                if first is not None:
                    message = bag.codec(topic).decode(next(first.payloads()))
                    found |= cloud_fields(message, [one.path for one in clouds])
    return found


def paired_columns(
    a: Bag, b: Bag, topic: str, aligned: Alignment, paths: Sequence[str], tolerances: Tolerances
) -> Iterator[tuple[Int64s, Columns, Columns]]:
    """Fields of the aligned messages of a topic: ticks of A (m,), and columns of A and of B.

    These come some thousand at a time. See `Bag.columns`; raises BagError as that does.
    """
    meant = Meant(topic, (a.codec(topic), b.codec(topic)), tolerances)
    for side_a, side_b in pairs(a, b, topic, aligned, to_the_end=False):
        columns_a, columns_b = meant.columns(side_a, side_b, paths)
        lacking = [path for path in paths if path not in columns_a]  # no message here has them
        for column in (columns_a, columns_b):
            column |= {path: np.empty((len(side_a.ticks), 0)) for path in lacking}
        yield side_a.ticks, columns_a, columns_b
