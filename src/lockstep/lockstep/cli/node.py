"""`lockstep node`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..bag import Bag, BagError
from ..component import Contract
from ..errors import UsageError
from ..host.protocol import resolved
from ..run.folder import create_folder, default_folder
from ..run.inputs import RunInputs
from ..run.model import Implementation, Run
from ..run.nodes.registered import registered_contract
from ..run.nodes.run_node import run_node
from ..run.processes import Processes
from ..run.request import RunRequest
from ..run.service_requests import asked_only
from .show import console, print_json_text, print_line, progress_bars


def command(
    words: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND…", help="What starts the node.", show_default=False),
    ],
    bag: Annotated[
        Path | None,
        typer.Option("--bag", "-b", help="Any bag; without one, the node's contract is printed."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the bag and the log; must not exist."),
    ] = None,
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", help="FROM:=TO, a topic of the bag for another of the node."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds without an answer that count as a hang.", min=0.1)
    ] = 10.0,
    allow_uncontrolled: Annotated[
        bool, typer.Option(help="Let it depend on more than its inputs.")
    ] = False,
) -> None:
    """Run any ROS 2 node on a bag, losslessly and deterministically, and keep what it puts out.

    The same bag gives the same bytes, on a busy machine, too. Each topic of the bag that the node
    subscribes to when it starts is given to it; a node that subscribes to nothing but what it
    publishes itself is given the bag's time. How it works: docs/any-node.md

    **Examples**

    lockstep node --bag drive -o out -- ros2 run my_pkg filter_node --ros-args -p gain:=2.0

    lockstep node -- python3 my_node.py
    """
    implementation = Implementation(command=words)
    if bag is None:
        print_json_text(registered_contract("node", implementation).to_json())
        return
    folder = output or default_folder("node")
    with Bag(bag) as opened, progress_bars() as watch, Processes(os.environ) as processes:
        if opened.problem:
            raise BagError(opened.problem)
        contract = asked_only(registered_contract("node", implementation))
        request = RunRequest(
            name="node",
            implementation=implementation,
            contract=contract,
            inputs=RunInputs(opened, _given(opened, contract, topics or [])),
            parameters={},
            options=Run(mode="direct", timeout=timeout, allow_uncontrolled=allow_uncontrolled),
            folder=folder,
            silent=frozenset(resolved(port.topic) for port in contract.outputs),
            is_own_contract=True,
        )
        create_folder(folder)
        result = run_node(request, processes, watch("running node"))
    for topic, count in result.sent.items():
        print_line(console, f"in   {count:8}  {topic}")
    for topic, count in result.recorded.items():
        print_line(console, f"out  {count:8}  {topic}")
    for remark in result.remarks:
        print_line(console, remark)
    print_line(console, f"bag: {result.bag}")


def _given(bag: Bag, contract: Contract, topics: list[str]) -> dict[str, str]:
    """Topic of the bag → topic of the node, of the same type."""
    parts = [text.partition(":=") for text in topics]
    renamed = {name: target or name for name, _, target in parts}
    wanted = {resolved(port.topic): port.type for port in contract.inputs}
    given = {}
    for name, topic in bag.topics.items():
        target = renamed.get(name, name)
        if target not in wanted or (name not in renamed and target in renamed.values()):
            continue
        if topic.type != wanted[target]:
            raise UsageError(
                f"topic {name} of {bag.path} is {topic.type}, but the node takes {wanted[target]}"
            )
        given[name] = target
    lacking = wanted.keys() - {resolved(port.topic) for port in contract.outputs}
    if not given and (lacking or topics):
        raise UsageError(
            f"{bag.path} has none of the topics that the node subscribes to "
            f"({', '.join(sorted(lacking)) or 'none'}); give --topic FROM:=TO"
        )
    return given
