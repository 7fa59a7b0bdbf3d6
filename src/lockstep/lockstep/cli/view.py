"""`lockstep view`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ..errors import Interrupted
from ..view.server import Viewer
from .show import console, print_line


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of runs.")] = Path("runs"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of this machine; 0: any that is free.")
    ] = 8017,
) -> None:
    """Serve a local web page of the runs and suites in a folder, with their verdicts and reports.

    Only this machine can open it, and nothing is written. Runs that go on are shown with how far
    they are; two reports can be laid side by side. Ctrl-C ends it.

    **Examples**

    lockstep view

    lockstep view runs/nightly --port 0
    """
    with Viewer(folder, port) as viewer:
        print_line(console, f"{viewer.url} shows {viewer.folder}; Ctrl-C ends it")
        with suppress(Interrupted):  # which is how it is ended
            viewer.serve_forever(poll_interval=0.1)
