"""`lockstep ab`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated

import typer

from ..suite.ab import MEASURES, Ab, Better, FieldFound, Found, Measured, Verdicts, ab
from ..suite.statistics import Estimate
from .results import Folder
from .show import console, print_json, print_line, print_wide

_WORDS: dict[Better, str] = {
    "A": "A is better",
    "B": "B is better",
    "neither": "no difference shown",
    "unknown": "not known",
}


def command(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="An implementation, or the beginning of a version's id, a commit or a run; or "
            "IMPLEMENTATION@ one of these.",
            show_default=False,
        ),
    ],
    b: Annotated[
        str, typer.Argument(metavar="B", help="What to hold against it.", show_default=False)
    ],
    folder: Folder = "runs",
    every: Annotated[
        bool, typer.Option("--all", help="Also tell of what there is no difference.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Compare two versions on the same cases of a suite: which is better, and where.

    They are compared by the results of `lockstep suite`. Verdicts and fields are facts; times and
    memory are medians over repeated runs on one machine, B / A with an interval in which all of
    them lie with 95 %: run the suite five times for that. Ends with 0 if B is worse nowhere, with 1
    if it is, with 3 if it has no verdict on a case on which A has one.

    **Examples**

    lockstep ab cpp rust

    lockstep ab 3f9a1c2 77be014 --folder runs/nightly

    lockstep ab cpp@1a2b3c4 cpp@5d6e7f8 --json
    """
    found = ab(folder, a, b)
    if as_json:
        print_json({**asdict(found), "exit_code": found.exit_code})
    else:
        _print(found, every)
    raise typer.Exit(found.exit_code)


def _print(found: Ab, every: bool) -> None:
    from rich.table import Table

    table = Table("where", "what", "A", "B", "B to A", "")
    for column in table.columns[2:5]:
        column.justify, column.no_wrap = "right", True
    for one in found.found:
        if every or one.better in ("A", "B") or not one.node:
            table.add_row(*_cells(one), _WORDS[one.better])
    runs = f"{found.runs[0]} runs of A, {found.runs[1]} of B"
    print_line(console, f"A: {found.a}, B: {found.b}; {found.cases} cases, {runs}")
    print_wide(console, table)
    for remark in found.remarks:
        print_line(console, remark)
    for side, name in (("A", found.a), ("B", found.b)):
        where = [one for one in found.found if one.better == side]
        places = {one.node for one in where if one.node}
        print_line(
            console,
            f"{side} ({name}) is better in {len(where)} of {len(found.found)} respects"
            + (f", on {', '.join(sorted(places)[:5])}" if places else ""),
        )


def _cells(one: Found) -> tuple[str, ...]:
    if isinstance(one, Verdicts):
        return _of_verdicts(one)
    return _of_field(one) if isinstance(one, FieldFound) else _of_measure(one)


def _of_verdicts(one: Verdicts) -> tuple[str, ...]:
    lost = f", {one.lost} of B without verdict" if one.lost else ""
    counts = (f"{n} of {one.cases}" for n in (one.matching_a, one.matching_b))
    return one.node, f"cases that match{lost}", *counts, ""


def _of_field(one: FieldFound) -> tuple[str, ...]:
    sides = (
        f"{differing:g}{'' if not largest else f', at most {largest:.3g} off'}"
        for differing, largest in (
            (one.differing_a, one.largest_a),
            (one.differing_b, one.largest_b),
        )
    )
    share = "" if one.share is None else _interval(one.share, ":+.2%")
    return one.node, f"{one.topic} {one.field}: messages that differ", *sides, share


def _of_measure(one: Measured) -> tuple[str, ...]:
    scale, unit = (1e6, "MB") if one.measure == "memory_bytes" else (1e3, "µs")
    sides = ("–" if value is None else f"{value / scale:.3g} {unit}" for value in (one.a, one.b))
    times = "" if one.ratio is None else f"{_interval(one.ratio, ':.3g')} ×"
    return one.node or "all", MEASURES[one.measure], *sides, times


def _interval(estimate: Estimate, form: str) -> str:
    low, value, high = (
        f"{{{form}}}".format(one) if math.isfinite(one) else "∞"
        for one in (estimate.low, estimate.value, estimate.high)
    )
    return f"{value} ({low} to {high})"
