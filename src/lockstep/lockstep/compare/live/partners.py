"""Which message of one live topic belongs to which of another: one to one, while they come in."""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

A, B = 0, 1


@dataclass(frozen=True, slots=True)
class Message:
    """The `tick`-th message of a live topic.

    `time_ns` is what it is aligned by, `came_s` when it was received (monotonic).
    """

    tick: int
    time_ns: int
    data: bytes
    came_s: float


Decided: TypeAlias = tuple[Message | None, Message | None]
"""A message of A and one of B that belong together, or one that stands alone."""
Open: TypeAlias = tuple[dict[int, Message], dict[int, Message]]
"""The messages of A and of B that are not decided, by tick, in the order in which they came."""


class EqualPartners:
    """Pairs messages of equal ticks, or else of equal times, these in their order."""

    def __init__(self, *, by_tick: bool) -> None:
        self._by_tick = by_tick
        self.open: Open = ({}, {})
        self._waiting: tuple[dict[int, deque[Message]], dict[int, deque[Message]]] = ({}, {})

    def add(self, side: int, message: Message) -> list[Decided]:
        """Take a message; gives what is decided by it."""
        mark = self._mark(message)
        partners = self._waiting[1 - side].get(mark)
        if not partners:
            self.open[side][message.tick] = message
            self._waiting[side].setdefault(mark, deque()).append(message)
            return []
        partner = partners[0]
        self._remove(1 - side, partner)
        return [(message, partner) if side == A else (partner, message)]

    def give_up(self, side: int) -> list[Decided]:
        """Wait no longer for the partner of the first open message of a side."""
        message = next(iter(self.open[side].values()))
        self._remove(side, message)
        return [(message, None) if side == A else (None, message)]

    def drop(self, side: int) -> None:
        """Forget the first open message of a side."""
        self.give_up(side)

    def _mark(self, message: Message) -> int:
        return message.tick if self._by_tick else message.time_ns

    def _remove(self, side: int, message: Message) -> None:
        """Of those with one mark, the first to come is always the first to go."""
        del self.open[side][message.tick]
        mark = self._mark(message)
        same = self._waiting[side][mark]
        same.popleft()
        if not same:
            del self._waiting[side][mark]


class NearestPartners:
    """Pairs each message with the nearest in time, as `align_times` does.

    The times of each side are to increase. It takes the same decisions in the same order, each as
    soon as no later message can change it.
    """

    def __init__(self, tolerance_ns: int) -> None:
        self._tolerance_ns = tolerance_ns
        self.open: Open = ({}, {})
        self._in_time: tuple[list[Message], list[Message]] = ([], [])

    def add(self, side: int, message: Message) -> list[Decided]:
        """Take a message; gives what is decided by it."""
        insort(self._in_time[side], message, key=lambda m: m.time_ns)
        self.open[side][message.tick] = message
        decided = []
        while (one := self._next()) is not None:
            decided.append(one)
        return decided

    def give_up(self, side: int) -> list[Decided]:
        """Decide on the first open message of a side with what is there."""
        tick = next(iter(self.open[side]))
        decided = []
        while tick in self.open[side]:
            one = self._next(is_last=True) or self._alone(side)
            decided.append(one)
        return decided

    def drop(self, side: int) -> None:
        """Forget the first open message of a side."""
        self._in_time[side].remove(self.open[side].pop(next(iter(self.open[side]))))

    def _next(self, *, is_last: bool = False) -> Decided | None:
        a, b = self._in_time
        if not (a and b):
            return None
        gap = b[0].time_ns - a[0].time_ns
        earlier = A if gap > 0 else B
        if abs(gap) > self._tolerance_ns:
            return self._alone(earlier)
        if gap:  # the later one may belong rather to what follows the earlier one
            own, other = self._in_time[earlier], self._in_time[1 - earlier]
            if len(own) == 1:
                return self._pair() if is_last else None
            if abs(other[0].time_ns - own[1].time_ns) < abs(gap):
                return self._alone(earlier)
        return self._pair()

    def _pair(self) -> Decided:
        return self._take(A), self._take(B)

    def _alone(self, side: int) -> Decided:
        return (self._take(A), None) if side == A else (None, self._take(B))

    def _take(self, side: int) -> Message:
        message = self._in_time[side].pop(0)
        del self.open[side][message.tick]
        return message
