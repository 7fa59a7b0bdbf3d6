"""`lockstep prompt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..port import Prompt, prompt_of, send_prompt, subject_of, where_verified
from ..port.fix import fix_prompt
from ..port.section import BUDGET
from .port_options import COMPONENT_HELP, Drawn, Language, VerifyFile
from .show import print_line, stderr


def command(
    component: Annotated[
        str | None,
        typer.Argument(metavar="[COMPONENT]", help=COMPONENT_HELP, show_default=False),
    ] = None,
    to: Language = "cpp",
    verification: VerifyFile = None,
    drawn: Drawn = False,
    fix: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="A folder of `lockstep verify -o`: what to mend after that verdict.",
            show_default=False,
        ),
    ] = None,
    budget: Annotated[int, typer.Option(help="Tokens that the prompt may have.")] = BUDGET,
    copy: Annotated[bool, typer.Option("--copy", help="Copy it to the clipboard.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new file to write it to.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write the prompt for porting a component: its contract, source, numeric rules, samples, tests
    and commands.

    It is printed unless --copy or --output is given. What does not fit into the budget is left out,
    least important first, and named at the end.

    **Examples**

    lockstep prompt lockstep_examples:ImuComplementaryFilter --to cpp --copy

    lockstep prompt my_pkg:MyFilter --verify verify.yaml --budget 8000 -o prompt.md

    lockstep prompt --fix runs/my_filter-20260101-120000-1
    """
    prompt, note = _prompt(component, to, verification, drawn, fix, budget)
    if copy:
        send_prompt(prompt, "clipboard")
        print_line(stderr, "the prompt is on the clipboard")
    if output is not None:
        prompt.save(output, force=force)
        print_line(stderr, f"prompt: {output}")
    if not copy and output is None:
        send_prompt(prompt, "print")
    if note:
        print_line(stderr, note)


def _prompt(
    component: str | None,
    to: str,
    verification: Path | None,
    drawn: bool,
    fix: Path | None,
    budget: int,
) -> tuple[Prompt, str]:
    """The prompt, and which verify.yaml is in it."""
    if fix is not None:
        if component is not None:
            raise UsageError("give a COMPONENT or --fix RUN, not both")
        return fix_prompt(fix, verification, budget=budget), ""
    if component is None:
        raise UsageError("give a COMPONENT, as MODULE:CLASS, or --fix RUN")
    subject = subject_of(component, verification, drawn=drawn)
    return prompt_of(subject, to, budget=budget), where_verified(subject)
