"""The recorder: writes topics to a rosbag2 folder, with the options of `ros2 bag record`.

Beside a host in lockstep, a message's log time is the run's time at which the host published it,
which the host's acknowledgements tell, and the file order is the order of publishing; with
`--cause` the acknowledgements are recorded too, so that outputs can be aligned by the step that
they answer. Otherwise it is when the middleware received it, or the simulation time then, as
`ros2 bag record` has it. publish_time is the source timestamp either way.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Acknowledgement, RecorderStatus

from ..bag import Bag, BagError
from ..bag.metadata import OfferedQoS
from ..cdr.codec import installed_codec
from ..component import stamp_ns
from ..errors import Loss, RunError, UsageError
from ..host.events import tell_progress
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, STATUS_TOPIC
from ..message.definitions import definition, type_hash
from ..message.rosidl import message_class
from ..printable import tell
from .inbox import RARELY_S, SERVE_PERIOD_S, SHARE, Inbox
from .offered_qos import offered_by
from .process import Stop, exit_with, of_a_run, ros_node, split_arguments
from .qos import lossless
from .recording.destination import Destination
from .recording.options import Options, parse_options
from .recording.services import offer_services, split_teller
from .recording.steps import Steps
from .recording.topics import adapted, unheard
from .sequences import Sequences

ACKNOWLEDGEMENT_TYPE = "lockstep_interfaces/msg/Acknowledgement"
STATUS_PERIOD_S = 0.05
DRAIN_S = 5.0
BATCH = 100
_GATHERING_S = 0.002
"""After the first of some messages."""
_START_S = 1.0
"""Those who are there at the start are known by then."""
_OVERLAP_S = 1.0
"""A subscription that is replaced is still listened to for so long."""
_LATCHED = 1000
"""Messages of a latched topic that are known when they come again."""
_LONGEST_PASS_S = 0.25
_PATIENCE_S = 3.0
_GONE_S = 1.0
"""After so long without a publisher, a player has gone."""
_FEW = 5


def status_qos() -> QoSProfile:
    """The recorder's status is latched: the last one counts."""
    return QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass
class _Recording:
    """A topic; `known` are its latest messages, where they may come twice."""

    topic: str
    type: str
    qos: QoSProfile
    subscription: Subscription
    publishers: int = 0
    count: int = 0
    last_s: float | None = None
    lost: int = 0
    sequences: Sequences = field(default_factory=Sequences)
    known: deque[tuple[int, int]] | None = None
    is_declared: bool = True


class _NowAndThen:
    """Something that is done every `period_s`, or less often if it takes much processor time."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._due_s = 0.0

    def __enter__(self) -> None:
        self._began_s = time.monotonic()
        self._used_s = time.thread_time()
        self._hurries = False

    def hurry(self) -> None:
        """It is not finished: go on soon."""
        self._hurries = True

    def __exit__(self, *_: object) -> None:
        now_s = time.monotonic()
        # Not by the time that passed: who had to wait for a processor must not wait longer for it.
        rest_s = 0.0 if self._hurries else (time.thread_time() - self._used_s) / SHARE
        self._due_s = max(self._began_s + self._period_s, now_s + rest_s)

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due_s


class Recorder:
    """Records what `options` choose into `destination`."""

    def __init__(self, node: Node, destination: Destination, options: Options, stop: Stop) -> None:
        self.paused = options.start_paused
        self._node = node
        self._clock: Any = node.get_clock()
        self._destination = destination
        self._options = options
        self._stop = stop
        self._overrides = _overrides(options)
        self._inbox = Inbox(
            node, serve_period_s=RARELY_S if options.in_lockstep else SERVE_PERIOD_S
        )
        self._recordings: dict[Subscription, _Recording] = {}
        self._by_topic: dict[str, _Recording] = {}
        self._replaced: dict[Subscription, float] = {}
        self._left_out: set[str] = set()
        self._listed: deque[tuple[str, Sequence[str]]] = deque()  # of the graph, to be considered
        self._status = node.create_publisher(RecorderStatus, STATUS_TOPIC, status_qos())
        self._announcing = _NowAndThen(STATUS_PERIOD_S)
        self._discovering = _NowAndThen(options.polling_s)
        self._began_s = time.monotonic()
        self._waits_for: set[str] = set(options.choice.topics)
        self._longest_gap_s = 0.0  # between messages of one topic
        self._steps: Steps | None = None
        self._first_s: float | None = None  # when the first message came
        self._published_s: float | None = None  # when somebody was last there to publish
        self._acknowledgements: Subscription | None = None
        self._has_more = False
        if options.in_lockstep:
            self._follow_steps()
        elif options.until_gone:
            self._await_player()
        else:
            offer_services(node, self, snapshot=options.storing.snapshot)
            if teller := split_teller(node):
                destination.split_told = teller

    def record(self) -> None:
        """Record until stopped, then until nothing has come for `quiet_s` and all that was
        announced is here.

        Where messages of a topic were further apart, it waits for twice as long, if that is not
        more than `quiet_at_most_s`.
        """
        while not self._stop.requested and not self._is_over():
            self._take(self._wait(STATUS_PERIOD_S))
            self._destination.flush()
            if self._announcing.is_due:
                with self._announcing:
                    self._announce()
            if self._discovering.is_due:
                with self._discovering:
                    self._discover()
            self._inbox.serve()
        self._drain(self._options.quiet_s, self._options.quiet_at_most_s)
        for recording in self._by_topic.values():
            self._declare_late(recording)

    def stop(self) -> None:
        """End, as when interrupted."""
        self._stop.requested = True

    def split(self) -> None:
        """Go on in a new file."""
        self._destination.split()

    def take_snapshot(self) -> None:
        """Write what is held."""
        self._destination.take_snapshot()

    def report(self) -> dict[str, Any]:
        """What was received, and what is known to be missing, as data."""
        missing = Counter(self._destination.dropped)
        missing.update({r.topic: r.lost for r in self._by_topic.values() if r.lost})
        if self._steps is not None:
            missing += self._steps.missing
        return {
            "recorded": {r.topic: r.count for r in self._by_topic.values()},
            "missing": dict(missing),
            "before": {r.topic: r.sequences.before for r in self._by_topic.values()},
        }

    @property
    def unpublished(self) -> set[str]:
        """Topics that were asked for by name, but were not there."""
        return self._waits_for

    def _follow_steps(self) -> None:
        options = self._options
        self._acknowledgements = self._inbox.subscribe(
            Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless(), raw=True
        )
        self._decode = installed_codec(ACKNOWLEDGEMENT_TYPE).decode
        if options.with_cause:
            self._declare(ACKNOWLEDGEMENT_TOPIC, ACKNOWLEDGEMENT_TYPE, (OfferedQoS(),))
        for name in options.choice.topics:
            if name not in options.topic_types:
                raise UsageError(f"in lockstep, give the type of {name} as {name}:TYPE")
            self._subscribe(name, options.topic_types[name], [])
        self._steps = Steps(self._by_topic, self._destination.put)

    def _await_player(self) -> None:
        """Listen before anybody is there, who might not wait for this recorder."""
        for name in self._options.choice.topics:
            if name not in self._options.topic_types:
                raise UsageError(f"with --until-gone, give the type of {name} as {name}:TYPE")
            self._subscribe(name, self._options.topic_types[name], [])

    def _is_over(self) -> bool:
        """Whether a player that is waited for has come and gone, or has played for long enough."""
        options, now_s = self._options, time.monotonic()
        if options.at_most_s is not None and self._first_s is not None:
            return now_s - self._first_s >= options.at_most_s
        if not options.until_gone:
            return False
        names = options.choice.topics
        if any(self._by_topic[name].subscription.get_publisher_count() for name in names):
            self._published_s = now_s
        return self._published_s is not None and now_s - self._published_s > _GONE_S

    def _declare_late(self, recording: _Recording) -> None:
        """Declare a topic whose publishers were not known when it was subscribed."""
        if recording.is_declared:
            return
        recording.is_declared = True
        infos = self._node.get_publishers_info_by_topic(recording.topic)
        offered = offered_by([info.qos_profile for info in infos])
        self._declare(recording.topic, recording.type, offered or (OfferedQoS(),))

    def _wait(self, timeout_s: float) -> list[Subscription]:
        """Wait for messages; the subscriptions that may have some.

        A host in lockstep tells of many messages at once, and elsewhere many may come at once:
        whoever waits for each wakes up for each.
        """
        if self._steps is None or not self._steps.is_complete:
            ready = self._inbox.wait(timeout_s)
            if ready and self._may_gather():
                time.sleep(_GATHERING_S)
            return ready
        assert self._acknowledgements is not None
        if not self._has_more:
            self._inbox.wait(timeout_s, self._acknowledgements)
        return [self._acknowledgements, *self._recordings]

    def _may_gather(self) -> bool:
        """Whether messages may wait: every queue keeps all, unless a user has it otherwise, and
        their times are known."""
        return self._steps is None and not self._overrides and not self._clock.ros_time_is_active

    def _take(self, ready: list[Subscription]) -> bool:
        self._has_more = False
        taken: list[tuple[Subscription, bytes, dict[str, int]]] = []
        for subscription in ready:
            for _ in range(BATCH):
                if (message := self._inbox.take(subscription)) is None:
                    break
                taken.append((subscription, *message))
            else:
                self._has_more = True
        if self._steps is None and len(ready) > 1:
            taken.sort(key=_received_ns)
        for subscription, data, info in taken:
            if subscription is self._acknowledgements:
                self._acknowledge(data, info)
            else:
                self._receive(self._recordings[subscription], data, info)
        if self._steps is not None:
            self._steps.put_in_order()
        return bool(taken)

    def _receive(self, recording: _Recording, data: bytes, info: dict[str, int]) -> None:
        number, source_ns = info.get("publication_sequence_number", 0), info["source_timestamp"]
        if recording.known is not None:
            if (number, source_ns) in recording.known:
                return
            recording.known.append((number, source_ns))
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        self._declare_late(recording)
        if recording.last_s is not None:
            self._longest_gap_s = max(self._longest_gap_s, now_s - recording.last_s)
        recording.last_s = now_s
        if number:
            publishers = recording.subscription.get_publisher_count
            recording.lost += recording.sequences.lost_before(number, publishers)
        if self.paused or self._is_before_time():
            return
        recording.count += 1
        if self._steps is not None:
            self._steps.hold(recording.topic, data, source_ns)
            return
        received_ns = 0 if self._clock.ros_time_is_active else info.get("received_timestamp", 0)
        log_time_ns = received_ns or self._clock.now().nanoseconds
        self._destination.put(recording.topic, data, log_time_ns, source_ns)

    def _acknowledge(self, data: bytes, info: dict[str, int]) -> None:
        message = self._decode(data)
        if self._options.with_cause and len(message.published_topic):
            self._destination.put(
                ACKNOWLEDGEMENT_TOPIC,
                data,
                stamp_ns(message.published_stamp[-1]),
                info["source_timestamp"],
            )
        if self._steps is not None:
            self._steps.expect(message)

    def _drain(self, least_s: float, most_s: float) -> None:
        last = time.monotonic()
        while True:
            now = time.monotonic()
            quiet_s = max(least_s, min(2 * self._longest_gap_s, most_s))
            is_expecting = self._steps is not None and bool(self._steps.missing)
            if self._take(self._wait(min(quiet_s, STATUS_PERIOD_S))):
                last = now
            elif now - last >= (DRAIN_S if is_expecting else quiet_s):
                break
        if self._steps is not None:
            self._steps.put_rest()

    def _discover(self) -> None:
        options, now_s = self._options, time.monotonic()
        for subscription, until_s in [*self._replaced.items()]:
            if now_s >= until_s:
                self._forget(subscription)
        if self._steps is not None:
            return
        if options.discovers or now_s - self._began_s < _START_S:
            # To list ten thousand topics takes longer than a pass may, so it is done once for all.
            self._listed = self._listed or deque(self._node.get_topic_names_and_types())
            began_s = time.monotonic()
            while self._listed:
                if time.monotonic() - began_s > _LONGEST_PASS_S:
                    self._discovering.hurry()  # but what is subscribed already must not wait
                    return
                name, types = self._listed.popleft()
                if name not in self._by_topic and name not in self._left_out:
                    self._consider(name, types)
        for recording in [*self._by_topic.values()]:
            self._adapt(recording)
        if now_s - self._began_s > _PATIENCE_S and self._waits_for and not options.report:
            self._node.get_logger().warning(
                f"waiting for {', '.join(sorted(self._waits_for))}, which nobody publishes",
                once=True,
            )

    def _consider(self, name: str, types: Sequence[str]) -> None:
        options, node = self._options, self._node
        type_name = options.topic_types.get(name, types[0])
        if not options.choice.takes(name, type_name):
            self._left_out.add(name)
            return
        if type_name not in types:
            raise RunError(f"{name} is published as {types[0]}, not as {type_name}")
        publishers = node.get_publishers_info_by_topic(name)
        if not publishers and not options.include_unpublished:
            return
        if options.ignore_leaves and not node.count_subscribers(name):
            return
        profiles = [publisher.qos_profile for publisher in publishers]
        is_latched = adapted(profiles).durability == DurabilityPolicy.TRANSIENT_LOCAL
        if is_latched and self._is_before_time():
            return  # what is latched comes when time has begun
        self._subscribe(name, type_name, profiles)

    def _is_before_time(self) -> bool:
        """Whether log times are to be simulated, and a simulation has not begun."""
        return self._options.use_sim_time and not self._clock.now().nanoseconds

    def _subscribe(self, name: str, type_name: str, profiles: Sequence[QoSProfile]) -> None:
        is_named = name in self._options.choice.topics
        is_declared = bool(profiles) or not self._options.until_gone
        try:
            message_type = message_class(type_name)
            if is_declared:
                self._declare(name, type_name, offered_by(profiles) or (OfferedQoS(),))
        except (LookupError, BagError) as error:
            if is_named:
                raise UsageError(f"cannot record {name}: {error}") from error
            self._node.get_logger().warning(f"cannot record {name}: {error}")
            self._left_out.add(name)
            return
        qos = self._overrides.get(name) or adapted(profiles)
        # With thousands of topics that adapt to their publishers, warnings would cost more than
        # the messages.
        warns = name in self._overrides
        subscription = self._inbox.subscribe(message_type, name, qos, raw=True, warns=warns)
        is_latched = qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
        recording = _Recording(
            name,
            type_name,
            qos,
            subscription,
            len(profiles),
            known=deque(maxlen=_LATCHED) if is_latched else None,
            is_declared=is_declared,
        )
        self._recordings[subscription] = self._by_topic[name] = recording
        self._waits_for.discard(name)

    def _adapt(self, recording: _Recording) -> None:
        """Subscribe anew where a publisher that came later offers less than is asked for; what
        comes through both subscriptions meanwhile is known."""
        publishers = self._node.count_publishers(recording.topic)
        if publishers == recording.publishers or recording.topic in self._overrides:
            return
        recording.publishers = publishers
        infos = self._node.get_publishers_info_by_topic(recording.topic)
        profiles = [info.qos_profile for info in infos]
        if not unheard(recording.qos, profiles):
            return
        recording.qos = adapted(profiles)
        recording.known = recording.known or deque(maxlen=_LATCHED)
        self._replaced[recording.subscription] = time.monotonic() + _OVERLAP_S
        recording.subscription = self._inbox.subscribe(
            message_class(recording.type), recording.topic, recording.qos, raw=True, warns=False
        )
        self._recordings[recording.subscription] = recording

    def _forget(self, replaced: Subscription) -> None:
        """No longer listen to a subscription whose topic has another one."""
        self._take([replaced])
        del self._recordings[replaced], self._replaced[replaced]
        self._inbox.unsubscribe(replaced)

    def _declare(self, name: str, type_name: str, qos: tuple[OfferedQoS, ...]) -> None:
        self._destination.add_topic(name, type_name, *_described(type_name), qos)

    def _announce(self) -> None:
        counts = self._destination.counts
        recordings = self._by_topic.values()
        self._status.publish(
            RecorderStatus(
                ready=not self._waits_for
                and all(r.subscription.get_publisher_count() > 0 for r in recordings),
                topics=list(self._by_topic),
                counts=[counts.get(topic, 0) for topic in self._by_topic],
            )
        )
        if self._options.until_gone:
            tell_progress(sum(counts.values()), 0)


def _received_ns(taken: tuple[Subscription, bytes, dict[str, int]]) -> int:
    """When the middleware received a message, where it tells that."""
    return taken[2].get("received_timestamp", 0)


@cache
def _described(type_name: str) -> tuple[str, str]:
    """The definition and the hash of a type, of which there may be thousands of topics."""
    return definition(type_name), type_hash(type_name)


def _overrides(options: Options) -> dict[str, QoSProfile]:
    """Topic → what to ask for instead of what suits the publishers."""
    if options.qos_overrides is None:
        return {}
    from .playing.offers import read_overrides, recorded_profile

    overrides = read_overrides(options.qos_overrides)
    return {topic: recorded_profile(qos) for topic, qos in overrides.items()}


def _run(arguments: Sequence[str]) -> int:
    own, ros = split_arguments(arguments)
    options = parse_options(own)
    stop = Stop()
    given = of_a_run() if options.in_lockstep else {}
    if options.use_sim_time:
        simulated = Parameter("use_sim_time", value=True)
        given["parameter_overrides"] = [*given.get("parameter_overrides", []), simulated]
    with ros_node(options.node_name, ros, **given) as node:
        options = options.expanded(
            lambda name: expand_topic_name(name, node.get_name(), node.get_namespace())
        )
        try:
            with closing(Destination(options.folder, options.storing)) as destination:
                recorder = Recorder(node, destination, options, stop)
                try:
                    recorder.record()
                except BagError as error:
                    raise RunError(str(error)) from error
                finally:
                    if options.report:
                        with open(options.report, "w", encoding="utf-8") as file:
                            json.dump(recorder.report(), file, indent=2)
        except RunError as error:
            raise RunError(f"{error}; {_kept(options)}") from error
    _judge(recorder, destination, options)
    return 0


def _kept(options: Options) -> str:
    """What the bag holds of a recording that failed."""
    with Bag(options.folder) as bag:
        return f"{options.folder} holds the {bag.count} messages before that"


def _judge(recorder: Recorder, destination: Destination, options: Options) -> None:
    """Tell what is not there; raises Loss."""
    if recorder.unpublished and not options.report:
        tell(f"nobody published {', '.join(sorted(recorder.unpublished))}")
    for topic, count in destination.dropped.items():
        raise Loss(
            f"{count} messages of {topic} were lost because they came faster than "
            f"{options.folder} is written; raise --max-cache-size"
        )
    report = recorder.report()
    for topic, count in report["missing"].items():
        raise Loss(f"{count} messages of {topic} were lost on the way to the recorder")
    heard = [topic for topic, count in report["recorded"].items() if count]
    if heard and not options.in_lockstep and not options.report:
        ends = ", ".join(heard) if len(heard) <= _FEW else f"{len(heard)} topics"
        tell(
            f"nothing is known to be missing; the ends of {ends} cannot be proven complete, as "
            "publishers tell nobody how many messages they sent"
        )


def main() -> None:
    """`ros2 run lockstep recorder FOLDER …`"""
    exit_with(lambda: _run(sys.argv[1:]), BagError)


if __name__ == "__main__":
    main()
