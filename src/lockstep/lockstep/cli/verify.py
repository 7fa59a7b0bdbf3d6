"""`lockstep verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..run.folder import default_folder
from ..verify.ledger import record, remember
from ..verify.model import load
from ..verify.report import as_data, copy_report
from ..verify.verdict import objections, same_failure, unsteady
from ..verify.verify import verify
from .ci import Github, Junit, report
from .show import (
    console,
    print_json,
    print_line,
    print_table,
    print_verdict,
    progress_bars,
    stderr,
)


def command(
    file: Annotated[Path, typer.Argument(help="verify.yaml", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for bags, logs and diffs; must not exist."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    plots: Annotated[
        bool,
        typer.Option("--plots", help="Draw each field that differs, into the folder of its diffs."),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            help="A copy of report.html, the report in the output folder.", show_default=False
        ),
    ] = None,
    junit: Junit = None,
    github: Github = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--record/--no-record", help="Keep the verdict in .lockstep/verified (lockstep status)."
        ),
    ] = True,
) -> None:
    """Run all implementations of a verify.yaml on the same inputs and compare their outputs.

    **Examples**

    lockstep verify src/lockstep_examples/verify/imu_complementary_filter.yaml

    lockstep verify my_filter.yaml -o runs/nightly --json > result.json

    lockstep verify my_filter.yaml --junit test-results/my_filter.xml --github
    """
    verification = load(file)
    folder = output or default_folder(file.stem)
    with progress_bars() as watch:
        verdict = verify(verification, folder, watch, plots=plots)
    remember(file, folder)
    for name, why in verdict.stale.items():
        print_line(stderr, f"not recorded: {name}: {why}")
    if keep and not verdict.stale:
        try:
            record(file, verification, verdict)
        except UsageError as error:  # which changes no verdict
            print_line(stderr, f"not recorded: {error}")
    if html is not None:
        copy_report(verdict, html)
    if as_json:
        print_json(as_data(verdict))
    else:
        print_verdict(console, verdict)
        print_table(console, [verdict])
    names = {name: f"{name} vs {verdict.reference}" for name in verdict.comparisons}
    again = {
        f"{name} again vs {name}": found
        for name in verdict.comparisons
        if unsteady(verdict, name)
        for found in verdict.repeats[name]
        if not found.all_match
    }
    report(
        {**{names[name]: found for name, found in verdict.comparisons.items()}, **again},
        junit,
        github,
        {names[name]: same_failure(verdict, name) for name in names},
        {
            **{
                f"contract of {name}": differences
                for name, differences in verdict.mismatched_contracts.items()
            },
            **{names[name]: objections(verdict, name) for name in names},
        },
    )
    raise typer.Exit(verdict.exit_code)
