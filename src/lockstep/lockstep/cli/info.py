"""`lockstep info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..bag import Bag
from ..run.errors import MATCH, USAGE
from .show import console, print_json, print_line


def command(
    path: Annotated[
        Path, typer.Argument(metavar="BAG", help="rosbag2 folder or .mcap", show_default=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what a bag holds: topics, types, counts, rates, and whether it is whole.

    **Examples**

    lockstep info bags/husky_gps_imu_odom

    lockstep info recording.mcap --json | jq '.topics[].name'
    """
    bag = Bag(path)
    duration_s = (bag.end_ns - bag.start_ns) * 1e-9
    topics = sorted(bag.topics.values(), key=lambda topic: topic.name)
    if as_json:
        print_json(
            {
                "path": str(path),
                "messages": bag.count,
                "start_ns": bag.start_ns,
                "end_ns": bag.end_ns,
                "problem": bag.problem,
                "topics": [
                    {"name": t.name, "type": t.type, "messages": t.count, "type_hash": t.type_hash}
                    for t in topics
                ],
            }
        )
    else:
        table = Table(
            "topic", "type", "messages", "Hz", title=Text(str(path)), title_justify="left"
        )
        for column in table.columns[2:]:
            column.justify = "right"
        for topic in topics:
            rate = (
                f"{(topic.count - 1) / duration_s:.1f}" if duration_s and topic.count > 1 else "–"
            )
            table.add_row(Text(topic.name), Text(topic.type), str(topic.count), rate)
        console.print(table)
        start_s = bag.start_ns * 1e-9
        print_line(console, f"{bag.count} messages in {duration_s:.3f} s, from {start_s:.9f} s on")
        if bag.problem:
            print_line(console, f"problem: {bag.problem}")
    raise typer.Exit(USAGE if bag.problem else MATCH)
