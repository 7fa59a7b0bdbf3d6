"""The comparator online compares live topics as they come in, such as those of a node and of its
shadow.

It tells what it finds on /diagnostics and /lockstep/difference, and never holds back what it
listens to.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Difference

from ..bag import BagError
from ..cdr.codec import installed_codec
from ..compare import CompareError
from ..compare.comparison import Comparison
from ..compare.key_comparison import TickDifference
from ..compare.live.online import OnlineComparison, OnlineOptions
from ..compare.live.status import cut, no_verdict, status_of
from ..compare.meant import opened_in
from ..compare.words import KEPT_FIELDS
from ..component import to_stamp
from ..errors import RunError, UsageError
from ..message.rosidl import message_class
from .inbox import Inbox
from .limit import Limit
from .process import Stop
from .qos import watching
from .sequences import Sequences

DIAGNOSTICS_TOPIC = "/diagnostics"
DIFFERENCE_TOPIC = "/lockstep/difference"
STEP_PERIOD_S = 0.05
DISCOVERY_PERIOD_S = 0.2
BATCH = 100
_LEVELS = {
    "ok": DiagnosticStatus.OK,
    "warn": DiagnosticStatus.WARN,
    "error": DiagnosticStatus.ERROR,
}


@dataclass
class _Side:
    """One topic of a pair."""

    topic: str
    type: str = ""
    subscription: Subscription | None = None
    sequences: Sequences = field(default_factory=Sequences)
    unheard: bool = False
    """Whether a publisher came later that offers less than the subscription asks for."""

    @property
    def publishers(self) -> int:
        """How many publishers are heard."""
        return self.subscription.get_publisher_count() if self.subscription else 0


@dataclass
class _Pair:
    name: str
    sides: tuple[_Side, _Side]
    online: OnlineComparison | None = None


class Shadow:
    """Compares pairs of live topics, (name, topic of A, topic of B) each."""

    def __init__(
        self,
        node: Node,
        pairs: Sequence[tuple[str, str, str]],
        about: Comparison,
        options: OnlineOptions,
        *,
        period_s: float,
        max_differences_hz: float,
    ) -> None:
        self._node, self._about, self._options, self._period_s = node, about, options, period_s
        self._inbox = Inbox(node)
        self._pairs = [_Pair(name, (_Side(a), _Side(b))) for name, a, b in pairs]
        self._heard: dict[Subscription, tuple[_Pair, int]] = {}
        self._limit = Limit(max_differences_hz)
        self._diagnostics = node.create_publisher(DiagnosticArray, DIAGNOSTICS_TOPIC, 10)
        self._differences = node.create_publisher(Difference, DIFFERENCE_TOPIC, 100)
        self._last_step_s = self._last_discovery_s = self._last_report_s = 0.0
        self._checked = False

    def watch(self, stop: Stop, duration_s: float) -> None:
        """Compare until stopped. What has waited for less than its patience then does not count
        without a partner.

        Whoever stops the comparator may stop the nodes with it, one a moment before the other.
        """
        end_s = time.monotonic() + duration_s
        while not stop.requested and time.monotonic() < end_s:
            self._go_on()
        self._take(self._inbox.wait(0.0))
        until_s = time.monotonic() - self._options.patience_s
        for pair in self._pairs:
            if pair.online:
                self._publish(pair, pair.online.finish(until_s, show=self._free()))
        self._report()

    def result(self) -> Comparison:
        """The outcome of all pairs."""
        keys = {pair.name: pair.online.result() for pair in self._pairs if pair.online is not None}
        return replace(self._about, keys=keys)

    def no_verdict(self) -> list[str]:
        """Why there is no verdict, a sentence for each pair without; none if there is one."""
        reasons = []
        for pair in self._pairs:
            unheard = [side.topic for side in pair.sides if side.unheard]
            if pair.online is None:
                topics = " nor on ".join(side.topic for side in pair.sides)
                reasons.append(f"nobody published on {topics}")
            elif reason := no_verdict(pair.online, self._about):
                reasons.append(reason)
            elif unheard:
                reasons.append(
                    f"a later publisher of {' and '.join(unheard)} offers less than those before "
                    "it, "
                    "and was not heard; start the comparator after it"
                )
        return reasons

    def _go_on(self) -> None:
        self._take(self._inbox.wait(STEP_PERIOD_S))
        now_s = time.monotonic()
        if now_s - self._last_step_s >= STEP_PERIOD_S:
            self._last_step_s = now_s
            for pair in self._pairs:
                if pair.online:
                    self._publish(pair, pair.online.step(now_s, show=self._free()))
        if now_s - self._last_discovery_s >= DISCOVERY_PERIOD_S:
            self._last_discovery_s = now_s
            self._discover()
        if now_s - self._last_report_s >= self._period_s:
            self._last_report_s = now_s
            self._report()
        self._inbox.serve()

    def _take(self, ready: list[Subscription]) -> None:
        for subscription in ready:
            pair, index = self._heard[subscription]
            side, online = pair.sides[index], pair.online
            assert online is not None
            for _ in range(BATCH):
                taken = self._inbox.take(subscription)
                if taken is None:
                    break
                data, info = taken
                number = info.get("publication_sequence_number") or 0
                if number:
                    lost = side.sequences.lost_before(number, subscription.get_publisher_count)
                    online.lose(index, lost)
                sent_ns = info["source_timestamp"] or info["received_timestamp"]
                online.take(index, data, sent_ns, time.monotonic())

    def _discover(self) -> None:
        for pair in self._pairs:
            for index, side in enumerate(pair.sides):
                publishers = self._node.get_publishers_info_by_topic(side.topic)
                if not publishers:
                    continue
                offered = [publisher.qos_profile for publisher in publishers]
                if side.subscription is not None:
                    side.unheard |= _asks_too_much(side.subscription.qos_profile, offered)
                elif not side.type:
                    types = sorted({publisher.topic_type for publisher in publishers})
                    if len(types) > 1:
                        raise RunError(
                            f"{side.topic} is published both as {' and as '.join(types)}"
                        )
                    side.type = types[0]
                    self._listen(pair, index, watching(offered, self._options.pending))
        if not self._checked and all(pair.online for pair in self._pairs):
            self._checked = True
            self._check_patterns()

    def _listen(self, pair: _Pair, index: int, qos: QoSProfile) -> None:
        side, other = pair.sides[index], pair.sides[1 - index]
        try:
            message_type = message_class(side.type)
            if pair.online is None:
                of_type = installed_codec(side.type)
                pair.online = OnlineComparison(
                    pair.name, of_type, self._about.tolerances, self._options
                )
        except (LookupError, BagError) as error:
            raise UsageError(f"cannot compare {side.topic}: {error}") from error
        if other.type not in ("", side.type):
            types = (side.type, other.type) if index == 0 else (other.type, side.type)
            pair.online.refuse(f"type {types[0]} against {types[1]}")
            return
        side.subscription = self._inbox.subscribe(message_type, side.topic, qos, raw=True)
        self._heard[side.subscription] = (pair, index)

    def _check_patterns(self) -> None:
        fields = {pair.name: pair.online.paths for pair in self._pairs if pair.online}
        opened = opened_in(path for paths in fields.values() for path in paths)
        tolerances = self._about.tolerances
        if unused := tolerances.unused(fields, opened):
            raise CompareError(
                f"tolerance '{unused[0]}' matches no field; {tolerances.known(fields)}"
            )

    def _free(self) -> int:
        return self._limit.free(time.monotonic())

    def _publish(self, pair: _Pair, found: list[TickDifference]) -> None:
        for difference in found:
            self._limit.count(time.monotonic())
            self._differences.publish(_message(pair.name, difference))

    def _report(self) -> None:
        now_s = time.monotonic()
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        for pair in self._pairs:
            status = DiagnosticStatus(
                name=f"{self._node.get_name()}: {pair.name}",
                hardware_id=f"{pair.sides[0].topic} against {pair.sides[1].topic}",
            )
            if pair.online is None:
                status.level = DiagnosticStatus.WARN
                status.message = "nobody publishes yet"
            else:
                about = status_of(pair.online, self._about, now_s)
                status.level, status.message = _LEVELS[about.level], about.message
                publishers = {
                    f"publishers {letter}": str(side.publishers)
                    for letter, side in zip("ab", pair.sides, strict=True)
                }
                status.values = [
                    KeyValue(key=key, value=value)
                    for key, value in {**publishers, **about.values}.items()
                ]
            array.status.append(status)
        self._diagnostics.publish(array)


def _asks_too_much(asked: QoSProfile, offered: Sequence[QoSProfile]) -> bool:
    reliable = asked.reliability == ReliabilityPolicy.RELIABLE
    latched = asked.durability == DurabilityPolicy.TRANSIENT_LOCAL
    return any(
        (reliable and p.reliability == ReliabilityPolicy.BEST_EFFORT)
        or (latched and p.durability == DurabilityPolicy.VOLATILE)
        for p in offered
    )


def _message(name: str, found: TickDifference) -> Difference:
    shown = found.fields[:KEPT_FIELDS]
    return Difference(
        time=to_stamp(found.time_ns),
        topic=name,
        tick_a=found.tick_a,
        tick_b=found.tick_b,
        fields=[deviation.field for deviation in shown],
        a=[cut(deviation.a) for deviation in shown],
        b=[cut(deviation.b) for deviation in shown],
        errors=[math.nan if d.error is None else d.error for d in shown],
    )
