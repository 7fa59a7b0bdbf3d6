"""`lockstep run`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DIFFERENT, RunError, UsageError
from ..run.folder import default_folder
from ..run.result import in_and_out
from ..verify.inputs import inputs_of
from ..verify.model import load
from ..verify.plan import plan, who_tells, with_nodes
from ..verify.runs import Runs, a_run_has_begun
from .show import console, print_json, print_line, progress_bars


def command(
    file: Annotated[Path, typer.Argument(help="verify.yaml", show_default=False)],
    implementation: Annotated[
        str, typer.Argument(help="One of its implementations.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the bag and logs; must not exist."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print counts and paths as JSON.")
    ] = False,
) -> None:
    """Run one implementation of a verify.yaml on its inputs and keep what it puts out.

    **Examples**

    lockstep run verify.yaml cpp -o out_cpp

    lockstep run verify.yaml python -o out_python && lockstep compare out_python/bag out_cpp/bag
    """
    verification = load(file)
    if implementation not in verification.implementations:
        names = ", ".join(verification.implementations)
        raise UsageError(f"{file} has no implementation '{implementation}'; it has {names}")
    chosen = {implementation: verification.implementations[implementation]}
    asked = verification.reference if verification.contract else who_tells(verification)
    only = {
        name: verification.implementations[name] for name in (verification.reference, asked)
    } | chosen
    verification = with_nodes(verification.model_copy(update={"implementations": only}))
    folder = output or default_folder(f"{file.stem}-{implementation}")
    with progress_bars() as watch, Runs(verification, watch) as runs, ExitStack() as stack:
        with runs.planning(folder, {implementation: folder}):
            planned = stack.enter_context(plan(verification, runs.contracts))
            if differences := planned.mismatched.get(implementation):
                for difference in differences:
                    print_line(console, f"CONTRACT DIFFERS: {implementation}: {difference}")
                raise typer.Exit(DIFFERENT)
        inputs = stack.enter_context(inputs_of(planned, folder, watch))
        stack.enter_context(a_run_has_begun())
        request = planned.request(implementation, inputs, folder)
        (recorded,) = runs.each([(implementation, request)])
        result = recorded.result
    if result.failure is not None:
        raise RunError(
            f"{implementation} failed in step {result.failure.step}: {result.failure.sentence}"
        )
    if as_json:
        print_json({**asdict(result), "bag": str(result.bag)})
        return
    print_line(
        console, f"{sum(result.sent.values())} messages in, {sum(result.recorded.values())} out"
    )
    if inputs.arrived is not None:
        print_line(console, inputs.arrived.sentence())
    if result.black_box:  # which may have dropped some
        print_line(console, in_and_out(result))
    if result.untaken:
        print_line(console, result.untaken)
    for remark in result.remarks:
        print_line(console, remark)
    print_line(console, f"bag: {result.bag}")
