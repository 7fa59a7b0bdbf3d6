"""The series of a field as the page's script draws them: lists of numbers in few digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compare.align import Alignment
from ..compare.key_comparison import Aligned, KeyComparison
from ..compare.kinds import KINDS
from ..message.arrays import Floats, Int64s
from ..message.time import NS_PER_S
from ..message.units import unit_of
from .error_map import ErrorMap
from .series import FieldSeries, shown_texts
from .spread import Spread


def plots_of(series: FieldSeries, key: KeyComparison) -> dict[str, Any]:
    """Everything that is drawn of a field; null where there is no number."""
    assert key.aligned.pairs is not None
    axis = _Axis(key.aligned, key.aligned.pairs)
    kind = KINDS[series.field.kind]
    unit = kind.unit or unit_of(series.field.field, key.type)
    return {
        "unit": unit,
        "error_unit": kind.error_unit or unit,
        "rows": series.rows,
        "of": key.aligned.count,
        "width": series.width,
        "element": series.element,
        "in_order": axis.in_order,
        "a": series.a and _points(*series.a, axis),
        "b": series.b and _points(*series.b, axis),
        "error": series.error and _points(*series.error, axis, digits=5),
        "limit": _numbers(series.limit, 5) if np.isfinite(series.limit).any() else None,
        "first": series.first and _first(*series.first, axis),
        "no_number": _points(series.no_number, np.zeros(len(series.no_number)), axis),
        "spreads": _spreads(*series.spreads) if series.spreads else None,
        "error_spread": _spreads(series.error_spread) if series.error_spread else None,
        "map": series.map and _map(series.map, axis),
        "texts": shown_texts(series),
        "statistics": {
            "finite": series.finite,
            "bias": _number(series.bias, 6),
            "mean": _number(series.mean, 6),
            "rmse": _number(series.rmse, 6),
        },
    }


class _Axis:
    """The ticks of A and the times of rows of the alignment."""

    def __init__(self, aligned: Aligned, pairs: Alignment) -> None:
        self._ticks, self._times_ns = pairs.a, aligned.times_ns[0]

    @property
    def in_order(self) -> bool:
        """Whether time only increases, so that it can be an axis."""
        return bool((np.diff(self._times_ns[self._ticks]) >= 0).all())

    def ticks(self, rows: Int64s) -> list[int]:
        """The ticks of A of rows (n,)."""
        found: list[int] = self._ticks[rows].tolist()
        return found

    def seconds(self, rows: Int64s, digits: int = 9) -> list[float]:
        """The times of rows (n,)."""
        times_ns = self._times_ns[self._ticks[rows]].tolist()
        return [round(ns / NS_PER_S, digits) for ns in times_ns]


def _points(rows: Int64s, values: Floats, axis: _Axis, digits: int = 10) -> dict[str, Any]:
    return {"tick": axis.ticks(rows), "s": axis.seconds(rows), "y": _numbers(values, digits)}


def _first(row: int, error: float, axis: _Axis) -> dict[str, Any]:
    rows = np.array([row])
    return {"tick": axis.ticks(rows)[0], "s": axis.seconds(rows)[0], "y": _number(error, 6)}


def _spreads(*spreads: Spread) -> dict[str, Any]:
    return {
        "edges": _numbers(spreads[0].edges, 12),
        "counts": [spread.counts.tolist() for spread in spreads],
    }


def _map(found: ErrorMap, axis: _Axis) -> dict[str, Any]:
    """Cells in three digits; -1 stands for an error that is no number."""
    cells = [
        [-1 if math.isinf(cell) else _number(cell, 3) for cell in row]
        for row in found.cells.tolist()
    ]
    return {
        "s": axis.seconds(found.row_starts, 6),
        "tick": axis.ticks(found.row_starts),
        "index": found.index_starts.tolist(),
        "cells": cells,
    }


def _numbers(values: Floats, digits: int) -> list[float | int | None]:
    return [_number(value, digits) for value in values.tolist()]


def _number(value: float, digits: int) -> float | int | None:
    """A number in so many digits; None for what JSON has no word for."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
