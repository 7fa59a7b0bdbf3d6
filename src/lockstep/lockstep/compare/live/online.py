"""Comparing two live topics while their messages come in, in flat memory.

The outcome is that of `compare`. What that can only know at the end takes patience here: a message
whose partner has not come in time stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from ...bag import BagError
from ...cdr.codec import Codec
from ...errors import CompareError
from ...message.arrays import Int64s
from ..index import STAMP, first_times, shared_stamp, stamp_paths
from ..key_comparison import KEPT_TICKS, Aligned, KeyComparison, TickDifference
from ..key_judge import KeyJudge
from ..side_by_side import Side, columns_of
from ..tolerance import Tolerances
from .in_order import InOrder, Pair
from .partners import Decided, EqualPartners, Message, NearestPartners

OnlineAlign: TypeAlias = Literal["auto", "stamp", "tick", "time"]
_FIRST = 20  # messages of each side tell whether they share a stamp


@dataclass(frozen=True)
class OnlineOptions:
    """How live topics are aligned.

    `align` "auto" takes the stamp of types that have a header; else that inside the messages, as of
    transforms, if the first of both sides share it; else the time. A partner must come within
    `patience_s`. At most `pending` messages of each topic wait for theirs. Unless
    `from_start`, what came before both were heard does not count if it has no partner; ticks always
    count from the first message of each topic.
    """

    align: OnlineAlign = "auto"
    time_tolerance_ns: int = 50_000_000
    patience_s: float = 2.0
    pending: int = 1000
    from_start: bool = False


@dataclass
class Count:
    """What became of the messages of one topic."""

    received: int = 0
    dropped: int = 0
    """Lost on the way, or because more than `pending` had to wait."""
    before_start: int = 0
    at_end: int = 0
    """Without partner when the comparison ended, but not for as long as `patience_s`."""
    first_ns: int | None = None


@dataclass(frozen=True)
class _Stamps:
    stamps: dict[str, Int64s]


class OnlineComparison:
    """Compares topic B with the reference A; sides are 0 and 1.

    Times are absolute, in ns, of any one clock. Raises CompareError if the messages cannot be
    aligned as `options` say.
    """

    def __init__(
        self,
        topic: str,
        codec: Codec,
        tolerances: Tolerances,
        options: OnlineOptions = OnlineOptions(),
    ) -> None:
        self._stamps = stamp_paths(codec.fields())
        align = options.align
        if align == "auto" and STAMP in self._stamps:
            align = "stamp"
        elif align == "auto" and not self._stamps:
            align = "time"
        if align == "stamp" and not self._stamps:
            raise CompareError(f"{topic} has no header to align by; align by time or tick instead")
        self.counts = Count(), Count()
        self._options = options
        self._codec = codec
        self._topic = topic
        self._align = align
        self._problem: str | None = None
        self._forget()
        self._judge = KeyJudge(topic, (codec, codec), tolerances)
        self._aligned = 0
        self._largest_shift_ns = 0
        self._alone: tuple[list[list[int]], list[list[int]]] = ([], [])
        self._reordered: list[list[int]] = []
        self._unlisted = [0, 0, 0]

    def take(self, side: int, data: bytes, time_ns: int, now_s: float) -> None:
        """A message came: as CDR, when it was published, and now on a monotonic clock."""
        count = self.counts[side]
        if self._problem is None:
            self._came[side].append(Message(count.received, time_ns, data, now_s))
        count.received += 1

    def lose(self, side: int, messages: int) -> None:
        """So many messages did not come."""
        self.counts[side].dropped += messages

    def refuse(self, problem: str) -> None:
        """There is nothing more to compare; the sentence tells why the topics differ."""
        self._problem = self._problem or problem
        self._forget()

    def step(self, now_s: float, *, show: int = 0) -> list[TickDifference]:
        """Compare what has come; gives the first `show` ticks that were found to differ."""
        try:
            if self._align == "auto" and not self._choose(now_s):
                return []
            self._admit()
            for side in (0, 1):
                self._give_up(side, came_until_s=now_s - self._options.patience_s)
            return self._judge_pairs(self._settled(), show)
        except (BagError, CompareError) as error:  # bytes that are not of the type, or no image
            self.refuse(str(error))
            return []

    def finish(self, came_until_s: float = math.inf, *, show: int = 0) -> list[TickDifference]:
        """Compare what is left, in which messages without a partner stand alone.

        Those that came later than a time are left out.
        """
        try:
            if self._align == "auto":
                self._choose(math.inf)
            self._admit()
            for side in (0, 1):
                while self._partners.open[side]:
                    self._decide(self._partners.give_up(side), came_until_s)
            return self._judge_pairs(self._settled(), show)
        except (BagError, CompareError) as error:
            self.refuse(str(error))
            return []

    @property
    def pending(self) -> int:
        """Messages that wait for their partner, or for those before them."""
        waiting = sum(len(of_side) for of_side in (*self._came, *self._partners.open))
        return waiting + 2 * len(self._pairs.waiting)

    @property
    def oldest_s(self) -> float | None:
        """When the first message came that still waits for its partner; None if none does."""
        firsts = [next(iter(of_side.values())).came_s for of_side in self._partners.open if of_side]
        firsts += [came[0].came_s for came in self._came if came]
        return min(firsts, default=None)

    @property
    def paths(self) -> list[str]:
        """The paths of the fields of its messages."""
        return list(self._codec.fields())

    @property
    def patience_s(self) -> float:
        """How long a message waits for its partner."""
        return self._options.patience_s

    def result(self) -> KeyComparison:
        """The outcome so far, with times since the first message."""
        firsts = [count.first_ns for count in self.counts if count.first_ns is not None]
        origin_ns = min(firsts, default=0)
        only_a, only_b = (_rows(rows) - np.array([0, origin_ns]) for rows in self._alone)
        aligned = Aligned(
            count_a=self.counts[0].received,
            count_b=self.counts[1].received,
            by="time" if self._align == "auto" else self._align,
            count=self._aligned,
            only_a=only_a,
            only_b=only_b,
            reordered=_rows(self._reordered),
            unlisted=(self._unlisted[0], self._unlisted[1], self._unlisted[2]),
            largest_shift_ns=self._largest_shift_ns,
        )
        judged = self._judge.judged()
        kept = tuple(replace(one, time_ns=one.time_ns - origin_ns) for one in judged.kept)
        judged = replace(judged, kept=kept)
        return KeyComparison(
            self._topic, self._codec.type, self._problem, aligned=aligned, judged=judged
        )

    def _forget(self) -> None:
        """Begin with no messages."""
        self._came: tuple[list[Message], list[Message]] = ([], [])
        self._begin()

    def _begin(self) -> None:
        self._partners = (
            NearestPartners(self._options.time_tolerance_ns)
            if self._align == "time"
            else EqualPartners(by_tick=self._align == "tick")
        )
        self._pairs = InOrder()

    def _admit(self) -> None:
        """Align what has come: the two topics in turn, as they came."""
        came = [self._stamped(side) for side in (0, 1)]
        for side in (0, 1):
            if came[side] and self.counts[side].first_ns is None:
                self.counts[side].first_ns = came[side][0].time_ns
            self._came[side].clear()
        both = [(message.came_s, side, message) for side in (0, 1) for message in came[side]]
        for _, side, message in sorted(both, key=lambda one: one[:2]):
            self._decide(self._partners.add(side, message))
            if len(self._partners.open[side]) > self._options.pending:
                self._partners.drop(side)
                self.counts[side].dropped += 1

    def _choose(self, now_s: float) -> bool:
        """Choose how to align by the first messages of both sides, once they have come or have been
        waited for; whether that is so."""
        counts = [len(came) for came in self._came]
        since_s = max(came[0].came_s if came else math.inf for came in self._came)
        if (
            min(counts) < _FIRST
            and max(counts) < self._options.pending
            and now_s < since_s + self._options.patience_s
        ):
            return False
        a, b = (_Stamps(self._stamps_of(side, self._stamps)) for side in (0, 1))
        path = shared_stamp(a, b) if all(self._came) else None
        self._align = "stamp" if path else "time"
        self._stamps = [path] if path else []
        self._begin()
        return True

    def _stamped(self, side: int) -> Sequence[Message]:
        came = list(self._came[side])
        if self._align != "stamp" or not came:
            return came
        path = self._stamps[0]
        stamps = self._stamps_of(side, [path])[path].tolist()
        return [
            replace(message, time_ns=stamp) for message, stamp in zip(came, stamps, strict=True)
        ]

    def _stamps_of(self, side: int, paths: Sequence[str]) -> dict[str, Int64s]:
        """The stamps of what has come, by the path of their field."""
        whole = _side((message.tick, message.data) for message in self._came[side])
        columns = columns_of(whole, self._codec, self._name(side), list(paths))
        return {path: first_times(columns[path]) for path in paths}

    def _name(self, side: int) -> str:
        return f"{self._topic} of {'ab'[side]}"

    def _decide(self, decided: list[Decided], came_until_s: float = math.inf) -> None:
        for a, b in decided:
            if a and b:
                same = a.data == b.data
                needed = not same or self._judge.needs_equal
                data = (a.data, b.data) if needed else (b"", b"")
                pair = Pair(a.tick, b.tick, a.time_ns, b.time_ns - a.time_ns, same, *data)
                self._pairs.waiting.append(pair)
            elif alone := a or b:
                self._stands_alone(0 if a else 1, alone, came_until_s)

    def _stands_alone(self, side: int, message: Message, came_until_s: float) -> None:
        if message.came_s > came_until_s:
            self.counts[side].at_end += 1
        elif self._is_before_start(message):
            self.counts[side].before_start += 1
        elif len(self._alone[side]) < KEPT_TICKS:
            self._alone[side].append([message.tick, message.time_ns])
        else:
            self._unlisted[side] += 1

    def _is_before_start(self, message: Message) -> bool:
        """Whether its partner may have been sent before the other topic was heard."""
        if self._options.from_start or self._align == "tick":
            return False
        firsts = [count.first_ns for count in self.counts]
        if firsts[0] is None or firsts[1] is None:
            return True
        start_ns = max(firsts[0], firsts[1])
        if self._align == "time":
            start_ns += self._options.time_tolerance_ns
        return message.time_ns < start_ns

    def _give_up(
        self, side: int, *, came_until_s: float = math.inf, tick: float = math.inf
    ) -> None:
        """Wait no longer for partners of messages that came before a time and a tick."""
        waiting = self._partners.open[side]
        while waiting:
            message = next(iter(waiting.values()))
            if message.came_s > came_until_s or message.tick >= tick:
                return
            self._decide(self._partners.give_up(side))

    def _settled(self) -> list[Pair]:
        """The pairs of which the order is known.

        If too many wait for a message that may be missing, it is.
        """
        settled = self._in_order()
        for share in (0.5, 1.0):
            if len(self._pairs.waiting) > self._options.pending:
                by_tick = sorted(self._pairs.waiting, key=lambda pair: pair.tick_a)
                before = by_tick[: math.ceil(share * len(by_tick))]
                self._give_up(0, tick=max(pair.tick_a for pair in before))
                self._give_up(1, tick=max(pair.tick_b for pair in before))
                settled += self._in_order()
        return settled

    def _in_order(self) -> list[Pair]:
        lowest = [
            next(iter(waiting), count.received)
            for waiting, count in zip(self._partners.open, self.counts, strict=True)
        ]
        settled, others = self._pairs.settled(lowest[0], lowest[1])
        listed = others[: KEPT_TICKS - len(self._reordered)]
        self._reordered += [[pair.tick_a, pair.tick_b] for pair in listed]
        self._unlisted[2] += len(others) - len(listed)
        return settled

    def _judge_pairs(self, pairs: list[Pair], show: int) -> list[TickDifference]:
        self._aligned += len(pairs)
        self._judge.add_equal(sum(pair.same for pair in pairs))
        shifts = (abs(pair.shift_ns) for pair in pairs)
        self._largest_shift_ns = max(self._largest_shift_ns, max(shifts, default=0))
        if not self._judge.needs_equal:
            pairs = [pair for pair in pairs if not pair.same]
        if not pairs:
            return []
        a = _side((pair.tick_a, pair.data_a) for pair in pairs)
        b = _side((pair.tick_b, pair.data_b) for pair in pairs)
        times = np.array([pair.time_ns for pair in pairs], np.int64)
        wrong = self._judge.add_values(a, b, times)
        return [
            self._judge.difference(a, b, row, pairs[row].time_ns)
            for row in np.flatnonzero(wrong)[:show].tolist()
        ]


def _side(messages: Iterable[tuple[int, bytes]]) -> Side:
    ticks, payloads = zip(*messages, strict=True)
    length = np.array([len(data) for data in payloads], np.int64)
    buffer = np.frombuffer(b"".join(payloads), np.uint8)
    return Side(np.array(ticks, np.int64), buffer, np.cumsum(length) - length, length)


def _rows(rows: list[list[int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(rows, np.int64).reshape(-1, 2)
