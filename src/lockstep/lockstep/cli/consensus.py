"""`lockstep consensus`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DIFFERENT, MATCH, UsageError
from ..run.folder import default_folder
from ..search.consensus import Consensus, consensus
from ..search.hard_inputs import MOST
from ..verify.model import load
from .show import console, print_json, print_line, progress_bars

_SHOWN = 5


def command(
    file: Annotated[Path, typer.Argument(help="verify.yaml", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="A bag, hard.mcap or a folder; must not exist.",
            show_default=False,
        ),
    ],
    context: Annotated[
        float, typer.Option(min=0.0, help="Seconds of inputs before each that is recorded.")
    ] = 1.0,
    most: Annotated[int, typer.Option(min=1, help="Inputs to record, the worst first.")] = MOST,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Folder for bags, logs and diffs of the runs; must not exist.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Record the inputs on which the implementations of a verify.yaml disagree most.

    With their context, what each implementation published (/NAME/TOPIC) and how much they disagree
    (/lockstep/disagreement), each input once: a dataset to train a model again, or to test with.
    From bags, from drawn messages, or live in the shadow of a robot (inputs: {player: external}).
    Ends with 0 if they agree, and nothing is recorded; with 1 if they do not.

    **Examples**

    lockstep consensus verify.yaml -o hard.mcap

    lockstep consensus verify.yaml -o hard.mcap --context 0 --most 100 --json
    """
    if output.exists():
        raise UsageError(f"{output} exists already; choose another place or delete it")
    with progress_bars() as watch:
        found = consensus(
            load(file),
            output,
            folder or default_folder(file.stem),
            watch,
            context_s=context,
            most=most,
        )
    if as_json:
        print_json(
            {
                "inputs": [asdict(one) for one in found.hard.chosen],
                "of": found.hard.of,
                "repeated": found.hard.repeated,
                "values": found.values,
                "output": None if found.place is None else str(found.place),
                "folder": str(found.verdict.folder),
            }
        )
    else:
        _print(found)
    raise typer.Exit(MATCH if found.place is None else DIFFERENT)


def _print(found: Consensus) -> None:
    hard = found.hard
    if found.place is None:
        same = "" if found.verdict.exit_code == MATCH else ", though they do not match as a whole"
        print_line(console, f"no input is recorded: no single message disagrees{same}")
    else:
        alike = f", {hard.repeated} were like one of them" if hard.repeated else ""
        print_line(
            console,
            f"{found.place}: {len(hard.chosen)} of {hard.of} inputs on which they disagree{alike}; "
            f"{found.values} values with context and outputs",
        )
        for one in sorted(hard.chosen, key=lambda one: -one.score)[:_SHOWN]:
            who, where = ", ".join(one.implementations), ", ".join(one.topics)
            print_line(console, f"  {one.time_ns} ns: {who} on {where}, {one.score:.3g}")
    print_line(console, f"bags, logs and diffs: {found.verdict.folder}")
