"""`lockstep scaffold`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..port import scaffold, subject_of, where_verified
from .port_options import COMPONENT_HELP, Drawn, Language, VerifyFile
from .show import console, print_line, stderr


def command(
    component: Annotated[str, typer.Argument(help=COMPONENT_HELP, show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder that gets the package, such as the src of a workspace.",
            show_default=False,
        ),
    ],
    to: Language = "cpp",
    verification: VerifyFile = None,
    drawn: Drawn = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the files of the scaffold.")
    ] = False,
) -> None:
    """Write the package of a port that is still to be written.

    It has every port and parameter, builds as it is, keeps the contract, and throws in every
    callback until that is written. Its verify.yaml and tests are those of the reference.

    **Examples**

    lockstep scaffold lockstep_examples:VectorNormalizer --to cpp -o src

    lockstep scaffold my_pkg:my_function --verify verify.yaml -o src --force
    """
    subject = subject_of(component, verification, drawn=drawn)
    for file in scaffold(subject, to, output, force=force):
        print_line(console, str(file))
    print_line(stderr, where_verified(subject))
