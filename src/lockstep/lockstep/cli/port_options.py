"""Options that `lockstep prompt` and `lockstep scaffold` have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

COMPONENT_HELP = "MODULE:CLASS, or MODULE:FUNCTION"

Language: TypeAlias = Annotated[str, typer.Option("--to", help="The target language.")]
VerifyFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--verify",
        help="The verify.yaml with its dataset and tolerances; default: the one in its package.",
        show_default=False,
    ),
]
Drawn: TypeAlias = Annotated[
    bool,
    typer.Option("--drawn", help="Draw inputs from its distributions; look for no verify.yaml."),
]
