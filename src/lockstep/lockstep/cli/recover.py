"""`lockstep recover`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bag import BagWriter
from ..bag.recover import recover, recovered_path
from ..bag.sqlite3_writer import Sqlite3Writer
from .convert import Storage, check_suffix
from .show import console, print_line, progress_bars, stderr


def command(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="BAG", help="Bag folder or file; it is only read.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The new bag, must not exist; default: BAG_recovered.",
            show_default=False,
        ),
    ] = None,
    storage: Annotated[
        Storage, typer.Option(help="sqlite3 keeps times before 1970, but log times only.")
    ] = Storage.mcap,
) -> None:
    """Rewrite a bag that is cut off or damaged, with index and metadata.

    Saves every whole message of a bag whose recorder was killed, whose metadata.yaml or index is
    missing, or that is damaged in the middle. What was lost is told on stderr.

    Exit codes: 0 all that was whole is saved, even if not all was; 2 nothing could be saved.

    **Examples**

    lockstep recover recording

    lockstep recover recording/recording_0.mcap -o saved && lockstep info saved
    """
    output = output or recovered_path(path)
    check_suffix(output, storage)
    sink = Sqlite3Writer if storage is Storage.sqlite3 else BagWriter
    with progress_bars() as watch:
        recovery = recover(path, output, watch(f"recovering {path}"), sink)
    count = sum(recovery.counts.values())
    print_line(
        console,
        f"{recovery.path}: {count} messages of {len(recovery.counts)} topics saved"
        f"{'' if recovery.lost else ', nothing lost'}",
    )
    if recovery.lost:
        print_line(stderr, f"lost: {'; '.join(recovery.lost)}")
