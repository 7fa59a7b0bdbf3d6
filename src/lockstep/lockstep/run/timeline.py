"""The timeline of a bag: what happens when, on the time of the bag's own /clock or of its log
times."""

from __future__ import annotations

import math
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..bag import Bag, BagError, Topic
from ..bag.clock import CLOCK_TYPE, clock_topic
from ..bag.metadata import FOREVER_NS, OfferedQoS
from ..bag.sorting import ADVICE
from ..errors import UsageError
from ..message.arrays import Int64s
from ..message.batch import Batch

_TRANSFORMS = "tf2_msgs/msg/TFMessage"
_LIVELINESS = "automatic manual_by_node manual_by_topic"  # each serves those before it
JITTER_NS = 1_000_000_000
TIME_LIMIT_NS = 2**31 * 1_000_000_000  # builtin_interfaces/Time has 31 bits of seconds


class Event(NamedTuple):
    """Time steps to `time_ns` (0: not known yet), then `topic` gets `data`; without a topic only
    time steps."""

    log_time_ns: int
    time_ns: int
    topic: str
    data: bytes


@dataclass(frozen=True)
class Steps:
    """n events as columns: `time_ns` (n,) is the run's time of each, `messages` has their bytes.

    `is_input` (n,) tells which are messages of the chosen topics; at the others only time steps.
    """

    time_ns: Int64s
    is_input: npt.NDArray[np.bool_]
    messages: Batch


class Timeline:
    """The events of the chosen topics in file order; without any, only time steps, as the bag's
    messages tell it.

    `clock` is bag (the bag's /clock), times (its log times), none (as times), or auto (bag if it
    has one). Start and duration are in seconds from the bag's start, unless `span_ns` gives the
    log times of the first and the last message to be played.
    """

    def __init__(
        self,
        bag: Bag,
        topics: Sequence[str],
        clock: str = "auto",
        start_s: float = 0.0,
        duration_s: float = math.inf,
        span_ns: tuple[int, float] | None = None,
    ) -> None:
        self._bag = bag
        self._topics = list(topics)
        self._latched = {
            name: _latched_depth(bag.topic(name))
            for name in topics
            if offered(bag.topic(name)).durability == "transient_local"
        }
        self.clock_topic = _clock_topic(bag, clock)
        self._start_ns, self._end_ns = span_ns or span(bag.start_ns, start_s, duration_s)

    def events(self, from_ns: int | None = None) -> Iterator[Event]:
        """The same as `steps`, one by one."""
        for steps in self.steps(from_ns):
            batch = steps.messages
            names = [*batch.topics, ""]
            topic = np.where(steps.is_input, batch.topic, len(batch.topics)).tolist()
            times = batch.log_time_ns.tolist(), steps.time_ns.tolist()
            for index, log_ns, now_ns, data in zip(topic, *times, batch.payloads(), strict=True):
                yield Event(log_ns, now_ns, names[index], data)

    def steps(self, from_ns: int | None = None) -> Iterator[Steps]:
        """All events from a log time on; what was latched before comes first, at that time.

        Raises BagError for a bag whose times cannot be played.
        """
        start_ns = self._start_ns if from_ns is None else from_ns
        chosen_names = [*self._topics, *([self.clock_topic] if self.clock_topic else [])]
        names = chosen_names or list(self._bag.topics)
        if self._bag.misplaced is not None:
            raise BagError(
                f"{self._bag.path} is split into files that are not in order ({self._bag.misplaced}"
                " was recorded before the file before it), so its messages cannot be replayed in "
                f"order of time{ADVICE}"
            )
        order = _Order(self._bag)
        now_ns = 0
        latched: list[deque[Batch]] | None = [
            deque(maxlen=depth) for depth in self._latched.values()
        ]
        for batch in self._bag.batches(names):
            order.check(batch)
            times_ns = self._times(batch, now_ns)
            now_ns = int(times_ns[-1]) if len(batch) else now_ns
            wanted = batch.log_time_ns >= start_ns
            if latched is not None:
                first = int(np.argmax(wanted)) if wanted.any() else len(batch)
                for queue, name in zip(latched, self._latched, strict=True):
                    if name in batch.topics:
                        found = np.flatnonzero(batch.topic[:first] == batch.topics.index(name))
                        queue.extend(batch.where(found[i : i + 1]) for i in range(len(found)))
                if first < len(batch):
                    began_ns = int(times_ns[first]) if self.clock_topic else start_ns
                    for earlier in (one for queue in latched for one in queue):
                        yield _latched_step(earlier, start_ns, began_ns)
                    latched = None
            wanted &= batch.log_time_ns <= self._end_ns
            if wanted.any():
                clock = self._clock_index(batch)
                chosen = batch.where(wanted)
                is_input = (chosen.topic != clock) & bool(self._topics)
                yield Steps(times_ns[wanted], is_input, chosen)

    def total(self) -> int:
        """How many messages of the chosen topics the whole bag holds."""
        return sum(self._bag.topic(name).count for name in self._topics)

    def _clock_index(self, batch: Batch) -> int:
        known = self.clock_topic is not None and self.clock_topic in batch.topics
        return batch.topics.index(str(self.clock_topic)) if known else -1

    def _times(self, batch: Batch, now_ns: int) -> Int64s:
        """The run's time of each message, `now_ns` being that of the one before."""
        if self.clock_topic is None:
            return _forward(now_ns, batch.log_time_ns)
        is_clock = batch.topic == self._clock_index(batch)
        clock = batch.where(is_clock)
        told = np.array(
            [now_ns, *(_clock_ns(self.clock_topic, data) for data in clock.payloads())], np.int64
        )
        times: Int64s = told[np.cumsum(is_clock)]
        return times


class _Order:
    """Whether the messages of a bag come in an order that can be replayed."""

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        self._last_ns = 0
        self._seen: set[str] = set()

    def check(self, batch: Batch) -> None:
        """Raises BagError, which names the topic, if they do not."""
        if not len(batch):
            return
        log_ns = batch.log_time_ns
        late = np.flatnonzero(log_ns >= TIME_LIMIT_NS)
        if len(late):
            raise BagError(
                f"{self._bag.path}: {batch.topics[batch.topic[late[0]]]} has a log time beyond "
                "2038, "
                "which ROS cannot express"
            )
        before = np.concatenate([[self._last_ns], log_ns[:-1]])
        for index in np.flatnonzero(log_ns < before - JITTER_NS).tolist():
            seen = self._seen | self._names(batch, index)
            topic = batch.topics[batch.topic[index]]
            if seen and topic not in seen:
                raise BagError(
                    f"{self._bag.path} is ordered by topic ({topic} begins after later messages of "
                    "others), "
                    f"so its messages cannot be replayed in order of time{ADVICE}"
                )
        self._last_ns = int(log_ns[-1])
        self._seen |= self._names(batch, len(batch))

    @staticmethod
    def _names(batch: Batch, end: int) -> set[str]:
        return {batch.topics[index] for index in np.unique(batch.topic[:end]).tolist()}


def _latched_step(message: Batch, log_ns: int, now_ns: int) -> Steps:
    at = np.array([log_ns], np.int64)
    moved = replace(message, log_time_ns=at)
    return Steps(np.array([now_ns], np.int64), np.ones(1, np.bool_), moved)


def span(first_ns: int, start_s: float, duration_s: float) -> tuple[int, float]:
    """From which log time to which one is played of a bag that begins at `first_ns`."""
    start_ns = first_ns + round(start_s * 1e9)
    return start_ns, math.inf if math.isinf(duration_s) else start_ns + round(duration_s * 1e9)


def offered(topic: Topic) -> OfferedQoS:
    """The QoS to offer for a recorded topic: the ROS default, or what serves each subscriber that
    one of its recorded publishers served."""
    if not topic.qos:
        return OfferedQoS()
    if len(topic.qos) == 1:
        return topic.qos[0]
    best_effort = all(qos.reliability == "best_effort" for qos in topic.qos)
    latched = any(qos.durability == "transient_local" for qos in topic.qos)
    keeps_all = any(qos.history == "keep_all" for qos in topic.qos)
    return replace(
        topic.qos[0],
        history="keep_all" if keeps_all else topic.qos[0].history,
        depth=max(qos.depth for qos in topic.qos),
        reliability="best_effort" if best_effort else "reliable",
        durability="transient_local" if latched else "volatile",
        deadline_ns=_shortest(qos.deadline_ns for qos in topic.qos),
        lifespan_ns=max(qos.lifespan_ns or FOREVER_NS for qos in topic.qos),
        liveliness=max((qos.liveliness for qos in topic.qos), key=_LIVELINESS.find),
        liveliness_lease_duration_ns=_shortest(
            qos.liveliness_lease_duration_ns for qos in topic.qos
        ),
    )


def _shortest(durations_ns: Iterable[int]) -> int:
    """0 is none at all."""
    return min(duration_ns or FOREVER_NS for duration_ns in durations_ns)


def _latched_depth(topic: Topic) -> int:
    """How many messages of a latched topic a late subscriber gets: of each publisher its last ones.

    Of transforms, each of which may have a publisher of its own, all.
    """
    if topic.type == _TRANSFORMS:
        return max(1, topic.count)
    latched = [qos.depth for qos in topic.qos if qos.durability == "transient_local"]
    return max(1, sum(latched))


def _clock_topic(bag: Bag, clock: str) -> str | None:
    found = clock_topic(bag) if clock in ("auto", "bag") else None
    if found is not None:
        return found
    if clock == "bag":
        raise UsageError(f"{bag.path} has no /clock; use --clock times")
    return None


def _clock_ns(topic: str, data: bytes) -> int:
    """The time of a rosgraph_msgs/Clock in CDR: encapsulation (byte 1 is the endianness), sec,
    nanosec."""
    if len(data) < 12:
        raise BagError(f"a message of {topic} is no {CLOCK_TYPE}; use --clock times")
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)


def _forward(now_ns: int, log_times_ns: Int64s) -> Int64s:
    """Log times as a clock: small steps back are the recorder's jitter, large ones a new start."""
    if not len(log_times_ns) or (log_times_ns[0] >= now_ns and (np.diff(log_times_ns) >= 0).all()):
        return log_times_ns
    times = []
    for log_ns in log_times_ns.tolist():
        now_ns = now_ns if 0 < now_ns - log_ns < JITTER_NS else log_ns
        times.append(now_ns)
    return np.array(times, np.int64)
