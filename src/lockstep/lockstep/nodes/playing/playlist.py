"""What is played in which order: the events of one bag, or of several by their log times, one epoch
of a simulation after the other."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence

from ...bag import Bag
from ...bag.clock import CLOCK_TYPE
from ...bag.sorting import is_reset
from ...run.timeline import JITTER_NS, Event, Timeline, span

_NAMES_OF_CLOCKS = ("auto", "bag")


class Playlist:
    """The events of `topics` of all bags; start and end are log times in ns.

    The run's time is that of the first /clock that a bag has, if `clock` lets it, or the log times.
    The end is `duration_s` after the start or at `until_ns`, the later one if both are given.
    """

    def __init__(
        self,
        bags: Sequence[Bag],
        topics: Sequence[str],
        clock: str = "auto",
        start_s: float = 0.0,
        duration_s: float = math.inf,
        until_ns: int | None = None,
    ) -> None:
        held = [bag for bag in bags if bag.count] or list(bags[:1])
        first_ns = min(bag.start_ns for bag in held)
        self.start_ns, end_ns = span(first_ns, start_s, duration_s)
        if until_ns is not None:
            end_ns = until_ns if math.isinf(end_ns) else max(end_ns, until_ns)
        self.end_ns: float = end_ns
        self.last_ns = max(bag.end_ns for bag in held)
        clocked = _bag_of_clock(bags, clock)
        self._timelines = [
            Timeline(
                bag,
                [name for name in topics if name in bag.topics],
                clock if index == clocked or len(bags) == 1 else "times",
                span_ns=(self.start_ns, self.end_ns),
            )
            for index, bag in enumerate(bags)
        ]
        self._clocked = clocked
        self._is_reset = len(bags) > 1 and clocked is not None and is_reset(bags[clocked])
        self.clock_topic = self._timelines[clocked or 0].clock_topic
        """Where the run's time comes from; None: from the log times."""

    def events(self, from_ns: int | None = None) -> Iterator[Event]:
        """All events, or those from a log time on; what was latched before comes first."""
        if len(self._timelines) == 1:
            return self._timelines[0].events(from_ns)
        return self._merged(from_ns)

    def total(self) -> int:
        """How many messages of the topics the bags hold."""
        return sum(timeline.total() for timeline in self._timelines)

    def _merged(self, from_ns: int | None) -> Iterator[Event]:
        streams = (
            _in_epochs(timeline.events(from_ns), index, self._is_reset)
            for index, timeline in enumerate(self._timelines)
        )
        now_ns = 0
        for _, _, index, event in heapq.merge(*streams):
            if self._clocked is None:
                jitters = 0 < now_ns - event.time_ns < JITTER_NS
                now_ns = now_ns if jitters else event.time_ns
            elif index == self._clocked:
                now_ns = event.time_ns
            yield event if event.time_ns == now_ns else event._replace(time_ns=now_ns)


def _bag_of_clock(bags: Sequence[Bag], clock: str) -> int | None:
    """Of several bags the one whose /clock is the run's."""
    if clock not in _NAMES_OF_CLOCKS:
        return None
    of_type = (any(t.type == CLOCK_TYPE for t in bag.topics.values()) for bag in bags)
    found = [index for index, has_clock in enumerate(of_type) if has_clock]
    return found[0] if found else (0 if clock == "bag" else None)


def _in_epochs(
    events: Iterator[Event], index: int, is_reset: bool
) -> Iterator[tuple[int, int, int, Event]]:
    """What the events of one bag are merged by: epoch, log time, number of the bag, and the event.

    In a simulation that was reset each jump back of its log times begins an epoch.
    """
    epoch = last_ns = 0
    for event in events:
        epoch += is_reset and event.log_time_ns < last_ns - JITTER_NS
        last_ns = event.log_time_ns
        yield epoch, last_ns, index, event
