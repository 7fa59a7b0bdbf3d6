"""What is drawn of fields that differ: peaks, distributions and places of errors.

All is streamed in flat memory. The aligned messages are read twice: first to see how large numbers
get and which element of an array is worst, then to sort them into columns of pixels and bins.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bag import Bag
from ..compare.field_blocks import field_blocks
from ..compare.fields import FieldComparison
from ..compare.key_comparison import KeyComparison
from ..compare.kinds import KINDS
from ..compare.kinds.number import WHOLE_TYPES
from ..compare.kinds.shown import Shown
from ..compare.tolerance import Tolerances
from ..message.arrays import Column, Floats, Int64s
from ..message.schema import base_type
from .error_map import ErrorMap
from .spread import Spread, bin_edges
from .trace import Trace

Side = Mapping[str, Column]
_DISTINCT_TEXTS, _SHOWN_TEXTS, _TEXT_LENGTH = 1000, 8, 100
_SHOWN_GAPS = 200


@dataclass(frozen=True)
class Limits:
    """How much is drawn of a field, and how many of its elements are looked at for that at most."""

    columns: int = 1000
    cells: int = 20_000
    elements: int = 10_000_000


@dataclass
class FieldSeries:
    """One field of the first `rows` of all aligned messages.

    Points are rows of the alignment with values. `a` and `b` are one `element` of an array: the one
    that is worst. `error` is that of the worst element of each message, `limit` (n,) its tolerance
    there. `no_number` are rows in which an error is none, `first` is that of the first wrong
    message.
    """

    field: FieldComparison
    rows: int = 0
    width: int = 1
    element: int | None = None
    origin_ns: int = 0
    a: tuple[Int64s, Floats] | None = None
    b: tuple[Int64s, Floats] | None = None
    error: tuple[Int64s, Floats] | None = None
    limit: Floats = dataclasses.field(default_factory=lambda: np.empty(0))
    first: tuple[int, float] | None = None
    no_number: Int64s = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))
    spreads: tuple[Spread, Spread] | None = None
    error_spread: Spread | None = None
    map: ErrorMap | None = None
    texts: tuple[Counter[str], Counter[str]] | None = None
    finite: int = 0
    bias: float = 0.0
    mean: float = 0.0
    rmse: float = 0.0


def field_series(
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    fields: Sequence[FieldComparison],
    tolerances: Tolerances,
    limits: Limits | None = None,
) -> dict[str, FieldSeries]:
    """What is drawn of `fields` of a key, by field; raises BagError as reading does.

    They were compared with these `tolerances`.
    """
    pairs = key.aligned.pairs
    if pairs is None or not key.aligned.count or not fields:
        return {}
    surveys = [_Survey(found, (limits or Limits()).elements) for found in fields]
    for rows, ticks, a, b in field_blocks(bags, key.topic, pairs, fields, tolerances):
        open_surveys = [survey for survey in surveys if not survey.full]
        if not open_surveys:
            break
        for survey in open_surveys:
            survey.add(rows, ticks, a, b)
    drawings = [_Drawing(survey, limits or Limits()) for survey in surveys]
    last = max(survey.rows for survey in surveys)
    for rows, _, a, b in field_blocks(bags, key.topic, pairs, fields, tolerances):
        if rows[0] >= last:
            break
        for drawing in drawings:
            if rows[0] < drawing.rows:
                drawing.add(rows, a, b)
    return {drawing.result.field.field: drawing.finished() for drawing in drawings}


class _Survey:
    """The first look at a field: how large numbers get, and where the worst is."""

    def __init__(self, found: FieldComparison, most: int) -> None:
        self.field = found
        self.kind = KINDS[found.kind]
        self._most = most
        self.rows = self.elements = self.width = 0
        self.origin_ns: int | None = None
        self.low, self.high = np.inf, -np.inf
        self.error_low, self.error_high = np.inf, -np.inf
        self.element = 0
        self._worst = (False, -1.0)
        self.first: tuple[int, float] | None = None

    @property
    def full(self) -> bool:
        """Whether as many elements were seen as may be looked at."""
        return self.elements >= self._most

    def add(self, rows: Int64s, ticks: Int64s, a: Side, b: Side) -> None:
        if self.origin_ns is None:
            self.origin_ns = self.kind.origin_ns(a[self.field.parts[0]])
        seen = self.kind.show(self.field, a, b, self.origin_ns)
        self.rows = int(rows[-1]) + 1
        self.elements += max(seen.a.size, len(rows))
        self.width = max(self.width, seen.a.shape[1])
        for values in (seen.a, seen.b):
            self.low = float(np.fmin.reduce(values, axis=None, initial=self.low))
            self.high = float(np.fmax.reduce(values, axis=None, initial=self.high))
        finite = np.where(np.isfinite(seen.error), seen.error, np.nan)
        self.error_low = float(np.fmin.reduce(finite, axis=None, initial=self.error_low))
        self.error_high = float(np.fmax.reduce(finite, axis=None, initial=self.error_high))
        if seen.error.size:
            self._see_worst(seen)
        self._see_first(rows, ticks, seen)

    def _see_worst(self, seen: Shown) -> None:
        is_wrong = bool(seen.wrong.any())
        size = np.abs(seen.error)
        place = int(np.argmax(np.where(seen.wrong, size, -1.0) if is_wrong else size))
        row, element = divmod(place, size.shape[1])
        if (is_wrong, float(size[row, element])) > self._worst:
            self._worst = is_wrong, float(size[row, element])
            self.element = element
            if size.shape[1] < seen.a.shape[1]:  # of a rotation, the part that differs most
                apart = np.abs(seen.b[row] - seen.a[row])
                self.element = int(np.argmax(np.nan_to_num(apart)))

    def _see_first(self, rows: Int64s, ticks: Int64s, seen: Shown) -> None:
        tick = self.field.first_tick
        if self.first is None and tick is not None and ticks[0] <= tick <= ticks[-1]:
            row = int(np.searchsorted(ticks, tick))
            error, _ = _worst_of_rows(seen)
            # Where no element is wrong, the length of the array is.
            self.first = int(rows[row]), float(error[row]) or np.inf


class _Drawing:
    """The second look at a field: numbers become points, bins and cells."""

    def __init__(self, survey: _Survey, limits: Limits) -> None:
        found, self._kind, self.rows = survey.field, survey.kind, survey.rows
        element = survey.element if survey.width > 1 else None
        self.result = FieldSeries(found, survey.rows, survey.width, element, survey.origin_ns or 0)
        self.result.first = survey.first
        self._element = survey.element
        self._traces = [Trace(limits.columns, survey.rows) for _ in range(3)]
        self._limits: list[tuple[Int64s, Floats]] = []
        self._no_number: list[int] = []
        self._sums = np.zeros(3)
        whole = base_type(found.type) in WHOLE_TYPES
        if self._kind.has_numbers:
            edges = bin_edges(survey.low, survey.high, whole)
            self.result.spreads = Spread(edges), Spread(edges)
        else:
            self.result.texts = (Counter(), Counter())
        self.result.error_spread = Spread(bin_edges(survey.error_low, survey.error_high, whole))
        if survey.width > 1 and self._kind.errs_by_element:
            self.result.map = ErrorMap(survey.width, survey.rows, limits.cells)

    def add(self, rows: Int64s, a: Side, b: Side) -> None:
        result = self.result
        seen = self._kind.show(result.field, a, b, result.origin_ns)
        error, limit = _worst_of_rows(seen)
        for trace, values in zip(self._traces, (seen.a, seen.b), strict=False):
            trace.add(rows, self._of(values))
        kept = self._traces[2].add(rows, error)
        self._limits.append((kept, limit[kept - rows[0]]))
        if len(self._no_number) < _SHOWN_GAPS:
            self._no_number += rows[~np.isfinite(seen.error).all(axis=1)].tolist()
        if result.spreads:
            for spread, values in zip(result.spreads, (seen.a, seen.b), strict=True):
                spread.add(values)
        if result.error_spread:
            result.error_spread.add(seen.error)
        if result.map:
            result.map.add(rows, seen.error)
        if result.texts:
            for counter, side in zip(result.texts, (a, b), strict=True):
                _count_texts(counter, side[result.field.field])
        finite = seen.error[np.isfinite(seen.error)]
        with np.errstate(over="ignore"):
            self._sums += finite.sum(), np.abs(finite).sum(), np.square(finite).sum()
        result.finite += len(finite)

    def _of(self, values: Floats) -> Floats:
        if self._element < values.shape[1]:
            return values[:, self._element]
        return np.full(len(values), np.nan)

    def finished(self) -> FieldSeries:
        """The points; limits are kept only where errors are shown."""
        result = self.result
        a, b, result.error = (trace.points() for trace in self._traces)
        if self._kind.has_numbers:
            result.a, result.b = a, b
        empty = np.empty(0, np.int64)
        rows = np.concatenate([empty, *(rows for rows, _ in self._limits)])
        limits = np.concatenate([np.empty(0), *(limits for _, limits in self._limits)])
        result.limit = limits[np.searchsorted(rows, result.error[0])]
        result.no_number = np.array(self._no_number[:_SHOWN_GAPS], np.int64)
        if result.finite:
            bias, mean, square = self._sums / result.finite
            result.bias, result.mean, result.rmse = float(bias), float(mean), float(square**0.5)
        return result


def _worst_of_rows(seen: Shown) -> tuple[Floats, Floats]:
    """The error of each message, that of its worst element, and the limit there, (m,) each.

    It is one that is a number, if there is.
    """
    if not seen.error.shape[1]:
        return np.zeros(len(seen.error)), np.full(len(seen.error), np.nan)
    size = np.where(np.isfinite(seen.error), np.abs(seen.error), -1.0)
    beyond = np.where(seen.wrong, size, -2.0)
    worst = np.where((beyond >= 0).any(axis=1), np.argmax(beyond, axis=1), np.argmax(size, axis=1))
    every = np.arange(len(worst))
    return seen.error[every, worst], seen.limit[every, worst]


def _count_texts(counter: Counter[str], column: Column) -> None:
    for text in _texts(column):
        short = text[:_TEXT_LENGTH]
        if short in counter or len(counter) < _DISTINCT_TEXTS:
            counter[short] += 1


def _texts(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        else:
            yield from _texts(value)


def shown_texts(series: FieldSeries) -> list[tuple[str, int, int]]:
    """The most frequent strings with their counts in A and in B.

    Those of which the counts differ come first.
    """
    if series.texts is None:
        return []
    a, b = series.texts
    by_change = sorted(a.keys() | b.keys(), key=lambda t: (-abs(a[t] - b[t]), -a[t] - b[t], t))
    return [(text, a[text], b[text]) for text in by_change[:_SHOWN_TEXTS]]
