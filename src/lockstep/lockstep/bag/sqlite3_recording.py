"""Recording into SQLite storage: a thread writes what comes, in transactions of half a second."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ..closing import Closable
from .metadata import OfferedQoS, Origin
from .sqlite3_writer import Sqlite3Writer
from .writing_thread import WritingThread

_FLUSH_S = 0.5
_ROWS_BYTES = 1 << 20
_ROW_BYTES = 32  # beside the payload, about


class Sqlite3Recording(Closable):
    """Writes one bag, message by message, as BagWriter does; use it in a with-statement.

    At most one second of messages is in memory, and `cache_bytes` of what waits for the disk before
    a call does. Other options are those of Sqlite3Writer.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, cache_bytes: int = 0, **options: Any
    ) -> None:
        self.path = Path(path)
        self.counts: dict[str, int] = {}
        """Messages written so far, by topic."""
        self._writer = Sqlite3Writer(path, **options)
        self._thread = WritingThread(cache_bytes)
        self._rows: list[tuple[str, int, bytes]] = []
        self._rows_bytes = 0
        self._submitted_bytes = 0
        self._last_flush = time.monotonic()
        self._files = 1
        self._closed = False

    @property
    def behind_bytes(self) -> int:
        """Bytes that wait for the disk, or for their transaction."""
        return self._rows_bytes + self._thread.waiting_bytes

    @property
    def file_bytes(self) -> int:
        """Bytes of the file that is being written, with those that wait."""
        return self._submitted_bytes + self._rows_bytes

    def describe(self, origin: Origin) -> None:
        """Note the origin of what is written; see BagWriter."""
        self._writer.describe(origin)

    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str = "",
        qos: tuple[OfferedQoS, ...] = (),
    ) -> None:
        """Declare a topic before its first message; see BagWriter."""
        self.counts[name] = 0
        self._thread.submit(self._writer.add_topic, name, type_name, definition, type_hash, qos)

    def write(self, topic: str, data: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        """Append one message; SQLite storage does not keep when it was published."""
        self._rows.append((topic, log_time_ns, data))
        self._rows_bytes += len(data) + _ROW_BYTES
        self.counts[topic] += 1
        if self._rows_bytes >= _ROWS_BYTES:
            self._submit()
        else:
            self.flush()

    def flush(self) -> None:
        """Hand what is in memory to the operating system if it is older than half a second."""
        if time.monotonic() - self._last_flush >= _FLUSH_S:
            self._submit()

    def split(self) -> tuple[Path, Path]:
        """End the file and go on in a new one; gives both."""
        self._submit()
        self._submitted_bytes = 0
        self._thread.submit(self._writer.split)
        self._files += 1
        ended, opened = (f"{self.path.name}_{self._files - back}.db3" for back in (2, 1))
        return self.path / ended, self.path / opened

    def close(self) -> None:
        """Write metadata.yaml; a second time is harmless."""
        if self._closed:
            return
        self._closed = True
        rows, self._rows = self._rows, []
        self._thread.close(self._end, rows)

    def _end(self, rows: list[tuple[str, int, bytes]]) -> None:
        with self._writer:
            self._writer.write_rows(rows)

    def _submit(self) -> None:
        self._last_flush = time.monotonic()
        if not self._rows:
            return
        rows, size = self._rows, self._rows_bytes
        self._rows, self._rows_bytes = [], 0
        self._submitted_bytes += size
        self._thread.submit(self._writer.write_rows, rows, size=size)
