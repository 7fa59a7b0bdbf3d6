"""Point clouds: what their data hold, by the names of their fields, of points that belong together.

Any message with the fields of sensor_msgs/msg/PointCloud2 is a cloud. Points of an organised cloud
belong together by their index. Where a cloud has a single row, its points have no order, and each
belongs to the nearest of the other cloud.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import BagError
from ...message.arrays import Column, Floats, Int64s, Mask
from ...message.images import points_of
from ..deviation import Deviation, Place
from ..fields import FieldComparison
from ..point_pairs import nearest_pairs, usual_spacing
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import Tolerance, Tolerances
from .kind import Columns, Fields, Kind
from .named_fields import fields_of
from .number import NUMBER
from .numbers_apart import judge_numbers
from .shown import Shown

_SIZES = ("height", "width", "point_step", "row_step", "is_bigendian")
_OF_FIELDS = ("name", "offset", "datatype", "count")
_NAMES = frozenset({*_SIZES, "fields", "data"})
_IMPLIED = ("width", "row_step")
_PLACE = ("x", "y", "z")
_LAW_POINTS = 64
"""Points of a message that laws are sought in, where clouds are of different sizes."""
_LAW_ELEMENTS = 4096
RulesOf = Callable[[str], Tolerance]
"""The tolerance of `data`, and of a field of the points below it."""


@dataclass(frozen=True)
class Cloud:
    """The points of a cloud as a structured array (n,), in so many rows."""

    points: Column
    rows: int

    @cached_property
    def layout(self) -> dict[str, str]:
        """The fields of a point and their types."""
        dtype = self.points.dtype
        return {name: _written(dtype[name]) for name in dtype.names or ()}

    def __str__(self) -> str:
        organised = f" in {self.rows} rows" if self.rows > 1 else ""
        return f"{len(self.points)} points{organised}"


@dataclass(frozen=True)
class CloudPair:
    """Two clouds and the points of them that belong together.

    A cloud may be a sentence instead, that says why it is none. `rows_a` and `rows_b` (k,) are
    indices of points; None: the i-th of all with the i-th.
    """

    a: Cloud | str
    b: Cloud | str
    rows_a: Int64s | None = None
    rows_b: Int64s | None = None

    @cached_property
    def problem(self) -> tuple[str, str] | None:
        """How the clouds are, if their points cannot be compared."""
        if isinstance(self.a, str) or isinstance(self.b, str):
            one, other = (str(side) for side in (self.a, self.b))
            return (one, other) if one != other else (one, f"{other}, and other bytes")
        if self.a.layout != self.b.layout:
            one, other = (
                ", ".join(f"{name} {kind}" for name, kind in side.layout.items())
                for side in (self.a, self.b)
            )
            return f"points of {one or 'nothing'}", f"points of {other or 'nothing'}"
        if self.rows_a is None and len(self.a.points) != len(self.b.points):
            return str(self.a), str(self.b)
        return None

    @property
    def alone(self) -> tuple[Int64s, Int64s]:
        """The points of A and of B that have no partner."""
        if self.rows_a is None or isinstance(self.a, str) or isinstance(self.b, str):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return _others(len(self.a.points), self.rows_a), _others(len(self.b.points), self.rows_b)

    @property
    def is_moved(self) -> bool:
        """Whether the points that belong together are in another order in B."""
        return self.rows_b is not None and bool((np.diff(self.rows_b) < 0).any())

    def values(self, name: str) -> tuple[Column, Column]:
        """A field of the points that belong together, of A and of B; none if there is a problem."""
        if self.problem or isinstance(self.a, str) or isinstance(self.b, str):
            return np.empty(0), np.empty(0)
        a, b = self.a.points[name], self.b.points[name]
        return (a, b) if self.rows_a is None else (a[self.rows_a], b[self.rows_b])

    def distances(self) -> Floats:
        """How far the points that belong together are apart, (k,); inf where a number meets NaN."""
        if isinstance(self.a, str):
            return np.empty(0)
        sides = [self.values(name) for name in _PLACE if name in self.a.layout]
        if not sides:
            return np.empty(0)
        with np.errstate(invalid="ignore", over="ignore"):
            squares = np.zeros(len(sides[0][0]))
            for a, b in sides:
                apart = b.astype(np.float64) - a.astype(np.float64)
                apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
                squares += apart**2
            found = np.sqrt(squares)
        found[np.isnan(found)] = np.inf
        return found

    def named(self, index: tuple[int, ...]) -> str:
        """An element of `values` as it is written: by its index in A, or by row and column."""
        point, *rest = index
        at = point if self.rows_a is None else int(self.rows_a[point])
        more = "".join(f"[{i}]" for i in rest)
        if isinstance(self.a, Cloud) and self.a.rows > 1:
            row, column = divmod(at, len(self.a.points) // self.a.rows)
            return f"[row {row}, column {column}]{more}"
        return f"[{at}]{more}"


class Clouds:
    """The clouds at one place of the messages of a type, as columns of both sides.

    `path` is that of their data; beside it each field of the points has a column of its own.
    """

    def __init__(self, path: str, tolerances: Tolerances) -> None:
        self.path = path
        self._parent = path.removesuffix("data")
        self._rule_of = rules_of(path, tolerances)
        below = (t for p, t in tolerances.rules.items() if p.startswith((f"{path}.", "*")))
        self.rules = (self._rule_of(""), *below)
        """The tolerances that may be those of its fields."""
        fields = [f"{self._parent}fields[].{name}" for name in _OF_FIELDS]
        self.columns = (*(f"{self._parent}{name}" for name in _SIZES), *fields, path)

    def rule_of(self, path: str) -> Tolerance:
        """The tolerance of its data, or of a field of its points."""
        return self._rule_of(path.removeprefix(self.path).removeprefix("."))

    def implied(self, types: Mapping[str, str]) -> frozenset[str]:
        """The fields that only say how many points there are, if that is judged by the pairs."""
        if self._rule_of("").pair == "index":
            return frozenset()
        return frozenset(f"{self._parent}{name}" for name in _IMPLIED) & types.keys()

    def seen(
        self, a: Columns, b: Columns, *, for_laws: bool = False
    ) -> tuple[dict[str, Column], dict[str, Column], dict[str, str]]:
        """Columns of both sides and their types, from those of `columns`.

        `for_laws` chooses the same number of points of each message where there are too many.
        """
        pairs = [
            paired(self._fields(a, row), self._fields(b, row), self._rule_of)
            for row in range(len(a[self.path]))
        ]
        types: dict[str, str] = {}
        for pair in pairs:
            if not pair.problem and isinstance(pair.a, Cloud):
                dtype = pair.a.points.dtype
                names = (name for name in dtype.names or () if not self._is_in_distance(name))
                types |= {f"{self.path}.{name}": f"{dtype[name].base.name}[]" for name in names}
        found: tuple[dict[str, Column], dict[str, Column]] = ({}, {})
        if for_laws:
            chosen = [_some_points(pair, pairs) for pair in pairs]
        for path in types:
            name = path.removeprefix(f"{self.path}.")
            sides = [pair.values(name) for pair in pairs]
            if for_laws:
                sides = [
                    (one[few], other[few]) for (one, other), few in zip(sides, chosen, strict=True)
                ]
            for side, values in zip(found, zip(*sides, strict=True), strict=True):
                side[path] = _column(values)
        whole = np.empty(len(pairs), object)
        whole[:] = pairs
        return found[0] | {self.path: whole}, found[1] | {self.path: whole}, types

    def _is_in_distance(self, name: str) -> bool:
        """Whether a field is judged by the distance of the points, and not by itself."""
        return name in _PLACE and self._rule_of("").distance is not None

    def _fields(self, columns: Columns, row: int) -> Fields:
        lists = [columns[f"{self._parent}fields[].{name}"][row].tolist() for name in _OF_FIELDS]
        sizes = {name: columns[f"{self._parent}{name}"][row] for name in _SIZES}
        return {**sizes, "fields": tuple(zip(*lists, strict=True)), "data": columns[self.path][row]}


def clouds_in(types: Mapping[str, str], tolerances: Tolerances) -> Iterator[Clouds]:
    """The clouds that messages of a type hold, whose fields have these types."""
    for path in types:
        implied = {f"{path.removesuffix('data')}{name}" for name in _IMPLIED}
        if _is_data(path, types) and types.keys() >= implied:
            yield Clouds(path, tolerances)


def _is_data(path: str, types: Mapping[str, str]) -> bool:
    """Whether a field is the data of a cloud, by what is beside it."""
    if types[path] != "uint8[]" or not path.endswith("data") or "[]" in path:
        return False
    parent = path.removesuffix("data")
    names = {*_SIZES, *(f"fields[].{name}" for name in _OF_FIELDS)} - {*_IMPLIED}
    return types.keys() >= {f"{parent}{name}" for name in names}


def cloud_fields(message: Any, paths: Iterable[str]) -> set[str]:
    """The paths of the fields of points of clouds, whose data are at `paths` of a message."""
    found = set()
    for path in paths:
        *parents, _ = path.split(".")
        for name in parents:
            message = getattr(message, name)
        found |= {f"{path}.{field.name}" for field in message.fields}
    return found


def rules_of(path: str, tolerances: Tolerances) -> RulesOf:
    """The tolerances of the data at a path: of "" as a whole, or of a field of its points."""
    whole = tolerances.of(path)

    def rule_of(name: str) -> Tolerance:
        if not name:
            return whole
        rule = tolerances.of(f"{path}.{name}")
        return replace(rule, distance=None) if rule == whole else rule

    return rule_of


def paired(a: Fields, b: Fields, rule_of: RulesOf) -> CloudPair:
    """Two clouds and which of their points belong together."""
    one, other = _cloud(a), _cloud(b)
    pair = CloudPair(one, other)
    if isinstance(one, str) or isinstance(other, str) or one.layout != other.layout:
        return pair
    how = rule_of("").pair
    by_index = how == "index" or (how == "auto" and max(one.rows, other.rows) > 1)
    axes = [name for name in _PLACE if name in one.layout]
    if by_index or not axes or any(one.points.dtype[name].shape for name in axes):
        return pair
    return _nearest(pair, one, other, axes, rule_of)


def _nearest(pair: CloudPair, a: Cloud, b: Cloud, axes: list[str], rule_of: RulesOf) -> CloudPair:
    """Points that agree at their index stay together; each of the others goes to the nearest."""
    open_a: Int64s = np.arange(len(a.points))
    open_b: Int64s = np.arange(len(b.points))
    if len(open_a) == len(open_b):
        apart = _apart(pair, axes, rule_of)
        if not apart.any():
            return pair
        open_a, open_b = np.flatnonzero(apart), np.flatnonzero(apart)
    places = [
        np.stack([side.points[name][rows].astype(np.float64) for name in axes], axis=1)
        for side, rows in ((a, open_a), (b, open_b))
    ]
    reach = rule_of("").reach
    if reach is None:
        whole = np.stack([a.points[name].astype(np.float64) for name in axes], axis=1)
        reach = max(usual_spacing(whole), _limit_of_place(axes, rule_of))
    rows_a, rows_b = nearest_pairs(places[0], places[1], reach)
    rows_a, rows_b = open_a[rows_a], open_b[rows_b]
    if len(open_a) < len(a.points):
        kept = _others(len(a.points), open_a)
        rows_a, rows_b = np.concatenate([rows_a, kept]), np.concatenate([rows_b, kept])
        order = np.argsort(rows_a, kind="stable")
        rows_a, rows_b = rows_a[order], rows_b[order]
    return replace(pair, rows_a=rows_a, rows_b=rows_b)


def _apart(pair: CloudPair, axes: list[str], rule_of: RulesOf) -> Mask:
    """The indices at which points of as many are not at one place, as far as is tolerated, (n,)."""
    limit = rule_of("").distance
    if limit is not None:
        return ~(pair.distances() <= limit)
    apart: Mask = np.zeros(len(pair.values(axes[0])[0]), np.bool_)
    for name in axes:
        one, other = pair.values(name)
        unequal = np.flatnonzero(one != other)
        apart[unequal] |= judge_numbers(one[unequal], other[unequal], rule_of(name))[1]
    return apart


def _limit_of_place(axes: list[str], rule_of: RulesOf) -> float:
    return rule_of("").distance or math.hypot(*(rule_of(name).abs for name in axes))


def _cloud(fields: Fields) -> Cloud | str:
    """The cloud that fields make up, or why they make none."""
    sizes = (int(fields[name]) for name in ("height", "width", "point_step", "row_step"))
    described = fields["fields"]
    if described and not isinstance(described[0], tuple):
        each = [fields_of(one) or {} for one in described]
        described = tuple(tuple(one[name] for name in _OF_FIELDS) for one in each)
    try:
        found = points_of(
            np.asarray(fields["data"], np.uint8),
            tuple(described),
            *sizes,
            is_bigendian=bool(fields["is_bigendian"]),
        )
    except BagError as error:
        return f"no cloud: {error}"
    return Cloud(found, int(fields["height"]))


def _written(dtype: np.dtype[Any]) -> str:
    """`float32`, or `uint16[33]`, in whatever byte order."""
    return f"{dtype.base.name}{''.join(f'[{count}]' for count in dtype.shape)}"


def _others(count: int, rows: Int64s | None) -> Int64s:
    left = np.ones(count, np.bool_)
    left[rows] = False
    return np.flatnonzero(left)


def _column(values: tuple[Column, ...]) -> Column:
    """Arrays as a column (m, …), or of m objects if they are large or of different lengths."""
    first = values[0]
    if first.size <= _LAW_ELEMENTS and all(one.shape == first.shape for one in values):
        return np.stack(values)
    column = np.empty(len(values), object)
    for row, one in enumerate(values):
        column[row] = one
    return column


def _some_points(pair: CloudPair, pairs: list[CloudPair]) -> Int64s:
    """The points of a pair that laws are sought in: all of few, else those that differ most."""
    counts = {_count(one) for one in pairs}
    if len(counts) == 1 and max(counts) <= _LAW_ELEMENTS:
        return np.arange(max(counts))
    count = _count(pair)
    few = min(_LAW_POINTS, *counts) if counts else 0
    if not few or not isinstance(pair.a, Cloud):
        return np.empty(0, np.int64)
    wrong: Mask = np.zeros(count, np.bool_)
    for name in pair.a.layout:
        one, other = pair.values(name)
        unequal = one != other
        if one.dtype.kind == "f":
            unequal &= ~(np.isnan(one) & np.isnan(other))
        wrong |= unequal.reshape(count, -1).any(axis=1)
    first = np.flatnonzero(wrong)
    first = first[np.linspace(0, len(first) - 1, min(few, len(first))).astype(np.int64)]
    rest = _others(count, first)[:: max(1, count // few)][: few - len(first)]
    chosen = np.union1d(first, rest)
    return chosen if len(chosen) == few else np.arange(few)


def _count(pair: CloudPair) -> int:
    if pair.problem or isinstance(pair.a, str):
        return 0
    return len(pair.a.points) if pair.rows_a is None else len(pair.rows_a)


def _subject(path: str, types: Mapping[str, str], _: Tolerance) -> Subject | None:
    if not _is_data(path, types):
        return None
    return Subject(path, types[path], "cloud", (path,), (path,))


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, _: Columns) -> Mask:
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    limit = tally.tolerance.distance
    for row, pair in enumerate(a[tally.subject.path]):
        tick = ticks[row : row + 1]
        if pair.problem:
            wrong[row] = tally.add_lengths(tick)[0]
            continue
        missing, extra = map(len, pair.alone)
        count = len(pair.a.points)
        beyond = missing + extra > tally.tolerance.unpaired * count
        error = np.empty(0) if limit is None else pair.distances()
        error = error[error != 0]
        far: Mask = error > (limit or 0.0)
        wrong[row] = tally.add_set(
            tick, count + extra, (missing, extra), beyond, error, far, is_moved=pair.is_moved
        )
    return wrong


def _show(field: FieldComparison, a: Columns, _: Columns, __: int) -> Shown:
    """Each message by the number of its points, and its largest distance or points alone."""
    limit = field.tolerance.distance
    rows = []
    for pair in a[field.field]:
        sides = [math.nan if isinstance(x, str) else len(x.points) for x in (pair.a, pair.b)]
        alone = sum(map(len, pair.alone))
        if pair.problem:
            rows.append((*sides, math.inf, True))
        elif limit is None:
            rows.append((*sides, alone, alone > field.tolerance.unpaired * sides[0]))
        else:
            off = float(pair.distances().max(initial=0.0))
            rows.append((*sides, off, off > limit))
    found = np.array(rows, np.float64).reshape(-1, 4)
    bounds = np.full((len(found), 1), math.nan if limit is None else limit)
    return Shown(found[:, :1], found[:, 1:2], found[:, 2:3], found[:, 3:] != 0, bounds)


def _limit(a: Column, tolerance: Tolerance) -> Floats:
    return np.full((len(a), 1), tolerance.distance or 0.0)


def _holds_within(name: str, a: Fields, b: Fields, _: Tolerance) -> bool:
    if name not in ("data", *_IMPLIED) or not all(side.keys() >= _NAMES for side in (a, b)):
        return False
    described = [*a["fields"], *b["fields"]]
    return all(set(fields_of(one) or ()) >= set(_OF_FIELDS) for one in described)


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    """How clouds differ, given the fields that are beside their data: as a whole, then by field."""
    parent, _, name = place.path.rpartition(".")
    path = f"{parent}.data" if parent else "data"
    rule_of = rules_of(path, place.tolerances)
    whole = rule_of("")
    if name in _IMPLIED:
        if whole.pair == "index" and not place.tolerance.ignore:
            yield from NUMBER.deviations(a[name], b[name], place)
        return
    pair = paired(a, b, rule_of)
    if pair.problem:
        is_same = np.array_equal(np.asarray(a["data"]), np.asarray(b["data"]))
        if not whole.ignore and not (isinstance(pair.a, str) and pair.a == pair.b and is_same):
            yield place.unlike(*pair.problem)
        return
    assert isinstance(pair.a, Cloud) and isinstance(pair.b, Cloud)
    if not whole.ignore:
        yield from _deviations_of_points(pair, place)
    in_distance = _PLACE if whole.distance is not None else ()
    for name, kind in pair.a.layout.items():
        rule = rule_of(name)
        if rule.ignore or name in in_distance:
            continue
        one, other = pair.values(name)
        below = Place(f"{place.path}.{name}", kind, rule, place.tolerances, pair.named)
        yield from NUMBER.deviations(_native(one), _native(other), below)


def _deviations_of_points(pair: CloudPair, place: Place) -> Iterator[Deviation]:
    """Points without partner, and those too far from theirs."""
    assert isinstance(pair.a, Cloud) and isinstance(pair.b, Cloud)
    tolerance, (missing, extra) = place.tolerance, pair.alone
    if len(missing) or len(extra):
        beyond = len(missing) + len(extra) > tolerance.unpaired * len(pair.a.points)
        told = [
            f"{len(rows)} {word}, first {_point(cloud, int(rows[0]))}"
            for word, rows, cloud in (("missing", missing, pair.a), ("extra", extra, pair.b))
            if len(rows)
        ]
        sides = str(pair.a), f"{pair.b}: {'; '.join(told)}"
        yield Deviation(place.path, *sides, None, tolerance, not beyond)
    elif pair.is_moved:
        sides = str(pair.a), f"{pair.b} in another order"
        yield Deviation(place.path, *sides, None, tolerance, passes=True)
    if tolerance.distance is None:
        return
    distances = pair.distances()
    if distances.any():
        worst = int(distances.argmax())
        places = (
            worst if rows is None else int(rows[worst]) for rows in (pair.rows_a, pair.rows_b)
        )
        sides = _point(pair.a, next(places)), _point(pair.b, next(places))
        far = int(np.count_nonzero(~(distances <= tolerance.distance)))
        more = f" ({far} of {len(distances)} points)" if far > 1 else ""
        path = f"{place.path}{pair.named((worst,))}"
        error = float(distances[worst])
        yield Deviation(path, sides[0], sides[1] + more, error, tolerance, not far)


def _point(cloud: Cloud, at: int) -> str:
    """`(1.0, 2.0, 0.5)`"""
    point = cloud.points[at]
    return f"({', '.join(str(point[name]) for name in _PLACE if name in cloud.layout)})"


def _native(values: Column) -> Column:
    return values.astype(values.dtype.newbyteorder("="), copy=False)


CLOUD = Kind(
    name="cloud",
    subject=_subject,
    judge=_judge,
    limit=_limit,
    show=_show,
    deviations=_deviations,
    holds_within=_holds_within,
    errs_by_element=False,
)
