"""Messages of a bag in order of their log times, whatever order its files have them in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

import numpy as np

from ..message.arrays import Int64s
from ..message.batch import Batch
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
    files find most by their indexes. Raises BagError as `batches` does, before the first batch.
    """
    for first_ns, after_ns in _spans(bag, topics, start_ns, end_ns, strict, most_bytes):
        batches = [b for b in bag.batches(topics, first_ns, after_ns, strict) if len(b)]
        if batches:
            yield _joined(batches)


def _spans(
    bag: Bag,
    topics: Collection[str] | None,
    start_ns: int | None,
    end_ns: int | None,
    strict: bool,
    most_bytes: int,
) -> Iterator[tuple[int, int]]:
    """Spans of time one after the other, each with about so many bytes of messages."""
    times: list[Int64s] = [np.empty(0, np.int64)]
    sizes: list[Int64s] = [np.empty(0, np.int64)]
    for batch in bag.batches(topics, start_ns, end_ns, strict):
        times.append(batch.log_time_ns)
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


def _joined(batches: list[Batch]) -> Batch:
    """Batches as one in order of time, on a buffer of its own."""
    names = tuple(dict.fromkeys(name for batch in batches for name in batch.topics))
    topics = [
        np.array([names.index(name) for name in batch.topics], np.int64)[batch.topic]
        for batch in batches
    ]
    length = np.concatenate([batch.length for batch in batches])
    payloads = b"".join(data for batch in batches for data in batch.payloads())
    time_ns = np.concatenate([batch.log_time_ns for batch in batches])
    return Batch(
        topics=names,
        topic=np.concatenate(topics),
        log_time_ns=time_ns,
        publish_time_ns=np.concatenate([batch.publish_time_ns for batch in batches]),
        sequence=np.concatenate([batch.sequence for batch in batches]),
        buffer=np.frombuffer(payloads, np.uint8),
        offset=np.cumsum(length) - length,
        length=length,
    ).where(np.argsort(time_ns, kind="stable"))
