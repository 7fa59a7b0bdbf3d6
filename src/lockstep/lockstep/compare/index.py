"""The times of all messages, by which those of two bags are aligned."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..bag import Bag, BagError
from ..cdr.message_error import MessageError
from ..errors import CompareError
from ..message.arrays import Int64s
from ..message.batch import Batch
from .align import Align

STAMP = "header.stamp"
_SHARE = 0.5  # of messages that must fit for a way to align to be chosen


class Index:
    """Log times and header stamps of the messages of one key, in ns, as its batches are read."""

    def __init__(self, bag: Bag, key: str, by: Align) -> None:
        self._key = key
        self._codec = bag.codec(key) if by in ("stamp", "auto") and _has_stamps(bag, key) else None
        self._log: list[Int64s] = [np.empty(0, np.int64)]
        self._stamps: list[Int64s] = [np.empty(0, np.int64)]
        self._done = 0

    def add(self, batch: Batch) -> None:
        """Take the next messages, which are all of this key."""
        if self._codec is not None:
            try:
                found = self._codec.columns(batch.buffer, batch.offset, batch.length, [STAMP])
            except MessageError as error:
                raise error.of(self._key, self._done + error.tick) from error
            self._stamps.append(found[STAMP])
        self._log.append(batch.log_time_ns)
        self._done += len(batch)

    @property
    def log(self) -> Int64s:
        """The log times, (n,)."""
        return _joined(self._log)

    @property
    def stamps(self) -> Int64s:
        """The stamps, (n,); raises CompareError if there are none."""
        if self._codec is None:
            raise CompareError(
                f"{self._key} has no header to align by; align by time or tick instead"
            )
        return _joined(self._stamps)

    @property
    def has_stamps(self) -> bool:
        """Whether there are stamps."""
        return self._codec is not None


def _joined(parts: list[Int64s]) -> Int64s:
    """The parts end to end, which then are one.

    There are millions of times, and no need to have them twice.
    """
    parts[:] = [np.concatenate(parts)] if len(parts) > 1 else parts
    return parts[0]


def _has_stamps(bag: Bag, key: str) -> bool:
    try:
        return STAMP in bag.codec(key).fields()
    except BagError:
        return False  # whoever compares the key says what is wrong with its type


class Stamped(Protocol):
    """Messages that may have stamps."""

    @property
    def stamps(self) -> Int64s:
        """The stamps, (n,)."""

    @property
    def has_stamps(self) -> bool:
        """Whether there are stamps."""


def chosen(a: Stamped, b: Stamped, times: tuple[Int64s, Int64s]) -> Align:
    """How messages of a key are best aligned: by stamps that both have, else by time, else by tick.

    `times` are the log times from the origin of each bag.
    """
    if a.has_stamps and b.has_stamps and _tell_apart(a.stamps, b.stamps):
        return "stamp"
    if len(times[0]) != len(times[1]) or _fit_in_time(*times):
        return "time"
    return "tick"


def _tell_apart(a: Int64s, b: Int64s) -> bool:
    """Whether stamps tell messages apart, and those of both sides are about the same."""
    once_a, once_b = distinct(a), distinct(b)
    if min(len(once_a) / max(1, len(a)), len(once_b) / max(1, len(b))) <= _SHARE:
        return False
    if np.array_equal(once_a, once_b):
        return True
    shared = np.intersect1d(once_a, once_b, assume_unique=True)
    return len(shared) > _SHARE * min(len(once_a), len(once_b))


def distinct(times: Int64s) -> Int64s:
    """The times that there are, each once and in order."""
    return times if (np.diff(times) > 0).all() else np.unique(times)


def _fit_in_time(a: Int64s, b: Int64s) -> bool:
    """Whether the i-th messages of both come at about the same time, in whatever order."""
    a, b = np.sort(a), np.sort(b)
    steps = np.diff(a)
    interval = float(np.median(steps)) if len(steps) else 0.0
    return bool(np.mean(np.abs(b - a) <= interval / 2) > _SHARE) if len(a) else True
