"""Messages of a bag in order of their log times, whatever order its files have them in; those of a
simulation that was reset one epoch after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from ..message.arrays import Int64s, Mask
from ..message.batch import Batch
from .clock import ClockReader
from .reader import Bag

ADVICE = "; 'lockstep convert --sort' puts them in order"
_MOST_BYTES = 1 << 28


def batches_by_time(
    bag: Bag,
    topics: Collection[str] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    strict: bool = True,
    most_bytes: int = _MOST_BYTES,
) -> Iterator[Batch]:
    """The same messages as `bag.batches` yields, by log time; those of one time in file order.

    The bag is read once for its times, then once for each `most_bytes` of messages, of which its
    files find most by their indexes. Where /clock goes back in file order, and simulated log times
    with it, what comes then is after all before. Raises BagError as `batches` does, before the
    first batch.
    """
    selection = _Selection(topics, start_ns, end_ns, strict)
    source = partial(_by_epoch if is_reset(bag) else _by_log_time, bag, selection)
    for first_ns, after_ns in _spans(source, most_bytes):
        parts = [(at_ns, batch) for at_ns, batch in source(first_ns, after_ns) if len(batch)]
        if parts:
            times_ns, batches = zip(*parts, strict=True)
            yield _joined(batches).where(np.argsort(np.concatenate(times_ns), kind="stable"))


def is_reset(bag: Bag) -> bool:
    """Whether log times begin anew with /clock, and not because files are out of order."""
    clock = ClockReader(bag)
    if clock.topic is None or bag.misplaced is not None:
        return False
    batches = bag.batches([clock.topic], strict=False)
    return any(jump.log_too for batch in batches for jump in clock.jumps(batch))


@dataclass(frozen=True)
class _Selection:
    """The arguments of `Bag.batches`."""

    topics: Collection[str] | None
    start_ns: int | None
    end_ns: int | None
    strict: bool


_Timed = Iterator[tuple[Int64s, Batch]]
"""Batches in file order, each with the times by which it is to be sorted, (n,)."""


def _by_log_time(
    bag: Bag, wanted: _Selection, first_ns: int | None = None, after_ns: int | None = None
) -> _Timed:
    """Log times from one on and before another; all that are wanted without these."""
    if first_ns is None:
        first_ns, after_ns = wanted.start_ns, wanted.end_ns
    for batch in bag.batches(wanted.topics, first_ns, after_ns, wanted.strict):
        yield batch.log_time_ns, batch


def _by_epoch(
    bag: Bag, wanted: _Selection, first_ns: int | None = None, after_ns: int | None = None
) -> _Timed:
    """Log times with those of each epoch after all of the one before, from such a time on and
    before another. Reads the whole bag, because only so it is known which epoch it is."""
    clock, epoch = ClockReader(bag), 0
    length_ns = bag.end_ns - bag.start_ns + 1
    topics = None if wanted.topics is None else {*wanted.topics, str(clock.topic)}
    for batch in bag.batches(topics, strict=wanted.strict):
        epochs = np.full(len(batch), epoch)
        for jump in clock.jumps(batch):
            epochs[jump.row :] += jump.log_too
        epoch = int(epochs.max(initial=epoch))
        times_ns = batch.log_time_ns + epochs * length_ns
        chosen = _within(batch.log_time_ns, wanted.start_ns, wanted.end_ns)
        chosen &= _within(times_ns, first_ns, after_ns)
        if wanted.topics is not None:
            named = [index for index, name in enumerate(batch.topics) if name in wanted.topics]
            chosen &= np.isin(batch.topic, named)
        yield times_ns[chosen], batch.where(chosen)


def _within(times_ns: Int64s, first_ns: int | None, after_ns: int | None) -> Mask:
    """Which times (n,) are at one or later, and before another."""
    chosen: Mask = np.ones(len(times_ns), np.bool_)
    if first_ns is not None:
        chosen &= times_ns >= first_ns
    if after_ns is not None:
        chosen &= times_ns < after_ns
    return chosen


def _spans(source: Callable[..., _Timed], most_bytes: int) -> Iterator[tuple[int, int]]:
    """Spans of time one after the other, each with about so many bytes of messages."""
    times: list[Int64s] = [np.empty(0, np.int64)]
    sizes: list[Int64s] = [np.empty(0, np.int64)]
    for times_ns, batch in source():
        times.append(times_ns)
        sizes.append(batch.length)
    time_ns = np.concatenate(times)
    if not len(time_ns):
        return
    order = np.argsort(time_ns, kind="stable")
    time_ns = time_ns[order]
    share = np.cumsum(np.concatenate(sizes)[order]) // most_bytes
    begins = time_ns[np.flatnonzero(np.diff(share, prepend=-1))]
    borders = [*np.unique(begins).tolist(), int(time_ns[-1]) + 1]
    yield from pairwise(borders)


def _joined(batches: Sequence[Batch]) -> Batch:
    """Batches end to end as one, on a buffer of its own."""
    names = tuple(dict.fromkeys(name for batch in batches for name in batch.topics))
    topics = [
        np.array([names.index(name) for name in batch.topics], np.int64)[batch.topic]
        for batch in batches
    ]
    length = np.concatenate([batch.length for batch in batches])
    payloads = b"".join(data for batch in batches for data in batch.payloads())
    return Batch(
        topics=names,
        topic=np.concatenate(topics),
        log_time_ns=np.concatenate([batch.log_time_ns for batch in batches]),
        publish_time_ns=np.concatenate([batch.publish_time_ns for batch in batches]),
        sequence=np.concatenate([batch.sequence for batch in batches]),
        buffer=np.frombuffer(payloads, np.uint8),
        offset=np.cumsum(length) - length,
        length=length,
    )
