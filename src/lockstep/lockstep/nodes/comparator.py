"""The comparator: compares two bags as a node, for launch files, or live topics; the verdict is its
log and its exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from ..bag import Bag, BagError
from ..compare import (
    CompareError,
    Tolerances,
    compare,
    tolerance_ns,
    write_text_diffs,
)
from ..compare.align import Align, parse_align
from ..compare.comparison import summary
from ..compare.divergence import write_divergences
from ..errors import DIFFERENT, MATCH
from .comparator_online import run_online
from .process import exit_with, ros_node, split_arguments


def _run(arguments: Sequence[str]) -> int:
    own, ros = split_arguments(arguments)
    if "--online" in own:
        return run_online(own, ros)
    parser = argparse.ArgumentParser(
        prog="comparator",
        description=(
            "Compare two bags; exit code 0: they match, 1: they differ, 2: they cannot be "
            "compared. "
            "With --online it compares live topics instead: see --online --help."
        ),
        epilog="example: comparator python/bag cpp/bag -o diffs --tolerance 'quaternion.*=1e-9'",
    )
    parser.add_argument("a", help="the reference bag")
    parser.add_argument("b", help="the bag to judge")
    parser.add_argument(
        "-o", "--output", required=True, help="folder for summary.txt and text diffs"
    )
    parser.add_argument(
        "--topic", action="append", help="topic to compare (repeatable; default: all)"
    )
    parser.add_argument(
        "--align",
        action="append",
        default=[],
        metavar="[TOPIC:=]HOW",
        help=f"HOW: {', '.join(get_args(Align))} (repeatable; default: auto)",
    )
    parser.add_argument("--time-tolerance", type=float, metavar="S")
    parser.add_argument(
        "--origin",
        type=int,
        metavar="NS",
        help=(
            "time of the first input, from which times count in both bags (default: each bag's "
            "first message)"
        ),
    )
    parser.add_argument(
        "--tolerance",
        action="append",
        default=[],
        help="PATTERN=ABS[,REL], PATTERN=ignore or PATTERN=NAME:VALUE,…",
    )
    args = parser.parse_args(own)
    with ros_node("lockstep_comparator", ros) as node:
        bags = Bag(args.a), Bag(args.b)
        comparison = compare(
            *bags,
            topics=args.topic,
            align=parse_align(args.align),
            origin_ns=args.origin,
            time_tolerance_ns=tolerance_ns(args.time_tolerance),
            tolerance=Tolerances.parse(args.tolerance),
            names=(args.a, args.b),
        )
        write_text_diffs(comparison, Path(args.output))
        write_divergences(comparison, bags, Path(args.output))
        log = node.get_logger()
        for line in summary(comparison):
            (log.info if comparison.all_match else log.error)(line)
        log.info(f"diffs: {args.output}")
        return MATCH if comparison.all_match else DIFFERENT


def main() -> None:
    """`ros2 run lockstep comparator A B -o FOLDER …`"""
    exit_with(lambda: _run(sys.argv[1:]), BagError, CompareError)


if __name__ == "__main__":
    main()
