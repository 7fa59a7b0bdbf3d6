"""`lockstep suite`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..bag.url import is_url
from ..errors import UsageError
from ..suite.case import Case
from ..suite.expansion import cases_of, shard_of
from ..suite.groups import grouped, in_words, outlived, worst
from ..suite.kept_runs import MOST_BYTES
from ..suite.model import load_suite
from ..suite.result import Result, as_data
from ..suite.results import check_libraries
from ..suite.run_suite import Choice, Done, Watch, run_suite
from .show import console, print_command, print_json_line, print_line, print_wide, stderr

_SHARD = re.compile(r"([1-9]\d*)/([1-9]\d*)")
_SUMMARY = "GITHUB_STEP_SUMMARY"
_TOLD_EVERY_S = 30.0


def command(
    file: Annotated[Path, typer.Argument(help="suite.yaml", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder of all runs of the suite, its results and the runs of references that it "
            "keeps; runs/NAME if not given.",
            show_default=False,
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="Where cases put what they write, such as s3://BUCKET/NAME, with the kept runs of "
            "references and a copy of the results.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            help="Cores to use; all, here or of the cluster, if not given.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="CLUSTER",
            help="Run the cases on ray (of this machine), ray://HEAD:10001 or "
            "dask://SCHEDULER:8786.",
            show_default=False,
        ),
    ] = None,
    runtime_env: Annotated[
        Path | None,
        typer.Option(
            "--runtime-env",
            help="YAML of what Ray gives its workers: working_dir, env_vars, …",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run that was interrupted.")
    ] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Only what did not match when it ran last.")
    ] = False,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="Only what rests on sources, programs or inputs that have changed since.",
        ),
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option("--shard", help="One part of several, such as 3/8.", show_default=False),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Print the names of the cases, and run none.")
    ] = False,
    keep_references: Annotated[
        bool,
        typer.Option(
            "--share/--no-share", help="Run a reference once for all cases of the same inputs."
        ),
    ] = True,
    share_gb: Annotated[
        float,
        typer.Option("--share-gb", min=0.0, help="What runs of references may take of the disk."),
    ] = MOST_BYTES / 1e9,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each case, and one for all.")
    ] = False,
    junit: Annotated[
        Path | None,
        typer.Option(
            "--junit",
            help="Write JUnit XML: a suite for each node, a test case for each case.",
            show_default=False,
        ),
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            help="Print GitHub Actions annotations and write the summary of the step.",
        ),
    ] = False,
    badge: Annotated[
        Path | None,
        typer.Option("--badge", help="Write a badge as SVG.", show_default=False),
    ] = None,
) -> None:
    """Run the cases of a suite.yaml: many verifications, on many bags and in many ways.

    Ends with 0 if all match, or do not as is expected, with 1 if one differs, with 3 if of one
    nothing is known. What is done is kept, whatever ends it.

    **Examples**

    lockstep suite suite.yaml

    lockstep suite suite.yaml --changed --junit test-results/suite.xml --github

    lockstep suite suite.yaml --shard 3/8 -o /shared/nightly

    lockstep suite suite.yaml --on ray://head:10001 -o /shared/nightly
    """
    cases = cases_of(load_suite(file))
    if shard is not None:
        cases = shard_of(cases, *_shard(shard))
    if list_only:
        for case in cases:
            print_line(console, case.name)
        raise typer.Exit
    check_libraries()
    place = output or Path("runs", file.stem)
    with _progress(as_json) as watch:
        done = run_suite(
            cases,
            place,
            watch,
            root=file.parent,
            store=_store(store),
            on=on,
            jobs=jobs,
            runtime_env=runtime_env,
            choice=Choice(resume, only_failed, changed),
            keep_references=keep_references,
            kept_bytes=round(share_gb * 1e9),
        )
    if as_json:
        counts = {standing.replace(" ", "_"): count for standing, count in done.counts.items()}
        print_json_line({"cases": len(done.results), **counts, "folder": str(done.folder)})
    else:
        _print_done(done, cases)
    _report(done.results, junit, github, badge)
    raise typer.Exit(done.exit_code)


def _shard(text: str) -> tuple[int, int]:
    match = _SHARD.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(f"--shard {text} is none; give NUMBER/OF, such as 3/8")
    return int(match[1]), int(match[2])


def _store(place: str | None) -> str | None:
    if place is not None and not is_url(place):
        raise UsageError(f"--store {place} is no URL; a folder of this machine is for --output")
    return place and place.rstrip("/")


@contextmanager
def _progress(as_json: bool) -> Iterator[Watch]:
    """How far a suite is, on stderr: a bar on a terminal, else a line now and then; with JSON a
    line for each case on stdout."""
    counts: dict[str, int] = {}

    def told(result: Result) -> str:
        """Counts the result; what is to be said of how far it is."""
        counts[result.standing] = counts.get(result.standing, 0) + 1
        if as_json:
            print_json_line(as_data(result))
        failing, unknown = counts.get("differs", 0), counts.get("no verdict", 0)
        return ", ".join(
            [
                *([f"{failing} failing"] if failing else []),
                *([f"{unknown} without verdict"] if unknown else []),
            ]
        )

    def say(result: Result) -> None:
        if result.standing in ("differs", "no verdict") and not result.carried:
            word = "DIFFERENT" if result.standing == "differs" else "NO VERDICT"
            print_line(stderr, f"{word}: {result.case}: {result.sentence}")

    if stderr.is_terminal:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("cases"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", style="red", markup=False),
        )
        with Progress(*columns, console=stderr, transient=True) as bar:
            task = bar.add_task("", total=None)

            def show(result: Result, done: int, total: int) -> None:
                bar.update(task, completed=done, total=total, description=told(result))
                say(result)

            yield show
        return
    begun_s = last_s = time.monotonic()
    ran = 0

    def print_now_and_then(result: Result, done: int, total: int) -> None:
        nonlocal last_s, ran
        failing = told(result)
        say(result)
        ran += not result.carried
        now_s = time.monotonic()
        if now_s - last_s >= _TOLD_EVERY_S and ran:
            last_s = now_s
            left_s = (now_s - begun_s) / ran * (total - done)
            more = f", {failing}" if failing else ""
            print_line(stderr, f"{done} of {total} cases done{more}, about {left_s:.0f} s to go")

    yield print_now_and_then


def _print_done(done: Done, cases: Sequence[Case]) -> None:
    from rich.table import Table

    table = Table("node", "cases", "match", "known not to", "without verdict", "differ")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for group in grouped(done.results):
        table.add_row(
            group.name, str(len(group.results)), *(str(count) for count in group.counts.values())
        )
    print_wide(console, table)
    for result in worst(done.results):
        print_line(console, f"{result.standing}: {result.case}: {result.sentence}")
        print_line(console, f"  see {result.folder}")
    foretold = [case.name for case in cases if case.expected is not None]
    for name in outlived(done.results, foretold):
        print_line(console, f"{name} matches, and need not be expected to differ any more")
    carried = sum(result.carried for result in done.results)
    kept = f" ({carried} as before, and not run again)" if carried else ""
    print_line(console, f"{len(done.results)} cases: {in_words(done.counts)}{kept}")
    print_line(console, f"results: {done.folder}")


def _report(
    results: Sequence[Result], junit: Path | None, github: bool, badge: Path | None
) -> None:
    """Write what is asked for; raises UsageError where it cannot be written."""
    from ..suite import for_ci

    target = junit
    try:
        if junit is not None:
            for_ci.write_junit(junit, results)
        if badge is not None:
            target = badge
            badge.parent.mkdir(parents=True, exist_ok=True)
            badge.write_text(for_ci.badge(results), "utf-8")
        if github:
            for line in for_ci.workflow_commands(results):
                print_command(line)
            if os.environ.get(_SUMMARY):
                target = Path(os.environ[_SUMMARY])
                with target.open("a", encoding="utf-8") as stream:
                    stream.write(for_ci.markdown(results))
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error
