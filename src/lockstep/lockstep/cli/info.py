"""`lockstep info`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from ..bag import Bag
from ..bag.survey import Survey, TopicSurvey, survey
from ..errors import MATCH, USAGE
from ..message.time import seconds
from ..printable import one_line
from .show import console, print_json, print_line, print_wide, progress_bar


def command(
    path: Annotated[
        str,
        typer.Argument(metavar="BAG", help="Folder, file, glob or URL.", show_default=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what a bag holds: topics, types, counts, rates, gaps, sizes, its clock, and what is
    wrong with it.

    A gap is an interval of more than five times the median of its topic. The exit code is 2 if the
    bag is not whole.

    **Examples**

    lockstep info bags/husky_gps_imu_odom

    lockstep info recording.mcap --json | jq '.topics[].name'

    lockstep info s3://recordings/2026-03-01
    """
    bag = Bag(path)
    with progress_bar("reading") as progress:
        found = survey(bag, progress)
    if as_json:
        print_json(_as_data(bag, found))
    else:
        _print(bag, found)
    raise typer.Exit(USAGE if bag.problem else MATCH)


def _as_data(bag: Bag, found: Survey) -> dict[str, Any]:
    return {
        "path": str(bag.path),
        "files": list(bag.files),
        "messages": bag.count,
        "start_ns": bag.start_ns,
        "end_ns": bag.end_ns,
        "clock": found.clock,
        "epochs": found.simulated and found.simulated.epochs,
        "rtf": found.simulated and found.simulated.rtf(),
        "problem": bag.problem,
        "problems": found.problems,
        "topics": [
            {
                "name": topic.name,
                "type": topic.type,
                "type_hash": bag.topics[topic.name].type_hash,
                "encoding": bag.topics[topic.name].message_encoding,
                "messages": topic.count,
                "bytes": topic.bytes,
                "start_ns": topic.start_ns,
                "end_ns": topic.end_ns,
                "rate_hz": topic.rate_hz,
                "gaps": topic.gaps,
                "largest_gap_ns": topic.largest_gap_ns,
            }
            for topic in found.topics.values()
        ],
    }


def _print(bag: Bag, found: Survey) -> None:
    table = Table(
        "topic",
        "type",
        "messages",
        "Hz",
        "gaps",
        "size",
        title=one_line(str(bag.path)),
        title_justify="left",
    )
    for column in table.columns[2:]:
        column.justify = "right"
        column.no_wrap = True
    for topic in found.topics.values():
        rate = "–" if topic.rate_hz is None else f"{topic.rate_hz:.1f}"
        table.add_row(
            one_line(topic.name),
            one_line(topic.type),
            str(topic.count),
            rate,
            _gaps(topic),
            _size(topic.bytes),
        )
    print_wide(console, table)
    duration_s = (bag.end_ns - bag.start_ns) * 1e-9
    total = sum(topic.bytes for topic in found.topics.values())
    print_line(
        console,
        f"{bag.count} messages, {_size(total)} in {duration_s:.3f} s, from {seconds(bag.start_ns)} "
        "s on",
    )
    print_line(console, f"clock: {found.clock}")
    if found.simulated is not None and len(found.simulated.said_ns):
        print_line(console, f"/clock: {found.simulated}")
    for problem in found.problems:
        print_line(console, f"problem: {problem}")


def _gaps(topic: TopicSurvey) -> str:
    return f"{topic.gaps} (≤ {topic.largest_gap_ns * 1e-9:.3g} s)" if topic.gaps else "–"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
