"""`lockstep compare`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from ..compare import Tolerances, compare, tolerance_ns, write_text_diffs
from ..compare.align import parse_align
from ..compare.as_bags import as_bags
from ..compare.comparison import summary
from ..compare.result import comparison_as_data
from ..errors import DIFFERENT, MATCH
from ..run.folder import create_folder
from .ci import Github, Junit, report
from .show import console, print_json, print_line, print_summary

_NAMED = 5
"""Fields that are not drawn."""
_LONG_NAME = 30


def command(
    a: Annotated[
        str, typer.Argument(help="The reference: any bag, or its text.", show_default=False)
    ],
    b: Annotated[str, typer.Argument(help="The bag to judge, or its text.", show_default=False)],
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", help="Topic to compare (repeatable; default: all)."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", "-x", help="Topic to leave out (repeatable)."),
    ] = None,
    align: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TOPIC:=]HOW",
            help=(
                "What makes two messages belong together (repeatable; default: auto): stamp, time, "
                "value, tick; auto: stamps that both have, or else time, and values where that "
                "leaves it open, or else tick; cause: the step of the run that they answer; none: "
                "compare distributions."
            ),
            show_default=False,
        ),
    ] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "PATTERN=ABS, PATTERN=ABS,REL, PATTERN=ignore or PATTERN=NAME:VALUE,… with ulp, "
                "quaternion, distance, norm, direction, frobenius, angle, unordered, keyed, pair, "
                "reach, unpaired, text, by, quantile, at_least, data_range, at_most, alignment, "
                "delta (repeatable; docs/compare.md)."
            )
        ),
    ] = None,
    common_fields: Annotated[
        bool,
        typer.Option(
            "--common-fields",
            help="Compare topics of other types or definitions in the fields that both have.",
        ),
    ] = False,
    time_tolerance: Annotated[
        float | None, typer.Option(help="Seconds; default: half the median interval.")
    ] = None,
    absolute: Annotated[
        bool,
        typer.Option(
            "--absolute", help="Times as they are, not from the first message of each bag on."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the text diffs; must not exist."),
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Folder for a picture of each field that differs.", show_default=False),
    ] = None,
    error_bag: Annotated[
        Path | None,
        typer.Option(
            "--bag",
            help=(
                "A new bag with /a/…, /b/… and /error/…, and layouts for Foxglove and PlotJuggler "
                "in it."
            ),
            show_default=False,
        ),
    ] = None,
    rrd: Annotated[
        Path | None,
        typer.Option(
            help="A recording for the Rerun viewer: both, their error and images on one timeline.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="A report for any browser, in one file.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    junit: Junit = None,
    github: Github = False,
) -> None:
    """Compare two bags message by message and field by field.

    **Examples**

    lockstep compare run1/python/bag run1/cpp/bag

    lockstep compare a b --topic /odom --tolerance "pose.*=1e-6" -o diffs

    lockstep text good -o expected.txt && lockstep compare expected.txt bad --plots pictures

    lockstep compare a b --tolerance "ranges=abs:0.01,by:quantile,quantile:0.99"

    lockstep compare a b --topic /camera/image --tolerance "data=by:psnr,at_least:40"
    """
    rules, names = Tolerances.parse(tolerance or []), short_names(a, b)
    with ExitStack() as stack:
        bag_a, bag_b = as_bags(a, b, stack)
        for topic in topics or []:
            if topic not in bag_a.topics and topic not in bag_b.topics:
                bag_a.topic(topic)
        comparison = compare(
            bag_a,
            bag_b,
            topics=topics,
            exclude=exclude or (),
            align=parse_align(align or []),
            origin_ns=0 if absolute else None,
            time_tolerance_ns=tolerance_ns(time_tolerance),
            tolerance=rules,
            names=names,
            common_fields=common_fields,
        )
        if error_bag is not None:
            from ..report.error_bag import write_error_bag

            write_error_bag(comparison, (bag_a, bag_b), error_bag)
        if rrd is not None:
            from ..report.rerun_file import write_rrd

            write_rrd(comparison, (bag_a, bag_b), rrd)
        if html is not None:
            from ..report.html import write_html

            write_html(
                html, {b: comparison}, {b: (bag_a, bag_b)}, title=" against ".join(names[::-1])
            )
        if plots is not None:
            from ..report.files import write_plots

            drawn = write_plots(comparison, (bag_a, bag_b), plots)
    if output is not None:
        create_folder(output)
        write_text_diffs(comparison, output)
    if as_json:
        print_json(comparison_as_data(comparison))
    else:
        print_summary(console, list(summary(comparison)))
        for name, path in zip(names, (a, b), strict=True):
            if name != path:
                print_line(console, f"{name}: {path}")
        if output is not None:
            print_line(console, f"diffs: {output}")
        if error_bag is not None:
            print_line(console, f"both and their error: {error_bag}")
        if rrd is not None:
            print_line(console, f"for Rerun: {rrd}")
        if html is not None:
            print_line(console, f"report: {html}")
        if plots is not None:
            print_line(console, f"plots: {len(drawn.files)} in {plots}{_left_out(drawn.left_out)}")
    report({f"{b} vs {a}": comparison}, junit, github)
    raise typer.Exit(MATCH if comparison.all_match else DIFFERENT)


def _left_out(fields: Sequence[str]) -> str:
    """Which fields have no picture, in words."""
    if not fields:
        return ""
    more = f" and {len(fields) - _NAMED} more" if len(fields) > _NAMED else ""
    return f"; not drawn: {'; '.join(fields[:_NAMED])}{more}"


def short_names(a: str, b: str) -> tuple[str, str]:
    """What two places are called that have long names: the parts of their paths that tell them
    apart, as `python` and `cpp` of runs/1/python/bag and runs/1/cpp/bag."""
    if max(len(a), len(b)) <= _LONG_NAME or a == b or "://" in f"{a} {b}":
        return a, b
    sides = [PurePosixPath(side).parts for side in (a, b)]
    least = min(map(len, sides))
    first = next((i for i in range(least) if sides[0][i] != sides[1][i]), least)
    last = next((i for i in range(least - first) if sides[0][-1 - i] != sides[1][-1 - i]), 0)
    names = ["/".join(parts[first : len(parts) - last]) for parts in sides]
    if not all(names):  # one lies within the other
        return a, b
    return names[0], names[1]
