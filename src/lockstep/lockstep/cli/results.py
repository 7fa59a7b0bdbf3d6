"""`lockstep results`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from ..suite.results import query
from .show import console, print_json, print_wide

Folder = Annotated[
    str,
    typer.Option(
        "--folder", "-f", help="The folder of a suite, or one with several of them; also s3://…"
    ),
]
"""Where the results of suites are."""


def command(
    sql: Annotated[
        str, typer.Argument(help="A query of SQL; the table is `results`.", show_default=False)
    ],
    folder: Folder = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Query the results of all runs of suites over time, by DuckDB.

    **Examples**

    lockstep results "select node, verdict, count(*) from results group by all order by all"

    lockstep results "select day, median(speed_up) from results where node = 'filter' group by day"
    """
    names, rows = query(folder, sql)
    if as_json:
        print_json([dict(zip(names, map(_plain, row), strict=True)) for row in rows])
        return
    from rich.table import Table

    table = Table(*names)
    for row in rows:
        table.add_row(*(str(_plain(value)) for value in row))
    print_wide(console, table)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
