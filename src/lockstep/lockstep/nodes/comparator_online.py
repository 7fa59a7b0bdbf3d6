"""The command line of the comparator online, and its verdict."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from rclpy.impl.implementation_singleton import rclpy_implementation

from ..compare import Tolerances, tolerance_ns, write_text_diffs
from ..compare.comparison import Comparison, summary
from ..compare.live.online import OnlineOptions
from ..errors import DIFFERENT, MATCH, RunError, UsageError
from .process import Stop, ros_node, sentence
from .shadow import Shadow


def run_online(own: Sequence[str], ros: Sequence[str]) -> int:
    """`comparator --online …`; gives the exit code, raises RunError where there is no verdict."""
    args = _parser().parse_args(own)
    options = OnlineOptions(
        align=args.align,
        time_tolerance_ns=tolerance_ns(args.time_tolerance) or 0,
        patience_s=args.patience,
        pending=args.pending,
        from_start=args.from_start,
    )
    tolerances = Tolerances.parse(args.tolerance)
    pairs = _pairs_of(args)
    with ros_node("lockstep_comparator", ros) as node:
        try:
            pairs = [
                (name, node.resolve_topic_name(a), node.resolve_topic_name(b))
                for name, a, b in pairs
            ]
        except rclpy_implementation.RCLError as error:
            raise UsageError(sentence(error)) from error
        about = Comparison(*_names(args, pairs), args.align, tolerances)
        shadow = Shadow(
            node,
            pairs,
            about,
            options,
            period_s=args.period,
            max_differences_hz=args.max_differences_hz,
        )
        shadow.watch(Stop(), args.duration)
        comparison = shadow.result()
        no_verdict = "; ".join(shadow.no_verdict())
        log = node.get_logger()
        for line in summary(comparison, no_verdict) if comparison.keys else ():
            (log.error if no_verdict or not comparison.all_match else log.info)(line)
        if args.output and comparison.keys:
            write_text_diffs(comparison, Path(args.output), no_verdict)
            log.info(f"diffs: {args.output}")
        if no_verdict:
            raise RunError(f"no verdict: {no_verdict}")
        return MATCH if comparison.all_match else DIFFERENT


def _pairs_of(args: argparse.Namespace) -> list[tuple[str, str, str]]:
    """Name, topic of A and topic of B of each pair; raises UsageError."""
    if args.topic and args.a_prefix.rstrip("/") == args.b_prefix.rstrip("/"):
        raise UsageError("give --a-prefix and --b-prefix, which differ, for --topic")
    pairs = []
    for topic in args.topic:
        name = "/" + topic.strip("/")
        pairs.append((name, args.a_prefix.rstrip("/") + name, args.b_prefix.rstrip("/") + name))
    for text in args.pair:
        a, mark, b = text.partition(":=")
        if not (a and mark and b) or a == b:
            raise UsageError(f"--pair {text} is not TOPIC:=OTHER_TOPIC")
        pairs.append((a, a, b))
    names = [name for name, _, _ in pairs]
    if not pairs:
        raise UsageError("give what to compare: --topic with two prefixes, or --pair")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{twice} is given twice; start a comparator for each topic to judge")
    return pairs


def _names(args: argparse.Namespace, pairs: list[tuple[str, str, str]]) -> tuple[str, str]:
    """What the summary calls the two sides."""
    if not args.pair:
        return args.a_prefix or "/", args.b_prefix or "/"
    return pairs[0][1:] if len(pairs) == 1 else ("a", "b")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="comparator --online",
        description=(
            "Compare live topics as they come in, until stopped; exit code 0: they match, 1: they "
            "differ, "
            "2: bad usage, 3: no verdict, because a topic was silent or messages were dropped."
        ),
        epilog="example: comparator --online --a-prefix /robot --b-prefix /shadow --topic odom",
        allow_abbrev=False,
    )
    parser.add_argument("--online", action="store_true", required=True)
    add = parser.add_argument
    add("--a-prefix", default="", metavar="NS", help="namespace of the reference")
    add("--b-prefix", default="", metavar="NS", help="namespace of what is judged")
    add("--topic", action="append", default=[], help="topic in both namespaces (repeatable)")
    add("--pair", action="append", default=[], metavar="A:=B", help="two topics (repeatable)")
    add("--align", choices=["auto", "stamp", "tick", "time"], default="auto")
    add("--time-tolerance", type=float, default=0.05, metavar="S", help="for time (default 0.05)")
    add("--tolerance", action="append", default=[], help="PATTERN=ABS[,REL], PATTERN=ignore, …")
    add(
        "--patience",
        type=_positive,
        default=2.0,
        metavar="S",
        help=(
            "how long a message waits for its partner before it counts as missing or extra "
            "(default 2)"
        ),
    )
    add(
        "--pending",
        type=_count,
        default=1000,
        metavar="N",
        help="messages of each topic that may wait; more are dropped (default 1000)",
    )
    add("--from-start", action="store_true", help="count what came before both topics were heard")
    add("--period", type=_positive, default=1.0, metavar="S", help="of /diagnostics (default 1)")
    add("--max-differences-hz", type=_not_negative, default=10.0, metavar="HZ")
    add("--duration", type=_positive, default=math.inf, metavar="S", help="stop after so long")
    add("-o", "--output", help="folder for summary.txt and text diffs")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 on")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value
