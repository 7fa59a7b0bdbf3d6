"""`lockstep convert`."""

from __future__ import annotations

import warnings
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..bag import Bag, BagError, BagWriter
from ..bag.convert import TooEarly, copy, copy_rest, new_bag, select
from ..bag.sqlite3_writer import Sqlite3Writer
from ..dataset.backends import is_bag
from ..errors import UsageError
from .show import console, print_line, progress_bars, stderr


class Compression(str, Enum):
    """How the chunks of an MCAP file are compressed."""

    zstd = "zstd"
    lz4 = "lz4"
    none = "none"


class Storage(str, Enum):
    """What a bag is written as."""

    mcap = "mcap"
    sqlite3 = "sqlite3"


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="Any bag: folder, file, glob or URL; or a dataset (.pkl, reduct://…).",
            show_default=False,
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="A new bag: a folder, or one file if it ends in .mcap; or a dataset (.pkl, reduct://…).",
            show_default=False,
        ),
    ],
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", "-t", help="NAME or NAME:=NEW_NAME to copy (repeatable; default: all)."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Topic to leave out (repeatable).")
    ] = None,
    start: Annotated[
        float | None, typer.Option(help="Seconds after the start of the bag, inclusive.")
    ] = None,
    end: Annotated[
        float | None, typer.Option(help="Seconds after the start of the bag, exclusive.")
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds from --start on.")] = None,
    storage: Annotated[Storage, typer.Option(help="sqlite3 keeps log times only.")] = Storage.mcap,
    compression: Annotated[Compression, typer.Option(help="Of MCAP chunks.")] = Compression.zstd,
    chunk_size: Annotated[int, typer.Option(help="Bytes in an MCAP chunk.")] = 1 << 20,
    sort: Annotated[
        bool, typer.Option("--sort", help="Order messages by log time instead of as in the file.")
    ] = False,
    lenient: Annotated[
        bool,
        typer.Option("--lenient", help="Copy what is whole of a damaged bag; say what was lost."),
    ] = False,
) -> None:
    """Copy a bag, whole or in part, to another storage, compression or set of topics.

    A damaged bag ends with exit code 2 unless --lenient is given; what precedes the damage stays in
    OUT, which is deleted if that is nothing. Ctrl-C leaves a valid bag with what was copied by
    then.

    **Examples**

    lockstep convert old.bag new

    lockstep convert recording scans.mcap -t /scan -t /odom:=/wheel/odom --start 10 --duration 5

    lockstep convert recording smaller --exclude /camera/image --compression zstd

    lockstep convert --sort by_topic.mcap in_order

    lockstep convert recording reduct://token@localhost:8383/drives
    """
    if end is not None and duration is not None:
        raise UsageError("--end and --duration contradict each other; give one of them")
    check_suffix(target, storage)
    if duration is not None:
        end = (start or 0.0) + duration
    if sort and not (is_bag(source) and is_bag(target)):
        raise UsageError("--sort orders the messages of bags; give it without a dataset")
    renamed = _renamed(topics) if topics else None
    if not (is_bag(source) and is_bag(target)):
        _convert_dataset(
            source, target, renamed, frozenset(exclude or ()), (start, end), lenient=lenient
        )
        return
    with Bag(source) as bag:
        if bag.problem and not lenient:
            raise BagError(f"{bag.problem}; --lenient copies what is whole")
        selection = select(bag, renamed, frozenset(exclude or ()), start, end)
        writer = (
            Sqlite3Writer(target)
            if storage is Storage.sqlite3
            else BagWriter(target, compression=compression.value, chunk_bytes=chunk_size)
        )
        with new_bag(writer), progress_bars() as watch:
            progress = watch(f"converting {source}")
            strict = not lenient
            too_early = TooEarly()
            if not copy(
                bag,
                writer,
                selection,
                strict=strict,
                by_time=sort,
                progress=progress,
                too_early=too_early,
            ):
                _complain(bag, too_early)
            left_out = copy_rest(bag, writer)
        _tell(left_out)
        lost = [bag.problem, too_early.sentence if too_early.count else None]
        for problem in filter(None, lost):
            print_line(stderr, f"lost: {problem}")
    counts = writer.counts
    print_line(console, f"{target}: {sum(counts.values())} messages of {len(counts)} topics")


def _convert_dataset(
    source: str,
    target: str,
    renamed: dict[str, str] | None,
    exclude: frozenset[str],
    span_s: tuple[float | None, float | None],
    *,
    lenient: bool,
) -> None:
    """From or to a place that is no bag."""
    from ..dataset import Dataset, LeftOut

    with (
        warnings.catch_warnings(record=True) as warned,
        Dataset.load(source) as dataset,
        progress_bars() as watch,
    ):
        warnings.simplefilter("always")
        if warned and not lenient:
            raise BagError(f"{warned[0].message}; --lenient copies what is whole")
        names = renamed or {name: name for name in dataset}
        chosen = [name for name in names if name not in exclude]
        view = dataset.select(chosen, start_s=span_s[0], end_s=span_s[1])
        view = view.rename({name: new for name, new in names.items() if name in chosen})
        with view.save(target, progress=watch(f"converting {source}")) as saved:
            line = f"{target}: {saved.count} messages of {len(saved)} topics"
    lost = [warning.message for warning in warned if warning.category is not LeftOut]
    if lost and not lenient:
        raise BagError(f"{lost[0]}; {target} holds what is whole")
    for warning in warned:
        if warning.category is LeftOut:
            _tell(str(warning.message))
    for problem in lost[:1]:
        print_line(stderr, f"lost: {problem}")
    print_line(console, line)


def _tell(left_out: str) -> None:
    if left_out:
        print_line(stderr, left_out)


def _complain(bag: Bag, too_early: TooEarly) -> None:
    """Raise BagError if it is damage, or early times, that left nothing to copy."""
    if bag.problem:
        raise BagError(bag.problem)
    if too_early.count:
        raise BagError(too_early.sentence)


def check_suffix(target: str | Path, storage: Storage) -> None:
    """Raise UsageError for a file of another storage than is to be written."""
    if storage is Storage.sqlite3 and str(target).endswith(".mcap"):
        raise UsageError(f"{target} would not be MCAP; give a folder for --storage sqlite3")


def _renamed(words: list[str]) -> dict[str, str]:
    """NAME or NAME:=NEW_NAME."""
    pairs = [word.partition(":=") for word in words]
    for word, (name, arrow, new) in zip(words, pairs, strict=True):
        if not name or (arrow and not new):
            raise UsageError(f"topic {word!r} is not NAME or NAME:=NEW_NAME")
    return {name: new or name for name, _, new in pairs}
