"""Reading ahead where a file is walked: reads of a few bytes here and there,
answered from blocks.
"""

from __future__ import annotations

from ..source import Source

BLOCK = 1 << 18


class Window:
    """The block of a source that was read last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._start = 0
        self._block = b""

    def read(self, offset: int, length: int, end: int) -> bytes:
        """Like Source.read; what else is read ahead ends at `end`."""
        if length > BLOCK:
            return self._source.read(offset, length)
        within = offset - self._start
        if not 0 <= within <= within + length <= len(self._block):
            ahead = max(length, min(BLOCK, end - offset))
            self._start, self._block = offset, self._source.read(offset, ahead)
            within = 0
        return self._block[within : within + length]
