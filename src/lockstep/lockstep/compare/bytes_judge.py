"""Judging messages that are no columns: by their bytes, or value by value if they are JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..errors import CompareError
from ..message.arrays import Int64s
from .deviation import Deviation
from .key_comparison import KEPT_TICKS, Judged, TickDifference
from .payloads import equal_payloads
from .side_by_side import Side
from .tolerance import EXACT, Tolerances
from .values import deviations


class BytesJudge:
    """Judges messages of one topic: their bytes are the same, or they differ.

    With `json_tolerances` messages are JSON, and those of other bytes are judged by their values.
    """

    def __init__(self, json_tolerances: Tolerances | None = None) -> None:
        self._json_tolerances = json_tolerances
        self._equal_bytes = 0
        self._kept: list[TickDifference] = []
        self.differing = 0
        """Messages that differ so far."""

    @property
    def all_match(self) -> bool:
        """Whether no message so far differs."""
        return not self.differing

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages: row i of one side belongs to row i of the other."""
        same = equal_payloads(a, b)
        unequal = np.flatnonzero(~same).tolist()
        self._equal_bytes += len(same) - len(unequal)
        for row in unequal:
            fields = tuple(self._wrong(a, b, row))
            self.differing += bool(fields)
            if fields and len(self._kept) < KEPT_TICKS:
                ticks = int(a.ticks[row]), int(b.ticks[row])
                self._kept.append(TickDifference(*ticks, 0, fields))

    def _wrong(self, a: Side, b: Side, row: int) -> Iterator[Deviation]:
        """What differs beyond tolerance in two messages of other bytes."""
        if self._json_tolerances is None:
            yield Deviation("bytes", _told(a, row), _told(b, row), None, EXACT, passes=False)
            return
        found = deviations(_value(a, row), _value(b, row), self._json_tolerances)
        yield from (deviation for deviation in found if not deviation.passes)

    def judged(self, times_a: Int64s) -> Judged:
        """What was found so far, at the times (n,) of all messages of A."""
        kept = tuple(replace(one, time_ns=int(times_a[one.tick_a])) for one in self._kept)
        return Judged(equal_bytes=self._equal_bytes, differing=self.differing, kept=kept)


def _told(side: Side, row: int) -> str:
    payload = side.payload(row).tobytes()
    return f"{len(payload)} bytes, SHA-256 {hashlib.sha256(payload).hexdigest()[:12]}…"


def _value(side: Side, row: int) -> object:
    try:
        return json.loads(side.payload(row).tobytes())
    except (ValueError, RecursionError) as error:
        raise CompareError(
            f"message {side.ticks[row]} of a topic of JSON is no valid JSON ({error}); leave the "
            "topic out"
        ) from error
