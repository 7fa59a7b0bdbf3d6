"""`lockstep compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bag import Bag
from ..compare import Tolerances, compare, tolerance_ns, write_text_diffs
from ..compare.text_diff import summary
from ..run.errors import DIFFERENT, MATCH
from ..run.verify import comparison_as_data, create_folder
from .show import Align, console, print_json, print_line


def command(
    a: Annotated[Path, typer.Argument(help="The reference bag.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="The bag to judge.", show_default=False)],
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", help="Topic to compare (repeatable; default: all)."),
    ] = None,
    align: Annotated[
        Align, typer.Option(help="What makes two messages belong together.")
    ] = Align.time,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(help="PATTERN=ABS or PATTERN=ABS,REL or PATTERN=ignore (repeatable)."),
    ] = None,
    time_tolerance: Annotated[
        float | None, typer.Option(help="Seconds; default: half the median interval.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the text diffs; must not exist."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two bags message by message and field by field.

    **Examples**

    lockstep compare run1/python/bag run1/cpp/bag

    lockstep compare a b --topic /odom --tolerance "pose.*=1e-6" --tolerance header.stamp=ignore -o diffs
    """
    rules = Tolerances.parse(tolerance or [])
    bags = Bag(a), Bag(b)
    for topic in topics or []:
        if all(topic not in bag.topics for bag in bags):
            bags[0].topic(topic)
    comparison = compare(
        *bags,
        topics=topics,
        align_by=align.value,
        time_tolerance_ns=tolerance_ns(time_tolerance),
        tolerances=rules,
        names=(str(a), str(b)),
    )
    if output is not None:
        create_folder(output)
        write_text_diffs(comparison, output)
    if as_json:
        print_json(comparison_as_data(comparison))
    else:
        for line in summary(comparison):
            print_line(console, line)
        if output is not None:
            print_line(console, f"diffs: {output}")
    raise typer.Exit(MATCH if comparison.all_match else DIFFERENT)
