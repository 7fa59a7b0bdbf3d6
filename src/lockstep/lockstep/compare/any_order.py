"""Arrays whose elements may come in any order: what belongs together is moved together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import CompareError
from ..message.arrays import Column, Int64s
from .kinds.named_fields import fields_of
from .kinds.shown import is_ragged
from .tolerance import Tolerances

Columns = Mapping[str, Column]
_KINDS = "OUbiuf"  # texts tell elements apart best, floats worst, as they may be a little off


@dataclass(frozen=True)
class _Group:
    """Fields whose elements stay together; `keys` alone tell their order, if they can."""

    keys: tuple[str, ...]
    others: tuple[str, ...]


class AnyOrder:
    """Puts the elements of arrays in an order that both sides share.

    An array of messages is one array, whose elements have all their fields. Raises CompareError for
    an `unordered` that names what is no array beside it.
    """

    def __init__(self, types: Mapping[str, str], tolerances: Tolerances) -> None:
        self._alone: list[str] = []
        self._groups: list[_Group] = []
        of_messages: dict[str, list[str]] = {}
        for path, kind in types.items():
            rule = tolerances.of(path)
            unordered = False if rule.ignore else rule.unordered
            array, inside, _ = path.partition("[].")
            if unordered and inside and "[" not in kind:
                of_messages.setdefault(array, []).append(path)
            elif unordered and "[" in kind and not inside:
                self._alone.append(path)
                if not isinstance(unordered, bool):
                    followers = tuple(beside(path, name) for name in unordered)
                    _check_arrays(path, followers, types)
                    self._groups.append(_Group((path,), followers))
        for array, keys in of_messages.items():
            every = [path for path in types if path.startswith(f"{array}[].")]
            others = tuple(path for path in every if path not in keys)
            self._groups.append(_Group(tuple(keys), others))

    def keys_of(self, paths: Sequence[str]) -> list[str]:
        """The fields that tell the order of the elements of others."""
        groups = [one for one in self._groups if {*one.keys, *one.others} & set(paths)]
        return [path for one in groups for path in (*one.keys, *one.others)]

    def arranged(self, a: Columns, b: Columns) -> tuple[Columns, Columns]:
        """The columns of m messages of both sides, their elements in an order of both.

        Raises CompareError for arrays of one length that are unordered, each by itself.
        """
        if not self._alone and not self._groups:
            return a, b
        self._check_alone(a, b)
        return self._side(a), self._side(b)

    def _check_alone(self, a: Columns, b: Columns) -> None:
        there = [path for path in self._alone if path in a]
        for row in range(len(a[there[0]]) if len(there) > 1 else 0):
            check_alone(
                {path: (np.asarray(a[path][row]), np.asarray(b[path][row])) for path in there}
            )

    def _side(self, columns: Columns) -> Columns:
        found = dict(columns)
        for group in self._groups:
            keys, others = (
                [path for path in paths if path in columns] for paths in (group.keys, group.others)
            )
            if not keys:
                continue
            for path in (*keys, *others):
                found[path] = columns[path].copy()
            for row in range(len(columns[keys[0]])):
                values = {path: np.asarray(columns[path][row]) for path in (*keys, *others)}
                order = _order([values[path] for path in keys], [values[p] for p in others])
                for path, elements in values.items():
                    if len(elements) == len(order):
                        found[path][row] = elements[order]
        return found


def beside(path: str, name: str) -> str:
    """The path of the field of a name in the message that a field is in."""
    parent, dot, _ = path.rpartition(".")
    return f"{parent}{dot}{name}"


def check_alone(arrays: Mapping[str, tuple[Column, Column]]) -> None:
    """Raises CompareError if two arrays of a message, by path, have one length and another order.

    Each would be put in order by itself, and a value that went to another name be no difference.
    """
    moved = {
        path: len(a)
        for path, (a, b) in arrays.items()
        if len(a) == len(b) > 1 and not np.array_equal(a, b)
    }
    for one, other in combinations(arrays, 2):
        lengths = [len(arrays[path][0]) for path in (one, other)]
        if (one in moved or other in moved) and lengths[0] == lengths[1]:
            name = other.rpartition(".")[2]
            raise CompareError(
                f"{one} and {other} have one length and would each be compared in any order, so "
                "that it would not matter which element belongs to which; say what stays together "
                f"with one of them: {one}: {{unordered: [{name}]}}, or --tolerance "
                f"{one}=unordered:{name}"
            )


def arranged_fields(
    a: Mapping[str, Any], b: Mapping[str, Any], path: str, tolerances: Tolerances
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The fields of two messages at a path; arrays that follow an unordered one in its order."""
    rules = {name: tolerances.of(f"{path}.{name}" if path else str(name)) for name in a}
    unordered = {
        str(name): rule.unordered
        for name, rule in rules.items()
        if rule.unordered and not rule.ignore and all(_is_plain(x.get(name)) for x in (a, b))
    }
    if not unordered:
        return a, b
    check_alone({name: (np.asarray(a[name]), np.asarray(b[name])) for name in unordered})
    sides = dict(a), dict(b)
    for name, followers in unordered.items():
        if isinstance(followers, bool):
            continue
        for side in sides:
            there = [other for other in followers if _is_array(side.get(other))]
            order = _order([np.asarray(side[name])], [np.asarray(side[one]) for one in there])
            for moved in (name, *there):
                if len(side[moved]) == len(order):
                    side[moved] = _taken(side[moved], order)
    return sides


def arranged_messages(items: Sequence[Any], path: str, tolerances: Tolerances) -> Sequence[Any]:
    """The messages of an array at a path, in an order of their own if any may be theirs."""
    flat = [list(_leaves(item, f"{path}[]")) for item in items]
    if len({tuple(leaf for leaf, _ in one) for one in flat}) != 1 or len(items) < 2:
        return items
    names = [leaf for leaf, _ in flat[0]]
    columns = [np.array([one[i][1] for one in flat]) for i in range(len(names))]
    keys = [
        column for name, column in zip(names, columns, strict=True) if tolerances.of(name).unordered
    ]
    others = [
        column
        for name, column in zip(names, columns, strict=True)
        if not tolerances.of(name).unordered
    ]
    return _taken(items, _order(keys, others)) if keys else items


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The single values of a message, by path."""
    fields = fields_of(value)
    if fields is not None:
        for name, inner in fields.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif not _is_array(value):
        yield path, value


def _order(keys: Sequence[Column], others: Sequence[Column]) -> Int64s:
    """The order of elements by their keys, and by the others where these are equal."""
    count = len(keys[0])
    ranked = [
        column
        for columns in (keys, others)
        for column in sorted(columns, key=lambda one: _KINDS.index(one.dtype.kind))
        if column.ndim == 1 and len(column) == count and not is_ragged(column)
    ]
    texts = (one.astype("U") if one.dtype == object else one for one in ranked)
    ranks = [np.unique(one, return_inverse=True)[1] for one in texts]
    order: Int64s = np.lexsort(ranks[::-1])
    return order


def _taken(elements: Any, order: Int64s) -> Any:
    if isinstance(elements, np.ndarray):
        return elements[order]
    return [elements[index] for index in order.tolist()]


def _is_plain(value: Any) -> bool:
    """Whether a value is an array of single values."""
    return _is_array(value) and not any(fields_of(item) is not None for item in value[:1])


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, list, tuple))


def _check_arrays(path: str, followers: Sequence[str], types: Mapping[str, str]) -> None:
    for follower in followers:
        if "[" not in types.get(follower, "") or follower == path:
            raise CompareError(
                f"{path} is unordered with {follower}, which is no other array of its message"
            )
