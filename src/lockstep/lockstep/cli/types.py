"""`lockstep types`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..bag import Bag
from ..bag.interface_packages import InterfacePackage, interface_packages, write_packages
from .show import console, print_json, print_line, stderr


def command(
    path: Annotated[
        str,
        typer.Argument(
            metavar="BAG", help="Any bag: folder, file, glob or URL.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder that gets one folder per package, such as the src of a workspace.",
            show_default=False,
        ),
    ],
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", "-t", help="Topic whose types are written (repeatable; default: all)."
        ),
    ] = None,
    installed_too: Annotated[
        bool,
        typer.Option("--all", help="Also packages that are installed here, for another machine."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Write ROS 2 packages with the message types of a bag that are not installed here.

    Built with colcon and sourced, they let the bag be played and its topics be subscribed to. The
    definitions are those that the bag embeds. Types of services and actions cannot be written; that
    is told on stderr.

    A package that is there already is left alone if it is the same, else nothing is written and the
    exit code is 2.

    **Examples**

    lockstep types recording -o src && colcon build && . install/setup.bash

    lockstep types recording.bag -o src -t /battery -t /wheels --json

    lockstep types recording -o for_a_machine_without_ros_packages --all
    """
    with Bag(path) as bag:
        found = interface_packages(bag, topics, installed_too=installed_too)
        problem = bag.problem
    written = write_packages(found.packages, output)
    for remark in (*found.remarks, *([problem] if problem else [])):
        print_line(stderr, f"note: {remark}")
    if as_json:
        print_json(
            {
                "packages": [
                    _as_data(package, output / name, name in written)
                    for name, package in found.packages.items()
                ],
                "notes": found.remarks,
            }
        )
        return
    for name, package in found.packages.items():
        there = "" if name in written else " (was there already)"
        print_line(console, f"{output / name}{there}: {', '.join(package.types)}")
    if not found.packages:
        print_line(console, f"nothing to write: {_why_nothing(installed_too)}")


def _why_nothing(installed_too: bool) -> str:
    if installed_too:
        return "no topic has a message type with a definition"
    return (
        "no type that could be written is missing here; --all writes those that are installed too"
    )


def _as_data(package: InterfacePackage, folder: Path, is_new: bool) -> dict[str, Any]:
    return {
        "name": package.name,
        "path": str(folder),
        "written": is_new,
        "depends": package.depends,
        "types": [
            {"name": name, "path": str(folder / file)} for name, file in package.types.items()
        ],
    }
