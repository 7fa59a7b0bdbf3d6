"""The player: replays chosen topics of a bag, with /clock, at a real-time factor or in lockstep
with a host."""

from __future__ import annotations

import argparse
import json
import math
import os
import select
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from lockstep_interfaces.msg import RecorderStatus
from lockstep_interfaces.srv import PlayNext, Seek, SetRate

from ..bag import Bag, BagError, Topic
from ..component import stamp_ns, to_stamp
from ..errors import Hang, Loss, UsageError
from ..host.events import tell_alive, tell_progress
from ..host.protocol import STATUS_TOPIC
from ..message.rosidl import message_class, type_name
from ..run.timeline import CLOCK_TYPE, JITTER_NS, Event, Timeline, offered
from .inbox import Inbox
from .process import Stop, exit_with, ros_node, split_arguments
from .qos import lossless, profile
from .recorder import status_qos
from .window import Window, insist

WINDOW_LIMIT = 1000
CLOCK_PERIOD_S = 0.01
SETTLE_S = 0.3
PROGRESS_S = 0.1
ALIVE_S = 1.0
ACKNOWLEDGED = Duration(seconds=0.1)
# Readers acknowledge when they are asked: by Fast DDS's heartbeats, every 3 s.
HEARTBEATS_S = 10.0


@dataclass(frozen=True)
class Options:
    """How to play; times in seconds."""

    topics: dict[str, str]
    rtf: float = 1.0
    window: int = 0
    clock: str = "auto"
    start_offset_s: float = 0.0
    duration_s: float = math.inf
    paused: bool = False
    wait: bool = True
    with_recorder: bool = False
    hold: bool = False
    timeout_s: float = 10.0
    start_timeout_s: float = 30.0


class Player:
    """Plays a timeline into the graph."""

    def __init__(self, node: Node, bag: Bag, options: Options) -> None:
        self._node = node
        self._options = options
        self._told_s = 0.0
        self._inbox = Inbox(node, self._tell_alive)
        self._timeline = Timeline(
            bag, list(options.topics), options.clock, options.start_offset_s, options.duration_s
        )
        self._publishers = self._advertise(bag)
        self._clock: Publisher | None = (
            None if options.clock == "none" else node.create_publisher(Clock, "/clock", 10)
        )
        self._clock_s = 0.0
        self._flow = (
            Window(node, self._inbox, options.window, options.timeout_s) if options.window else None
        )
        self._recorder = (
            self._inbox.subscribe(RecorderStatus, STATUS_TOPIC, status_qos())
            if options.with_recorder
            else None
        )
        self._status: RecorderStatus | None = None
        self._sent = {publisher.topic_name: 0 for publisher in self._publishers.values()}
        self._first_ns: int | None = None
        self._rtf = options.rtf
        self._paused = options.paused
        self._play_next = 0
        self._seek_ns: int | None = None
        self._anchor: tuple[float, int] | None = None
        self._last_log_ns = 0
        self._finished = False
        self._offer_services()

    def play(self, stop: Stop) -> None:
        """Play to the end, or until stopped; raises RunError on loss or when the host hangs."""
        self._wait_for_peers(stop)
        while self._options.hold and not _stdin_has_ended() and not stop.requested:
            self._listen(0.02)
        total = self._timeline.total()
        self._told_s = 0.0
        events = self._timeline.events()
        while not stop.requested:
            if self._seek_ns is not None:
                events, self._seek_ns, self._anchor = (
                    self._timeline.events(self._seek_ns),
                    None,
                    None,
                )
            event = next(events, None)
            if event is None:
                self._finished = True
                break
            if self._wait_until_due(event, stop):
                self._send(event)
            if time.monotonic() - self._told_s > PROGRESS_S:
                self._told_s = time.monotonic()
                tell_progress(sum(self._sent.values()), total)
            self._inbox.serve()
        if self._flow is not None:
            self._flow.drain(stop)
            if self._recorder is not None:
                self._wait_for_recorder(self._flow.published, stop)
        else:
            self._wait_until_acknowledged(stop)
        tell_progress(sum(self._sent.values()), total)

    def report(self) -> dict[str, Any]:
        """What was sent and acknowledged, as data."""
        report: dict[str, Any] = {
            "finished": self._finished,
            "sent": self._sent,
            "first_ns": self._first_ns,
        }
        if self._flow is not None:
            report |= self._flow.report()
        return report

    def _send(self, event: Event) -> None:
        publisher = self._publishers.get(event.topic)
        if self._flow is not None:
            topic = publisher.topic_name if publisher else ""
            self._flow.announce(event.time_ns, topic, len(event.data))
        if event.time_ns:
            self._publish_clock(event.time_ns)
        if publisher is not None:
            insist(publisher, event.data, self._options.timeout_s)
            self._sent[publisher.topic_name] += 1
            if self._first_ns is None:
                self._first_ns = event.time_ns

    def _wait_until_due(self, event: Event, stop: Stop) -> bool:
        """Wait for the event's turn; False when it must not be sent (stop, seek)."""
        while self._paused and not self._play_next:
            self._anchor = None
            if stop.requested or self._seek_ns is not None:
                return False
            self._listen(0.02)
        if self._play_next:
            self._play_next -= 1 if event.topic else 0
            self._anchor = None
        elif not math.isinf(self._rtf):
            if self._anchor is None or event.log_time_ns < self._last_log_ns - JITTER_NS:
                self._anchor = (time.monotonic(), event.log_time_ns)
            self._last_log_ns = event.log_time_ns
            start_s, start_ns = self._anchor
            due_s = start_s + (event.log_time_ns - start_ns) * 1e-9 / self._rtf
            while (left_s := due_s - time.monotonic()) > 0:
                if stop.requested or self._seek_ns is not None or self._anchor is None:
                    break
                self._tick_clock(event, left_s)
                self._listen(min(left_s, CLOCK_PERIOD_S))
        if self._flow is not None:
            self._flow.wait_for_room(len(event.data), stop)
        return not stop.requested and self._seek_ns is None

    def _publish_clock(self, time_ns: int) -> None:
        if self._clock is None:
            return
        if (
            self._flow is not None
        ):  # a host in lockstep goes by its steps; /clock is for everybody else
            now_s = time.monotonic()
            if now_s - self._clock_s < CLOCK_PERIOD_S:
                return
            self._clock_s = now_s
        self._clock.publish(Clock(clock=to_stamp(time_ns)))

    def _tick_clock(self, event: Event, left_s: float) -> None:
        """Between sparse messages, /clock made from log times goes on."""
        now_ns = event.time_ns - round(left_s * self._rtf * 1e9)
        if self._timeline.clock_topic is None and self._first_ns and now_ns > self._first_ns:
            self._publish_clock(now_ns)

    def _tell_alive(self) -> None:
        """Whatever is waited for, the harness hears of this process now and then."""
        if time.monotonic() - self._told_s > ALIVE_S:
            self._told_s = time.monotonic()
            tell_alive()

    def _listen(self, timeout_s: float) -> None:
        self._inbox.wait(timeout_s)
        if self._flow is not None:
            self._flow.take()
        if self._recorder is not None:  # always: a message left there would end each wait at once
            while (taken := self._inbox.take(self._recorder)) is not None:
                self._status = taken[0]
        self._inbox.serve()

    def _wait_for_peers(self, stop: Stop) -> None:
        if not (self._options.wait or self._flow or self._recorder):
            return
        deadline = time.monotonic() + self._options.start_timeout_s
        while not stop.requested:
            missing = self._missing_peer()
            if missing is None:
                break
            if time.monotonic() > deadline:
                raise Hang(f"{missing} within {self._options.start_timeout_s:g} s")
            self._listen(0.02)
        if self._flow is None and not stop.requested:
            time.sleep(SETTLE_S)  # a best-effort reader may still be matching our writers

    def _wait_for_recorder(self, published: dict[str, int], stop: Stop) -> None:
        """Wait until the recorder has all that the host published."""
        recorded: dict[str, int] = {}
        deadline = time.monotonic() + self._options.timeout_s
        while not stop.requested:
            if self._status is not None:
                news = dict(zip(self._status.topics, self._status.counts, strict=True))
                if news != recorded:
                    recorded, deadline = news, time.monotonic() + self._options.timeout_s
            late = {t: published[t] - n for t, n in recorded.items() if n < published.get(t, 0)}
            if recorded and not late:
                return
            if time.monotonic() > deadline:
                topic = next(iter(late), "any topic")
                raise Loss(f"{late.get(topic, 0)} messages of {topic} never reached the recorder")
            self._listen(0.02)

    def _wait_until_acknowledged(self, stop: Stop) -> None:
        """A publisher that is destroyed takes with it what a reliable reader has not got yet."""
        deadline = time.monotonic() + max(self._options.timeout_s, HEARTBEATS_S)
        for publisher in self._publishers.values():
            while not publisher.wait_for_all_acked(ACKNOWLEDGED):
                if stop.requested:
                    return
                if time.monotonic() > deadline:
                    name = publisher.topic_name
                    raise Loss(f"a subscriber of {name} did not acknowledge all messages")
                self._tell_alive()

    def _missing_peer(self) -> str | None:
        for publisher in self._publishers.values():
            if publisher.get_subscription_count() == 0:
                return f"no node subscribed to {publisher.topic_name} ({_type(publisher)})"
        if self._flow is not None and not self._flow.ready:
            return "the host did not report that it is ready"
        if self._recorder is not None and not (self._status and self._status.ready):
            return "no node published what the recorder waits for"
        return None

    def _advertise(self, bag: Bag) -> dict[str, Publisher]:
        """Topic of the bag → publisher; topics with one target share it, because DDS orders no two
        writers."""
        by_target: dict[str, Publisher] = {}
        publishers = {}
        for name, target in self._options.topics.items():
            topic = bag.topic(name)
            if target not in by_target:
                by_target[target] = self._node.create_publisher(
                    message_class(topic.type), target, self._qos(topic)
                )
            elif _type(by_target[target]) != topic.type:
                raise UsageError(
                    f"{target} cannot be both {_type(by_target[target])} and {topic.type}"
                )
            publishers[name] = by_target[target]
        return publishers

    def _qos(self, topic: Topic) -> QoSProfile:
        qos = offered(topic)
        if self._options.window or qos.reliability == "reliable":
            return lossless(qos.durability)
        return profile(qos)

    def _offer_services(self) -> None:
        node = self._node
        node.create_service(Trigger, "~/pause", self._on_pause)
        node.create_service(Trigger, "~/resume", self._on_resume)
        node.create_service(PlayNext, "~/play_next", self._on_play_next)
        node.create_service(SetRate, "~/set_rate", self._on_set_rate)
        node.create_service(Seek, "~/seek", self._on_seek)

    def _on_pause(self, request: Any, response: Any) -> Any:
        self._paused = True
        return _granted(response)

    def _on_resume(self, request: Any, response: Any) -> Any:
        self._paused, self._anchor = False, None
        return _granted(response)

    def _on_play_next(self, request: Any, response: Any) -> Any:
        if not self._paused:
            return _refused(response, "pause before playing single messages")
        self._play_next += request.count
        return _granted(response)

    def _on_set_rate(self, request: Any, response: Any) -> Any:
        try:
            self._rtf = checked_rtf(request.rate, self._options.window)
        except UsageError as error:
            return _refused(response, str(error))
        self._anchor = None
        return _granted(response)

    def _on_seek(self, request: Any, response: Any) -> Any:
        self._seek_ns = stamp_ns(request.time)
        return _granted(response)


def checked_rtf(rtf: float, window: int) -> float:
    """A real-time factor that can be played; raises UsageError."""
    if not rtf > 0:
        raise UsageError(f"real-time factor {rtf:g} is not greater than 0")
    if math.isinf(rtf) and not window:
        raise UsageError(
            "real-time factor inf needs a host in lockstep (--window); give a finite one"
        )
    return rtf


def _type(publisher: Publisher) -> str:
    message_type: Any = publisher.msg_type
    return type_name(message_type)


def _granted(response: Any) -> Any:
    response.success = True
    return response


def _refused(response: Any, message: str) -> Any:
    response.success, response.message = False, message
    return response


def _chosen(bag: Bag, arguments: Sequence[str]) -> dict[str, str]:
    """`NAME` or `NAME:=TARGET` arguments as a map; all topics but the clock without any."""
    chosen: dict[str, str] = {}
    for argument in arguments:
        name, _, target = argument.partition(":=")
        chosen[bag.topic(name).name] = target or name
    return chosen or {name: name for name, topic in bag.topics.items() if topic.type != CLOCK_TYPE}


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="player",
        description="Replay topics of a bag into the ROS graph, with /clock.",
        epilog="example: player bags/office_scan_odom_tf --topic /scan:=/laser --rtf 2",
    )
    parser.add_argument("bag", help="rosbag2 folder or .mcap file")
    parser.add_argument(
        "--topic",
        action="append",
        default=[],
        metavar="NAME[:=TARGET]",
        help="topic to play, and under which name (repeatable; default: all)",
    )
    parser.add_argument("--rtf", type=float, default=1.0, help="real-time factor; inf in lockstep")
    parser.add_argument(
        "--window",
        type=int,
        default=0,
        help=f"lockstep with at most this many messages in flight, up to {WINDOW_LIMIT}; 0: off",
    )
    parser.add_argument(
        "--clock",
        choices=["auto", "bag", "times", "none"],
        default="auto",
        help="where /clock comes from: the bag's own, its log times, or not at all",
    )
    parser.add_argument("--start-offset", type=float, default=0.0, metavar="S")
    parser.add_argument("--duration", type=float, default=math.inf, metavar="S")
    parser.add_argument("--paused", action="store_true", help="start paused; see ~/resume")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for subscribers")
    parser.add_argument(
        "--with-recorder", action="store_true", help="wait until the recorder is ready"
    )
    parser.add_argument(
        "--hold", action="store_true", help="when all have met, wait for the end of stdin"
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="S", help="patience with a host that hangs"
    )
    parser.add_argument(
        "--start-timeout", type=float, default=30.0, metavar="S", help="patience with discovery"
    )
    parser.add_argument("--report", metavar="FILE", help="write what was sent as JSON")
    return parser.parse_args(arguments)


def _stdin_has_ended() -> bool:
    """Whether all of stdin was read; what comes on it is passed over."""
    readable, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1 << 12)


def _run(arguments: Sequence[str]) -> int:
    own, ros = split_arguments(arguments)
    args = _parse(own)
    if not 0 <= args.window <= WINDOW_LIMIT:
        raise UsageError(f"--window {args.window} is not between 0 and {WINDOW_LIMIT}")
    rtf = checked_rtf(args.rtf, args.window)
    bag = Bag(args.bag)
    if bag.problem:
        raise BagError(bag.problem)
    options = Options(
        topics=_chosen(bag, args.topic),
        rtf=rtf,
        window=args.window,
        clock=args.clock,
        start_offset_s=args.start_offset,
        duration_s=args.duration,
        paused=args.paused,
        wait=not args.no_wait,
        with_recorder=args.with_recorder,
        hold=args.hold,
        timeout_s=args.timeout,
        start_timeout_s=args.start_timeout,
    )
    stop = Stop()
    with ros_node("lockstep_player", ros) as node:
        try:
            player = Player(node, bag, options)
        except LookupError as error:
            raise UsageError(
                f"{error}, or write it from the bag: lockstep types {shlex.quote(args.bag)} -o src"
            ) from error
        try:
            player.play(stop)
        finally:
            if args.report:
                with open(args.report, "w", encoding="utf-8") as file:
                    json.dump(player.report(), file, indent=2)
    return 0


def main() -> None:
    """`ros2 run lockstep player BAG …`"""
    exit_with(lambda: _run(sys.argv[1:]), BagError)


if __name__ == "__main__":
    main()
