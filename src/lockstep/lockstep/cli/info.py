"""`lockstep info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..bag import Bag
from ..run.errors import MATCH, USAGE
from .show import console


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
        typer.echo(
            json.dumps(
                {
                    "path": str(path),
                    "messages": bag.count,
                    "start_ns": bag.start_ns,
                    "end_ns": bag.end_ns,
                    "problem": bag.problem,
                    "topics": [
                        {
                            "name": t.name,
                            "type": t.type,
                            "messages": t.count,
                            "type_hash": t.type_hash,
                        }
                        for t in topics
                    ],
                },
                indent=2,
            )
        )
    else:
        table = Table("topic", "type", "messages", "Hz", title=f"{path}", title_justify="left")
        for column in table.columns[2:]:
            column.justify = "right"
        for topic in topics:
            rate = (
                f"{(topic.count - 1) / duration_s:.1f}" if duration_s and topic.count > 1 else "–"
            )
            table.add_row(topic.name, topic.type, str(topic.count), rate)
        console.print(table)
        console.print(
            f"{bag.count} messages in {duration_s:.3f} s, from {bag.start_ns * 1e-9:.9f} s on"
        )
        if bag.problem:
            console.print(f"[bold red]problem:[/] {bag.problem}", soft_wrap=True)
    raise typer.Exit(USAGE if bag.problem else MATCH)
