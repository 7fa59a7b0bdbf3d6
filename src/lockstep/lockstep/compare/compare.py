"""Comparing two bags: the same keys, the same ticks, the same values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..bag import Bag, BagError, Topic
from ..bag.codec import Codec, codec_of
from .align import Alignment, Times, align, align_ticks
from .columns import ColumnJudge
from .errors import CompareError
from .fields import FieldComparison
from .judge import Mask
from .pairs import Side, equal_payloads, pairs
from .tolerance import Tolerances
from .values import Deviation, deviations

Align = Literal["time", "stamp", "tick"]
KEPT_TICKS = 100
"""Differing ticks kept for the text diff of a key; the rest is only counted."""


@dataclass(frozen=True)
class TickDifference:
    """A tick whose values differ beyond tolerance; time in ns since the origin of A."""

    tick_a: int
    tick_b: int
    time_ns: int
    fields: tuple[Deviation, ...]


@dataclass
class KeyComparison:
    """The outcome for one topic. Times in ns since the origin of their bag."""

    topic: str
    type: str
    count_a: int = 0
    count_b: int = 0
    problem: str | None = None
    aligned: int = 0
    largest_shift_ns: int = 0
    """By how much the times of two messages that were aligned differ at most."""
    equal_bytes: int = 0
    differing: int = 0
    first: TickDifference | None = None
    worst: Deviation | None = None
    worst_tick: int | None = None
    kept: list[TickDifference] = field(default_factory=list)
    only_a: list[tuple[int, int]] = field(default_factory=list)
    only_b: list[tuple[int, int]] = field(default_factory=list)
    """(tick, time) of the messages that have no partner."""
    fields: dict[str, FieldComparison] = field(default_factory=dict)

    @property
    def matches(self) -> bool:
        """Whether both sides have the same messages with the same values."""
        whole = all(found.matches for found in self.fields.values())
        return whole and not (self.problem or self.differing or self.only_a or self.only_b)


@dataclass
class Comparison:
    """The outcome of comparing bag B with the reference A."""

    name_a: str
    name_b: str
    align: Align
    tolerances: Tolerances
    keys: dict[str, KeyComparison] = field(default_factory=dict)

    @property
    def all_match(self) -> bool:
        """Whether every key matches."""
        return all(key.matches for key in self.keys.values())


def compare(
    a: Bag,
    b: Bag,
    *,
    topics: Sequence[str] | None = None,
    align_by: Align = "time",
    origin_ns: int | None = None,
    time_tolerance_ns: int | None = None,
    tolerances: Tolerances | None = None,
    names: tuple[str, str] = ("a", "b"),
) -> Comparison:
    """Compare bag `b` with the reference `a`.

    Times are relative to `origin_ns` in both bags, or without it each to the first message of its own bag.
    `time_tolerance_ns` defaults to half the median interval of each topic. Raises CompareError for what
    cannot be compared, BagError for a bag that cannot be read whole.
    """
    for bag in (a, b):
        if bag.problem:
            raise BagError(bag.problem)
    comparison = Comparison(*names, align_by, tolerances or Tolerances())
    keys = sorted(topics if topics is not None else a.topics.keys() | b.topics.keys())
    index_a, index_b = (_index(bag, keys, align_by, origin_ns) for bag in (a, b))
    _check_patterns(
        comparison.tolerances, [bag.topics[k] for bag in (a, b) for k in keys if k in bag.topics]
    )
    for key in keys:
        comparison.keys[key] = _compare_key(
            (a, b), key, (index_a.get(key), index_b.get(key)), comparison, time_tolerance_ns
        )
    if not any(key.count_a or key.count_b for key in comparison.keys.values()):
        raise CompareError(f"{a.path} and {b.path} hold no messages to compare")
    return comparison


def _compare_key(
    bags: tuple[Bag, Bag],
    key: str,
    indexes: tuple[Times | None, Times | None],
    comparison: Comparison,
    time_tolerance_ns: int | None,
) -> KeyComparison:
    about = [bag.topics.get(key) for bag in bags]
    times_a, times_b = (i if i is not None else np.empty(0, np.int64) for i in indexes)
    known = about[0] or about[1]
    result = KeyComparison(key, known.type if known else "", len(times_a), len(times_b))
    if about[0] is None or about[1] is None:
        side = comparison.name_b if about[0] else comparison.name_a
        result.problem = f"not in {side}"
        return result
    if about[0].type != about[1].type:
        result.problem = f"type {about[0].type} against {about[1].type}"
        return result
    codecs = (codec_of(about[0]), codec_of(about[1]))
    fields = [codec.fields() for codec in codecs]
    if fields[0] != fields[1]:
        name = next(
            n for n in fields[0].keys() | fields[1].keys() if fields[0].get(n) != fields[1].get(n)
        )
        kinds = [of.get(name, "missing") for of in fields]
        result.problem = (
            f"the definition of {result.type} differs: {name} is {kinds[0]} against {kinds[1]}"
        )
        return result
    if comparison.align == "tick":
        aligned = align_ticks(len(times_a), len(times_b))
    else:
        aligned = align(times_a, times_b, 0 if comparison.align == "stamp" else time_tolerance_ns)
    result.aligned = len(aligned.a)
    result.only_a = [(int(i), int(times_a[i])) for i in aligned.only_a]
    result.only_b = [(int(i), int(times_b[i])) for i in aligned.only_b]
    shifts = np.abs(times_b[aligned.b] - times_a[aligned.a])
    result.largest_shift_ns = int(shifts.max(initial=0))
    _compare_values(bags, codecs, aligned, times_a, comparison.tolerances, result)
    return result


def _compare_values(
    bags: tuple[Bag, Bag],
    codecs: tuple[Codec, Codec],
    aligned: Alignment,
    times_a: Times,
    tolerances: Tolerances,
    result: KeyComparison,
) -> None:
    """Judge the values of all aligned messages; those of equal bytes are equal, and objects are made to be shown."""
    columns = ColumnJudge(result.topic, codecs, tolerances)
    show = _Showing(codecs, tolerances, result)
    for side_a, side_b in pairs(*bags, result.topic, aligned):
        same = equal_payloads(side_a, side_b)
        result.equal_bytes += int(np.count_nonzero(same))
        if not columns.needs_all:
            side_a, side_b = side_a.where(~same), side_b.where(~same)
        if len(side_a.ticks):
            wrong = columns.judge(side_a.ticks, *columns.columns(side_a, side_b))
            result.differing += int(np.count_nonzero(wrong))
            show.block(side_a, side_b, wrong, columns, times_a)
    result.fields = columns.fields


class _Showing:
    """Picks the ticks of a key that are worth showing, and makes objects of them."""

    def __init__(
        self, codecs: tuple[Codec, Codec], tolerances: Tolerances, result: KeyComparison
    ) -> None:
        self._codecs, self._tolerances, self._result = codecs, tolerances, result
        self._kinds = codecs[0].fields()

    def block(self, a: Side, b: Side, wrong: Mask, columns: ColumnJudge, times_a: Times) -> None:
        """Take m messages and which of them are wrong."""
        result = self._result
        for row in np.flatnonzero(wrong)[: KEPT_TICKS - len(result.kept)].tolist():
            wrong_fields = tuple(d for d in self._deviations(a, b, row) if not d.passes)
            tick_a, tick_b = int(a.ticks[row]), int(b.ticks[row])
            result.kept.append(TickDifference(tick_a, tick_b, int(times_a[tick_a]), wrong_fields))
        result.first = result.kept[0] if result.kept else None
        here = {
            found.max_tick
            for found in columns.fields.values()
            if found.max_tick is not None and a.ticks[0] <= found.max_tick <= a.ticks[-1]
        }
        for tick in sorted(here):
            for deviation in self._deviations(a, b, int(np.searchsorted(a.ticks, tick))):
                if _worse(deviation, result.worst):
                    result.worst, result.worst_tick = deviation, tick

    def _deviations(self, a: Side, b: Side, row: int) -> list[Deviation]:
        message_a, message_b = (
            codec.decode(side.payload(row))
            for codec, side in zip(self._codecs, (a, b), strict=True)
        )
        return list(deviations(message_a, message_b, self._tolerances, kinds=self._kinds))


def _worse(new: Deviation, old: Deviation | None) -> bool:
    if old is None or old.passes != new.passes:
        return old is None or old.passes
    return (new.error if new.error is not None else -1.0) > (
        old.error if old.error is not None else -1.0
    )


def _index(bag: Bag, keys: list[str], align_by: Align, origin_ns: int | None) -> dict[str, Times]:
    """The time of every message of each key, in ns since the origin; header stamps if aligned by stamp."""
    there = [key for key in keys if key in bag.topics]
    if align_by == "stamp":
        times = {key: _stamps(bag, key) for key in there}
    else:
        times = _log_times(bag, there)
    firsts = [int(series[0]) for series in times.values() if len(series)]
    start_ns = origin_ns if origin_ns is not None else min(firsts, default=0)
    return {key: series - start_ns for key, series in times.items()}


def _log_times(bag: Bag, keys: list[str]) -> dict[str, Times]:
    parts: dict[str, list[Times]] = {key: [np.empty(0, np.int64)] for key in keys}
    for batch in bag.batches(keys):
        for index in np.unique(batch.topic):
            parts[batch.topics[index]].append(batch.log_time_ns[batch.topic == index])
    return {key: np.concatenate(series) for key, series in parts.items()}


def _stamps(bag: Bag, key: str) -> Times:
    if "header.stamp" not in bag.codec(key).fields():
        raise CompareError(f"{key} has no header to align by; align by time or tick instead")
    return bag.times(key, "header")


def _check_patterns(tolerances: Tolerances, topics: list[Topic]) -> None:
    fields: set[str] = set()
    for topic in topics:
        fields.update(codec_of(topic).fields())
    unused: list[Any] = tolerances.unused(fields) if topics else []
    if unused:
        raise CompareError(
            f"tolerance '{unused[0]}' matches no field; the fields are {', '.join(sorted(fields))}"
        )
