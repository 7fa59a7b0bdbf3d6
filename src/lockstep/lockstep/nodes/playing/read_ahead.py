"""Reading in a thread of its own what is played next, so that no message waits for the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

from ...run.timeline import Event

_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20
_BLOCK = 64


class ReadAhead:
    """An iterator over `events` that is at most `count` messages, and 64 MiB, ahead.

    An error of the reading is raised where the events would have gone on.
    """

    def __init__(self, events: Iterator[Event], count: int) -> None:
        self._events = events
        self._count = count
        self._blocks: deque[tuple[list[Event], int]] = deque()
        self._messages = 0
        self._bytes = 0
        self._error: BaseException | None = None
        self._ended = False
        self._closed = False
        self._changed = threading.Condition()
        self._block: Iterator[Event] = iter(())
        self._thread = threading.Thread(target=self._read, name="read ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> ReadAhead:
        return self

    def __next__(self) -> Event:
        for event in self._block:
            return event
        with self._changed:
            while not self._blocks and not self._ended:
                self._changed.wait()
            if not self._blocks:
                if self._error is not None:
                    raise self._error
                raise StopIteration
            block, size = self._blocks.popleft()
            self._messages -= len(block)
            self._bytes -= size
            self._changed.notify()
        self._block = iter(block)
        return next(self._block)

    def close(self) -> None:
        """End the reading; afterwards the bags may be read from elsewhere."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _read(self) -> None:
        block: list[Event] = []
        size = 0
        try:
            for event in self._events:
                block.append(event)
                size += len(event.data)
                if len(block) >= _BLOCK or size >= _BLOCK_BYTES:
                    if not self._offer(block, size):
                        return
                    block, size = [], 0
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._error = error
        with self._changed:
            if block:
                self._blocks.append((block, size))
            self._ended = True
            self._changed.notify()

    def _offer(self, block: list[Event], size: int) -> bool:
        """Hand over a block when there is room; False when nobody wants any more."""
        with self._changed:
            while self._blocks and not self._closed and self._is_full(len(block), size):
                self._changed.wait()
            self._blocks.append((block, size))
            self._messages += len(block)
            self._bytes += size
            self._changed.notify()
            return not self._closed

    def _is_full(self, count: int, size: int) -> bool:
        return self._messages + count > self._count or self._bytes + size > _BYTES
