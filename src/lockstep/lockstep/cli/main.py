"""`lockstep`: the entry point of the command."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from types import FrameType

import typer

from .. import __version__
from ..bag import BagError
from ..compare import CompareError
from ..dataset import DatasetError
from ..distributions import DistError
from ..errors import (
    FAILED,
    INTERRUPTED,
    USAGE,
    Interrupted,
    ReportError,
    RunError,
    UsageError,
    unforeseen,
)
from . import (
    compare,
    contract,
    convert,
    fit,
    fuzz,
    info,
    mcp,
    prompt,
    recover,
    regress,
    run,
    sample,
    scaffold,
    status,
    text,
    types,
    verify,
)

_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(
    name="lockstep",
    help="Prove that a re-implemented ROS 2 node is a drop-in replacement.\n\n"
    "Exit codes: 0 the implementations match, 1 they differ, 2 bad usage or unreadable input, "
    "3 a run failed (crash, hang, loss), 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("verify")(verify.command)
app.command("run")(run.command)
app.command("compare")(compare.command)
app.command("info")(info.command)
app.command("contract")(contract.command)
app.command("text")(text.command)
app.command("convert")(convert.command)
app.command("recover")(recover.command)
app.command("types")(types.command)
app.command("sample")(sample.command)
app.command("fit")(fit.command)
app.command("fuzz")(fuzz.command)
app.command("prompt")(prompt.command)
app.command("scaffold")(scaffold.command)
app.command("regress")(regress.command)
app.command("mcp")(mcp.command)
app.command("status")(status.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lockstep {__version__}")
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
    end_well(app)


def end_well(command: Callable[[], None]) -> None:
    """Run a command; whatever ends it becomes one sentence on stderr and an exit code."""
    for number in _INTERRUPTIONS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal without our arrows still gets a verdict
    try:
        command()
    except (UsageError, BagError, DatasetError, DistError, CompareError, ReportError) as error:
        sys.exit(_say(error, USAGE))
    except RunError as error:
        sys.exit(_say(error, FAILED))
    except Interrupted:
        print("interrupted; all processes ended", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - never a traceback, and never taken for a verdict
        sys.exit(_say(unforeseen(error), FAILED))


def _say(error: Exception | str, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in _INTERRUPTIONS:
        signal.signal(
            each, signal.SIG_IGN
        )  # once is enough; a second time must not disturb the end
    raise Interrupted


if __name__ == "__main__":
    main()
