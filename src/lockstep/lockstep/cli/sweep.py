"""`lockstep sweep`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..run.folder import default_folder
from ..search.sweep import Effort, Sustained, sweep
from ..verify.model import load
from .show import console, print_json, print_line, print_wide, progress_bars


def command(
    file: Annotated[Path, typer.Argument(help="verify.yaml", show_default=False)],
    implementations: Annotated[
        list[str] | None,
        typer.Argument(help="Some of its implementations; all without.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for bags and logs; must not exist."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Of each trial.")] = 2.0,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Searches, for the spread.")] = 3,
    at_most: Annotated[float, typer.Option(min=1, help="Messages per second.")] = 100_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rates as JSON.")] = False,
) -> None:
    """Find the highest rate of inputs that implementations of a verify.yaml sustain live, without
    loss.

    Each runs as an ordinary node, which nothing holds back, on its inputs, repeated as often as a
    trial needs; the rate is that of all inputs together. It was sustained if the node took every
    message and everything that it published was recorded. Bisection ends at 10 %.

    **Examples**

    lockstep sweep verify.yaml

    lockstep sweep verify.yaml cpp --seconds 10 --at-most 2000 --json
    """
    verification = load(file)
    for name in implementations or ():
        if name not in verification.implementations:
            names = ", ".join(verification.implementations)
            raise UsageError(f"{file} has no implementation '{name}'; it has {names}")
    folder = output or default_folder(f"{file.stem}-sweep")
    effort = Effort(seconds, repeat, at_most)
    with progress_bars() as watch:
        found = sweep(verification, folder, implementations or (), effort, watch)
    if as_json:
        print_json({one.name: {"rate": one.rate, **asdict(one)} for one in found})
        return
    _print(found)
    print_line(console, f"bags and logs: {folder}")


def _print(found: list[Sustained]) -> None:
    from rich.table import Table

    table = Table("", "messages/s", "from … to", "CPU µs")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for one in found:
        cpu = "–" if one.cpu_ns is None else f"{one.cpu_ns * 1e-3:.1f}"
        spread = f"{min(one.rates):.0f} … {max(one.rates):.0f}"
        table.add_row(one.name, f"{one.rate:.0f}", spread, cpu)
    print_wide(console, table)
    for one in found:
        print_line(
            console,
            f"above that: {one.objection}"
            if one.objection
            else f"{one.name}: sustained the highest rate that was asked for",
        )
