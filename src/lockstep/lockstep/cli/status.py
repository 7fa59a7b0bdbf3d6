"""`lockstep status`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DIFFERENT, MATCH, UsageError
from ..verify.ledger import Status, never_verified, records, status
from .show import console, print_json, print_line


def command(
    folder: Annotated[
        Path, typer.Argument(help="Where to look for records and verify files, at any depth.")
    ] = Path(),
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="End with exit code 1 if anything is red, has changed or was never verified.",
        ),
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Verify files that need no record: a pattern of paths below FOLDER, as "
                "'examples/*' (repeatable)."
            ),
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Tell what is verified, against what and since when, and what has changed since.

    The records are those that `lockstep verify` keeps in `.lockstep/verified` beside each
    verify.yaml, of green and of red verdicts; commit them. A program that was only built again, of
    the same sources, counts as verified.

    **Examples**

    lockstep status

    lockstep status src --check --exclude 'examples/*'
    """
    found = [one for file in records(folder) for one in status(file)]
    found += never_verified(folder, exclude or ())
    if not found:
        raise UsageError(f"nothing below {folder} is recorded as verified; run lockstep verify")
    if as_json:
        print_json([{**asdict(one), "file": str(one.file)} for one in found])
    else:
        for one in found:
            print_line(console, _told(one))
    failed = not all(one.is_verified for one in found)
    raise typer.Exit(DIFFERENT if check and failed else MATCH)


def _told(one: Status) -> str:
    if one.verdict == "never verified":
        return f"NEVER VERIFIED: {one.file}"
    what = f"{one.implementation} of {one.file}"
    again = "; built again since, of the same sources" if one.rebuilt else ""
    if one.verdict == "differs":
        changed = f"; changed since: {', '.join(one.changes)}" if one.changes else again
        return f"DIFFERENT: {what}, since {one.since}{changed}"
    if one.changes:
        return (
            f"CHANGED: {what}, verified {one.since}, is not what it was: {', '.join(one.changes)}"
        )
    rests = f"; rests on {one.rests_on[0]} of {one.rests_on[1]} steps" if one.rests_on else ""
    return f"VERIFIED: {what} since {one.since}{rests}{again}"
