"""`lockstep snap`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from .show import console, print_json, print_line, progress_bar, stderr

try:
    from ..nodes.snap import snap, told_counts
except ImportError as error:
    raise UsageError(
        f"snap listens to a running ROS 2 graph, which cannot be reached from here ({error}); "
        "source ROS 2 and the workspace of Lockstep"
    ) from error


def command(
    topics: Annotated[
        list[str],
        typer.Argument(metavar="TOPIC", help="Topics of a static scene.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="A new bag: a folder, or one file if it ends in .mcap.",
            show_default=False,
        ),
    ],
    count: Annotated[int, typer.Option("-n", min=1, help="Messages of each topic.")] = 30,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOPIC",
            help="Recorded too, as much as comes meanwhile and at least one message, such as "
            "/tf_static, /camera_info or /clock (repeatable).",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="S",
            min=0.1,
            help="Give up when nothing has come for so long of what is waited for.",
        ),
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Record a static scene: the next messages of topics of a driver or simulator that runs.

    It only listens, on the ROS_DOMAIN_ID of the shell, with the QoS that the publishers offer,
    which may come later. What it waits for is told on stderr after a second. Two drivers, one run
    after the other before the same scene, are compared by their distributions.

    Exit codes: 0 all is recorded; 2 a topic cannot be recorded; 3 something has not come, what has
    is in the bag; 130 interrupted, likewise.

    **Examples**

    lockstep snap /imu/data /camera/image_raw -n 100 -o old_driver

    lockstep snap /scan --beside /tf_static --beside /clock -o new_driver

    lockstep compare old_driver new_driver --align none
    """
    with progress_bar(f"recording {', '.join(topics)}") as progress:
        counts = snap(
            topics,
            count,
            output,
            beside=beside or (),
            patience_s=timeout,
            say=lambda line: print_line(stderr, line),
            progress=progress,
        )
    if as_json:
        print_json({"bag": str(output), "topics": counts})
    else:
        print_line(console, f"{output}: {told_counts(counts)}")
