"""The recorder: writes topics to a rosbag2 folder.

Beside a host in lockstep, a message's log time is the run's time at which the host published it,
which the host's acknowledgements tell, and the file order is the order of publishing; with
`--cause` the acknowledgements are recorded too, so that outputs can be aligned by the step that
they answer. Otherwise it is the recorder's ROS time on receipt, as `ros2 bag record` has it.
publish_time is the source timestamp either way.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Acknowledgement, RecorderStatus

from ..bag import BagError, BagWriter
from ..bag.metadata import OfferedQoS
from ..cdr.codec import installed_codec
from ..component import stamp_ns
from ..errors import Loss, RunError, UsageError
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, LOCKSTEP, STATUS_TOPIC
from ..message.definitions import definition, type_hash
from ..message.rosidl import message_class
from .inbox import Inbox
from .offered_qos import offered_by
from .process import Stop, exit_with, of_a_run, ros_node, split_arguments
from .qos import lossless
from .sequences import Sequences

ACKNOWLEDGEMENT_TYPE = "lockstep_interfaces/msg/Acknowledgement"
STATUS_PERIOD_S = 0.05
DISCOVERY_PERIOD_S = 0.2
DRAIN_S = 5.0
BATCH = 100


def status_qos() -> QoSProfile:
    """The recorder's status is latched: the last one counts."""
    return QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass
class _Recording:
    topic: str
    subscription: Subscription
    count: int = 0
    last_s: float | None = None
    lost: int = 0
    sequences: Sequences = field(default_factory=Sequences)
    waiting: deque[tuple[bytes, int]] = field(default_factory=deque)


class Recorder:
    """Records `topics` (name → type, or None to learn it from the graph) into `writer`; all topics
    if empty."""

    def __init__(
        self,
        node: Node,
        writer: BagWriter,
        topics: dict[str, str | None],
        *,
        in_lockstep: bool,
        with_cause: bool = False,
    ) -> None:
        self._node = node
        self._writer = writer
        self._wanted = dict(topics)
        self._all = not topics
        self._inbox = Inbox(node)
        self._recordings: dict[Subscription, _Recording] = {}
        self._by_topic: dict[str, _Recording] = {}
        self._status = node.create_publisher(RecorderStatus, STATUS_TOPIC, status_qos())
        self._acknowledgements = (
            self._inbox.subscribe(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless(), raw=True)
            if in_lockstep
            else None
        )
        self._expected: deque[tuple[str, int]] = (
            deque()
        )  # topic, time in ns: in order of publishing
        self._decode = installed_codec(ACKNOWLEDGEMENT_TYPE).decode
        self._last_stamp_ns = 0
        self._longest_gap_s = 0.0  # between messages of one topic
        self._last_status = self._last_discovery = 0.0
        self._with_cause = with_cause
        if with_cause:
            writer.add_topic(
                ACKNOWLEDGEMENT_TOPIC,
                ACKNOWLEDGEMENT_TYPE,
                definition(ACKNOWLEDGEMENT_TYPE),
                type_hash(ACKNOWLEDGEMENT_TYPE),
                (OfferedQoS(),),
            )
        if in_lockstep:
            for name, type_name in topics.items():
                if type_name is None:
                    raise UsageError(f"in lockstep, give the type of {name} as {name}:TYPE")
                self._subscribe(name, type_name, lossless(), (OfferedQoS(),))

    def record(self, stop: Stop, quiet_s: float, quiet_at_most_s: float) -> None:
        """Record until stopped, then until nothing has come for `quiet_s` and all that was
        announced is here.

        Where messages of a topic were further apart, it waits for twice as long, if that is not
        more than `quiet_at_most_s`.
        """
        while not stop.requested:
            self._take(self._inbox.wait(STATUS_PERIOD_S))
            self._writer.flush()
            self._announce()
            self._discover()
            self._inbox.serve()
        self._drain(quiet_s, quiet_at_most_s)

    def report(self) -> dict[str, Any]:
        """What was received, and what is known to be missing, as data."""
        missing: dict[str, int] = {}
        for topic, _ in self._expected:
            missing[topic] = missing.get(topic, 0) + 1
        for recording in self._recordings.values():
            if recording.lost:
                missing[recording.topic] = missing.get(recording.topic, 0) + recording.lost
        return {
            "recorded": {r.topic: r.count for r in self._recordings.values()},
            "missing": missing,
        }

    def _take(self, ready: list[Subscription]) -> bool:
        taken_any = False
        for subscription in ready:
            for _ in range(BATCH):
                taken = self._inbox.take(subscription)
                if taken is None:
                    break
                taken_any = True
                if subscription is self._acknowledgements:
                    self._expect(*taken)
                else:
                    self._receive(self._recordings[subscription], *taken)
        self._write_in_order()
        return taken_any

    def _receive(self, recording: _Recording, data: bytes, info: dict[str, int]) -> None:
        recording.count += 1
        now_s = time.monotonic()
        if recording.last_s is not None:
            self._longest_gap_s = max(self._longest_gap_s, now_s - recording.last_s)
        recording.last_s = now_s
        if number := info.get("publication_sequence_number", 0):
            publishers = recording.subscription.get_publisher_count
            recording.lost += recording.sequences.lost_before(number, publishers)
        if self._acknowledgements is None:
            now_ns = self._node.get_clock().now().nanoseconds
            self._writer.write(recording.topic, data, now_ns, info["source_timestamp"])
        else:
            recording.waiting.append((data, info["source_timestamp"]))

    def _expect(self, data: bytes, info: dict[str, int]) -> None:
        message = self._decode(data)
        if self._with_cause and len(message.published_topic):
            self._writer.write(
                ACKNOWLEDGEMENT_TOPIC,
                data,
                stamp_ns(message.published_stamp[-1]),
                info["source_timestamp"],
            )
        for index, stamp in zip(message.published_topic, message.published_stamp, strict=True):
            topic = message.topics[index]
            if topic in self._by_topic:
                self._expected.append((topic, stamp_ns(stamp)))

    def _write_in_order(self) -> None:
        while self._expected:
            topic, self._last_stamp_ns = self._expected[0]
            waiting = self._by_topic[topic].waiting
            if not waiting:
                return
            self._expected.popleft()
            data, source_ns = waiting.popleft()
            self._writer.write(topic, data, self._last_stamp_ns, source_ns)

    def _drain(self, least_s: float, most_s: float) -> None:
        last = time.monotonic()
        while True:
            now = time.monotonic()
            quiet_s = max(least_s, min(2 * self._longest_gap_s, most_s))
            if self._take(self._inbox.wait(min(quiet_s, STATUS_PERIOD_S))):
                last = now
            elif now - last >= (DRAIN_S if self._expected else quiet_s):
                break
        for recording in self._recordings.values():  # what a host that died did not acknowledge
            for data, source_ns in recording.waiting:
                self._writer.write(recording.topic, data, self._last_stamp_ns, source_ns)

    def _discover(self) -> None:
        now = time.monotonic()
        if self._acknowledgements is not None or now - self._last_discovery < DISCOVERY_PERIOD_S:
            return
        self._last_discovery = now
        for name, types in self._node.get_topic_names_and_types():
            wanted = name in self._wanted or (self._all and not name.startswith(LOCKSTEP))
            if name in self._by_topic or not wanted:
                continue
            publishers = self._node.get_publishers_info_by_topic(name)
            if not publishers:
                continue
            type_name = self._wanted.get(name) or types[0]
            if type_name not in types:
                raise RunError(f"{name} is published as {types[0]}, not as {type_name}")
            self._subscribe(name, type_name, *_adapted([p.qos_profile for p in publishers]))

    def _subscribe(
        self, name: str, type_name: str, qos: QoSProfile, offered: tuple[OfferedQoS, ...]
    ) -> None:
        try:
            message_type = message_class(type_name)
            self._writer.add_topic(
                name, type_name, definition(type_name), type_hash(type_name), offered
            )
        except (LookupError, BagError) as error:
            if not self._all:
                raise UsageError(f"cannot record {name}: {error}") from error
            self._node.get_logger().warning(f"cannot record {name}: {error}")
            self._wanted.pop(name, None)
            return
        recording = _Recording(name, self._inbox.subscribe(message_type, name, qos, raw=True))
        self._recordings[recording.subscription] = recording
        self._by_topic[name] = recording

    def _announce(self) -> None:
        now = time.monotonic()
        if now - self._last_status < STATUS_PERIOD_S:
            return
        self._last_status = now
        self._status.publish(
            RecorderStatus(
                ready=len(self._by_topic) >= len(self._wanted)
                and all(s.get_publisher_count() > 0 for s in self._recordings),
                topics=list(self._by_topic),
                counts=[self._writer.counts[topic] for topic in self._by_topic],
            )
        )


def _adapted(profiles: list[QoSProfile]) -> tuple[QoSProfile, tuple[OfferedQoS, ...]]:
    """A subscription that matches all publishers, and what they offered."""
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    qos = lossless("transient_local" if latched else "volatile")
    if not reliable:
        qos.reliability = ReliabilityPolicy.BEST_EFFORT
    return qos, offered_by(profiles)


def _run(arguments: Sequence[str]) -> int:
    own, ros = split_arguments(arguments)
    parser = argparse.ArgumentParser(
        prog="recorder",
        description="Record topics into a rosbag2 folder (MCAP).",
        epilog="example: recorder out --topic /odom --topic /imu:sensor_msgs/msg/Imu",
    )
    parser.add_argument("bag", help="folder to create")
    parser.add_argument(
        "--topic",
        action="append",
        default=[],
        metavar="NAME[:TYPE]",
        help="topic to record (repeatable; default: all)",
    )
    parser.add_argument(
        "--lockstep",
        action="store_true",
        help="take times and order from a host's acknowledgements",
    )
    parser.add_argument(
        "--cause",
        action="store_true",
        help="with --lockstep, record the acknowledgements too: which step each message answers",
    )
    parser.add_argument(
        "--quiet",
        type=float,
        default=STATUS_PERIOD_S,
        metavar="S",
        help="when asked to stop, go on until nothing has come for so long",
    )
    parser.add_argument(
        "--quiet-at-most",
        type=float,
        default=0.0,
        metavar="S",
        help="wait twice as long as messages of a topic were apart, if that is more than --quiet "
        "and not more than this",
    )
    parser.add_argument("--report", metavar="FILE", help="write what was recorded as JSON")
    args = parser.parse_args(own)
    if args.cause and not args.lockstep:
        raise UsageError("--cause needs --lockstep: only then are there acknowledgements")
    topics = {
        name: type_name or None for name, _, type_name in (t.partition(":") for t in args.topic)
    }
    stop = Stop()
    options = of_a_run() if args.lockstep else {}
    with ros_node("lockstep_recorder", ros, **options) as node, BagWriter(args.bag) as writer:
        recorder = Recorder(node, writer, topics, in_lockstep=args.lockstep, with_cause=args.cause)
        try:
            recorder.record(stop, args.quiet, args.quiet_at_most)
        except BagError as error:
            raise RunError(str(error)) from error
        finally:
            if args.report:
                with open(args.report, "w", encoding="utf-8") as file:
                    json.dump(recorder.report(), file, indent=2)
        report = recorder.report()
        for topic, count in report["missing"].items():
            raise Loss(f"{count} messages of {topic} were lost on the way to the recorder")
        heard = [topic for topic, count in report["recorded"].items() if count]
        if heard and not args.lockstep and not args.report:
            node.get_logger().info(
                f"nothing is known to be missing; the ends of {', '.join(heard)} cannot be proven "
                "complete, as publishers tell nobody how many messages they sent"
            )
    return 0


def main() -> None:
    """`ros2 run lockstep recorder FOLDER …`"""
    exit_with(lambda: _run(sys.argv[1:]), BagError)


if __name__ == "__main__":
    main()
