"""The times of all messages, by which those of two bags are aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ..bag import Bag, BagError
from ..cdr.message_error import MessageError
from ..errors import CompareError
from ..message.arrays import Column, Int64s
from ..message.batch import Batch
from ..message.schema import TIMES, base_type
from .align import Align, half_interval
from .epochs import NO_CLOCKS, Jumps, one_after_the_other

STAMP = "header.stamp"
_SHARE = 0.5  # of messages that must fit for a way to align to be chosen
_MOST_STAMPS = 3  # fields of one type that are tried
_NO_STAMP = np.iinfo(np.int64).min


class Index:
    """Log times and stamps of the messages of one key, in ns, as its batches are read."""

    def __init__(self, bag: Bag, key: str, by: Align) -> None:
        self._key = key
        paths = _stamps_of(bag, key) if by in ("stamp", "auto") else ()
        self._codec = bag.codec(key) if paths else None
        self._log: list[Int64s] = [np.empty(0, np.int64)]
        self._stamps: dict[str, list[Int64s]] = {path: [np.empty(0, np.int64)] for path in paths}
        self._done = 0

    def add(self, batch: Batch) -> None:
        """Take the next messages, which are all of this key."""
        if self._codec is not None:
            try:
                found = self._codec.columns(
                    batch.buffer, batch.offset, batch.length, list(self._stamps)
                )
            except MessageError as error:
                raise error.of(self._key, self._done + error.tick) from error
            for path, parts in self._stamps.items():
                parts.append(first_times(found[path]))
        self._log.append(batch.log_time_ns)
        self._done += len(batch)

    @property
    def log(self) -> Int64s:
        """The log times, (n,)."""
        return _joined(self._log)

    @property
    def stamps(self) -> Mapping[str, Int64s]:
        """The stamps by the path of their field, (n,) each; the likeliest first."""
        return {path: _joined(parts) for path, parts in self._stamps.items()}


def _joined(parts: list[Int64s]) -> Int64s:
    """The parts end to end, which then are one.

    There are millions of times, and no need to have them twice.
    """
    parts[:] = [np.concatenate(parts)] if len(parts) > 1 else parts
    return parts[0]


def _stamps_of(bag: Bag, key: str) -> Sequence[str]:
    try:
        return stamp_paths(bag.codec(key).fields())
    except BagError:
        return ()  # whoever compares the key says what is wrong with its type


def stamp_paths(fields: Mapping[str, str]) -> Sequence[str]:
    """The fields of a type that may be stamps: that of the header, or else any time there is."""
    if STAMP in fields:
        return [STAMP]
    return [path for path, kind in fields.items() if base_type(kind) == TIMES[0]][:_MOST_STAMPS]


def first_times(column: Column) -> Int64s:
    """The time of each message, (m,); the first where it has several, _NO_STAMP if none."""
    if column.dtype != object and column.ndim == 1:
        return column
    found = np.full(len(column), _NO_STAMP)
    for row, value in enumerate(column):
        while isinstance(value, np.ndarray) and len(value):
            value = value[0]
        if not isinstance(value, np.ndarray):
            found[row] = value
    return found


class Stamped(Protocol):
    """Messages that may have stamps."""

    @property
    def stamps(self) -> Mapping[str, Int64s]:
        """The stamps by the path of their field, (n,) each; the likeliest first."""


def shared_stamp(a: Stamped, b: Stamped, jumps: Jumps = NO_CLOCKS) -> str | None:
    """The field whose times tell messages apart and are about the same on both sides.

    Beside that of a header it must be one that never goes back, but to begin anew.
    """
    of_a, of_b = a.stamps, b.stamps
    for path in of_a:
        if path not in of_b:
            continue
        stamps = one_after_the_other(of_a[path], of_b[path], jumps)
        if _tell_apart(*stamps) and (path == STAMP or all(map(_goes_on, stamps))):
            return path
    return None


def stamp_to_align_by(key: str, a: Stamped, b: Stamped, jumps: Jumps = NO_CLOCKS) -> str:
    """The field to align by stamp; raises CompareError if there is none."""
    paths = [path for path in a.stamps if path in b.stamps]
    if not paths:
        raise CompareError(f"{key} has no header to align by; align by time or tick instead")
    return shared_stamp(a, b, jumps) or paths[0]


def fit_in_time(a: Int64s, b: Int64s, jumps: Jumps = NO_CLOCKS) -> bool:
    """Whether most of as many messages come at about the same time, in whatever order."""
    a, b = map(np.sort, one_after_the_other(a, b, jumps))
    return bool(np.mean(np.abs(b - a) <= half_interval(a)) > _SHARE) if len(a) else True


def _goes_on(times: Int64s) -> bool:
    return bool((np.diff(times) >= 0).all()) and bool((times != _NO_STAMP).all())


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
