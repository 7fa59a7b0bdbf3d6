"""`lockstep contract`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..component import Contract
from ..errors import DIFFERENT
from ..run.implementation import asked_command, contract_of_command, find_executable
from .show import console, print_json_text, print_line


def command(
    component: Annotated[
        str, typer.Argument(help="MODULE:CLASS or PACKAGE/EXECUTABLE", show_default=False)
    ],
    other: Annotated[
        str | None, typer.Argument(help="Another one to hold against it.", show_default=False)
    ] = None,
) -> None:
    """Print the contract of a component as JSON, or the differences between two.

    **Examples**

    lockstep contract lockstep_examples:PdController

    lockstep contract lockstep_examples:PdController lockstep_examples_cpp/pd_controller
    """
    first = _contract(component)
    if other is None:
        print_json_text(first.to_json())
        return
    differences = first.differences(_contract(other))
    for difference in differences:
        print_line(console, f"{other}: {difference}")
    if differences:
        raise typer.Exit(DIFFERENT)
    print_line(console, f"{component} and {other} have the same contract")


def _contract(target: str) -> Contract:
    command = asked_command(target) if ":" in target else [str(find_executable(target, target))]
    return contract_of_command(target, command)
