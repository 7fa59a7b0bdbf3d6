"""Rewriting bags that are cut off or damaged: all that is whole, with index and metadata."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BagError
from ..progress import Progress
from .bag_files import files_in, stem
from .convert import Selection, Sink, TooEarly, copy, copy_rest, new_bag
from .reader import Bag
from .topic import Topic, place
from .writer import BagWriter


@dataclass(frozen=True)
class Recovery:
    """What was saved: the new bag, its messages by topic,
    and sentences about what was lost (none: nothing).
    """

    path: Path
    counts: dict[str, int]
    lost: tuple[str, ...]


def recovered_path(path: str | os.PathLike[str]) -> Path:
    """Where a bag is recovered to unless another place is chosen: `<name>_recovered` beside it."""
    source = Path(os.path.abspath(path))
    return source.with_name(f"{stem(source.name)}_recovered")


def recover(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    progress: Progress | None = None,
    sink: Callable[[str | os.PathLike[str]], Sink] = BagWriter,
) -> Recovery:
    """Write all whole messages of a bag to a new one; the original is only read.

    `sink` makes the new bag: BagWriter or Sqlite3Writer. Messages with times before 1970, which
    MCAP cannot hold, are among what is lost to the first. Raises BagError if there is nothing to
    save or `output` exists.
    """
    with ExitStack() as stack:
        bags, lost = _open(path, stack)
        counted = sum(bag.count for bag in bags)
        writer = sink(output)
        with new_bag(writer):
            saved, too_early = 0, TooEarly()
            topics: dict[str, Topic] = {}
            for bag in bags:
                names = {t.name: place(topics, replace(t)).name for t in bag.topics.values()}
                moved = any(name != new for name, new in names.items())
                selection = Selection(names if moved else None)
                watch = _from(saved, counted, progress)
                saved += copy(
                    bag, writer, selection, strict=False, progress=watch, too_early=too_early
                )
                lost.extend(filter(None, [bag.problem, copy_rest(bag, writer)]))
            if too_early.count and not saved:
                raise BagError(too_early.sentence)
            if lost and not saved:
                raise BagError(f"{path} holds no whole message: {_without_advice(lost[0])}")
    if too_early.count:
        lost.append(too_early.sentence)
    if (missing := counted - saved - too_early.count) > 0:
        lost.append(f"{missing} of the {counted} messages that the index counts are not saved")
    return Recovery(writer.path, writer.counts, tuple(map(_without_advice, lost)))


def _open(path: str | os.PathLike[str], stack: ExitStack) -> tuple[list[Bag], list[str]]:
    """The bag, or, where its metadata.yaml or one of its files is unreadable,
    each file that is not, as a bag.
    """
    try:
        return [stack.enter_context(Bag(path))], []
    except BagError as error:
        if not os.path.isdir(path):
            raise
        bags: list[Bag] = []
        problems = [str(error)]
        for file in files_in(path):
            try:
                bags.append(stack.enter_context(Bag(file)))
            except BagError as unreadable:
                problems.append(str(unreadable))
        if not bags:
            raise
        return bags, list(dict.fromkeys(problems))


def _from(before: int, total: int, progress: Progress | None) -> Progress | None:
    """Progress of one of several bags."""
    return None if progress is None else lambda done, _: progress(before + done, total)


def _without_advice(problem: str) -> str:
    return problem.partition("; record or copy")[0].partition("; copy it again")[0]
