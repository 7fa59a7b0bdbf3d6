"""The command line of the player: the names of `ros2 bag play`, and what only this one has."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import UsageError
from ..option_parser import OptionParser
from .clock import ClockOptions
from .pace import checked_rtf
from .peers import WaitFor
from .progress_line import DEFAULT_HZ
from .requests import SOURCES
from .selection import Selection

WINDOW_LIMIT = 1000
_CLOCKS = ("auto", "bag", "times", "none")
_CLOCK_HZ = 40.0
# Readers acknowledge when they are asked: by Fast DDS's heartbeats, every 3 s.
_HEARTBEATS_S = 10.0
_EXAMPLES = """\
examples:
  player bags/drive                                      all topics, with /clock
  player bags/drive --topics /scan /tf --rate 2          two topics, twice as fast
  player bags/drive --regex '/camera/.*' --remap /camera/image:=/image
  player monday tuesday --exclude-topics /cmd_vel        two bags at once
  player bags/drive --loop --start-offset 10 --playback-duration 5
  player bags/drive --start-paused                       space, → and ↑/↓ in the terminal,
                                                         or ~/resume, ~/burst, ~/seek, …
  player bags/drive --clock 100 --topic /scan:=/laser    /clock 100 times a second
"""


@dataclass(frozen=True)
class Options:
    """How to play what; times in seconds, of the bags' log times or of wall time."""

    bags: tuple[str, ...]
    selection: Selection
    rtf: float
    window: int
    clock: ClockOptions
    start_offset_s: float
    duration_s: float
    until_ns: int | None
    loop: Literal["back", "on"] | None
    delay_s: float
    paused: bool
    wait_for: WaitFor
    with_recorder: bool
    silent: tuple[tuple[str, str], ...]
    hold: bool
    measured: int | None
    timeout_s: float
    acknowledged_s: float
    start_timeout_s: float
    qos_overrides: str | None
    requests: str | None
    read_ahead: int
    keyboard: bool
    progress_hz: float
    strict: bool
    report: str | None


def parse_options(arguments: Sequence[str]) -> Options:
    """Raises UsageError; prints the help and exits where that is asked for."""
    args = _parser().parse_args(arguments)
    bags = (*args.bags, *args.input)
    if not bags:
        raise UsageError("give the bag to play: a rosbag2 folder or a .mcap, .db3 or .bag file")
    if not 0 <= args.window <= WINDOW_LIMIT:
        raise UsageError(f"--window {args.window} is not between 0 and {WINDOW_LIMIT}")
    if args.loop and args.window:
        raise UsageError("in lockstep (--window) a bag is played once; leave out --loop")
    until_ns = args.playback_until_nsec
    if args.playback_until_sec is not None:
        until_ns = round(args.playback_until_sec * 1e9)
    alone = not (args.window or args.with_recorder)
    return Options(
        bags=bags,
        selection=Selection(
            topics=(*args.topic, *args.topics),
            exclude_topics=args.exclude_topics,
            services=args.services,
            exclude_services=args.exclude_services,
            regex=args.regex,
            exclude_regex=args.exclude_regex,
            types=args.topic_types,
            exclude_types=args.exclude_topic_types,
            remap=args.remap,
        ),
        rtf=checked_rtf(args.rtf),
        window=args.window,
        clock=_clock(args),
        start_offset_s=args.start_offset,
        duration_s=args.duration,
        until_ns=until_ns,
        loop=(args.loop_time or "back") if args.loop else None,
        delay_s=args.delay,
        paused=args.paused,
        wait_for=("nobody" if args.no_wait else args.wait_for or "met") if alone else "all",
        with_recorder=args.with_recorder,
        silent=tuple(_typed(text) for text in args.silent),
        hold=args.hold,
        measured=args.measure,
        timeout_s=args.timeout,
        acknowledged_s=_acknowledged_s(args.wait_for_all_acked, args.timeout),
        start_timeout_s=args.start_timeout,
        qos_overrides=args.qos_profile_overrides_path,
        requests=args.service_requests_source if args.publish_service_requests else None,
        read_ahead=args.read_ahead_queue_size,
        keyboard=not args.disable_keyboard_controls and not args.hold,
        progress_hz=0.0 if args.hold else args.progress_bar_update_rate,
        strict=args.strict,
        report=args.report,
    )


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        "player",
        "Replay topics of bags into the ROS graph, with /clock. The options are those "
        "of 'ros2 bag play', and more.",
        _EXAMPLES,
    )
    parser.add_argument(
        "bags", nargs="*", metavar="BAG", help="rosbag2 folder, or .mcap, .db3 or .bag file"
    )
    parser.add_argument(
        "-i", "--input", action="append", default=[], metavar="BAG", help="one more bag"
    )
    _add_selection(parser.add_argument_group("which topics"))
    _add_pace(parser.add_argument_group("when"))
    _add_clock(parser.add_argument_group("/clock"))
    _add_graph(parser.add_argument_group("the graph"))
    _add_lockstep(parser.add_argument_group("in lockstep with a host"))
    return parser


def _add_selection(group: argparse._ArgumentGroup) -> None:
    many: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    group.add_argument(
        "--topic",
        action="append",
        default=[],
        metavar="NAME[:=TARGET]",
        help="topic to play, and under which name (repeatable; default: all)",
    )
    group.add_argument("--topics", metavar="NAME", help="topics to play", **many)
    group.add_argument("--exclude-topics", metavar="NAME", help="topics not to play", **many)
    group.add_argument("-e", "--regex", default="", help="play topics whose whole name matches")
    group.add_argument(
        "-x", "--exclude-regex", default="", help="do not play topics whose whole name matches"
    )
    group.add_argument("--topic-types", metavar="TYPE", help="play topics of these types", **many)
    group.add_argument("--exclude-topic-types", metavar="TYPE", help="do not play these", **many)
    group.add_argument("--services", metavar="NAME", help="services whose events to play", **many)
    group.add_argument("--exclude-services", metavar="NAME", help="services to leave out", **many)
    group.add_argument(
        "-m", "--remap", metavar="OLD:=NEW", help="play a topic under another name", **many
    )


def _add_pace(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        *("-r", "--rate", "--rtf"),
        dest="rtf",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="real-time factor: 2 is twice as fast; inf as fast as it is taken",
    )
    group.add_argument("-d", "--delay", type=_seconds, default=0.0, metavar="S", help="wait first")
    group.add_argument(
        "--start-offset", type=_seconds, default=0.0, metavar="S", help="begin so far into the bag"
    )
    group.add_argument(
        *("--playback-duration", "--duration"),
        dest="duration",
        type=_duration,
        default=math.inf,
        metavar="S",
        help="play so much of the bag",
    )
    until = group.add_mutually_exclusive_group()
    until.add_argument(
        "--playback-until-sec", type=_seconds, metavar="S", help="end at this time of the bag"
    )
    until.add_argument("--playback-until-nsec", type=_count, metavar="NS", help="the same in ns")
    group.add_argument("-l", "--loop", action="store_true", help="play again and again")
    group.add_argument(
        "--loop-time",
        choices=["back", "on"],
        help="whether /clock goes back with each loop (as the bag does), or on",
    )
    group.add_argument(
        *("-p", "--start-paused", "--paused"),
        dest="paused",
        action="store_true",
        help="see ~/resume",
    )
    group.add_argument(
        "--read-ahead-queue-size",
        type=_positive_count,
        default=1000,
        metavar="N",
        help="messages that are read before they are due",
    )
    group.add_argument(
        "--disable-keyboard-controls", action="store_true", help="leave the terminal alone"
    )
    group.add_argument(
        "--progress-bar-update-rate",
        type=_seconds,
        default=DEFAULT_HZ,
        metavar="HZ",
        help="how often a terminal shows where the replay is; 0: never",
    )


def _add_clock(group: argparse._ArgumentGroup) -> None:
    ways = group.add_mutually_exclusive_group()
    ways.add_argument(
        "--clock",
        nargs="?",
        const=str(_CLOCK_HZ),
        default="auto",
        metavar="HZ|WORD",
        help="a rate in Hz (default 40) at which the log times are published, or where /clock "
        "comes from: the bag's own (bag), its log times (times), not at all (none), or the "
        "first of these that there is (auto)",
    )
    ways.add_argument(
        "--clock-topics", nargs="+", metavar="NAME", help="/clock before messages of these only"
    )
    ways.add_argument(
        "--clock-topics-all", action="store_true", help="/clock before each message only"
    )


def _add_graph(group: argparse._ArgumentGroup) -> None:
    waits = group.add_mutually_exclusive_group()
    waits.add_argument(
        "--wait-for-subscribers",
        dest="wait_for",
        nargs="?",
        choices=["all", "any"],
        const="all",
        help="begin when each topic has a subscriber, or any",
    )
    waits.add_argument(
        "--no-wait", action="store_true", help="begin before those have met who are there"
    )
    group.add_argument(
        "--start-timeout",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="patience with whom is waited for",
    )
    group.add_argument(
        "--wait-for-all-acked",
        type=_count,
        metavar="MS",
        help="patience with subscribers that have not got all at the end; 0: for ever",
    )
    group.add_argument(
        "--qos-profile-overrides-path", metavar="FILE", help="QoS to offer instead, as YAML"
    )
    group.add_argument(
        "--publish-service-requests",
        action="store_true",
        help="ask again what recorded service events tell of",
    )
    group.add_argument(
        "--service-requests-source",
        choices=list(SOURCES),
        default="service_introspection",
        help="whose events tell of the requests",
    )
    group.add_argument(
        "--disable-loan-message", action="store_true", help="as always: no message is loaned"
    )
    group.add_argument(
        "--strict", action="store_true", help="refuse a bag of which a topic cannot be played"
    )
    group.add_argument("--report", metavar="FILE", help="write what was sent as JSON")


def _add_lockstep(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--window",
        type=int,
        default=0,
        help=f"at most this many messages in flight, up to {WINDOW_LIMIT}; 0: no lockstep",
    )
    group.add_argument(
        "--with-recorder", action="store_true", help="wait until the recorder is ready"
    )
    group.add_argument(
        "--silent",
        action="append",
        default=[],
        metavar="NAME:TYPE",
        help="offer this too, though nothing is played on it: an input that a component waits for",
    )
    group.add_argument(
        "--hold", action="store_true", help="when all have met, wait for the end of stdin"
    )
    group.add_argument(
        "--measure",
        type=int,
        metavar="PID",
        help="tell in the report what processor time and memory this process takes meanwhile",
    )
    group.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="patience with a host or subscriber that hangs",
    )


def _typed(text: str) -> tuple[str, str]:
    name, _, message_type = text.partition(":")
    if not name or not message_type:
        raise UsageError(f"--silent {text} is not NAME:TYPE")
    return name, message_type


def _clock(args: argparse.Namespace) -> ClockOptions:
    if args.clock_topics or args.clock_topics_all:
        return ClockOptions("times", by_topics=True, topics=args.clock_topics)
    if args.clock in _CLOCKS:
        return ClockOptions(args.clock)
    try:
        rate_hz = float(args.clock)
    except ValueError:
        raise UsageError(
            f"--clock {args.clock} is neither a rate in Hz nor one of {', '.join(_CLOCKS)}"
        ) from None
    if not 0 < rate_hz < math.inf:
        raise UsageError(f"--clock {args.clock} is no rate in Hz; give a number greater than 0")
    return ClockOptions("times", rate_hz=rate_hz)


def _acknowledged_s(patience_ms: int | None, timeout_s: float) -> float:
    if patience_ms is None:
        return max(timeout_s, _HEARTBEATS_S)
    return patience_ms * 1e-3 or math.inf


def _seconds(text: str) -> float:
    seconds = _duration(text)
    if math.isinf(seconds):
        raise argparse.ArgumentTypeError(f"{text} is not finite")
    return seconds


def _duration(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text} is negative or no number")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return count


def _positive_count(text: str) -> int:
    if not (count := _count(text)):
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return count


_duration.__name__ = _seconds.__name__ = "number of seconds"
_count.__name__ = _positive_count.__name__ = "number"
