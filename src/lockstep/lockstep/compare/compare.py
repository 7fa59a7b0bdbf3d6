"""Comparing two bags: the same keys, the same ticks, the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np

from ..bag import Bag, BagError, Topic
from ..bag.topic import codec_of
from ..errors import CompareError
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, LOCKSTEP
from ..message.arrays import Int64s
from .align import Alignment, align_steps, align_ticks, align_times, clock_fit
from .as_bags import SideLike, as_bags
from .cause import Steps
from .column_judge import ColumnJudge
from .comparison import Align, Comparison, KeyComparison
from .definitions import common, type_problem, unlike
from .distribution import compare_distributions
from .index import Index, chosen, distinct
from .kept_differences import Showing
from .pairs import See, Side, paired_topics
from .payloads import equal_payloads
from .tolerance import ToleranceLike, Tolerances, tolerances_of
from .why.explain import explain


def compare(
    a: SideLike,
    b: SideLike,
    *,
    topics: Sequence[str] | None = None,
    align: Align = "auto",
    origin_ns: int | None = None,
    time_tolerance_ns: int | None = None,
    tolerance: ToleranceLike = None,
    names: tuple[str, str] = ("a", "b"),
    common_fields: bool = False,
) -> Comparison:
    """Compare `b` with the reference `a`: bags, paths or URLs of bags, or datasets.

    Times are relative to `origin_ns` on both sides, or without it each to the first message of its own side; 0 makes them
    absolute. `align` "auto" takes stamps that both have, or else the time, or else the tick; "none" compares
    distributions; "cause" pairs outputs by the step of the run that they answer. `time_tolerance_ns` defaults to half the median interval of each topic. `tolerance` is one for all
    fields, or by field pattern: a number is an absolute one. With `common_fields` topics of other
    types or definitions are compared in the fields that both have. Raises CompareError for what cannot be compared,
    BagError for a bag that cannot be read whole.
    """
    with ExitStack() as stack:
        return _compare_bags(
            as_bags(a, b, stack),
            Comparison(*names, align, tolerances_of(tolerance), common_fields),
            topics,
            origin_ns,
            time_tolerance_ns,
        )


def _compare_bags(
    bags: tuple[Bag, Bag],
    comparison: Comparison,
    topics: Sequence[str] | None,
    origin_ns: int | None,
    time_tolerance_ns: int | None,
) -> Comparison:
    for bag in bags:
        if bag.problem:
            raise BagError(bag.problem)
    keys = sorted(topics if topics is not None else _outputs(bags))
    _check_patterns(
        comparison.tolerances, [bag.topics[k] for bag in bags for k in keys if k in bag.topics]
    )
    indexes = [
        {key: Index(bag, key, comparison.align) for key in keys if key in bag.topics}
        for bag in bags
    ]
    steps = [Steps(bag) for bag in bags] if comparison.align == "cause" else []
    seen_a, seen_b = ({key: index.add for key, index in found.items()} for found in indexes)
    for seen, one in zip((seen_a, seen_b), steps, strict=False):
        seen[ACKNOWLEDGEMENT_TOPIC] = one.add
    tried = _try_by_tick(bags, keys, comparison, (seen_a, seen_b))
    log_a, log_b = (
        _from_origin({key: index.log for key, index in found.items()}, origin_ns)
        for found in indexes
    )
    none = np.empty(0, np.int64)
    others: list[KeyComparison] = []
    for key in keys:
        times = log_a.get(key, none), log_b.get(key, none)
        result = KeyComparison(key, "", len(times[0]), len(times[1]))
        if _can_be_compared(bags, comparison, result):
            both = indexes[0][key], indexes[1][key]
            if steps:
                result.steps = steps[0].of(key), steps[1].of(key)
            aligned = _align(both, times, comparison.align, time_tolerance_ns, result)
            if key in tried and _is_by_tick(aligned, result.count_a):
                _take(tried[key], result)
            else:
                others.append(result)
        comparison.keys[key] = result
    if others:
        _compare_values(bags, others, comparison.tolerances)
    for result in comparison.keys.values():
        times_a = result.times_ns[0]
        result.kept = [replace(d, time_ns=int(times_a[d.tick_a])) for d in result.kept]
        result.first = result.kept[0] if result.kept else None
    explain(bags, comparison.keys.values(), comparison.tolerances)
    if not any(key.count_a or key.count_b for key in comparison.keys.values()):
        raise CompareError(f"{bags[0].path} and {bags[1].path} hold no messages to compare")
    return comparison


def _outputs(bags: tuple[Bag, Bag]) -> set[str]:
    """All topics but those of the run itself."""
    return {name for bag in bags for name in bag.topics if not name.startswith(LOCKSTEP)}


def _try_by_tick(
    bags: tuple[Bag, Bag],
    keys: Sequence[str],
    comparison: Comparison,
    seen: tuple[Mapping[str, See], Mapping[str, See]],
) -> dict[str, KeyComparison]:
    """Show `seen` all batches and, in the same pass, compare the i-th message with the i-th where both may belong together."""
    tried: dict[str, KeyComparison] = {}
    for key in keys:
        counts = [bag.topics[key].count if key in bag.topics else 0 for bag in bags]
        if comparison.align == "none" or counts[0] != counts[1] or not counts[0]:
            continue
        result = KeyComparison(key, "", counts[0], counts[1])
        if _can_be_compared(bags, comparison, result):
            result.alignment = align_ticks(counts[0], counts[1])
            tried[key] = result
    _compare_values(bags, list(tried.values()), comparison.tolerances, seen)
    for result in tried.values():
        result.alignment = None  # it may be another, and is large
    return tried


def _is_by_tick(aligned: Alignment, count: int) -> bool:
    """Whether the i-th of so many messages of each side belongs to the i-th of the other."""
    ticks = np.arange(count)
    return np.array_equal(aligned.a, ticks) and np.array_equal(aligned.b, ticks)


def _take(tried: KeyComparison, result: KeyComparison) -> None:
    """What was found of the values."""
    for name in ("equal_bytes", "differing", "worst", "worst_tick", "kept", "fields", "ignored"):
        setattr(result, name, getattr(tried, name))


def _can_be_compared(bags: tuple[Bag, Bag], comparison: Comparison, result: KeyComparison) -> bool:
    """Whether messages of a key can be aligned; if not, `result` says what there is instead."""
    key = result.topic
    about_a, about_b = (bag.topics.get(key) for bag in bags)
    known = about_a or about_b
    result.type = known.type if known else ""
    if about_a is None or about_b is None:
        result.problem = f"not in {comparison.name_b if about_a else comparison.name_a}"
        return False
    codecs = codec_of(about_a), codec_of(about_b)
    result.problem = type_problem((about_a.type, about_b.type), codecs)
    if result.problem and comparison.common_fields and common(*codecs):
        result.redefined, result.problem = result.problem, None
        result.unlike = unlike(*codecs)
        result.ignored = tuple(p for p in result.unlike if comparison.tolerances.of(p).ignore)
    if result.problem is None and comparison.align == "none":
        result.align = "none"
        if result.count_a and result.count_b:
            result.distributions = compare_distributions(*bags, key, comparison.tolerances)
        else:
            empty = comparison.name_b if result.count_a else comparison.name_a
            result.problem = f"no messages in {empty}"
        return False
    return result.problem is None


def _align(
    indexes: tuple[Index, Index],
    times: tuple[Int64s, Int64s],
    by: Align,
    time_tolerance_ns: int | None,
    result: KeyComparison,
) -> Alignment:
    """Which messages of a key belong together, which is noted in `result` with the times that it was told by."""
    result.align = chosen(*indexes, times) if by == "auto" else by
    if result.align == "stamp":
        stamped = [index.stamps for index in indexes]
        origin_ns = min((int(s[0]) for s in stamped if len(s)), default=0)
        times = _less(stamped[0], origin_ns), _less(stamped[1], origin_ns)
    if result.steps is not None:
        aligned = align_steps(*result.steps)
    elif result.align == "tick":
        aligned = align_ticks(len(times[0]), len(times[1]))
    else:
        aligned = align_times(*times, 0 if result.align == "stamp" else time_tolerance_ns)
    together = times[0][aligned.a], times[1][aligned.b]
    result.aligned = len(aligned.a)
    result.only_a, result.only_b = (
        np.stack([alone, side[alone]], axis=1)
        for alone, side in zip((aligned.only_a, aligned.only_b), times, strict=True)
    )
    result.alignment, result.times_ns = aligned, times
    result.reordered = aligned.reordered
    result.duplicates = _repeats(times[0]), _repeats(times[1])
    result.largest_shift_ns = int(np.abs(together[1] - together[0]).max(initial=0))
    result.clock_offset_ns, result.clock_drift = clock_fit(*together)
    return aligned


def _repeats(times: Int64s) -> int:
    return len(times) - len(distinct(times))


def _from_origin(times: dict[str, Int64s], origin_ns: int | None) -> dict[str, Int64s]:
    """Times from an origin on, or else from the first message of all."""
    firsts = [int(series[0]) for series in times.values() if len(series)]
    start_ns = origin_ns if origin_ns is not None else min(firsts, default=0)
    return {key: _less(series, start_ns) for key, series in times.items()}


def _less(times: Int64s, start_ns: int) -> Int64s:
    """The times from a start on, in the same memory: there are millions of them."""
    times -= start_ns
    return times


def _compare_values(
    bags: tuple[Bag, Bag],
    results: Sequence[KeyComparison],
    tolerances: Tolerances,
    seen: tuple[Mapping[str, See], Mapping[str, See]] = ({}, {}),
) -> None:
    """Judge the values of all aligned messages of some keys in one pass, which `seen` is shown as well, to its end."""
    judging = {result.topic: _Judging(bags, tolerances, result) for result in results}
    aligned = {r.topic: r.alignment for r in results if r.alignment is not None}
    for key, side_a, side_b in paired_topics(*bags, aligned, seen, to_the_end=any(seen)):
        judging[key].add(side_a, side_b)
    for one in judging.values():
        one.finish()


class _Judging:
    """Judges the messages of one key; those of equal bytes are equal, and objects are made to be shown."""

    def __init__(
        self, bags: tuple[Bag, Bag], tolerances: Tolerances, result: KeyComparison
    ) -> None:
        codecs = bags[0].codec(result.topic), bags[1].codec(result.topic)
        self._columns = ColumnJudge(result.topic, codecs, tolerances)
        self._show = Showing(codecs, tolerances, result)
        self._result = result

    def add(self, side_a: Side, side_b: Side) -> None:
        """Take the next messages, row by row."""
        result = self._result
        same = equal_payloads(side_a, side_b)
        if result.redefined:
            same[:] = False  # equal bytes of another layout are other values
        result.equal_bytes += int(np.count_nonzero(same))
        if not self._columns.needs_all:
            side_a, side_b = side_a.where(~same), side_b.where(~same)
        if len(side_a.ticks):
            wrong = self._columns.judge(side_a.ticks, *self._columns.columns(side_a, side_b))
            result.differing += int(np.count_nonzero(wrong))
            self._show.block(side_a, side_b, wrong, self._columns)

    def finish(self) -> None:
        """Tell what was found of each field."""
        self._result.fields = self._columns.fields
        self._result.ignored = tuple(self._columns.ignored)


def _check_patterns(tolerances: Tolerances, topics: list[Topic]) -> None:
    fields: set[str] = set()
    for topic in topics:
        fields.update(codec_of(topic).fields())
    unused: list[Any] = tolerances.unused(fields) if topics else []
    if unused:
        raise CompareError(
            f"tolerance '{unused[0]}' matches no field; the fields are {', '.join(sorted(fields))}"
        )
