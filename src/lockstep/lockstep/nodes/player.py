"""The player: replays chosen topics of bags, with /clock, at a real-time factor or in lockstep
with a host."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import select
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from lockstep_interfaces.msg import RecorderStatus

from ..bag import Bag, BagError
from ..component import to_stamp
from ..errors import Loss, UsageError
from ..host.events import tell_alive, tell_progress
from ..host.protocol import STATUS_TOPIC
from ..message.rosidl import message_class
from ..printable import tell
from ..run.inputs import CLOCK_TOPIC
from ..run.resources import Meter, Resources
from ..run.timeline import JITTER_NS, Event
from .inbox import RARELY_S, SERVE_PERIOD_S, Inbox
from .playing.clock import ClockTicks
from .playing.controls import Controls
from .playing.exactness import Exactness
from .playing.keyboard import KEYS, Keyboard
from .playing.offers import read_overrides
from .playing.options import Options, parse_options
from .playing.pace import BEHIND_S, Behind, Lateness, Pace
from .playing.peers import PATIENT_S, Meeting, Watch
from .playing.playlist import Playlist
from .playing.progress_line import ProgressLine, summary
from .playing.publishers import Offering, Publishers
from .playing.read_ahead import ReadAhead
from .playing.selection import Chosen, choose
from .playing.services import offer_services
from .process import Stop, exit_with, of_a_run, ros_node, split_arguments
from .qos import lossless
from .recorder import status_qos
from .window import Window, insist

SETTLE_S = 0.3
PROGRESS_S = 0.1
ALIVE_S = 1.0
ACKNOWLEDGED = Duration(seconds=0.1)
_NAP_S = 0.02
_FAREWELL_S = 3.5
_LOOK_S = 0.05
"""Whoever wants something of a player that waits for a message gets it within this time,"""
_ROOM_S = 0.003
"""but not so shortly before,"""
_UNSERVED_S = 0.2
"""unless there has been no time for so long."""


class Player:
    """Plays a list of events into the graph."""

    def __init__(self, node: Node, bags: Sequence[Bag], chosen: Chosen, options: Options) -> None:
        self._node = node
        self._options = options
        self._told_s = 0.0
        self._inbox = Inbox(node, self._tell_alive, RARELY_S if options.hold else SERVE_PERIOD_S)
        self._line = ProgressLine(options.progress_hz)
        self._meter = None if options.measured is None else Meter(options.measured)
        self._resources: Resources | None = None
        self._publishers = Publishers(
            node,
            bags,
            chosen,
            Offering(
                in_lockstep=bool(options.window),
                overrides=read_overrides(options.qos_overrides) if options.qos_overrides else {},
                strict=options.strict,
                requests=options.requests,
            ),
            self._say,
        )
        self._silent = [
            node.create_publisher(message_class(message_type), name, lossless())
            for name, message_type in options.silent
        ]
        self._playlist = Playlist(
            bags,
            list(self._publishers.by_topic),
            options.clock.source,
            options.start_offset_s,
            options.duration_s,
            options.until_ns,
        )
        self._clock = self._clock_ticks()
        self._watch = Watch(node, self._publishers, CLOCK_TOPIC if self._clock else None, self._say)
        self._flow = (
            Window(node, self._inbox, options.window, options.timeout_s) if options.window else None
        )
        self._recorder = (
            self._inbox.subscribe(RecorderStatus, STATUS_TOPIC, status_qos())
            if options.with_recorder
            else None
        )
        self._status: RecorderStatus | None = None
        self._pace = Pace(options.rtf, paused=options.paused)
        self._controls = Controls(self._pace)
        self._keyboard = Keyboard(self._controls)
        self._lateness = Lateness()
        self._behind = Behind()
        self._exactness = None if options.window else Exactness(options.rtf)
        self._span_ns = (
            self._playlist.start_ns,
            min(self._playlist.last_ns, self._playlist.end_ns),
        )
        self._names = {name: t.topic_name for name, t in self._publishers.by_topic.items()}
        self._sent = {target.topic_name: 0 for target in self._publishers}
        self._count = 0
        self._first_ns: int | None = None
        self._last_log_ns = 0
        self._looked_s = 0.0
        self._time_ns = 0
        self._pass_ns = 0
        self._shift_ns = 0
        self._due_s = -math.inf
        self._finished = False
        if not options.hold:  # a harness lets it go, and asks for nothing else
            offer_services(node, self._controls)

    def play(self, stop: Stop) -> None:
        """Play to the end, or until stopped; raises RunError on loss or when the host hangs."""
        with self._keyboard if self._options.keyboard else contextlib.nullcontext():
            self._wait_for_peers(stop)
            while self._options.hold and not _stdin_has_ended() and not stop.requested:
                self._listen(_NAP_S)
            gc.collect()
            gc.freeze()  # what is there stays; nothing pauses a replay to look at it
            self._told_s = 0.0
            if self._meter is not None:
                self._meter.look(0)
            self._play_passes(stop)
            self._controls.end_bursts()
            if self._flow is not None:
                self._flow.drain(stop)
                if self._recorder is not None:
                    self._wait_for_recorder(self._flow.published, stop)
            else:
                self._watch.look(at_last=True)
                self._wait_until_acknowledged(stop)
            if self._meter is not None:
                self._resources = self._meter.found()
            tell_progress(self._count, self._playlist.total())
            self._line.clear()
            if self._controls.stopped:
                self._say_farewell(stop)

    def _say_farewell(self, stop: Stop) -> None:
        """Let the answer reach whoever asked for the end, also if it gets lost at first: Fast DDS
        sends it again after its heartbeat period of 3 s."""
        until_s = time.monotonic() + _FAREWELL_S
        while time.monotonic() < until_s and not stop.requested:
            self._listen(_NAP_S)

    def report(self) -> dict[str, Any]:
        """What was sent and acknowledged, and how late, as data."""
        report: dict[str, Any] = {
            "finished": self._finished,
            "sent": self._sent,
            "ticks": {} if self._clock is None else {CLOCK_TOPIC: self._clock.count},
            "first_ns": self._first_ns,
            "resources": None if self._resources is None else asdict(self._resources),
        }
        if self._flow is not None:
            return report | self._flow.report()
        return report | {
            "rate": {"asked": self._pace.rtf, "achieved": self._pace.achieved_rtf()},
            "lateness": self._lateness.report(),
        }

    def summary(self) -> str:
        """What the replay was like, in one line."""
        text = summary(self._pace, self._lateness, self._count)
        if self._clock is not None and self._clock.epochs > 1:
            text += f"; {CLOCK_TOPIC} went back {self._clock.epochs - 1} times"
        return text

    def _play_passes(self, stop: Stop) -> None:
        """Once, or again and again."""
        from_ns: int | None = None
        while not stop.requested and not self._controls.stopped:
            if from_ns is None and not self._delayed(stop):
                return
            sent = self._count
            with self._events(from_ns) as events:
                self._play_pass(events, stop)
            from_ns, self._controls.seek_ns = self._controls.seek_ns, None
            self._pace.jump(from_ns)
            if stop.requested or from_ns is not None:
                continue
            if self._options.loop is None or self._controls.stopped or self._count == sent:
                self._finished = True
                return
            if self._options.loop == "on":
                self._shift_ns += self._time_ns - self._pass_ns + 1
            self._pass_ns = 0

    def _play_pass(self, events: Iterator[Event], stop: Stop) -> None:
        """Play events to their end, or until someone wants another time or the end."""
        total = self._playlist.total()
        event = next(events, None)
        while not stop.requested and not self._controls.interrupted:
            if event is None:
                self._controls.end_bursts()
                if not self._controls.paused:
                    return
                self._idle()
                continue
            if not self._is_due(event, stop):
                continue
            self._send(event)
            event = next(events, None)
            if self._flow is not None and self._is_unpaced():
                event = self._send_as_room_is(event, events, self._flow)
            now_s = time.monotonic()
            if now_s - self._told_s > PROGRESS_S:
                self._told_s = now_s
                tell_progress(self._count, total)
                if self._meter is not None:
                    self._meter.look(self._count)
                self._look()
            self._inbox.serve(None if self._flow else _UNSERVED_S)

    def _is_unpaced(self) -> bool:
        return math.isinf(self._pace.rtf) and not self._controls.paused

    def _send_as_room_is(
        self, event: Event | None, events: Iterator[Event], flow: Window
    ) -> Event | None:
        """Send what the window has room for, and return what it has none for: until it is full
        there is nobody to be asked."""
        while event is not None and flow.has_room(len(event.data)):
            self._send(event)
            event = next(events, None)
        return event

    def _send(self, event: Event) -> None:
        target = self._publishers.by_topic.get(event.topic)
        time_ns = event.time_ns + self._shift_ns if event.time_ns else 0
        if self._flow is not None:
            topic = self._names[event.topic] if target else ""
            self._flow.announce(time_ns, topic, len(event.data))
        if self._clock is not None:
            self._clock.before(time_ns, event.topic)
        if time_ns:
            self._time_ns = event.time_ns
            self._pass_ns = self._pass_ns or event.time_ns
        if target is None:
            return
        insist(target, event.data, self._options.timeout_s)
        self._sent[self._names[event.topic]] += 1
        self._count += 1
        if self._first_ns is None:
            self._first_ns = time_ns
        if self._flow is None:
            self._note_time(event.log_time_ns)
        self._controls.played()

    def _note_time(self, log_time_ns: int) -> None:
        """How late a message was that has been sent just now."""
        self._pace.played(log_time_ns)
        if self._controls.paused or math.isinf(self._pace.rtf):
            return
        now_s = time.monotonic()
        late_s = now_s - self._due_s
        self._lateness.add(late_s)
        if late_s > BEHIND_S and self._exactness is not None:
            self._exactness.give_way()
        if self._behind.check(late_s, now_s):
            self._say(
                f"note: cannot hold rate {self._pace.rtf:g}: {late_s:.2g} s late after "
                f"{self._count} messages"
            )

    def _is_due(self, event: Event, stop: Stop) -> bool:
        """Wait for the event's turn, a while at most; whether it is to be sent now."""
        if self._controls.paused:
            if not self._controls.bursting:
                self._idle()
                return False
        elif not math.isinf(self._pace.rtf):
            if event.log_time_ns < self._last_log_ns - JITTER_NS:  # a new start within the bag
                self._pace.jump(None)
            self._last_log_ns = event.log_time_ns
            if not self._wait_until(event, stop):
                return False
        if self._flow is not None:
            self._flow.wait_for_room(len(event.data), stop)
        return not stop.requested and not self._controls.interrupted

    def _wait_until(self, event: Event, stop: Stop) -> bool:
        """Wait until a message is due; False if something else is to be done first."""
        while True:
            self._due_s = self._pace.due_s(event.log_time_ns)
            left_s = self._due_s - time.monotonic()
            if left_s <= 0:
                return True
            if self._flow is not None:
                self._flow.flush()
            if stop.requested or self._controls.paused or self._controls.interrupted:
                return False
            tick_s = math.inf if self._clock is None else self._clock.wait_s()
            if tick_s <= 0 and self._clock is not None:
                # Between sparse messages, /clock made from log times goes on.
                before_ns = round(left_s * self._pace.rtf * 1e9)
                self._clock.between(event.time_ns + self._shift_ns - before_ns)
            elif left_s > _ROOM_S and time.monotonic() - self._looked_s > _LOOK_S:
                self._looked_s = time.monotonic()
                self._listen(0.0)
                self._look()
            else:
                time.sleep(min(left_s, tick_s, _NAP_S))
                self._tell_alive()

    def _idle(self) -> None:
        """Nothing is to be played now."""
        tick_s = math.inf if self._clock is None else self._clock.wait_s()
        if self._clock is not None and tick_s <= 0:
            self._clock.between(0)
        self._listen(min(max(tick_s, 1e-3), _NAP_S))
        self._look()

    def _look(self) -> None:
        """What is done between two messages when there is time."""
        self._keyboard.serve()
        if self._flow is None:
            self._watch.look()
        self._line.show(self._pace, self._lateness, self._count, self._span_ns)

    def _listen(self, timeout_s: float) -> None:
        if self._flow is not None:
            self._flow.flush()
        self._inbox.wait(timeout_s)
        if self._flow is not None:
            self._flow.take()
        if self._recorder is not None:  # always: a message left there would end each wait at once
            while (taken := self._inbox.take(self._recorder)) is not None:
                self._status = taken[0]
        self._inbox.serve()

    def _delayed(self, stop: Stop) -> bool:
        """Wait before a pass, if that is asked for; False if it is not to begin at all."""
        until_s = time.monotonic() + self._options.delay_s
        while (left_s := until_s - time.monotonic()) > 0:
            if stop.requested or self._controls.stopped:
                return False
            self._listen(min(left_s, _NAP_S))
            self._look()
        return True

    @contextlib.contextmanager
    def _events(self, from_ns: int | None) -> Iterator[Iterator[Event]]:
        events = self._playlist.events(from_ns)
        if self._flow is not None:
            yield events
            return
        with contextlib.closing(ReadAhead(events, self._options.read_ahead)) as ahead:
            yield ahead

    def _clock_ticks(self) -> ClockTicks | None:
        if self._options.clock.source == "none":
            return None
        publisher = self._node.create_publisher(Clock, CLOCK_TOPIC, 10)
        return ClockTicks(
            self._options.clock,
            lambda time_ns: publisher.publish(Clock(clock=to_stamp(time_ns))),
            recorded=self._playlist.clock_topic is not None,
            in_lockstep=bool(self._options.window),
        )

    def _say(self, text: str) -> None:
        """For whoever looks at the terminal; a harness has its own eyes."""
        if not self._options.hold:
            self._line.say(text)

    def _tell_alive(self) -> None:
        """Whatever is waited for, the harness hears of this process now and then."""
        if time.monotonic() - self._told_s > ALIVE_S:
            self._told_s = time.monotonic()
            tell_alive()

    def _wait_for_peers(self, stop: Stop) -> None:
        options = self._options
        if options.wait_for == "nobody":
            return
        meeting = Meeting(
            self._publishers,
            options.wait_for,
            self._missing_peer,
            options.start_timeout_s,
            self._say,
        )
        while not stop.requested and not meeting.is_over():
            self._listen(_NAP_S)
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
            self._listen(_NAP_S)

    def _wait_until_acknowledged(self, stop: Stop) -> None:
        """A publisher that is destroyed takes with it what a reliable reader has not got yet."""
        began_s = time.monotonic()
        is_told = False
        for target in self._publishers:
            while not target.wait_for_all_acked(ACKNOWLEDGED):
                waited_s = time.monotonic() - began_s
                if stop.requested:
                    return
                if waited_s > self._options.acknowledged_s:
                    name = target.topic_name
                    raise Loss(f"a subscriber of {name} did not acknowledge all messages")
                if waited_s > PATIENT_S and not is_told:
                    is_told = True
                    self._say(f"note: waiting until a subscriber of {target.topic_name} has all")
                self._inbox.serve()
                self._tell_alive()

    def _missing_peer(self) -> str | None:
        if self._flow is not None and not self._flow.ready:
            return "the host did not report that it is ready"
        if self._recorder is not None and not (self._status and self._status.ready):
            return "no node published what the recorder waits for"
        return None


def _stdin_has_ended() -> bool:
    """Whether all of stdin was read; what comes on it is passed over."""
    readable, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1 << 12)


def _open(paths: Sequence[str]) -> list[Bag]:
    bags = []
    for path in paths:
        bag = Bag(path)
        if bag.problem:
            raise BagError(bag.problem)
        bags.append(bag)
    return bags


def _run(arguments: Sequence[str]) -> int:
    own, ros = split_arguments(arguments)
    options = parse_options(own)
    bags = _open(options.bags)
    chosen = choose(bags, options.selection)
    _check_start(bags, options)
    stop = Stop()
    with ros_node("lockstep_player", ros, **(of_a_run() if options.hold else {})) as node:
        player = Player(node, bags, chosen, options)
        if not options.hold:
            for remark in chosen.remarks:
                tell(f"note: {remark}")
        if options.keyboard and options.progress_hz and sys.stdin.isatty():
            tell(f"{KEYS}, Ctrl-C: end")
        try:
            player.play(stop)
        finally:
            if options.report:
                with open(options.report, "w", encoding="utf-8") as file:
                    json.dump(player.report(), file, indent=2)
        if not options.hold:
            tell(player.summary(), sys.stdout)
    return 0


def _check_start(bags: Sequence[Bag], options: Options) -> None:
    """Raises UsageError for a start behind the end."""
    held = [bag for bag in bags if bag.count]
    length_s = (
        (max(b.end_ns for b in held) - min(b.start_ns for b in held)) * 1e-9 if held else math.inf
    )
    if options.start_offset_s > length_s and not options.hold:
        raise UsageError(
            f"--start-offset {options.start_offset_s:g} is beyond the end of the bag, which takes "
            f"{length_s:.9g} s"
        )


def main() -> None:
    """`ros2 run lockstep player BAG …`"""
    exit_with(lambda: _run(sys.argv[1:]), BagError)


if __name__ == "__main__":
    main()
