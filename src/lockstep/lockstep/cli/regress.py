"""`lockstep regress`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..port import subject_of
from ..port.regress import LIMIT, regress, told
from .show import console, print_line, progress_bar


def command(
    component: Annotated[
        str, typer.Argument(help="MODULE:CLASS, or MODULE:FUNCTION", show_default=False)
    ],
    bag: Annotated[
        str,
        typer.Argument(
            metavar="BAG", help="Any bag: folder, file, glob or URL.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder that gets the test and its golden bags, such as test/.",
            show_default=False,
        ),
    ],
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            "-t",
            help="INPUT:=TOPIC of the bag (repeatable; default: as in verify.yaml, or by type).",
        ),
    ] = None,
    verification: Annotated[
        Path | None,
        typer.Option(
            "--verify",
            help=(
                "The verify.yaml whose implementations are tested; default: the one in its package."
            ),
            show_default=False,
        ),
    ] = None,
    messages: Annotated[
        int, typer.Option(min=1, help="How many messages of the bag are searched.")
    ] = LIMIT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an earlier test.")] = False,
) -> None:
    """Write a pytest file with golden bags for a component that is right.

    The bags are the fewest and shortest parts of BAG that tell as many planted faults from the
    component as the whole of it does. The test runs every implementation of the verify.yaml.

    **Examples**

    lockstep regress lockstep_examples:ImuComplementaryFilter bags/husky_gps_imu_odom -o test

    lockstep regress my_pkg:MyFilter drive -t imu:=/imu/data -o test --force && pytest test
    """
    pairs = [word.partition(":=") for word in topics or []]
    chosen: dict[str, list[str]] = {}
    for name, arrow, topic in pairs:
        if not (name and arrow and topic):
            raise UsageError(f"topic {name!r} is not INPUT:=TOPIC")
        chosen.setdefault(name, []).append(topic)
    subject = subject_of(component, verification)
    with progress_bar("planting faults") as progress:
        done = regress(
            subject, bag, output, topics=chosen, limit=messages, force=force, progress=progress
        )
    for line in told(done):
        print_line(console, line)
