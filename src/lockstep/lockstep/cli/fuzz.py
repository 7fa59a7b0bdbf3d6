"""`lockstep fuzz`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ..errors import UsageError
from ..progress import Progress as OnProgress
from ..run.folder import default_folder
from ..search import counterexample
from ..search.adequacy import adequacy, lines
from ..search.fuzz import Budget, Search, fuzz
from ..verify.model import Verification, load
from .show import console, print_json, print_line, progress_bar, stderr

_SHOWN = 60


def command(
    file: Annotated[Path, typer.Argument(help="verify.yaml", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for what is found, and logs; must not exist."),
    ] = None,
    budget: Annotated[
        str, typer.Option(help="How long to search: 90s, 5m, 1h, or none.", metavar="TIME")
    ] = "60s",
    runs: Annotated[
        int | None,
        typer.Option(min=1, help="How many sequences to try at most.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed tries other inputs.")] = 0,
    examples: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Folder of what was found before, which is tried first; default: "
                ".lockstep/examples beside the file."
            ),
            show_default=False,
        ),
    ] = None,
    data_only: Annotated[
        bool,
        typer.Option(
            "--adequacy",
            help=(
                "Search nothing, but tell how good the inputs are: coverage, bins of "
                "distributions, planted faults."
            ),
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search for inputs on which implementations of a verify.yaml differ, and shrink them.

    Inputs are the recorded ones, those drawn from declared distributions, and mutations of both.
    What is found is made as small as can be and written as a bag with a verify.yaml that shows it
    again.

    **Examples**

    lockstep fuzz src/lockstep_examples/verify/imu_complementary_filter_f32.yaml

    lockstep fuzz verify.yaml --budget 10m --seed 7 -o found; lockstep verify found/verify.yaml

    lockstep fuzz verify.yaml --adequacy
    """
    verification = load(file)
    if data_only:
        _tell_adequacy(verification, as_json)
        return
    limit = Budget(_seconds(budget), runs)
    folder = output or default_folder(f"{file.stem}-fuzz")
    kept = examples or file.parent / ".lockstep" / "examples"
    with _progress() as progress:
        search = fuzz(
            verification, folder, seed=seed, budget=limit, examples=kept, progress=progress
        )
    if search.finding is not None:
        counterexample.write(search, folder)
    if as_json:
        print_json(counterexample.as_data(search))
    else:
        _print(search, folder)
    raise typer.Exit(search.exit_code)


def _tell_adequacy(verification: Verification, as_json: bool) -> None:
    with progress_bar("planting faults") as progress:
        found = adequacy(verification, progress)
    if as_json:
        print_json(found.as_data())
        return
    for line in lines(found):
        print_line(console, line)


def _print(search: Search, folder: Path) -> None:
    for name, differences in search.mismatched_contracts.items():
        print_line(console, f"CONTRACT DIFFERS: {name}: {'; '.join(differences)}")
    if search.mismatched_contracts:
        return
    tried = f"{search.sequences} sequences of {search.messages} messages in {search.seconds:.1f} s"
    finding = search.finding
    if finding is None:
        print_line(console, f"NOTHING FOUND in {tried}, seed {search.seed}")
        share = f"{100 * search.most_that_differ:.2g}"
        print_line(console, f"  with 95 % confidence fewer than {share} % of such sequences differ")
        print_line(console, f"  made of {', '.join(search.sources)}")
        return
    print_line(
        console,
        f"DIFFERENT: found in {tried}; shrunk from {finding.found} messages to "
        f"{len(finding.steps)}",
    )
    shown = list(counterexample.text(finding, search.contract))
    for line in shown[:_SHOWN]:
        print_line(console, f"  {line}".rstrip())
    if len(shown) > _SHOWN:
        print_line(
            console, f"  … {len(shown) - _SHOWN} more lines in {folder / counterexample.TEXT}"
        )
    print_line(console, f"to see it again: lockstep verify {folder / counterexample.FILE}")


def _seconds(text: str) -> float | None:
    if text == "none":
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text)
    if match is None:
        raise UsageError(f"--budget {text} is no time; give seconds, as 90s, or 5m, 1h, none")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """How many runs were made and how fast, on stderr; nothing where that is no terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bars:
        task = bars.add_task("starting")
        start_s = time.monotonic()

        def show(sequences: int, messages: int) -> None:
            rate = sequences / max(1e-3, time.monotonic() - start_s)
            bars.update(
                task, description=f"{sequences} runs, {messages} messages, {rate:.0f} runs/s"
            )

        yield show
