"""Names or ids of the elements of arrays: which of them both sides have, and in which order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...message.arrays import Column, Floats, Int64s, Mask
from ..deviation import Deviation, Place
from ..fields import FieldComparison
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import Tolerance
from .kind import Columns, Kind
from .shown import Shown

Keys: TypeAlias = Sequence[Hashable]
_SHOWN = 5


@dataclass(frozen=True)
class KeyPair:
    """The keys of the elements of an array on both sides."""

    a: Keys
    b: Keys

    @property
    def repeated(self) -> str:
        """Why elements cannot be told apart by their keys; "" if they can."""
        for side in (self.a, self.b):
            many = [(key, count) for key, count in Counter(side).items() if count > 1]
            if many:
                key, count = many[0]
                return f"{written(key)} is there {count} times"
        return ""

    @property
    def places(self) -> tuple[Int64s, Int64s]:
        """The indices of the elements that both sides have, in the order of A, (k,) each."""
        at = {key: index for index, key in enumerate(self.b)}
        both = [(index, at[key]) for index, key in enumerate(self.a) if key in at]
        found = np.array(both, np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    @property
    def alone(self) -> tuple[list[Hashable], list[Hashable]]:
        """The keys that only A has, and those that only B has."""
        sides = set(self.a), set(self.b)
        return [x for x in self.a if x not in sides[1]], [x for x in self.b if x not in sides[0]]

    @property
    def is_moved(self) -> bool:
        """Whether the elements that both sides have are in another order in B."""
        return bool((np.diff(self.places[1]) < 0).any())


def written(key: Hashable) -> str:
    """A key as it stands in the path of its element: `elbow`, `arm/3`."""
    parts = key if isinstance(key, tuple) else (key,)
    return "/".join(str(part) for part in parts).replace("[", "(").replace("]", ")")


def deviation_of_keys(pair: KeyPair, place: Place) -> Iterator[Deviation]:
    """Which elements only one side has, or that they are in another order."""
    missing, extra = pair.alone
    sides = f"{len(pair.a)} elements", f"{len(pair.b)} elements"
    if pair.repeated:
        told = f"{sides[1]}, which cannot be told apart by it: {pair.repeated}"
        yield place.unlike(sides[0], told)
    elif missing or extra:
        told = "; ".join(
            f"{word} {_listed(keys)}"
            for word, keys in (("without", missing), ("beside", extra))
            if keys
        )
        yield place.unlike(sides[0], f"{sides[1]}, {told}")
    elif pair.is_moved:
        text = f"{sides[1]} in another order: {_listed(pair.b)}"
        yield Deviation(place.path, sides[0], text, None, place.tolerance, passes=True)


def _listed(keys: Keys) -> str:
    shown = [repr(written(key)) for key in keys[:_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(keys) > _SHOWN else [])])


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, _: Columns) -> Mask:
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    for row, pair in enumerate(a[tally.subject.path]):
        tick = ticks[row : row + 1]
        if pair.repeated:  # judged in their order
            if len(pair.a) != len(pair.b):
                wrong[row] = tally.add_lengths(tick)[0]
            else:
                unlike = np.array([one != other for one, other in zip(pair.a, pair.b, strict=True)])
                unlike = unlike.astype(np.bool_).reshape(1, -1)
                wrong[row] = tally.add_all(tick, unlike.astype(np.float64), unlike)[0]
            continue
        missing, extra = map(len, pair.alone)
        count = len(pair.a) + extra
        wrong[row] = tally.add_set(
            tick, count, (missing, extra), bool(missing + extra), is_moved=pair.is_moved
        )
    return wrong


def _show(field: FieldComparison, a: Columns, _: Columns, __: int) -> Shown:
    """Each message by how many elements it has on both sides, and how many have no partner."""
    rows = [(len(pair.a), len(pair.b), sum(map(len, pair.alone))) for pair in a[field.field]]
    found = np.array(rows, np.float64).reshape(-1, 3)
    bounds = np.full((len(found), 1), math.nan)
    return Shown(found[:, :1], found[:, 1:2], found[:, 2:], found[:, 2:] > 0, bounds)


def _subject(_: str, __: Mapping[str, str], ___: Tolerance) -> Subject | None:
    return None  # what is a key is told by the arrays that belong to it


def _limit(a: Column, _: Tolerance) -> Floats:
    return np.zeros((len(a), 1))


def _deviations(_: Any, __: Any, ___: Place) -> Iterator[Deviation]:
    return iter(())


KEYED = Kind(
    name="keyed",
    subject=_subject,
    judge=_judge,
    limit=_limit,
    show=_show,
    deviations=_deviations,
    errs_by_element=False,
)
