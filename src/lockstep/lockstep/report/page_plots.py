"""The series of a field as the page's script draws them: lists of numbers in few digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compare.comparison import KeyComparison
from ..message.arrays import Floats, Int64s
from ..message.time import NS_PER_S
from ..message.units import unit_of
from .error_map import ErrorMap
from .series import FieldSeries, shown_texts
from .spread import Spread


def plots_of(series: FieldSeries, key: KeyComparison) -> dict[str, Any]:
    """Everything that is drawn of a field; null where there is no number."""
    return {
        "unit": _unit(series, key),
        "error_unit": "rad"
        if series.field.tolerance.quaternion is not None
        else _unit(series, key),
        "rows": series.rows,
        "of": key.aligned,
        "width": series.width,
        "element": series.element,
        "in_order": _in_order(key),
        "a": series.a and _points(*series.a, key),
        "b": series.b and _points(*series.b, key),
        "error": series.error and _points(*series.error, key, digits=5),
        "limit": _numbers(series.limit, 5) if np.isfinite(series.limit).any() else None,
        "first": series.first and _first(*series.first, key),
        "no_number": _points(series.no_number, np.zeros(len(series.no_number)), key),
        "spreads": _spreads(*series.spreads) if series.spreads else None,
        "error_spread": _spreads(series.error_spread) if series.error_spread else None,
        "map": series.map and _map(series.map, key),
        "texts": shown_texts(series),
        "statistics": {
            "finite": series.finite,
            **{name: _number(getattr(series, name), 6) for name in ("bias", "mean", "rmse")},
        },
    }


def _unit(series: FieldSeries, key: KeyComparison) -> str:
    """The unit of what is drawn; times are drawn in seconds."""
    if series.field.type.startswith("builtin_interfaces/"):
        return "s"
    return unit_of(series.field.field, key.type)


def _in_order(key: KeyComparison) -> bool:
    """Whether time only increases, so that it can be an axis."""
    assert key.alignment is not None
    return bool((np.diff(key.times_ns[0][key.alignment.a]) >= 0).all())


def _points(rows: Int64s, values: Floats, key: KeyComparison, digits: int = 10) -> dict[str, Any]:
    assert key.alignment is not None
    ticks = key.alignment.a[rows]
    return {
        "tick": ticks.tolist(),
        "s": [round(ns / NS_PER_S, 9) for ns in key.times_ns[0][ticks].tolist()],
        "y": _numbers(values, digits),
    }


def _first(row: int, error: float, key: KeyComparison) -> dict[str, Any]:
    assert key.alignment is not None
    tick = int(key.alignment.a[row])
    time_s = round(int(key.times_ns[0][tick]) / NS_PER_S, 9)
    return {"tick": tick, "s": time_s, "y": _number(error, 6)}


def _spreads(*spreads: Spread) -> dict[str, Any]:
    return {
        "edges": _numbers(spreads[0].edges, 12),
        "counts": [spread.counts.tolist() for spread in spreads],
    }


def _map(found: ErrorMap, key: KeyComparison) -> dict[str, Any]:
    """Cells in three digits; -1 stands for an error that is no number."""
    assert key.alignment is not None
    times_ns = key.times_ns[0][key.alignment.a[found.row_starts]]
    cells = [
        [-1 if math.isinf(cell) else _number(cell, 3) for cell in row]
        for row in found.cells.tolist()
    ]
    return {
        "s": [round(ns / NS_PER_S, 6) for ns in times_ns.tolist()],
        "tick": key.alignment.a[found.row_starts].tolist(),
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
