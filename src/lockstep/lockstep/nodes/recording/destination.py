"""Where recorded messages go: a bag that is split by size and duration, at once or, as a snapshot,
when somebody asks for what came last."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import zstandard

from ...bag import BagWriter
from ...bag.metadata import OfferedQoS, Origin
from ...bag.sqlite3_recording import Sqlite3Recording
from ...message.time import NS_PER_S

_CHUNK_BYTES = 1 << 20
_LEAST_CHUNK_BYTES = 1 << 12
_CHUNKS_OF_FILE = 8


@dataclass(frozen=True)
class Storing:
    """How a bag is written; 0 is no limit. `cache_bytes` are of messages that may wait for the
    disk: what is more is lost, or waited for with 0; in a snapshot, they are what is held."""

    max_file_bytes: int = 0
    max_file_s: int = 0
    cache_bytes: int = 0
    storage: Literal["mcap", "sqlite3"] = "mcap"
    compression: str = "zstd"
    resilient: bool = False
    compress_files: bool = False
    compress_messages: bool = False
    snapshot: bool = False
    custom_data: Mapping[str, str] | None = None


class Destination:
    """A bag that is being recorded.

    `split_told` is called with the file that was ended and the new one. Every method may raise
    BagError.
    """

    def __init__(self, path: Path, storing: Storing) -> None:
        self._storing = storing
        self._writer = _writer(path, storing)
        self._writer.describe(Origin(storing.custom_data or {}))
        self._compress = zstandard.ZstdCompressor(1).compress if storing.compress_messages else None
        self._held: deque[tuple[str, bytes, int, int]] | None = (
            deque() if storing.snapshot else None
        )
        self._held_bytes = 0
        self._file_start_ns: int | None = None
        self.dropped: Counter[str] = Counter()
        self.split_told: Callable[[Path, Path], None] = _nobody

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return self._writer.counts

    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str,
        qos: tuple[OfferedQoS, ...],
    ) -> None:
        """Declare a topic before its first message."""
        self._writer.add_topic(name, type_name, definition, type_hash, qos)

    def put(self, topic: str, data: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        """Write a message, or hold it for a snapshot."""
        if self._held is None:
            self._write(topic, data, log_time_ns, publish_time_ns)
            return
        self._held.append((topic, data, log_time_ns, publish_time_ns))
        self._held_bytes += len(data)
        while self._held_bytes > self._storing.cache_bytes and len(self._held) > 1:
            self._held_bytes -= len(self._held.popleft()[1])

    def take_snapshot(self) -> None:
        """Write what is held."""
        while self._held:
            self._write(*self._held.popleft())
        self._held_bytes = 0

    def split(self) -> None:
        """Go on in a new file."""
        self._file_start_ns = None
        self.split_told(*self._writer.split())

    def flush(self) -> None:
        """Hand what is in memory to the operating system if it is older than half a second."""
        self._writer.flush()

    def close(self) -> None:
        """Write the index and metadata.yaml."""
        self._writer.close()

    def _write(self, topic: str, data: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        storing = self._storing
        if storing.cache_bytes and not storing.snapshot:
            behind = self._writer.behind_bytes
            if behind > _CHUNK_BYTES and behind + len(data) > storing.cache_bytes:
                self.dropped[topic] += 1
                return
        if self._file_start_ns is not None and (
            0 < storing.max_file_bytes <= self._writer.file_bytes
            or 0 < storing.max_file_s * NS_PER_S < log_time_ns - self._file_start_ns
        ):
            self.split()
        if self._file_start_ns is None:
            self._file_start_ns = log_time_ns
        if self._compress is not None:
            data = self._compress(data)
        self._writer.write(topic, data, log_time_ns, publish_time_ns)


def _writer(path: Path, storing: Storing) -> BagWriter | Sqlite3Recording:
    cache_bytes = 0 if storing.snapshot else storing.cache_bytes
    if storing.storage == "sqlite3":
        return Sqlite3Recording(
            path,
            cache_bytes=cache_bytes,
            resilient=storing.resilient,
            compress_files=storing.compress_files,
            compressed_messages=storing.compress_messages,
        )
    chunk_bytes = _CHUNK_BYTES
    if storing.max_file_bytes:
        chunk_bytes = min(chunk_bytes, storing.max_file_bytes // _CHUNKS_OF_FILE)
    return BagWriter(
        path,
        compression=storing.compression,
        chunk_bytes=max(chunk_bytes, _LEAST_CHUNK_BYTES),
        cache_bytes=cache_bytes,
        compress_files=storing.compress_files,
        compressed_messages=storing.compress_messages,
    )


def _nobody(closed: Path, opened: Path) -> None:
    """Nobody wants to know."""
