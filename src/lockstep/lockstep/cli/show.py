"""How sub-commands show progress and verdicts on a terminal: the one place where they print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from ..printable import one_line, printed_json, some_lines
from ..progress import Progress as OnProgress

if TYPE_CHECKING:
    from rich.style import Style
    from rich.table import Table

    from ..compare.key_comparison import Judged
    from ..run.result import RunResult
    from ..verify.runs import Watch
    from ..verify.verdict import Outcome, Verdict


class _Terminal(Console):
    """Shows each text, also in the cells of a table, as it is.

    Nothing in it is markup, the name of an emoji, a control sequence or a workflow command. Whoever
    reads our output may stop reading (`| head`); that changes no verdict.
    """

    def render_str(self, text: str, *, style: str | Style = "", **layout: Any) -> Text:
        """As rich: what is shown of a text."""
        justify, overflow = layout.get("justify"), layout.get("overflow")
        return Text(some_lines(text), style, justify=justify, overflow=overflow)

    def on_broken_pipe(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


console = _Terminal(highlight=False)
stderr = _Terminal(stderr=True, highlight=False)
_WIDEST = 10_000
_FOLDED = 16
"""Names that get fewer columns are hard to read."""


@contextmanager
def progress_bars() -> Iterator[Watch]:
    """A progress bar on stderr for each run; nothing where stderr is no terminal."""
    if not stderr.is_terminal:
        yield lambda _: lambda done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True) as bars:

        def watch(name: str) -> OnProgress:
            task = bars.add_task(one_line(name), total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield watch


@contextmanager
def progress_bar(what: str) -> Iterator[OnProgress]:
    """A progress bar on stderr for one long work; nothing where stderr is no terminal."""
    with progress_bars() as watch:
        yield watch(what)


def print_line(out: Console, text: str) -> None:
    """A line as it is, or several: never wrapped."""
    out.print(text, soft_wrap=True)


def print_wide(out: Console, table: Table, essential: Sequence[int] = ()) -> None:
    """A table with every cell whole: on a terminal too narrow for it with names folded, with the
    `essential` columns only, or else row by row as a list."""
    if not out.is_terminal:
        _Terminal(width=_width_of(out, table), highlight=False).print(table)
    elif _fits(out, table):
        out.print(table)
    elif essential and _fits(out, few := _columns(table, essential)):
        out.print(few)
        left_out = (c.header for at, c in enumerate(table.columns) if at not in essential)
        wider = f"a wider terminal shows {', '.join(map(str, left_out))}"
        out.print(wider, style="dim")
    else:
        _print_list(out, table)


def _width_of(out: Console, table: Table) -> int:
    from rich.measure import Measurement

    return Measurement.get(out, out.options.update_width(_WIDEST), table).maximum


def _fits(out: Console, table: Table) -> bool:
    """Whether a table fits, be it with its names folded."""
    folded = [column for column in table.columns if not column.no_wrap]
    for column in folded:
        column.overflow, column.max_width = "fold", _FOLDED
    fits = _width_of(out, table) <= out.width
    for column in folded:
        column.max_width = None
    return fits


def _columns(table: Table, chosen: Sequence[int]) -> Table:
    """The same with some of its columns."""
    from rich.table import Table

    few = Table(title=table.title)
    columns = [table.columns[at] for at in chosen]
    for column in columns:
        few.add_column(column.header, justify=column.justify, no_wrap=column.no_wrap)
    for cells in zip(*(column.cells for column in columns), strict=True):
        few.add_row(*cells)
    return few


def _print_list(out: Console, table: Table) -> None:
    if table.title:
        out.print(table.title, style="italic", soft_wrap=True)
    _, *headers = (column.header for column in table.columns)
    for name, *cells in zip(*(column.cells for column in table.columns), strict=True):
        out.print(name, soft_wrap=True)
        for header, cell in zip(headers, cells, strict=True):
            out.print(f"  {header}:", cell, soft_wrap=True)


def print_json(data: Any) -> None:
    """Data for scripts, on stdout."""
    print_json_text(json.dumps(data, indent=2, allow_nan=False))


def print_json_text(text: str) -> None:
    """A text of JSON for scripts, on stdout."""
    console.print(Text(printed_json(text)), soft_wrap=True)


def print_json_line(data: Any) -> None:
    """Data for scripts, on stdout: one line of JSON, which is there at once."""
    print_json_text(json.dumps(data, allow_nan=False))
    sys.stdout.flush()


def print_command(line: str) -> None:
    """A workflow command of GitHub, which nothing else that is printed can be."""
    console.print(Text(line), soft_wrap=True)


def print_summary(out: Console, lines: Sequence[str]) -> None:
    """The summary of a comparison, whose first line is its verdict."""
    word, colon, rest = lines[0].partition(":")
    colour = "green" if word == "MATCH" else "red"
    out.print(Text.assemble((word, f"bold {colour}"), f"{colon}{one_line(rest)}"), soft_wrap=True)
    for line in lines[1:]:
        print_line(out, line)


def print_verdict(out: Console, verdict: Verdict) -> None:
    """The verdict of each comparison in words, and where the files are."""
    from ..verify.verdict import findings, remarks

    for found in findings(verdict):
        colour = "green" if found.is_match else "red"
        headline = Text.assemble((found.word, f"bold {colour}"), f": {one_line(found.sentence)}")
        out.print(headline, soft_wrap=True)
        for line in found.lines:
            print_line(out, f"  {line}")
    for line in remarks(verdict):
        print_line(out, line)
    print_line(out, f"bags, logs and diffs: {verdict.folder}")


def print_table(out: Console, verdicts: Iterable[Verdict]) -> None:
    """One row per pair of implementations."""
    from rich.table import Table

    from ..verify.verdict import outcome

    measured = ("median µs", "CPU µs", "MB", "speed-up")
    table = Table("", "in → out", "aligned", "differing", "largest error", *measured, "verdict")
    table.columns[0].no_wrap = True
    for column in table.columns[1:9]:
        column.justify, column.no_wrap = "right", True
    for verdict in verdicts:
        for name, comparison in verdict.comparisons.items():
            reference, run = verdict.runs[verdict.reference], verdict.runs[name]
            keys = comparison.keys.values()
            differing = sum(
                key.judged.differing + len(key.aligned.only_a) + len(key.aligned.only_b)
                for key in keys
            )
            pair = f"{name} vs {reference.name}"
            table.add_row(
                f"{one_line(verdict.contract.component)}\n  {one_line(pair)}",
                f"{sum(run.sent.values())} → {sum(run.recorded.values())}",
                str(sum(key.aligned.count for key in keys)),
                str(differing),
                _largest([key.judged for key in keys]),
                f"{_us(reference.median_ns)} → {_us(run.median_ns)}",
                f"{_us(reference.cpu_ns)} → {_us(run.cpu_ns)}",
                f"{_mb(reference)} → {_mb(run)}",
                _ratio(reference.median_ns, run.median_ns),
                _coloured(outcome(verdict, name)),
            )
    if table.row_count:
        print_wide(out, table, essential=(0, 3, 4, 8, 9))
        caption = (
            "reference → implementation: median of one callback with its publishing, processor "
            "time for each message, most memory"
        )
        out.print(caption, style="dim", soft_wrap=not out.is_terminal)


def _coloured(outcome: Outcome) -> Text:
    return Text(outcome, "green" if outcome == "match" else "red")


def _largest(judged: Sequence[Judged]) -> str:
    """The largest error, or else by how much what is within tolerance is apart."""
    known = [found for found in judged if found.worst and found.worst.error is not None]
    wrong = [found for found in known if found.is_worst_wrong]
    errors = (found.worst.error or 0.0 for found in wrong or known if found.worst)
    size = f"{max(errors, default=0.0):.3g}"
    return f"{size} tolerated" if known and not wrong else size


def _us(duration_ns: float | None) -> str:
    return "–" if duration_ns is None else f"{duration_ns * 1e-3:.1f}"


def _mb(run: RunResult) -> str:
    return "–" if run.resources is None else f"{run.resources.peak_bytes / 1e6:.0f}"


def _ratio(slow: float | None, fast: float | None) -> str:
    return "–" if slow is None or not fast else f"{slow / fast:.1f} ×"
