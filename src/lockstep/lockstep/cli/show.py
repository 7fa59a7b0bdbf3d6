"""How sub-commands show progress and verdicts on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from ..printable import one_line
from ..progress import Progress as OnProgress

if TYPE_CHECKING:
    from rich.table import Table

    from ..compare.key_comparison import Judged
    from ..verify.runs import Watch
    from ..verify.verdict import Verdict


class _Terminal(Console):
    """Whoever reads our output may stop reading (`| head`); that changes no verdict."""

    def on_broken_pipe(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


console = _Terminal(highlight=False)
TABLE_WIDTH = 124


@contextmanager
def progress_bars() -> Iterator[Watch]:
    """A progress bar on stderr for each run; nothing where stderr is no terminal."""
    stderr = Console(stderr=True)
    if not stderr.is_terminal:
        yield lambda _: lambda done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True) as bars:

        def watch(name: str) -> OnProgress:
            task = bars.add_task(name, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield watch


@contextmanager
def progress_bar(what: str) -> Iterator[OnProgress]:
    """A progress bar on stderr for one long work; nothing where stderr is no terminal."""
    with progress_bars() as watch:
        yield watch(what)


def print_line(out: Console, text: str) -> None:
    """A line as it is, or several: never wrapped, and nothing is taken for markup or for a control
    sequence of the terminal."""
    out.print("\n".join(map(one_line, text.split("\n"))), markup=False, soft_wrap=True)


def print_wide(out: Console, table: Table) -> None:
    """A table, not squeezed where nobody looks at it on a terminal."""
    wide = out if out.is_terminal else _Terminal(width=TABLE_WIDTH, highlight=False)
    wide.print(table)


def print_json(data: Any) -> None:
    """Data for scripts, on stdout."""
    print_line(console, json.dumps(data, indent=2, allow_nan=False))


def print_verdict(out: Console, verdict: Verdict) -> None:
    """The verdict of each comparison in words, and where the files are."""
    from ..compare.comparison import summary
    from ..verify.verdict import black_boxes, same_failure, unsteady

    for name, differences in verdict.mismatched_contracts.items():
        _print_finding(out, "CONTRACT DIFFERS", f"{name}: {'; '.join(differences)}", "red")
    for comparison in verdict.comparisons.values():
        first, *rest = summary(comparison)
        word, _, sentence = first.partition(": ")
        _print_finding(out, word, sentence, "green" if comparison.all_match else "red")
        for line in [*rest, *same_failure(verdict, comparison.name_b)]:
            print_line(out, f"  {line}")
        if why := unsteady(verdict, comparison.name_b):
            _print_finding(out, "NOT THE SAME AGAIN", why, "red")
    for line in black_boxes(verdict):
        print_line(out, line)
    print_line(out, f"bags, logs and diffs: {verdict.folder}")


def _print_finding(out: Console, word: str, sentence: str, colour: str) -> None:
    out.print(Text.assemble((word, f"bold {colour}"), f": {one_line(sentence)}"), soft_wrap=True)


def print_table(out: Console, verdicts: Iterable[Verdict]) -> None:
    """One row per pair of implementations."""
    from rich.table import Table

    from ..verify.verdict import matched

    table = Table(
        "", "in → out", "aligned", "differing", "largest error", "median", "speed-up", "verdict"
    )
    table.columns[0].no_wrap = True
    for column in table.columns[1:7]:
        column.justify, column.no_wrap = "right", True
    for verdict in verdicts:
        for name, comparison in verdict.comparisons.items():
            reference, run = verdict.runs[verdict.reference], verdict.runs[name]
            keys = comparison.keys.values()
            differing = sum(
                key.judged.differing + len(key.aligned.only_a) + len(key.aligned.only_b)
                for key in keys
            )
            table.add_row(
                f"{verdict.contract.component}\n  {name} vs {reference.name}",
                f"{sum(run.sent.values())} → {sum(run.recorded.values())}",
                str(sum(key.aligned.count for key in keys)),
                str(differing),
                _largest([key.judged for key in keys]),
                f"{_us(reference.median_ns)} → {_us(run.median_ns)} µs",
                _ratio(reference.median_ns, run.median_ns),
                "[green]match[/]" if matched(verdict, name) else "[red]differs[/]",
            )
    if table.row_count:
        print_wide(out, table)
        out.print(
            "median: reference → implementation, one callback with its publishing", style="dim"
        )


def _largest(judged: Sequence[Judged]) -> str:
    """The largest error, or else by how much what is within tolerance is apart."""
    known = [found for found in judged if found.worst and found.worst.error is not None]
    wrong = [found for found in known if found.is_worst_wrong]
    errors = (found.worst.error or 0.0 for found in wrong or known if found.worst)
    size = f"{max(errors, default=0.0):.3g}"
    return f"{size} tolerated" if known and not wrong else size


def _us(duration_ns: float | None) -> str:
    return "–" if duration_ns is None else f"{duration_ns * 1e-3:.1f}"


def _ratio(slow: float | None, fast: float | None) -> str:
    return "–" if slow is None or not fast else f"{slow / fast:.1f} ×"
