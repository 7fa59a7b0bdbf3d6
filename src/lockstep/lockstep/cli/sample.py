"""`lockstep sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bag import Bag
from ..component import contract_of
from ..distributions.model import Sample, sampled_bag
from ..errors import UsageError
from ..host.python_component import load_here
from ..verify.model import load
from ..verify.plan import asked_contract, component_of
from .show import console, print_json, print_line, progress_bar


def command(
    target: Annotated[
        str,
        typer.Argument(
            metavar="COMPONENT_OR_VERIFY_YAML",
            help="MODULE:CLASS, MODULE:FUNCTION, or a verify.yaml with inputs: {sample: …}.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="A new bag: a folder, or one file if it ends in .mcap.",
            show_default=False,
        ),
    ],
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            help="Messages, of all inputs together (default: what the file says, or 10000).",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Default: what the file says, or 0.", show_default=False),
    ] = None,
    histogram: Annotated[
        Path | None,
        typer.Option(help="Draw the distribution of each number to a picture.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a bag or picture that is there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Draw messages for the inputs of a component from their distributions, into a bag.

    The same seed gives the same bytes on every machine. Nothing is replaced without --force.

    **Examples**

    lockstep sample lockstep_examples:VectorNormalizer -n 100000 -o vectors

    lockstep sample my_verify.yaml --seed 7 -o inputs --histogram inputs.png
    """
    if histogram is not None and histogram.exists() and not force:
        raise UsageError(f"{histogram} exists already; choose another file or give --force")
    if target.endswith((".yaml", ".yml")):
        verification = load(Path(target))
        declared = verification.inputs.sample or Sample()
        contract, component = asked_contract(verification), component_of(verification)
    else:
        declared, contract, component = Sample(), contract_of(load_here(target)), target
    chosen = {"n": count, "seed": seed}
    declared = declared.model_copy(update={k: v for k, v in chosen.items() if v is not None})
    with progress_bar("drawing messages") as progress:
        sampled_bag(declared, contract, component, output, force=force, progress=progress)
    with Bag(output) as bag:
        counts = {topic.name: topic.count for topic in bag.topics.values()}
        if histogram is not None:
            from ..report.histogram import plot_histogram

            plot_histogram(bag, file=histogram)
    if as_json:
        print_json({"bag": str(output), "n": declared.n, "seed": declared.seed, "topics": counts})
        return
    print_line(console, f"{output}: {sum(counts.values())} messages of {len(counts)} topics")
