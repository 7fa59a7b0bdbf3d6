"""What there is to know of a bag before working with it: rates, gaps, sizes, clocks,
and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..message.arrays import Int64s
from ..message.batch import Batch
from ..message.time import NS_PER_S
from .clock import CLOCK_TYPE, ClockReader, ClockTimes
from .reader import WALL_CLOCKS_BEGIN_NS, Bag
from .sorting import ADVICE

_GAP = 5
"""An interval of more than so many medians is a gap."""
_CLOCKS_APART_NS = 86_400 * NS_PER_S
_JITTER_NS = (
    100_000_000  # log times step back by less when recorders write what they hear in parallel
)


@dataclass
class TopicSurvey:
    """One topic; times in ns. `interval_ns` is the median, None with fewer than two messages."""

    name: str
    type: str
    count: int = 0
    bytes: int = 0
    start_ns: int | None = None
    end_ns: int | None = None
    interval_ns: float | None = None
    gaps: int = 0
    largest_gap_ns: int = 0

    @property
    def rate_hz(self) -> float | None:
        """Messages per second, by the median interval."""
        return NS_PER_S / self.interval_ns if self.interval_ns else None


@dataclass
class Survey:
    """A bag; `clock` says in words what its log times are, `problems` are sentences.

    `simulated` is what a recorded /clock says, None if there is none.
    """

    topics: dict[str, TopicSurvey] = field(default_factory=dict)
    clock: str = ""
    simulated: ClockTimes | None = None
    problems: list[str] = field(default_factory=list)


def survey(bag: Bag, progress: Callable[[int, int], None] | None = None) -> Survey:
    """Read the whole bag once; `progress` is told how many of how many messages are read."""
    times: dict[str, list[Int64s]] = {}
    found = {t.name: TopicSurvey(t.name, t.type) for t in bag.topics.values()}
    offset_ns: int | None = None
    backward = _Backward()
    clock = ClockReader(bag)
    done = 0
    for batch in bag.batches(strict=False):
        if offset_ns is None:
            offset_ns = int(batch.publish_time_ns[0] - batch.log_time_ns[0])
        backward.see(batch)
        clock.add(batch)
        for index in np.unique(batch.topic):
            mine = batch.topic == index
            name = batch.topics[index]
            if name not in found:  # its file is damaged
                found[name] = TopicSurvey(name, bag.topics[name].type)
            times.setdefault(name, []).append(batch.log_time_ns[mine])
            found[name].bytes += int(batch.length[mine].sum())
        done += len(batch)
        if progress is not None:
            progress(done, bag.count)
    for name, parts in times.items():
        _describe(found[name], np.concatenate(parts))
    problems = [bag.problem] if bag.problem else []
    problems += dict.fromkeys(topic.clash for topic in bag.topics.values() if topic.clash)
    misplaced = f", as {bag.misplaced} was recorded before the file before it{ADVICE}"
    problems += backward.problems(misplaced if bag.misplaced else "")
    problems += [f"{topic.name} holds no message" for topic in found.values() if not topic.count]
    simulated = clock.times() if clock.topic is not None else None
    return Survey(dict(sorted(found.items())), _clock(bag, offset_ns), simulated, problems)


def _describe(topic: TopicSurvey, log_ns: Int64s) -> None:
    topic.count = len(log_ns)
    topic.start_ns, topic.end_ns = int(log_ns.min()), int(log_ns.max())
    steps = np.diff(log_ns)
    if len(steps):
        median = float(np.median(steps))
        topic.interval_ns = median if median > 0 else None
        topic.gaps = int((steps > _GAP * median).sum()) if median > 0 else 0
        topic.largest_gap_ns = int(steps.max())


def _clock(bag: Bag, offset_ns: int | None) -> str:
    if offset_ns is None:
        return "no messages, so no clock"
    has_clock = any(topic.type == CLOCK_TYPE and topic.count for topic in bag.topics.values())
    if abs(offset_ns) > _CLOCKS_APART_NS:
        return "simulation time: log times are far from publish times" + (
            ", and /clock is recorded" if has_clock else ""
        )
    if bag.start_ns < WALL_CLOCKS_BEGIN_NS:
        return "unknown: log times are near 1970, so they are not wall time"
    return "wall time" + (", with /clock recorded beside it" if has_clock else "")


class _Backward:
    """Watches log times run backwards in file order: a new epoch of a simulation,
    or topics written one by one.
    """

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._jumps = 0
        self._largest_ns = 0

    def see(self, batch: Batch) -> None:
        """Take the next messages."""
        first = batch.log_time_ns[0] if self._last_ns is None else self._last_ns
        steps = np.diff(batch.log_time_ns, prepend=first)
        self._jumps += int((steps < -_JITTER_NS).sum())
        self._largest_ns = max(self._largest_ns, -int(steps.min()))
        self._last_ns = int(batch.log_time_ns[-1])

    def problems(self, advice: str) -> list[str]:
        """A sentence if time ran backwards, with advice."""
        if not self._jumps:
            return []
        times = "once" if self._jumps == 1 else f"{self._jumps} times"
        largest_s = self._largest_ns / NS_PER_S
        return [f"log time runs backwards {times}, by up to {largest_s:.3f} s{advice}"]
