"""`lockstep text`."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..bag import Bag
from ..bag.text import text, undecodable
from ..errors import UsageError
from .show import print_line, progress_bar, stderr


class Time(str, Enum):
    """Which time of a message is told."""

    log = "log"
    publish = "publish"
    none = "none"


def command(
    path: Annotated[
        str,
        typer.Argument(
            metavar="BAG", help="Any bag: folder, file, glob or URL.", show_default=False
        ),
    ],
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", "--topics", "-t", help="Topic (repeatable; default: all)."),
    ] = None,
    time: Annotated[
        Time, typer.Option(help="The time told of each message, in seconds; none: only its tick.")
    ] = Time.log,
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Times since 1970, not since the first log time.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new file to write to.", show_default=False),
    ] = None,
) -> None:
    """Print a bag as stable text, one line per field, for any diff tool.

    Topics come in the order of their names, numbers in the shortest form that reads back exactly.
    A bag that is not whole is printed as far as it is, and ends with exit code 2.

    **Examples**

    lockstep text recording -t /odom | less

    diff <(lockstep text run1 --time none) <(lockstep text run2 --time none)
    """
    with Bag(path) as bag, ExitStack() as stack:
        chosen = list(bag.topics) if topics is None else topics
        for reason in undecodable(bag, chosen).values():
            print_line(stderr, f"bytes only: {reason}")
        progress = None
        if output is not None or not sys.stdout.isatty():
            progress = stack.enter_context(progress_bar("printing"))
        lines = text(bag, chosen, time.value, absolute=absolute, progress=progress)
        try:
            stream = sys.stdout
            if output is not None:
                stream = stack.enter_context(output.open("x", encoding="utf-8"))
            for line in lines:
                stream.write(f"{line}\n")
            stream.flush()
        except BrokenPipeError:  # whoever reads has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except FileExistsError as error:
            raise UsageError(
                f"{output} exists already; choose another file or delete it"
            ) from error
        except OSError as error:
            where = output or "the standard output"
            raise UsageError(f"cannot write {where}: {error.strerror}") from error
