"""What messages hold, in a few numbers each: enough to tell which of two bags belong together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import Bag, BagError
from ..cdr.message_error import MessageError
from ..message.arrays import Column, Floats, Int64s
from ..message.batch import Batch
from ..message.primitives import SIZES, STRINGS
from ..message.schema import base_type
from .definitions import common
from .tolerance import Tolerances

_NUMBERS = 4
_ELEMENTS = 32  # of an array that are looked at
_SAMPLE = 1000  # messages that tell by how much values change from one to the next
_FAR = 1e6
_BYTES_DIFFER = 1e-3


class Contents:
    """The messages of one side of a topic: 32 bytes for each, however large they are.

    Numbers are shares of their usual step from one message to the next, added up in four ways.
    """

    def __init__(self) -> None:
        self._digests: list[Int64s] = [np.empty(0, np.int64)]
        self._words: list[Int64s] = [np.empty(0, np.int64)]
        self._numbers: list[npt.NDArray[np.float32]] = [np.empty((0, _NUMBERS), np.float32)]

    def add(self, digests: Int64s, words: Int64s, numbers: Floats) -> None:
        """Take the next m messages: hashes of their bytes and texts (m,), numbers (m, 4)."""
        self._digests.append(digests)
        self._words.append(words)
        self._numbers.append(numbers.astype(np.float32))

    @property
    def digests(self) -> Int64s:
        """Hashes of the bytes, (n,)."""
        self._digests = [np.concatenate(self._digests)]
        return self._digests[0]

    @property
    def words(self) -> Int64s:
        """Hashes of the texts, (n,)."""
        self._words = [np.concatenate(self._words)]
        return self._words[0]

    @property
    def numbers(self) -> npt.NDArray[np.float32]:
        """Numbers, (n, 4)."""
        self._numbers = [np.concatenate(self._numbers)]
        return self._numbers[0]


def unlikeness(a: Contents, b: Contents, rows_a: Int64s, rows_b: Int64s) -> Floats:
    """How unlike the messages of rows (m,) are, (m,): 0 for equal bytes, 0.5 for the usual step
    from one message to the next, less than 1."""
    apart: Floats = np.abs(a.numbers[rows_a] - b.numbers[rows_b]).mean(axis=1, dtype=np.float64)
    apart += a.words[rows_a] != b.words[rows_b]
    apart += _BYTES_DIFFER
    apart[a.digests[rows_a] == b.digests[rows_b]] = 0.0
    apart /= 1.0 + apart
    return apart


def contents(
    bags: tuple[Bag, Bag], topics: Collection[str], tolerances: Tolerances
) -> dict[str, tuple[Contents, Contents]]:
    """What the messages of topics hold, which both bags have; reads each bag once."""
    found = {topic: (Contents(), Contents()) for topic in topics}
    readers = {topic: _Reader(bags, topic, tolerances) for topic in topics}
    for side, bag in enumerate(bags):
        done = dict.fromkeys(topics, 0)
        for batch in bag.batches(frozenset(topics)):
            for topic, part in batch.by_topic():
                try:
                    found[topic][side].add(*readers[topic].read(side, part))
                except MessageError as error:
                    raise error.of(topic, done[topic] + error.tick) from error
                done[topic] += len(part)
    return found


class _Reader:
    """Reads the fields of a topic that tell messages apart: all that count but times.

    Times are what messages are aligned by anyhow, and those of two runs are rarely the same.
    """

    def __init__(self, bags: tuple[Bag, Bag], topic: str, tolerances: Tolerances) -> None:
        kinds: dict[str, str] = {}
        tolerances = tolerances.at(topic)
        with suppress(BagError):  # what nothing can decode is told apart by its bytes
            self._codecs = bags[0].codec(topic), bags[1].codec(topic)
            kinds = {
                path: kind
                for path, kind in common(*self._codecs).items()
                if not tolerances.of(path).ignore
            }
        self._texts = [path for path, kind in kinds.items() if base_type(kind) in STRINGS]
        self._elements = {
            path: _ELEMENTS if "[" in path or "[" in kind else 1
            for path, kind in kinds.items()
            if base_type(kind) in SIZES
        }
        self._steps = self._usual_steps(bags[0], topic)
        self._weights = {
            path: np.random.default_rng(number).choice((-1.0, 1.0), (len(steps[0]), _NUMBERS))
            for number, (path, steps) in enumerate(self._steps.items())
        }

    def read(self, side: int, batch: Batch) -> tuple[Int64s, Int64s, Floats]:
        """Hashes of the bytes and texts of m messages, (m,), and their numbers, (m, 4)."""
        digests = np.array([hash(data) for data in batch.payloads()], np.int64)
        columns = self._columns(side, batch)
        rows = zip(*(columns[path] for path in self._texts), strict=True)
        words = (
            [hash(tuple(map(_frozen, row))) for row in rows] if self._texts else [0] * len(batch)
        )
        numbers = np.zeros((len(batch), _NUMBERS))
        for path, (middle, step) in self._steps.items():
            values = _elements(columns[path], len(middle))
            numbers += np.clip((values - middle) / step, -_FAR, _FAR) @ self._weights[path]
        return digests, np.array(words, np.int64), numbers

    def _columns(self, side: int, batch: Batch) -> Mapping[str, Column]:
        paths = [*self._texts, *self._elements]
        if not paths:
            return {}
        return self._codecs[side].columns(batch.buffer, batch.offset, batch.length, paths)

    def _usual_steps(self, bag: Bag, topic: str) -> dict[str, tuple[Floats, Floats]]:
        """By path: a usual value of each element, and its usual step, (k,) each."""
        parts: dict[str, list[Floats]] = {path: [] for path in self._elements}
        count = 0
        for batch in bag.batches([topic]):
            few = batch.where(slice(0, _SAMPLE - count))
            columns = self._columns(0, few)
            for path, most in self._elements.items():
                parts[path].append(_elements(columns[path], most))
            count += len(few)
            if count >= _SAMPLE:
                break
        return {path: _scale(np.concatenate(rows)) for path, rows in parts.items() if rows}


def _scale(values: Floats) -> tuple[Floats, Floats]:
    steps = np.abs(np.diff(values, axis=0))
    steps[steps == 0] = np.nan
    size = np.abs(values).max(axis=0, initial=0)
    usual = np.where(size > 0, size, 1.0)
    moves = ~np.isnan(steps).all(axis=0) if len(steps) else np.zeros(values.shape[1], np.bool_)
    usual[moves] = np.nanmedian(steps[:, moves], axis=0)
    return np.median(values, axis=0), usual


def _elements(column: Column, most: int) -> Floats:
    """The first elements of m messages, (m, most): 0 where there are none or they are no number."""
    found = np.zeros((len(column), most))
    if column.dtype == object:
        for row, value in enumerate(column):
            numbers = _flat(value, most)
            found[row, : len(numbers)] = numbers
    else:
        flat = column.reshape(len(column), -1)
        evenly = flat[:, :: max(1, -(-flat.shape[1] // most))]
        found[:, : evenly.shape[1]] = evenly
    found[~np.isfinite(found)] = 0.0
    return found


def _flat(value: Any, most: int) -> list[float]:
    array = np.asarray(value)
    if array.dtype != object:
        return [float(number) for number in array.ravel()[:most]]
    found: list[float] = []
    for inner in array.ravel():
        found += _flat(inner, most - len(found))
        if len(found) >= most:
            break
    return found[:most]


def _frozen(value: Any) -> Any:
    """Texts of a message as something that has a hash."""
    return tuple(map(_frozen, value)) if isinstance(value, np.ndarray) else value
