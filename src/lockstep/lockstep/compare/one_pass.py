"""Which messages of two bags belong together, and each pair of them, in one pass over both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..bag import Bag
from ..errors import CompareError
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC
from ..message.arrays import Int64s
from .align import (
    Align,
    Alignment,
    align_steps,
    align_ticks,
    align_times,
    clock_fit,
    half_interval,
)
from .align_values import Unlike, align_values, irregular_tolerance_ns, is_late, shared_offset
from .bytes_judge import BytesJudge
from .cause import Steps
from .contents import Contents, contents, unlikeness
from .epochs import ClockJumps, Jumps, epoch_starts
from .index import Index, distinct, fit_in_time, shared_stamp, stamp_to_align_by
from .key_comparison import Aligned
from .key_judge import KeyJudge
from .side_by_side import NOBODY, See, Watch, paired_topics
from .tolerance import Tolerances
from .transforms import source_of

_CLEAR = 0.25  # of half an interval: if no message moves by more, times leave no choice
_ALIKE = 0.1  # of messages that belong together by what they hold
_SHARE = 0.5  # of messages that must be so, that values are believed

Judges = dict[str, KeyJudge | BytesJudge]


@dataclass(frozen=True)
class How:
    """How messages are aligned: see `compare`."""

    align: Align | Mapping[str, Align]
    origin_ns: int | None
    time_tolerance_ns: int | None

    def of(self, topic: str) -> Align:
        """By what those of a topic are aligned."""
        if isinstance(self.align, str):
            return self.align
        own = self.align.get(topic) or self.align.get(source_of(topic))
        return own or self.align.get("*", "auto")


@dataclass(frozen=True)
class Paired:
    """How the messages of topics belong together, and who judged the pairs of each.

    `by_tick` judged the i-th with the i-th, of topics with as many messages on both sides.
    """

    aligned: dict[str, Aligned]
    judges: Judges
    by_tick: Judges


def aligned_pairs(
    bags: tuple[Bag, Bag],
    topics: Sequence[str],
    pairable: Collection[str],
    how: How,
    tolerances: Tolerances,
    start: Callable[[str], KeyJudge | BytesJudge],
) -> Paired:
    """How the messages of all `topics` belong together; the pairs of the `pairable` are judged.

    `start` makes the judge of a topic; it may be asked for another one, which then takes all pairs
    anew. Raises CompareError if messages cannot be aligned so, BagError as reading does.
    """
    times = _Times(bags, topics, how)
    guessed = _guess_by_tick(bags, pairable, times, start)
    aligned = {topic: times.aligned(topic, topic in pairable) for topic in topics}
    aligned |= times.aligned_by_value(aligned, guessed, tolerances)
    right = {topic: judge for topic, judge in guessed.items() if _is_by_tick(aligned[topic])}
    others = {
        topic: pairs
        for topic, found in aligned.items()
        if topic not in right and (pairs := found.pairs) is not None
    }
    judges = right | (_taken(bags, others, start) if others else {})
    return Paired(aligned, judges, guessed)


def _guess_by_tick(
    bags: tuple[Bag, Bag],
    pairable: Collection[str],
    times: _Times,
    start: Callable[[str], KeyJudge | BytesJudge],
) -> Judges:
    """Read all times and, in the same pass, give the i-th message with the i-th.

    Which message belongs to which is known only when the times of all have been read. To read the
    bags once more for the pairs would double the work of nearly every comparison, and in nearly
    every one the i-th does belong to the i-th: so that is what judges are given at once, of topics
    with as many messages on both sides. Where the times then say otherwise, all that a judge has
    found is thrown away; it is the pairs of such topics alone that are read a second time.
    """
    guesses = {}
    for topic in pairable:
        counts = [bag.topics[topic].count for bag in bags]
        if counts[0] == counts[1] > 0:
            guesses[topic] = align_ticks(counts[0], counts[1])
    return _taken(bags, guesses, start, times.watches)


def _is_by_tick(aligned: Aligned) -> bool:
    """Whether the i-th of all messages of each side belongs to the i-th of the other."""
    pairs, ticks = aligned.pairs, np.arange(aligned.count_a)
    return pairs is not None and all(np.array_equal(side, ticks) for side in (pairs.a, pairs.b))


def _taken(
    bags: tuple[Bag, Bag],
    pairs: Mapping[str, Alignment],
    start: Callable[[str], KeyJudge | BytesJudge],
    watches: tuple[Watch, Watch] = (NOBODY, NOBODY),
) -> Judges:
    """Give all pairs to judges in one pass, which `watches` are shown as well, to its end."""
    takers = {topic: start(topic) for topic in pairs}
    for topic, side_a, side_b in paired_topics(*bags, pairs, watches, to_the_end=any(watches)):
        takers[topic].add(side_a, side_b)
    return takers


class _Times:
    """Times, stamps, steps and epochs of all messages, as `watches` are shown both bags."""

    def __init__(self, bags: tuple[Bag, Bag], topics: Sequence[str], how: How) -> None:
        self._bags, self._how = bags, how
        self._indexes = [
            {topic: Index(bag, topic, how.of(topic)) for topic in topics if topic in bag.topics}
            for bag in bags
        ]
        by_cause = any(how.of(topic) == "cause" for topic in topics)
        self._steps = [Steps(bag) for bag in bags] if by_cause else []
        self._clocks = [ClockJumps(bag) for bag in bags]
        watch_a, watch_b = (self._watch(side) for side in (0, 1))
        self.watches = watch_a, watch_b
        self._log: list[dict[str, Int64s]] = []

    def _watch(self, side: int) -> Watch:
        seen: dict[str, See] = {topic: index.add for topic, index in self._indexes[side].items()}
        if self._steps:
            seen[ACKNOWLEDGEMENT_TOPIC] = self._steps[side].add
        clock = self._clocks[side]
        return Watch(seen) if clock.topic is None else Watch(seen, [clock.topic], clock.see)

    def _jumps(self, topic: str) -> Jumps:
        return self._clocks[0].among(topic), self._clocks[1].among(topic)

    def aligned(self, topic: str, is_pairable: bool) -> Aligned:
        """How the messages of a topic belong together, once all have been seen."""
        if not self._log:
            self._log = [_from_origin(found, self._how.origin_ns) for found in self._indexes]
        times = self._log_of(topic)
        counted = Aligned(count_a=len(times[0]), count_b=len(times[1]))
        return self._paired(topic, times, counted) if is_pairable else counted

    def _log_of(self, topic: str) -> tuple[Int64s, Int64s]:
        none = np.empty(0, np.int64)
        return self._log[0].get(topic, none), self._log[1].get(topic, none)

    def _paired(self, topic: str, times: tuple[Int64s, Int64s], counted: Aligned) -> Aligned:
        index_a, index_b = (indexes[topic] for indexes in self._indexes)
        by, stamp, jumps = self._how.of(topic), "", self._jumps(topic)
        if by == "auto":
            stamp = shared_stamp(index_a, index_b, jumps) or ""
            by = "stamp" if stamp else self._without_stamps(times, jumps)
        elif by == "stamp":
            stamp = stamp_to_align_by(topic, index_a, index_b, jumps)
        if by == "stamp":
            stamps = index_a.stamps[stamp], index_b.stamps[stamp]
            start_ns = min((int(s[0]) for s in stamps if len(s)), default=0)
            times = _less(stamps[0], start_ns), _less(stamps[1], start_ns)
        epochs = epoch_starts(times[0], jumps[0]), epoch_starts(times[1], jumps[1])
        counted = replace(counted, by=by, stamp=stamp, epochs=epochs)
        if by == "stamp":
            return _with_pairs(counted, align_times(*times, 0, jumps), times)
        if by == "cause":
            steps = self._steps[0].of(topic), self._steps[1].of(topic)
            return _with_pairs(replace(counted, steps=steps), align_steps(*steps), times)
        if by == "tick":
            return _with_pairs(counted, align_ticks(len(times[0]), len(times[1])), times)
        return _with_pairs(counted, align_times(*times, self._how.time_tolerance_ns, jumps), times)

    def _without_stamps(self, times: tuple[Int64s, Int64s], jumps: Jumps) -> Align:
        """By time; but by tick where each side counts its time by itself, and these do not fit."""
        one_clock = self._how.origin_ns is not None
        return (
            "time"
            if one_clock or len(times[0]) != len(times[1]) or fit_in_time(*times, jumps)
            else "tick"
        )

    def aligned_by_value(
        self, aligned: Mapping[str, Aligned], by_tick: Judges, tolerances: Tolerances
    ) -> dict[str, Aligned]:
        """Those topics anew whose times leave it open which messages belong together.

        `aligned` is how they do by their times, `by_tick` has judged the i-th with the i-th.
        """
        found: dict[str, Aligned] = {}
        still_open = {}
        for topic, by_time in aligned.items():
            if self._is_open(topic, by_time):
                times = self._on_one_clock(topic, aligned)
                ticks = self._by_tick_in_time(by_time, times)
                if ticks and by_tick[topic].all_match and self._how.of(topic) == "auto":
                    found[topic] = replace(ticks, by="value")
                else:
                    still_open[topic] = times, ticks
        held = contents(self._bags, still_open, tolerances) if still_open else {}
        for topic, (times, ticks) in still_open.items():
            by_value = self._by_value(topic, aligned[topic], times, held[topic])
            found[topic] = by_value or ticks or aligned[topic]
        return found

    def _is_open(self, topic: str, aligned: Aligned) -> bool:
        if aligned.pairs is None or not (aligned.count_a and aligned.count_b):
            return False
        if self._how.of(topic) == "value":
            return True
        is_open = self._how.of(topic) == "auto" and aligned.by == "time"
        return is_open and self._how.time_tolerance_ns != 0 and not _is_clear(aligned)

    def _tolerance_ns(self, times: tuple[Int64s, Int64s]) -> int:
        given = self._how.time_tolerance_ns
        return irregular_tolerance_ns(times[0]) if given is None else given

    def _by_tick_in_time(self, by_time: Aligned, times: tuple[Int64s, Int64s]) -> Aligned | None:
        """The i-th with the i-th, if there are as many and all come near enough in time."""
        if by_time.count_a != by_time.count_b:
            return None
        pairs = align_ticks(by_time.count_a, by_time.count_b)
        shift_ns = int(np.abs(times[1] - times[0]).max())
        if shift_ns > self._tolerance_ns(times) or is_late(*times, pairs):
            return None
        return _with_pairs(replace(by_time, by="tick"), pairs, by_time.times_ns)

    def _by_value(
        self,
        topic: str,
        by_time: Aligned,
        times: tuple[Int64s, Int64s],
        held: tuple[Contents, Contents],
    ) -> Aligned | None:
        """By what messages hold; None if they do not say it, which is an error if it is asked."""
        unlike = partial(unlikeness, *held)
        is_asked = self._how.of(topic) == "value"
        if is_asked and self._how.origin_ns is None:
            digests = held[0].digests, held[1].digests
            times = times[0], times[1] - shared_offset(*times, *digests)
        pairs = align_values(*times, unlike, self._tolerance_ns(times))
        if pairs is None and is_asked:
            raise CompareError(
                f"{topic} has too many messages within the time tolerance to be aligned by value; "
                "give a smaller --time-tolerance"
            )
        if pairs is None or not (is_asked or _is_better(pairs, by_time, unlike)):
            return None
        if not is_asked and is_late(*times, pairs):
            return None
        return _with_pairs(replace(by_time, by="value"), pairs, by_time.times_ns)

    def _on_one_clock(self, topic: str, aligned: Mapping[str, Aligned]) -> tuple[Int64s, Int64s]:
        """The times of a topic, those of B on the clock of A as far as stamps of others tell it.

        Where times count from the first message of each side, that of B may have come later.
        """
        a, b = self._log_of(topic)
        stamped = [(of, found.pairs) for of, found in aligned.items() if found.by == "stamp"]
        together = [
            (self._log[0][of][pairs.a], self._log[1][of][pairs.b])
            for of, pairs in stamped
            if pairs is not None and len(pairs.a)
        ]
        if self._how.origin_ns is not None or not together:
            return a, b
        all_a, all_b = (np.concatenate(side) for side in zip(*together, strict=True))
        offset_ns, drift = clock_fit(all_a, all_b)
        from_start = b - all_a[0] - round(offset_ns)
        corrected = all_a[0] + np.rint(from_start / (1.0 + drift)).astype(np.int64)
        moved = float(np.median(np.abs(corrected - b)))
        return (a, corrected) if moved > half_interval(a) else (a, b)


def _is_clear(by_time: Aligned) -> bool:
    """Whether no message moves so far against the others that it may belong to another one."""
    pairs, (a, b) = by_time.pairs, by_time.times_ns
    if np.array_equal(a, b):
        return True
    if pairs is None or not len(pairs.a):
        return False
    shift = b[pairs.b] - a[pairs.a]
    apart = np.abs(shift - int(np.median(shift)))
    return int(apart.max()) <= _CLEAR * half_interval(a)


def _is_better(pairs: Alignment, by_time: Aligned, unlike: Unlike) -> bool:
    """Whether values bring together more messages that are alike, and most that there are."""
    alike, alike_by_time = (
        0 if found is None else int(np.count_nonzero(unlike(found.a, found.b) < _ALIKE))
        for found in (pairs, by_time.pairs)
    )
    return alike > alike_by_time and alike >= _SHARE * min(by_time.count_a, by_time.count_b)


def _with_pairs(counted: Aligned, pairs: Alignment, times: tuple[Int64s, Int64s]) -> Aligned:
    """What there is to say of messages that belong together; times (n,) and (m,) of all."""
    together = times[0][pairs.a], times[1][pairs.b]
    only_a, only_b = (
        np.stack([alone, side[alone]], axis=1)
        for alone, side in zip((pairs.only_a, pairs.only_b), times, strict=True)
    )
    offset_ns, drift = clock_fit(*together)
    return replace(
        counted,
        count=len(pairs.a),
        pairs=pairs,
        times_ns=times,
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
