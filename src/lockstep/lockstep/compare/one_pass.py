"""Which messages of two bags belong together, and each pair of them, in one pass over both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from ..bag import Bag
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC
from ..message.arrays import Int64s
from .align import Align, Alignment, align_steps, align_ticks, align_times, clock_fit
from .cause import Steps
from .index import Index, chosen, distinct
from .key_comparison import Aligned
from .side_by_side import See, Side, paired_topics


class Taker(Protocol):
    """Whoever is given the messages of one topic that belong together."""

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages: row i of one side belongs to row i of the other."""


T = TypeVar("T", bound=Taker)


@dataclass(frozen=True)
class How:
    """How messages are aligned: see `compare`."""

    align: Align
    origin_ns: int | None
    time_tolerance_ns: int | None


def aligned_pairs(
    bags: tuple[Bag, Bag],
    topics: Sequence[str],
    pairable: Collection[str],
    how: How,
    start: Callable[[str], T],
) -> tuple[dict[str, Aligned], dict[str, T]]:
    """How the messages of all `topics` belong together, and who took the pairs of the `pairable`.

    `start` makes the taker of a topic; it may be asked for another one, which then takes all pairs
    anew. Raises CompareError if messages cannot be aligned so, BagError as reading does.
    """
    times = _Times(bags, topics, how)
    guessed = _guess_by_tick(bags, pairable, times, start)
    aligned = {topic: times.aligned(topic, topic in pairable) for topic in topics}
    right = {topic: taker for topic, taker in guessed.items() if _is_by_tick(aligned[topic])}
    others = {
        topic: pairs
        for topic, found in aligned.items()
        if topic not in right and (pairs := found.pairs) is not None
    }
    return aligned, right | (_taken(bags, others, start) if others else {})


def _guess_by_tick(
    bags: tuple[Bag, Bag], pairable: Collection[str], times: _Times, start: Callable[[str], T]
) -> dict[str, T]:
    """Read all times and, in the same pass, give the i-th message with the i-th.

    Which message belongs to which is known only when the times of all have been read. To read the
    bags once more for the pairs would double the work of nearly every comparison, and in nearly
    every one the i-th does belong to the i-th: so that is what takers are given at once, of topics
    with as many messages on both sides. Where the times then say otherwise, all that a taker has
    found is thrown away; it is the pairs of such topics alone that are read a second time.
    """
    guesses = {}
    for topic in pairable:
        counts = [bag.topics[topic].count for bag in bags]
        if counts[0] == counts[1] > 0:
            guesses[topic] = align_ticks(counts[0], counts[1])
    return _taken(bags, guesses, start, times.seen)


def _is_by_tick(aligned: Aligned) -> bool:
    """Whether the i-th of all messages of each side belongs to the i-th of the other."""
    pairs, ticks = aligned.pairs, np.arange(aligned.count_a)
    return pairs is not None and all(np.array_equal(side, ticks) for side in (pairs.a, pairs.b))


def _taken(
    bags: tuple[Bag, Bag],
    pairs: Mapping[str, Alignment],
    start: Callable[[str], T],
    seen: tuple[Mapping[str, See], Mapping[str, See]] = ({}, {}),
) -> dict[str, T]:
    """Give all pairs to takers in one pass, which `seen` is shown as well, to its end."""
    takers = {topic: start(topic) for topic in pairs}
    for topic, side_a, side_b in paired_topics(*bags, pairs, seen, to_the_end=any(seen)):
        takers[topic].add(side_a, side_b)
    return takers


class _Times:
    """Times, stamps and steps of all messages, as `seen` is shown the batches of both bags."""

    def __init__(self, bags: tuple[Bag, Bag], topics: Sequence[str], how: How) -> None:
        self._how = how
        self._indexes = [
            {topic: Index(bag, topic, how.align) for topic in topics if topic in bag.topics}
            for bag in bags
        ]
        self._steps = [Steps(bag) for bag in bags] if how.align == "cause" else []
        seen_a, seen_b = (self._seen(side) for side in (0, 1))
        self.seen = seen_a, seen_b
        self._log: list[dict[str, Int64s]] = []

    def _seen(self, side: int) -> dict[str, See]:
        seen: dict[str, See] = {topic: index.add for topic, index in self._indexes[side].items()}
        if self._steps:
            seen[ACKNOWLEDGEMENT_TOPIC] = self._steps[side].add
        return seen

    def aligned(self, topic: str, is_pairable: bool) -> Aligned:
        """How the messages of a topic belong together, once all have been seen."""
        if not self._log:
            self._log = [_from_origin(found, self._how.origin_ns) for found in self._indexes]
        none = np.empty(0, np.int64)
        times = self._log[0].get(topic, none), self._log[1].get(topic, none)
        counted = Aligned(count_a=len(times[0]), count_b=len(times[1]))
        return self._paired(topic, times, counted) if is_pairable else counted

    def _paired(self, topic: str, times: tuple[Int64s, Int64s], counted: Aligned) -> Aligned:
        index_a, index_b = (indexes[topic] for indexes in self._indexes)
        steps = (self._steps[0].of(topic), self._steps[1].of(topic)) if self._steps else None
        by = self._how.align
        if by == "auto":
            by = chosen(index_a, index_b, times)
        if by == "stamp":
            stamps = index_a.stamps, index_b.stamps
            start_ns = min((int(s[0]) for s in stamps if len(s)), default=0)
            times = _less(stamps[0], start_ns), _less(stamps[1], start_ns)
        if steps is not None:
            pairs = align_steps(*steps)
        elif by == "tick":
            pairs = align_ticks(len(times[0]), len(times[1]))
        else:
            pairs = align_times(*times, 0 if by == "stamp" else self._how.time_tolerance_ns)
        together = times[0][pairs.a], times[1][pairs.b]
        only_a, only_b = (
            np.stack([alone, side[alone]], axis=1)
            for alone, side in zip((pairs.only_a, pairs.only_b), times, strict=True)
        )
        offset_ns, drift = clock_fit(*together)
        return replace(
            counted,
            by=by,
            count=len(pairs.a),
            pairs=pairs,
            times_ns=times,
            steps=steps,
            only_a=only_a,
            only_b=only_b,
            reordered=pairs.reordered,
            duplicates=(_repeats(times[0]), _repeats(times[1])),
            largest_shift_ns=int(np.abs(together[1] - together[0]).max(initial=0)),
            clock_offset_ns=offset_ns,
            clock_drift=drift,
        )


def _from_origin(indexes: Mapping[str, Index], origin_ns: int | None) -> dict[str, Int64s]:
    """Log times from an origin on, or else from the first message of all."""
    times = {topic: index.log for topic, index in indexes.items()}
    firsts = [int(series[0]) for series in times.values() if len(series)]
    start_ns = origin_ns if origin_ns is not None else min(firsts, default=0)
    return {topic: _less(series, start_ns) for topic, series in times.items()}


def _less(times: Int64s, start_ns: int) -> Int64s:
    """The times from a start on, in the same memory: there are millions of them."""
    times -= start_ns
    return times


def _repeats(times: Int64s) -> int:
    return len(times) - len(distinct(times))
