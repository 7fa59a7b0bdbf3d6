"""`lockstep`: the entry point of the command."""

from __future__ import annotations

import sys

import typer

from .. import __version__
from .commands import LISTED, SubCommands, listed, new_app
from .ending import tell_errors

app = new_app(
    name="lockstep",
    cls=SubCommands,
    help="Prove that a re-implemented ROS 2 node is a drop-in replacement.\n\n"
    "Exit codes: 0 the implementations match, 1 they differ, 2 bad usage or unreadable input, "
    "3 a run failed (crash, hang, loss), 130 interrupted.",
    no_args_is_help=True,
)
for _name, _help in LISTED.items():
    app.command(_name, help=_help)(listed)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"lockstep {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options of the command itself."""


def main() -> None:
    """Run the command line."""
    tell_errors(app)


if __name__ == "__main__":
    main()
