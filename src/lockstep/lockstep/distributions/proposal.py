"""A distribution that a recording proposes: for each field the one that fits best."""

from __future__ import annotations

import numpy as np

from ..bag import Bag, BagError
from ..message.arrays import Column
from ..message.primitives import STRINGS
from ..message.schema import TIMES, base_type
from . import (
    Array,
    Choice,
    Constant,
    Distribution,
    Integers,
    Mixture,
    OrnsteinUhlenbeck,
    Stamp,
    Timestamps,
    UnitQuaternion,
)
from .best_fit import best_fit

_FEW = 12
_LATEST_S, _LATE_S = 4e9, 1.0
_MEMORY = 0.9
"""Correlation of neighbours from which on a number goes on over time."""


def proposed(bag: Bag, topic: str) -> Distribution:
    """A distribution for the messages of a topic, with the times at which they were logged; raises
    BagError without any.

    Fields of messages in arrays, and arrays of strings, are left out: `left_out` names them.
    """
    fields = bag.codec(topic).fields()
    if not bag.topic(topic).count:
        raise BagError(f"{topic} of {bag.path} has no messages to fit a distribution to")
    wanted = [path for path in fields if path not in left_out(bag, topic)]
    columns = bag.columns(topic, wanted)
    times_ns = bag.times(topic)
    rules: dict[str, object] = {}
    quaternions = _quaternions(columns)
    for path in wanted:
        owner = path.rpartition(".")[0]
        if owner in quaternions:
            rules[owner] = UnitQuaternion()
        else:
            rules[path] = _rule(columns[path], fields[path], times_ns)
    return Distribution(rules, at=_times(times_ns))


def left_out(bag: Bag, topic: str) -> list[str]:
    """The fields that no distribution is proposed for."""
    return [
        path
        for path, kind in bag.codec(topic).fields().items()
        if "[]" in path or (base_type(kind) in (*STRINGS, *TIMES) and "[" in kind)
    ]


def _rule(column: Column, described: str, times_ns: Column) -> object:
    kind = base_type(described)
    if kind in TIMES:
        if "Duration" in kind:
            return best_fit(column.astype(np.float64) * 1e-9)
        late_s = (times_ns - column) * 1e-9
        if (late_s >= 0).all() and (late_s < _LATE_S).all():
            return Stamp(latency_s=round(float(np.median(late_s)), 9))
        return _times(column)
    if kind in STRINGS:
        return _choice(column.tolist())
    if "[" in described:
        return _array(column, kind, fixed="[]" not in described and "[<=" not in described)
    return _number(column, kind, times_ns)


def _array(column: Column, kind: str, *, fixed: bool) -> object:
    if column.dtype != object and len(column) and (column == column[0]).all():
        return Constant(_short(column[0].tolist()) if fixed else column[0].tolist())
    values = np.concatenate([np.asarray(one).reshape(-1) for one in column])
    elements = _number(values, kind, np.arange(len(values)), over_time=False)
    if fixed:
        return elements
    if column.dtype != object:
        return Array(elements, length=column.shape[1])
    lengths = [len(one) for one in column]
    return Array(elements, length=Integers(min(lengths), max(lengths)))


def _short(items: list[object]) -> object:
    """One value for all elements if they are the same."""
    return items[0] if len(set(items)) == 1 else items


def _number(values: Column, kind: str, times_ns: Column, *, over_time: bool = True) -> object:
    if kind == "bool":
        return _choice(values.tolist())
    if values.dtype.kind in "iu":
        distinct = np.unique(values)
        if len(distinct) <= _FEW:
            return _choice(values.tolist())
        return Integers(int(distinct[0]), int(distinct[-1]))
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return _choice(values.tolist()[:1])
    distinct = np.unique(finite)
    if len(distinct) == 1:
        fitted: object = Constant(float(distinct[0]))
    elif len(distinct) <= _FEW < len(finite):
        fitted = _choice(finite.tolist())
    elif over_time and len(finite) == len(values) and _memory(finite, times_ns) > _MEMORY:
        apart_s = float(np.median(np.diff(times_ns))) * 1e-9
        time_s = -apart_s / np.log(min(_memory(finite, times_ns), 1 - 1e-6)) or 1.0
        known = (finite.mean(), finite.std(), time_s)
        fitted = OrnsteinUhlenbeck(*(float(f"{one:.6g}") for one in known))
    else:
        fitted = best_fit(finite)
    if len(finite) == len(values):
        return fitted
    special = values[~np.isfinite(values)].astype(np.float64)
    rest = Choice(*_distinct(special))
    return Mixture((len(finite), fitted), (len(special), rest))


def _distinct(special: Column) -> list[float]:
    """NaN and the infinities among numbers, each once."""
    kinds = (float("nan"), float("inf"), float("-inf"))
    there = (np.isnan(special).any(), (special == np.inf).any(), (special == -np.inf).any())
    return [kind for kind, found in zip(kinds, there, strict=True) if found]


def _choice(values: list[object]) -> object:
    distinct, counts = np.unique(np.array(values), return_counts=True)
    listed = distinct.tolist()
    if len(listed) == 1:
        return Constant(listed[0])
    return Choice(*listed, weights=[round(share, 6) for share in (counts / len(values)).tolist()])


def _memory(values: Column, times_ns: Column) -> float:
    """The correlation of each number with the next, where there is no gap in between."""
    apart = np.diff(times_ns)
    near = apart <= 2 * np.median(apart) if len(apart) else np.empty(0, np.bool_)
    if near.sum() < 3:
        return 0.0
    off = values - values.mean()
    power = float((off * off).mean())
    return float((off[:-1] * off[1:])[near].mean()) / power if power > 0 else 0.0


def _quaternions(columns: dict[str, Column]) -> set[str]:
    """The paths whose x, y, z and w have length 1, and are not always the same."""
    found = set()
    for path in columns:
        owner, _, name = path.rpartition(".")
        parts = [columns.get(f"{owner}.{axis}") for axis in "xyzw"]
        if name != "w" or any(part is None for part in parts):
            continue
        rows = np.stack([part for part in parts if part is not None], axis=-1)
        unit = np.abs(np.square(rows).sum(axis=-1) - 1) < 1e-3
        if unit.all() and (rows != rows[0]).any():
            found.add(owner)
    return found


def _times(times_ns: Column) -> Timestamps:
    """The rate and the jitter of times, and gaps that are ten times as long as the others."""
    start_s = float(min(max(times_ns[0] * 1e-9, 1e-9), _LATEST_S - 1)) if len(times_ns) else 1.0
    apart_s = np.diff(times_ns) * 1e-9
    apart_s = apart_s[apart_s > 0]
    if not len(apart_s):
        return Timestamps(start_s=start_s)
    period_s = float(np.median(apart_s))
    is_gap = apart_s > 10 * period_s
    regular = apart_s[~is_gap]
    rate_hz = min(1 / float(regular.mean()), 1e9)
    # Each interval has the errors of two times.
    jitter_s = min(float(np.std(regular)) / 2**0.5, 0.4 / rate_hz)
    return Timestamps(
        rate_hz=round(rate_hz, 6),
        jitter_s=round(jitter_s, 9),
        gaps=round(float(is_gap.mean()), 6),
        gap_s=round(float(apart_s[is_gap].mean()), 6) if is_gap.any() else 1.0,
        start_s=start_s,
    )
