"""Copying bags, whole or in part, from any storage that is read to any that is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import BagError
from ..message.arrays import Mask
from ..message.batch import Batch
from ..message.time import NS_PER_S
from ..progress import Progress
from .enclosed import Enclosed
from .metadata import OfferedQoS, Origin
from .reader import Bag
from .sorting import batches_by_time
from .topic import Topic

_LONGEST_S = 4e9  # 64-bit nanoseconds


class Recording(Protocol):
    """What holds more than messages: a bag, or a dataset's source."""

    @property
    def origin(self) -> Origin: ...
    def enclosed(self) -> Iterator[Enclosed]: ...


class Keeper(Protocol):
    """What may keep it."""

    def describe(self, origin: Origin) -> str:
        """Note an origin; gives what of it cannot be held, in words."""

    def enclose(self, enclosed: Enclosed) -> bool:
        """Add what is no message; gives whether it can be held."""


class Sink(Keeper, Protocol):
    """What a bag is copied to: a BagWriter or a Sqlite3Writer."""

    path: Path
    earliest_ns: int
    """The earliest time that it can hold."""

    @property
    def counts(self) -> dict[str, int]: ...
    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str = "",
        qos: tuple[OfferedQoS, ...] = (),
        *,
        encoding: str = "ros2msg",
        message_encoding: str = "cdr",
    ) -> None: ...
    def write_batch(self, batch: Batch) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Selection:
    """Which messages to copy: topics by name with their new names (None: all),
    start_ns <= log time < end_ns.
    """

    names: Mapping[str, str] | None = None
    start_ns: int | None = None
    end_ns: int | None = None


def select(
    bag: Bag,
    topics: Mapping[str, str] | None = None,
    exclude: frozenset[str] = frozenset(),
    start_s: float | None = None,
    end_s: float | None = None,
) -> Selection:
    """A selection of `topics` (name → new name; default: all as they are) without `exclude`;
    times from the bag's start.

    Raises BagError for topics that are not there, one new name for two topics, or an end before
    the start.
    """
    names = {name: name for name in bag.topics} if topics is None else dict(topics)
    for name in (*names, *exclude):
        bag.topic(name)
    chosen = {name: new for name, new in names.items() if name not in exclude}
    for new in chosen.values():
        same = [name for name in chosen if chosen[name] == new]
        if len(same) > 1:
            raise BagError(
                f"{' and '.join(same)} would both be named {new}; give them different names"
            )
    if not chosen:
        raise BagError(
            bag.problem or f"no topic of {bag.path} is left to copy; choose or exclude others"
        )
    for seconds in (start_s, end_s):
        if seconds is not None and not abs(seconds) < _LONGEST_S:
            raise BagError(f"{seconds:g} s is no time in a bag; give seconds after its start")
    if (start_s or 0) >= (end_s if end_s is not None else float("inf")):
        raise BagError(
            f"nothing lies between {start_s or 0:g} s and {end_s:g} s; give an end after the start"
        )
    return Selection(
        None if topics is None and not exclude else chosen,
        None if start_s is None else bag.start_ns + round(start_s * 1e9),
        None if end_s is None else bag.start_ns + round(end_s * 1e9),
    )


class TooEarly:
    """The messages with times before those that a sink can hold."""

    def __init__(self) -> None:
        self.count = 0
        self._topics: set[str] = set()
        self._first_ns = 0

    @staticmethod
    def which(batch: Batch, sink: Sink) -> Mask:
        """Which of n messages are, (n,)."""
        early: Mask = np.minimum(batch.log_time_ns, batch.publish_time_ns) < sink.earliest_ns
        return early

    def note(self, batch: Batch) -> None:
        """Count messages that are."""
        self.count += len(batch)
        self._topics.update(batch.topics[index] for index in set(batch.topic.tolist()))
        first_ns = min(batch.log_time_ns.min(), batch.publish_time_ns.min())
        self._first_ns = min(self._first_ns, int(first_ns))

    @property
    def sentence(self) -> str:
        """What cannot be held, and what can hold it."""
        return (
            f"{self.count} messages of {', '.join(sorted(self._topics))} have times before 1970 "
            f"(the first by {-self._first_ns / NS_PER_S:.9g} s), which MCAP cannot hold; "
            "--storage sqlite3 keeps them"
        )


def declare(sink: Sink, topic: Topic, name: str) -> None:
    """Add a topic called `name` that is described like `topic`."""
    sink.add_topic(
        name,
        topic.type,
        topic.definition,
        topic.type_hash,
        topic.qos,
        encoding=topic.encoding,
        message_encoding=topic.message_encoding,
    )


def copy(
    bag: Bag,
    sink: Sink,
    selection: Selection | None = None,
    *,
    strict: bool = True,
    by_time: bool = False,
    progress: Progress | None = None,
    too_early: TooEarly | None = None,
) -> int:
    """Copy messages with their topics, times and sequence numbers as they are recorded, in file
    order or by log time; gives how many.

    Topics that the sink has already are added to. Strict: raises BagError where the bag is damaged,
    or has times that the sink cannot hold; else all that is whole and can be held is copied:
    `bag.problem` says what was lost, `too_early` notes the messages that are too early.
    """
    too_early = too_early or TooEarly()
    selection = selection or Selection()
    everything = selection.names is None
    names = dict(selection.names or {})

    def add(name: str, new: str) -> None:
        names[name] = new
        if new not in sink.counts:
            declare(sink, bag.topic(name), new)

    for name in bag.topics if everything else list(names):
        add(name, names.get(name, name))
    total, done = sum(bag.topics[name].count for name in names), 0
    chosen = None if names.keys() == bag.topics.keys() else names.keys()
    batches = partial(batches_by_time, bag) if by_time else bag.batches
    for batch in batches(chosen, selection.start_ns, selection.end_ns, strict):
        if everything:
            for name in bag.topics.keys() - names.keys():  # an index may leave out a topic
                add(name, name)
        early = TooEarly.which(batch, sink)
        if early.any():
            if strict:
                raise _counted(bag.batches(chosen, selection.start_ns, selection.end_ns), sink)
            too_early.note(batch.where(early))
            batch = batch.where(~early)
        sink.write_batch(replace(batch, topics=tuple(names.get(name, "") for name in batch.topics)))
        done += len(batch)
        if progress is not None:
            progress(done, total)
    return done


def _counted(batches: Iterator[Batch], sink: Sink) -> BagError:
    """The error for a bag with messages that are too early, all of which it counts."""
    too_early = TooEarly()
    for batch in batches:
        early = TooEarly.which(batch, sink)
        if early.any():
            too_early.note(batch.where(early))
    return BagError(f"{too_early.sentence}, --lenient leaves them out")


def copy_rest(recording: Recording, sink: Keeper) -> str:
    """Copy what a recording holds beside messages: attachments, metadata records, its origin.

    Gives a sentence about what of it `sink` cannot hold; "" if that is nothing.
    """
    words = [sink.describe(recording.origin)]
    words += [one.described for one in recording.enclosed() if not sink.enclose(one)]
    left_out = ", ".join(filter(None, words))
    return f"left out, as the target cannot hold it: {left_out}" if left_out else ""


@contextmanager
def new_bag(writer: Sink) -> Iterator[None]:
    """Closes a bag that is being written.

    An error that ends the with-statement then says what the bag holds. If that is nothing, the bag
    is deleted.
    """
    try:
        try:
            yield
        finally:
            writer.close()
    except BagError as error:
        raise BagError(f"{error}; {_left(writer.path)}") from error


def _left(path: Path) -> str:
    try:
        with Bag(path) as bag:
            count = bag.count
    except BagError:
        count = 0
    if count:
        return f"{path} holds the {count} messages before that"
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return "nothing was copied"
