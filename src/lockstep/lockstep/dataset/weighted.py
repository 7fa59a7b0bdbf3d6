"""Records of which some are left out, or come more than once: those that say what was said before,
and those of recordings that weigh less or more than others."""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from ..errors import DatasetError
from ..message.arrays import Column, Int64s, Mask
from .form import Encoded, encoded
from .source import Record, Source, View, part_of, within
from .stored_as import form_of

_STEPS = 1 << 32
_DIGEST_BYTES = 16


class Weighted(View):
    """Each record as often as `weight` says: one of 2.5 two or three times, one of 0.1 in one of
    ten cases. Which ones depends on `seed`, key and time alone."""

    def __init__(self, source: Source, weight: float, seed: int) -> None:
        super().__init__(source)
        self._weight, self._seed = weight, seed

    def part(self, turn: int, of: int) -> Source | None:
        part = part_of(self._source, turn, of)
        return None if part is None else Weighted(part, self._weight, self._seed)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        whole, rest = divmod(self._weight, 1.0)
        for record in self._source.records(keys, start_ns, end_ns):
            drawn = zlib.crc32(f"{self._seed} {record.key} {record.stamp_ns}".encode()) / _STEPS
            for _ in range(int(whole) + (drawn < rest)):
                yield record


class Masked(View):
    """The records of each key of which its mask (n,) is true."""

    def __init__(self, source: Source, masks: Mapping[str, Mask]) -> None:
        super().__init__(source)
        self._masks = masks

    def count(self, key: str) -> int:
        return int(np.count_nonzero(self._masks[key]))

    def stamps(self, key: str) -> Int64s:
        return self._source.stamps(key)[self._masks[key]]

    def publish_times(self, key: str) -> Int64s:
        return self._source.publish_times(key)[self._masks[key]]

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        column = self._source.column(key, path, start_ns, end_ns)
        inside = within(self._source.stamps(key), start_ns, end_ns)
        chosen: Column = column[self._masks[key][inside]]
        return chosen

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        inside = {
            key: iter(self._masks[key][within(self._source.stamps(key), start_ns, end_ns)].tolist())
            for key in self.names()
            if keys is None or key in keys
        }
        for record in self._source.records(keys, start_ns, end_ns):
            if next(inside[record.key]):
                yield record


def distinct(sources: Sequence[Source]) -> list[Source]:
    """Sources without the records that say, under one key, what an earlier one said; all are read
    for it, once."""
    keys = list(dict.fromkeys(key for source in sources for key in source.names()))
    number = {key: n for n, key in enumerate(keys)}
    digests: list[bytes] = []
    places: list[tuple[int, int]] = []
    for place, source in enumerate(sources):
        for record in source.records():
            digests.append(content_digest(record))
            places.append((place, number[record.key]))
    if not digests:
        return list(sources)
    content = np.frombuffer(b"".join(digests), np.uint64).reshape(len(digests), -1)
    _, firsts = np.unique(content, axis=0, return_index=True)
    is_first = np.zeros(len(digests), np.bool_)
    is_first[firsts] = True
    where = np.array(places)
    return [
        Masked(
            source,
            {
                key: is_first[(where[:, 0] == place) & (where[:, 1] == number[key])]
                for key in source.names()
            },
        )
        for place, source in enumerate(sources)
    ]


def content_digest(record: Record) -> bytes:
    """16 bytes that tell apart what records say under which key, whatever their times."""
    own = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    own.update(record.key.encode() + b"\0")
    own.update(content(record))
    return own.digest()


def content(record: Record) -> bytes:
    """A value as bytes, the same for equal values."""
    value = record.value
    if isinstance(value, Encoded):
        return value.data
    try:
        return encoded(form_of(value), value, record.key)
    except DatasetError:  # which nothing but memory can keep
        return pickle.dumps(value)
