"""The order and the times of a host in lockstep, as its acknowledgements tell them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from lockstep_interfaces.msg import Acknowledgement

from ...component import stamp_ns

Put = Callable[[str, bytes, int, int], None]
"""Topic, data, log time and publish time, both in ns."""


class Steps:
    """Holds what a host published until the host has told when it was."""

    def __init__(self, topics: Iterable[str], put: Put) -> None:
        self._put = put
        self._expected: deque[tuple[str, int]] = deque()  # topic, time in ns
        self._waiting: dict[str, deque[tuple[bytes, int]]] = {name: deque() for name in topics}
        self._last_stamp_ns = 0

    @property
    def is_complete(self) -> bool:
        """Whether all that was announced is here."""
        return not self._expected

    @property
    def missing(self) -> Counter[str]:
        """What was announced and is not here, by topic."""
        return Counter(topic for topic, _ in self._expected)

    def expect(self, message: Acknowledgement) -> None:
        """What it says was published."""
        for index, stamp in zip(message.published_topic, message.published_stamp, strict=True):
            topic = message.topics[index]
            if topic in self._waiting:
                self._expected.append((topic, stamp_ns(stamp)))

    def hold(self, topic: str, data: bytes, source_ns: int) -> None:
        """A message that came."""
        self._waiting[topic].append((data, source_ns))

    def put_in_order(self) -> None:
        """All that are told of and here."""
        while self._expected:
            topic, self._last_stamp_ns = self._expected[0]
            waiting = self._waiting[topic]
            if not waiting:
                return
            self._expected.popleft()
            data, source_ns = waiting.popleft()
            self._put(topic, data, self._last_stamp_ns, source_ns)

    def put_rest(self) -> None:
        """What a host that died did not acknowledge."""
        for topic, waiting in self._waiting.items():
            for data, source_ns in waiting:
                self._put(topic, data, self._last_stamp_ns, source_ns)
