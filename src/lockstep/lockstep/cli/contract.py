"""`lockstep contract`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import DIFFERENT
from ..run.nodes.differences import differences_by_topic
from ..run.nodes.targets import contract_of_target, implementation_of
from .show import console, print_json_text, print_line


def command(
    component: Annotated[
        str,
        typer.Argument(help="MODULE:CLASS, PACKAGE/EXECUTABLE or 'A COMMAND'", show_default=False),
    ],
    other: Annotated[
        str | None, typer.Argument(help="Another one to hold against it.", show_default=False)
    ] = None,
) -> None:
    """Print the contract of a component or of any node as JSON, or the differences between two.

    An ordinary node tells what it registers when it starts; it is held against another by topic.

    **Examples**

    lockstep contract lockstep_examples:PdController

    lockstep contract lockstep_examples:PdController lockstep_examples_cpp/pd_controller

    lockstep contract "ros2 run my_pkg my_node" my_pkg_cpp/my_node
    """
    ours = implementation_of(component)
    first = contract_of_target(component, ours)
    if other is None:
        print_json_text(first.to_json())
        return
    theirs = implementation_of(other)
    second = contract_of_target(other, theirs)
    with_node = ours.is_node or theirs.is_node
    differences = differences_by_topic(first, second) if with_node else first.differences(second)
    for difference in differences:
        print_line(console, f"{other}: {difference}")
    if differences:
        raise typer.Exit(DIFFERENT)
    print_line(console, f"{component} and {other} have the same contract")
