"""The times of all messages, by which those of two bags are aligned: read in one pass through a bag."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..bag import Bag, BagError
from ..bag.message_error import MessageError
from .align import Times
from .comparison import Align
from .errors import CompareError

STAMP = "header.stamp"
_SHARE = 0.5  # of messages that must fit for a way to align to be chosen


@dataclass
class Index:
    """Log times and header stamps of the messages of a bag by key, in ns; stamps only of keys that have any."""

    log: dict[str, Times] = field(default_factory=dict)
    stamps: dict[str, Times] = field(default_factory=dict)


def index_of(bag: Bag, keys: list[str], by: Align) -> Index:
    """The index of those keys that the bag has, with stamps if they may be needed to align `by`."""
    there = [key for key in keys if key in bag.topics]
    stamped = [key for key in there if by in ("stamp", "auto") and _has_stamps(bag, key)]
    log: dict[str, list[Times]] = {key: [np.empty(0, np.int64)] for key in there}
    stamps: dict[str, list[Times]] = {key: [np.empty(0, np.int64)] for key in stamped}
    for whole in bag.batches(there):
        for number in np.unique(whole.topic):
            key = whole.topics[number]
            batch = whole if len(whole.topics) == 1 else whole.where(whole.topic == number)
            if key in stamps:
                done = sum(map(len, log[key]))
                try:
                    found = bag.codec(key).columns(
                        batch.buffer, batch.offset, batch.length, [STAMP]
                    )
                except MessageError as error:
                    raise error.of(key, done + error.tick) from error
                stamps[key].append(found[STAMP])
            log[key].append(batch.log_time_ns)
    return Index(
        {key: np.concatenate(parts) for key, parts in log.items()},
        {key: np.concatenate(parts) for key, parts in stamps.items()},
    )


def _has_stamps(bag: Bag, key: str) -> bool:
    try:
        return STAMP in bag.codec(key).fields()
    except BagError:
        return False  # whoever compares the key says what is wrong with its type


def stamps_of(index: Index, key: str) -> Times:
    """The header stamps of a key; raises CompareError if it has none."""
    if key not in index.stamps:
        raise CompareError(f"{key} has no header to align by; align by time or tick instead")
    return index.stamps[key]


def chosen(a: Index, b: Index, key: str, times: tuple[Times, Times]) -> Align:
    """How messages of a key are best aligned: by stamps that both have, else by time, else by tick.

    `times` are the log times from the origin of each bag.
    """
    if key in a.stamps and key in b.stamps and _tell_apart(a.stamps[key], b.stamps[key]):
        return "stamp"
    if len(times[0]) != len(times[1]) or _fit_in_time(*times):
        return "time"
    return "tick"


def _tell_apart(a: Times, b: Times) -> bool:
    """Whether stamps tell messages apart, and those of both sides are about the same."""
    once_a, once_b = np.unique(a), np.unique(b)
    if min(len(once_a) / max(1, len(a)), len(once_b) / max(1, len(b))) <= _SHARE:
        return False
    shared = np.intersect1d(once_a, once_b, assume_unique=True)
    return len(shared) > _SHARE * min(len(once_a), len(once_b))


def _fit_in_time(a: Times, b: Times) -> bool:
    """Whether the i-th messages of both come at about the same time, in whatever order."""
    a, b = np.sort(a), np.sort(b)
    steps = np.diff(a)
    interval = float(np.median(steps)) if len(steps) else 0.0
    return bool(np.mean(np.abs(b - a) <= interval / 2) > _SHARE) if len(a) else True
