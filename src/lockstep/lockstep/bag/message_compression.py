"""Payloads that rosbag2 compressed one by one (`--compression-mode message`, zstd)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import zstandard

from ..message.arrays import Int64s
from ..message.batch import Batch
from .compression import SMALL_STEP, decompress
from .magic import ZSTD

_LARGEST = 1 << 30
_BATCH_BYTES = 8 << 20
_BLOCK = 1 << 17
_LEAST_OF_BLOCK = 4


def plain(batches: Iterable[Batch], report: Callable[[str], None]) -> Iterator[Batch]:
    """Batches with plain payloads; those that are plain already are passed on as they are.

    `report` is told in a sentence of each payload that cannot be decompressed, after those before
    it were yielded; if it returns, that message is left out.
    """
    for batch in batches:
        compressed = _compressed(batch)
        if not len(compressed):
            yield batch
            continue
        changes = dict.fromkeys(compressed.tolist(), _plain)
        yield from changed(batch, changes, "be decompressed", report)


def _compressed(batch: Batch) -> Int64s:
    """The indices of the messages that are compressed."""
    long = np.flatnonzero(batch.length >= len(ZSTD))
    if not len(long):
        return long
    offset = batch.offset[long]
    for place, byte in enumerate(ZSTD):
        chosen = batch.buffer[offset + place] == byte
        long, offset = long[chosen], offset[chosen]
    return long


def changed(
    batch: Batch,
    changes: Mapping[int, Callable[[bytes], bytes | memoryview]],
    what: str,
    report: Callable[[str], None],
) -> Iterator[Batch]:
    """A batch of whose messages some, by their index, have other payloads.

    `report` is told in a sentence of each that cannot, as `what` says, after those before it were
    yielded; if it returns, that message is left out. A change raises ValueError then.
    """
    indices: list[int] = []
    payloads: list[bytes | memoryview] = []
    size = 0
    for index, recorded in enumerate(batch.payloads()):
        data: bytes | memoryview = recorded
        if index in changes:
            try:
                data = changes[index](recorded)
            except ValueError as error:
                yield from _joined(batch, indices, payloads)
                indices, payloads, size = [], [], 0
                topic = batch.topics[int(batch.topic[index])]
                report(f"a message of {topic} cannot {what} ({error})")
                continue
        if size + len(data) > _BATCH_BYTES:
            yield from _joined(batch, indices, payloads)
            indices, payloads, size = [], [], 0
        indices.append(index)
        payloads.append(data)
        size += len(data)
    yield from _joined(batch, indices, payloads)


def _plain(data: bytes) -> bytes:
    """One payload; raises ValueError, also for a size that such a payload cannot have."""
    try:
        size = zstandard.frame_content_size(data)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    most = min(_LARGEST, (len(data) // _LEAST_OF_BLOCK + 1) * _BLOCK)
    if size > most:
        raise ValueError(f"it claims to hold {size} bytes")
    if size >= 0:
        return bytes(decompress(data, "zstd", size))
    try:
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        parts, size = [], 0
        for start in range(0, len(data), SMALL_STEP):
            parts.append(decompressor.decompress(data[start : start + SMALL_STEP]))
            size += len(parts[-1])
            if size > most:
                raise ValueError(f"it holds more than {most} bytes")
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if not decompressor.eof:
        raise ValueError("it is cut off")
    return b"".join(parts)


def _joined(
    batch: Batch, indices: list[int], payloads: list[bytes | memoryview]
) -> Iterator[Batch]:
    if not indices:
        return
    length = np.fromiter(map(len, payloads), np.int64, len(payloads))
    yield replace(
        batch.where(np.array(indices)),
        buffer=np.frombuffer(b"".join(payloads), np.uint8),
        offset=np.cumsum(length) - length,
        length=length,
    )
