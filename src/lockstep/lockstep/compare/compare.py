"""Comparing two bags: the same keys, the same ticks, the same values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..bag import Bag, BagError, Message, Topic
from ..bag.codec import Codec, codec_of
from ..bag.message_error import MessageError
from .align import Alignment, Times, align, align_ticks
from .errors import CompareError
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

    @property
    def matches(self) -> bool:
        """Whether both sides have the same messages with the same values."""
        return not (self.problem or self.differing or self.only_a or self.only_b)


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
        pairs = align_ticks(len(times_a), len(times_b))
    else:
        pairs = align(times_a, times_b, 0 if comparison.align == "stamp" else time_tolerance_ns)
    result.aligned = len(pairs.a)
    result.only_a = [(int(i), int(times_a[i])) for i in pairs.only_a]
    result.only_b = [(int(i), int(times_b[i])) for i in pairs.only_b]
    shifts = np.abs(times_b[pairs.b] - times_a[pairs.a])
    result.largest_shift_ns = int(shifts.max(initial=0))
    _compare_values(bags, codecs, pairs, times_a, comparison.tolerances, result)
    return result


def _compare_values(
    bags: tuple[Bag, Bag],
    codecs: tuple[Codec, Codec],
    pairs: Alignment,
    times_a: Times,
    tolerances: Tolerances,
    result: KeyComparison,
) -> None:
    chosen_a, chosen_b = (
        _choose(bag.messages([result.topic]), ticks)
        for bag, ticks in zip(bags, (pairs.a, pairs.b), strict=True)
    )
    for (tick_a, message_a), (tick_b, message_b) in zip(chosen_a, chosen_b, strict=True):
        if message_a.data == message_b.data:
            result.equal_bytes += 1
            continue
        found = list(
            deviations(
                _decode(codecs[0], message_a, tick_a),
                _decode(codecs[1], message_b, tick_b),
                tolerances,
            )
        )
        for deviation in found:
            if _worse(deviation, result.worst):
                result.worst, result.worst_tick = deviation, tick_a
        wrong = tuple(deviation for deviation in found if not deviation.passes)
        if wrong:
            result.differing += 1
            difference = TickDifference(tick_a, tick_b, int(times_a[tick_a]), wrong)
            result.first = result.first or difference
            if len(result.kept) < KEPT_TICKS:
                result.kept.append(difference)


def _decode(codec: Codec, message: Message, tick: int) -> Any:
    try:
        return codec.decode(message.data)
    except MessageError as error:
        raise error.of(message.topic, tick) from error


def _worse(new: Deviation, old: Deviation | None) -> bool:
    if old is None or old.passes != new.passes:
        return old is None or old.passes
    return (new.error if new.error is not None else -1.0) > (
        old.error if old.error is not None else -1.0
    )


def _choose(messages: Iterable[Message], ticks: Times) -> Iterator[tuple[int, Message]]:
    wanted = iter(ticks.tolist())
    tick = next(wanted, None)
    for index, message in enumerate(messages):
        if index == tick:
            yield index, message
            tick = next(wanted, None)


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
