"""The times of all messages, by which those of two bags are aligned."""

from __future__ import annotations

import numpy as np

from ..bag import Bag
from .align import Times
from .comparison import Align
from .errors import CompareError

STAMP = "header.stamp"
_SHARE = 0.5  # of messages that must fit for a way to align to be chosen


def log_times(bag: Bag, keys: list[str]) -> dict[str, Times]:
    """The log time of each message of each key that the bag has, in ns."""
    there = [key for key in keys if key in bag.topics]
    parts: dict[str, list[Times]] = {key: [np.empty(0, np.int64)] for key in there}
    for batch in bag.batches(there):
        if len(batch.topics) == 1:
            parts[batch.topics[0]].append(batch.log_time_ns)
            continue
        for index in np.unique(batch.topic):
            parts[batch.topics[index]].append(batch.log_time_ns[batch.topic == index])
    return {key: np.concatenate(series) for key, series in parts.items()}


def stamps(bag: Bag, key: str) -> Times:
    """The header stamp of each message of a key, in ns."""
    if not has_stamps(bag, key):
        raise CompareError(f"{key} has no header to align by; align by time or tick instead")
    return bag.times(key, "header")


def has_stamps(bag: Bag, key: str) -> bool:
    """Whether messages of a key have a header stamp."""
    return STAMP in bag.codec(key).fields()


def chosen(a: Bag, b: Bag, key: str, times: tuple[Times, Times]) -> Align:
    """How messages of a key are best aligned: by stamps that both have, else by time, else by tick.

    `times` are the log times from the origin of each bag.
    """
    if has_stamps(a, key) and has_stamps(b, key) and _tell_apart(stamps(a, key), stamps(b, key)):
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
