"""Rewriting bags that are cut off or damaged: all that is whole, with index and metadata."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .convert import Progress, copy
from .errors import BagError
from .reader import Bag
from .storage import STORAGES
from .writer import BagWriter


@dataclass(frozen=True)
class Recovery:
    """What was saved: the new bag, its messages by topic, and sentences about what was lost (none: nothing)."""

    path: Path
    counts: dict[str, int]
    lost: tuple[str, ...]


def recovered_path(path: str | os.PathLike[str]) -> Path:
    """Where a bag is recovered to unless another place is chosen: `<name>_recovered` beside it."""
    source = Path(path).absolute()
    name = source.name
    for storage in STORAGES:
        name = name.partition(storage.suffix)[0] or name
    return source.with_name(f"{name}_recovered")


def recover(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    progress: Progress | None = None,
) -> Recovery:
    """Write all whole messages of a bag to a new one; the original is only read.

    Raises BagError if there is nothing to save or `output` exists.
    """
    with ExitStack() as stack:
        bags, lost = _open(path, stack)
        if lost and not any(bag.count for bag in bags):
            raise BagError(f"{path} holds no whole message: {lost[0]}")
        counted = sum(bag.count for bag in bags)
        with BagWriter(output) as writer:
            for bag in bags:
                before = sum(writer.counts.values())
                copy(bag, writer, strict=False, progress=_from(before, counted, progress))
                lost.extend(filter(None, [bag.problem]))
    saved = sum(writer.counts.values())
    if saved < counted:
        lost.append(
            f"{counted - saved} of the {counted} messages that the index counts are not whole"
        )
    return Recovery(writer.path, writer.counts, tuple(map(_without_advice, lost)))


def _open(path: str | os.PathLike[str], stack: ExitStack) -> tuple[list[Bag], list[str]]:
    """The bag, or, where its metadata.yaml or one of its files is unreadable, each file that is not, as a bag."""
    try:
        return [stack.enter_context(Bag(path))], []
    except BagError as error:
        folder = Path(path)
        suffixes = {storage.suffix for storage in STORAGES}
        if not folder.is_dir():
            raise
        bags: list[Bag] = []
        problems = [str(error)]
        for file in sorted(folder.iterdir(), key=_by_number):
            if suffixes.isdisjoint(file.suffixes):
                continue
            try:
                bags.append(stack.enter_context(Bag(file)))
            except BagError as unreadable:
                problems.append(str(unreadable))
        if not bags:
            raise
        return bags, list(dict.fromkeys(problems))


def _by_number(file: Path) -> list[tuple[int, str]]:
    """Sorts bag_10.mcap behind bag_9.mcap."""
    return [(int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", file.name)]


def _from(before: int, total: int, progress: Progress | None) -> Progress | None:
    """Progress of one of several bags."""
    return None if progress is None else lambda done, _: progress(before + done, total)


def _without_advice(problem: str) -> str:
    return problem.partition("; record or copy")[0].partition("; copy it again")[0]
