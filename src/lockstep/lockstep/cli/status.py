"""`lockstep status`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DIFFERENT, MATCH, UsageError
from ..verify.ledger import Status, records, status
from .show import console, print_json, print_line


def command(
    folder: Annotated[
        Path, typer.Argument(help="Where to look for records, at any depth.")
    ] = Path(),
    check: Annotated[
        bool,
        typer.Option("--check", help="End with exit code 1 if anything verified has changed."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Tell which implementations are verified, against what, since when, and what has changed
    since.

    The records are those that `lockstep verify` keeps in `.lockstep/verified` beside each
    verify.yaml; commit them. A program that was only built again, of the same sources, counts as
    verified.

    **Examples**

    lockstep status

    lockstep status src --check
    """
    found = [one for file in records(folder) for one in status(file)]
    if not found:
        raise UsageError(f"nothing below {folder} is recorded as verified; run lockstep verify")
    if as_json:
        print_json([{**asdict(one), "file": str(one.file)} for one in found])
    else:
        for one in found:
            print_line(console, _told(one))
    changed = not all(one.is_verified for one in found)
    raise typer.Exit(DIFFERENT if check and changed else MATCH)


def _told(one: Status) -> str:
    what = f"{one.implementation} of {one.file}"
    if one.changes:
        return (
            f"CHANGED: {what}, verified {one.since}, is not what it was: {', '.join(one.changes)}"
        )
    again = "; built again since, of the same sources" if one.rebuilt else ""
    return f"VERIFIED: {what} since {one.since}{again}"
