"""Messages as columns: what every storage yields, and what everything fast is built on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Bytes, Int64s


@dataclass(frozen=True)
class Batch:
    """n consecutive messages of one file, in file order.

    `topic` (n,) indexes `topics`; times (n,) are in ns; the payload of message i is
    `buffer[offset[i] : offset[i] + length[i]]`, for CDR with its 4-byte encapsulation header.
    `buffer` is read-only.
    """

    topics: tuple[str, ...]
    topic: Int64s
    log_time_ns: Int64s
    publish_time_ns: Int64s
    sequence: Int64s
    buffer: Bytes
    offset: Int64s
    length: Int64s

    def __len__(self) -> int:
        return len(self.offset)

    def where(self, chosen: npt.NDArray[np.bool_] | Int64s | slice) -> Batch:
        """The messages that a mask (n,), indices or a slice choose, on the same buffer."""
        return replace(
            self,
            topic=self.topic[chosen],
            log_time_ns=self.log_time_ns[chosen],
            publish_time_ns=self.publish_time_ns[chosen],
            sequence=self.sequence[chosen],
            offset=self.offset[chosen],
            length=self.length[chosen],
        )

    def by_topic(self) -> Iterator[tuple[str, Batch]]:
        """The messages of each topic that there is, in order, on the same buffer."""
        counts = np.bincount(self.topic)
        there = np.flatnonzero(counts).tolist()
        if len(there) == 1:
            yield self.topics[there[0]], self
            return
        grouped = self.where(np.argsort(self.topic, kind="stable"))
        ends = np.cumsum(counts).tolist()
        for number in there:
            yield (
                self.topics[number],
                grouped.where(slice(ends[number] - counts[number], ends[number])),
            )

    def payloads(self) -> Iterator[bytes]:
        """The payloads one by one, copied."""
        data: Any = self.buffer.base
        if not isinstance(data, bytes) or len(data) != len(self.buffer):
            # Slices of bytes are made at half the cost of slices of a memoryview.
            most = 2 * int(self.length.sum()) > len(self.buffer)
            data = self.buffer.tobytes() if most else self.buffer.data
        ends = (self.offset + self.length).tolist()
        for start, end in zip(self.offset.tolist(), ends, strict=True):
            yield bytes(data[start:end])
