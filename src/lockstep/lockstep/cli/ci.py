"""What `compare` and `verify` write for continuous integration."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .show import print_command

if TYPE_CHECKING:
    from ..compare import Comparison

Junit = Annotated[
    Path | None,
    typer.Option(
        "--junit", help="Write JUnit XML: a test case for each topic.", show_default=False
    ),
]
Github = Annotated[
    bool,
    typer.Option(
        "--github", help="Print GitHub Actions annotations and write the summary of the step."
    ),
]
_SUMMARY = "GITHUB_STEP_SUMMARY"


def report(
    comparisons: Mapping[str, Comparison],
    junit: Path | None,
    github: bool,
    remarks: Mapping[str, Sequence[str]] | None = None,
    objections: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write what is asked for; raises UsageError where it cannot be written.

    `remarks` are lines that nobody may overlook about a comparison that matches; `objections` say,
    by the name of a comparison or of what was not compared, why it is no match whatever its topics
    say.
    """
    target, remarks, objections = junit, remarks or {}, objections or {}
    try:
        if junit is not None:
            from ..report.junit import write_junit

            junit.parent.mkdir(parents=True, exist_ok=True)
            write_junit(junit, comparisons, remarks, objections)
        if github:
            from ..report.github import markdown, workflow_commands

            for line in workflow_commands(comparisons, remarks, objections):
                print_command(line)
            if os.environ.get(_SUMMARY):
                target = Path(os.environ[_SUMMARY])
                with target.open("a", encoding="utf-8") as stream:
                    stream.write(markdown(comparisons, remarks, objections))
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error
