"""Arrays whose elements have names or ids: both sides in the order of A, elements by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import CompareError
from ..message.arrays import Column, Int64s
from ..message.primitives import SIZES, STRINGS
from ..message.schema import base_type
from .kinds.keyed import KeyPair, written
from .kinds.named_fields import fields_of
from .tolerance import Tolerance, Tolerances

_NAMES = ("name", "names")
"""Arrays of texts to whose elements those of all arrays beside them belong."""
_JOINT_NAMES = {"joint_names": ("transforms", "twist", "wrench", "interface_values")}
"""Such arrays that only these belong to."""
_KEYS = (
    ("ns", "id"),
    *((name,) for name in ("name", "id", "key", "child_frame_id", "track_id", "tracking_id")),
)
"""Fields that tell the messages of an array apart, the likeliest first."""


@dataclass(frozen=True)
class Group:
    """Paths of arrays whose elements belong together; the first of `keys` stands for all."""

    keys: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def path(self) -> str:
        """The field that tells which elements there are."""
        return self.keys[0]


class KeyedArrays:
    """Puts the elements of arrays in the order of A by their keys, and leaves out what is alone."""

    def __init__(self, types: Mapping[str, str], tolerances: Tolerances) -> None:
        self._groups = list(_groups(types, tolerances))

    @property
    def keys(self) -> frozenset[str]:
        """The fields whose columns are pairs of keys."""
        return frozenset(group.path for group in self._groups)

    def needed_for(self, paths: Sequence[str]) -> list[str]:
        """The fields by which those of `paths` are put in order."""
        wanted = set(paths)
        groups = [one for one in self._groups if wanted & {*one.keys, *one.others}]
        return [path for group in groups for path in group.keys]

    def arranged(
        self, a: Mapping[str, Column], b: Mapping[str, Column]
    ) -> tuple[dict[str, Column], dict[str, Column]]:
        """The columns of m messages of both sides; those of `keys` hold pairs of keys."""
        found: tuple[dict[str, Column], dict[str, Column]] = (dict(a), dict(b))
        for group in self._groups:
            if group.path not in a:
                continue
            pairs = [
                KeyPair(*(_keys([side[key][row] for key in group.keys]) for side in (a, b)))
                for row in range(len(a[group.path]))
            ]
            whole = np.empty(len(pairs), object)
            whole[:] = pairs
            places = {
                row: pair.places
                for row, pair in enumerate(pairs)
                if pair.a != pair.b and not pair.repeated
            }
            for path in (*group.keys[1:], *group.others):
                if path in a and places:
                    lengths = [(len(pair.a), len(pair.b)) for pair in pairs]
                    for side, (columns, changed) in enumerate(zip((a, b), found, strict=True)):
                        at = {row: both[side] for row, both in places.items()}
                        sizes = [one[side] for one in lengths]
                        changed[path] = _taken(columns[path], at, sizes)
            found[0][group.path] = found[1][group.path] = whole
        return found


def _groups(types: Mapping[str, str], tolerances: Tolerances) -> Iterator[Group]:
    """The arrays whose elements are keyed, by declaration or by what they are called."""
    seen: set[str] = set()
    for path, kind in types.items():
        rule, (array, inside, _) = tolerances.of(path), path.partition("[].")
        if rule.ignore or rule.unordered or rule.text is not None or rule.keyed is False:
            continue
        if not inside and _is_sequence(kind):
            followers = _beside(path, kind, rule, types)
            if followers:
                yield Group((path,), followers)
        elif inside and "[" not in array and array not in seen:
            keys = _keys_of(array, types, tolerances)
            if keys and path in keys:
                seen.add(array)
                every = tuple(p for p in types if p.startswith(f"{array}[].") and p not in keys)
                yield Group(keys, every)


def _beside(path: str, kind: str, rule: Tolerance, types: Mapping[str, str]) -> tuple[str, ...]:
    """The arrays whose elements belong to those of an array of names, as their columns."""
    parent, dot, name = path.rpartition(".")
    wanted: Sequence[str] | None
    if isinstance(rule.keyed, tuple):
        wanted = rule.keyed
    elif rule.keyed or (name in _NAMES and base_type(kind) in STRINGS):
        wanted = None
    elif name in _JOINT_NAMES:
        wanted = _JOINT_NAMES[name]
    else:
        return ()
    found: dict[str, str] = {}
    for other, described in types.items():
        below = other.removeprefix(f"{parent}{dot}")
        own = below.partition("[")[0]
        is_array = below == own and _is_sequence(described)
        is_beside = other != path and other.startswith(f"{parent}{dot}") and "." not in own
        if is_beside and (is_array or below.startswith(f"{own}[].")):
            found[other] = own
    if isinstance(rule.keyed, tuple):
        for name in set(rule.keyed) - set(found.values()):
            raise CompareError(f"{path} is keyed with {name}, which is no other array beside it")
    return tuple(other for other, own in found.items() if wanted is None or own in wanted)


def _is_sequence(described: str) -> bool:
    return described.endswith("[]") or "[<=" in described


def _keys_of(array: str, types: Mapping[str, str], tolerances: Tolerances) -> tuple[str, ...]:
    """The fields that tell the messages of an array apart; () if none is known to."""
    below = [path for path in types if path.startswith(f"{array}[].")]
    if any(tolerances.of(path).unordered for path in below):
        return ()
    declared = tuple(path for path in below if tolerances.of(path).keyed is True)
    if declared:
        return declared
    for names in _KEYS:
        paths = tuple(f"{array}[].{name}" for name in names)
        if all(_tells_apart(path, types, tolerances) for path in paths):
            return paths
    return ()


def _tells_apart(path: str, types: Mapping[str, str], tolerances: Tolerances) -> bool:
    rule = tolerances.of(path)
    kind = types.get(path, "[")
    is_key = "[" not in kind and (
        base_type(kind) in STRINGS or (kind in SIZES and "float" not in kind and kind != "bool")
    )
    return is_key and rule.keyed is not False and not rule.ignore and rule.text is None


def _keys(columns: Sequence[Any]) -> list[Any]:
    """The keys of the elements of one message: values, or tuples of several."""
    lists = [np.asarray(column).tolist() for column in columns]
    return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))


def _taken(column: Column, places: Mapping[int, Int64s], lengths: Sequence[int]) -> Column:
    """A column of arrays with the elements at places (k,) of some of its rows.

    Arrays that have not as many elements as there are keys stay as they are.
    """
    rows = [
        value[places[row]] if row in places and len(value) == lengths[row] else value
        for row, value in enumerate(column)
    ]
    if all(np.shape(new) == np.shape(old) for new, old in zip(rows, column, strict=True)):
        changed = column.copy()
    else:
        changed = np.empty(len(column), object)
    for row, value in enumerate(rows):
        changed[row] = value
    return changed


def keyed_fields(
    a: Mapping[str, Any], b: Mapping[str, Any], path: str, tolerances: Tolerances
) -> tuple[Mapping[str, Any], Mapping[str, Any], dict[str, KeyPair], dict[str, KeyPair]]:
    """The fields of two messages at a path with arrays in the order of A, and the keys by name.

    The former keys are those of arrays of names that are not the same, the latter those of the
    arrays whose elements belong to such names: of these, what is alone is left out.
    """
    heads: dict[str, KeyPair] = {}
    keys: dict[str, KeyPair] = {}
    types = {str(name): _described(value) for name, value in a.items()}
    prefix = f"{path}." if path else ""
    for name, kind in types.items():
        rule = tolerances.of(f"{prefix}{name}")
        if rule.ignore or rule.unordered or rule.text is not None or rule.keyed is False:
            continue
        if not _is_sequence(kind) or not _are_arrays(a.get(name), b.get(name)):
            continue
        followers = [one for one in _beside(name, kind, rule, types) if one in b]
        if not followers:
            continue
        pair = KeyPair(*(list(map(_plain, side[name])) for side in (a, b)))
        keys |= dict.fromkeys(followers, pair)
        if pair.a == pair.b:
            continue
        heads[name] = pair
        if not pair.repeated:
            a, b = _fields_in_order(a, b, followers, pair)
    return a, b, heads, keys


def _fields_in_order(
    a: Mapping[str, Any], b: Mapping[str, Any], followers: Sequence[str], pair: KeyPair
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    sides = dict(a), dict(b)
    for follower in followers:
        if _are_arrays(a[follower], b[follower]):
            for side, at, of in zip(sides, pair.places, (pair.a, pair.b), strict=True):
                if len(side[follower]) == len(of):
                    side[follower] = _elements(side[follower], at)
    return sides


def keyed_messages(
    a: Sequence[Any], b: Sequence[Any], path: str, tolerances: Tolerances
) -> KeyPair | None:
    """The keys of the messages of an array at a path; None if nothing tells them apart."""
    fields = [fields_of(item) for item in (*a, *b)]
    if not fields or any(one is None for one in fields):
        return None
    first = fields[0] or {}
    types = {f"{path}[].{name}": _described(value) for name, value in first.items()}
    paths = _keys_of(path, types, tolerances)
    if not paths:
        return None
    names = [key.removeprefix(f"{path}[].") for key in paths]
    each = [tuple(_plain((one or {})[name]) for name in names) for one in fields]
    keys = [one[0] if len(one) == 1 else one for one in each]
    return KeyPair(keys[: len(a)], keys[len(a) :])


def _described(value: Any) -> str:
    """About the type of a value, as far as it tells names and ids from others."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, (int, np.integer)):
        return "int64"
    if isinstance(value, (list, tuple)):
        return f"{_described(value[0]) if value else 'string'}[]"
    if isinstance(value, np.ndarray):
        return "string[]" if value.dtype.kind in "OU" else "float64[]"
    return "float64"


def _are_arrays(*values: Any) -> bool:
    return all(isinstance(value, (list, tuple, np.ndarray)) for value in values)


def _elements(values: Any, at: Int64s) -> Any:
    return values[at] if isinstance(values, np.ndarray) else [values[i] for i in at.tolist()]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def named_by(pair: KeyPair, index: tuple[int, ...]) -> str:
    """An element that both sides have as it is written, by its key."""
    at, *rest = index
    more = "".join(f"[{i}]" for i in rest)
    keys = list(pair.a)
    if not pair.repeated and pair.a != pair.b:
        keys = [pair.a[i] for i in pair.places[0].tolist()]
    if pair.repeated or at >= len(keys):
        return f"[{at}]{more}"
    return f"[{written(keys[at])}]{more}"
