"""Judging messages that nothing can decode, by their bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from ..message.arrays import Int64s
from .deviation import Deviation
from .key_comparison import KEPT_TICKS, Judged, TickDifference
from .payloads import equal_payloads
from .side_by_side import Side
from .tolerance import EXACT


class BytesJudge:
    """Judges messages of one topic: their bytes are the same, or they differ."""

    def __init__(self) -> None:
        self._equal_bytes = 0
        self._kept: list[TickDifference] = []
        self.differing = 0
        """Messages with other bytes so far."""

    @property
    def all_match(self) -> bool:
        """Whether all messages so far have the same bytes."""
        return not self.differing

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages: row i of one side belongs to row i of the other."""
        same = equal_payloads(a, b)
        wrong = np.flatnonzero(~same)
        self._equal_bytes += len(same) - len(wrong)
        self.differing += len(wrong)
        for row in wrong[: KEPT_TICKS - len(self._kept)].tolist():
            fields = (Deviation("bytes", _told(a, row), _told(b, row), None, EXACT, passes=False),)
            self._kept.append(TickDifference(int(a.ticks[row]), int(b.ticks[row]), 0, fields))

    def judged(self, times_a: Int64s) -> Judged:
        """What was found so far, at the times (n,) of all messages of A."""
        kept = tuple(replace(one, time_ns=int(times_a[one.tick_a])) for one in self._kept)
        return Judged(equal_bytes=self._equal_bytes, differing=self.differing, kept=kept)


def _told(side: Side, row: int) -> str:
    payload = side.payload(row).tobytes()
    return f"{len(payload)} bytes, SHA-256 {hashlib.sha256(payload).hexdigest()[:12]}…"
