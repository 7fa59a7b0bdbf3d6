"""The timeline of a bag: what happens when, on the time of the bag's own /clock or of its log times."""

from __future__ import annotations

import math
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..bag import Bag, BagError, Message, Topic
from ..bag.metadata import OfferedQoS
from ..run.errors import UsageError

CLOCK_TYPE = "rosgraph_msgs/msg/Clock"
JITTER_NS = 1_000_000_000
TIME_LIMIT_NS = 2**31 * 1_000_000_000  # builtin_interfaces/Time has 31 bits of seconds


class Event(NamedTuple):
    """Time steps to `time_ns` (0: not known yet), then `topic` gets `data`; without a topic only time steps."""

    log_time_ns: int
    time_ns: int
    topic: str
    data: bytes


class Timeline:
    """The events of the chosen topics in file order.

    `clock` is bag (the bag's /clock), times (its log times), none (as times), or auto (bag if it has one).
    Start and duration are in seconds from the bag's start.
    """

    def __init__(
        self,
        bag: Bag,
        topics: Sequence[str],
        clock: str = "auto",
        start_s: float = 0.0,
        duration_s: float = math.inf,
    ) -> None:
        self._bag = bag
        self._topics = list(topics)
        self._latched = {
            name: max(1, offered(bag.topic(name)).depth)
            for name in topics
            if offered(bag.topic(name)).durability == "transient_local"
        }
        self.clock_topic = _clock_topic(bag, clock)
        self._start_ns = bag.start_ns + round(start_s * 1e9)
        self._end_ns = (
            math.inf if math.isinf(duration_s) else self._start_ns + round(duration_s * 1e9)
        )

    def events(self, from_ns: int | None = None) -> Iterator[Event]:
        """All events from a log time on; what was latched before comes first, at that time.

        Raises BagError for a bag whose times cannot be played.
        """
        start_ns = self._start_ns if from_ns is None else from_ns
        names = [*self._topics, *([self.clock_topic] if self.clock_topic else [])]
        now_ns = last_ns = 0
        topics_seen: set[str] = set()
        latched = {name: deque[Message](maxlen=depth) for name, depth in self._latched.items()}
        for message in self._bag.messages(names):
            self._check(message, last_ns, topics_seen)
            last_ns = message.log_time_ns
            topics_seen.add(message.topic)
            is_clock = message.topic == self.clock_topic
            if is_clock:
                now_ns = _clock_ns(message)
            elif self.clock_topic is None:
                now_ns = _forward(now_ns, message.log_time_ns)
            if message.log_time_ns < start_ns:
                if message.topic in latched:
                    latched[message.topic].append(message)
                continue
            for earlier in [m for queue in latched.values() for m in queue]:
                began_ns = now_ns if self.clock_topic else start_ns
                yield Event(start_ns, began_ns, earlier.topic, earlier.data)
            latched = {}
            if message.log_time_ns <= self._end_ns:
                topic = "" if is_clock else message.topic
                yield Event(message.log_time_ns, now_ns, topic, message.data)

    def _check(self, message: Message, last_ns: int, topics_seen: set[str]) -> None:
        if message.log_time_ns >= TIME_LIMIT_NS:
            raise BagError(
                f"{self._bag.path}: {message.topic} has a log time beyond 2038, which ROS cannot express"
            )
        back = message.log_time_ns < last_ns - JITTER_NS
        if back and topics_seen and message.topic not in topics_seen:
            raise BagError(
                f"{self._bag.path} is ordered by topic ({message.topic} begins after later messages of others), "
                "so its messages cannot be replayed in order of time; record or convert it again"
            )

    def total(self) -> int:
        """How many messages of the chosen topics the whole bag holds."""
        return sum(self._bag.topic(name).count for name in self._topics)


def offered(topic: Topic) -> OfferedQoS:
    """The QoS to offer for a recorded topic: that of its first publisher, or the ROS default."""
    return topic.qos[0] if topic.qos else OfferedQoS()


def _clock_topic(bag: Bag, clock: str) -> str | None:
    topics = [name for name, topic in bag.topics.items() if topic.type == CLOCK_TYPE]
    if clock in ("auto", "bag") and topics:
        return "/clock" if "/clock" in topics else topics[0]
    if clock == "bag":
        raise UsageError(f"{bag.path} has no /clock; use --clock times")
    return None


def _clock_ns(message: Message) -> int:
    """The time of a rosgraph_msgs/Clock in CDR: encapsulation (byte 1 is the endianness), sec, nanosec."""
    data = message.data
    if len(data) < 12:
        raise BagError(f"a message of {message.topic} is no {CLOCK_TYPE}; use --clock times")
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)


def _forward(now_ns: int, log_time_ns: int) -> int:
    """Log times as a clock: small steps back are the recorder's jitter, large ones a new start."""
    return now_ns if 0 < now_ns - log_time_ns < JITTER_NS else log_time_ns
