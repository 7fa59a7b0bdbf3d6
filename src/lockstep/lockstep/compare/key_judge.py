"""Judging the messages of one key that belong together, and what that comes to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cdr.codec import Codec
from ..errors import CompareError
from ..message.arrays import Int64s, Mask
from .column_judge import ColumnJudge
from .kept_differences import KeptDifferences
from .key_comparison import Judged, TickDifference
from .payloads import equal_payloads
from .side_by_side import Side
from .tolerance import Tolerances


class KeyJudge:
    """Judges messages; those of equal bytes are equal, and objects are made only to be shown.

    With `redefined` equal bytes have other layouts and so may be other values.
    """

    def __init__(
        self,
        topic: str,
        codecs: tuple[Codec, Codec],
        tolerances: Tolerances,
        *,
        redefined: bool = False,
    ) -> None:
        if any(rule.effect is not None for rule in tolerances.at(topic).rules.values()):
            raise CompareError(
                f"effect of a tolerance judges distributions, and {topic} is compared message by "
                "message; give align: none, or another tolerance"
            )
        self._redefined = redefined
        self._columns = ColumnJudge(topic, codecs, tolerances)
        self._kept = KeptDifferences(codecs, tolerances.at(topic))
        self._equal_bytes = 0
        self.differing = 0
        """Messages beyond a tolerance so far."""

    @property
    def needs_equal(self) -> bool:
        """Whether the bytes of messages count that are the same on both sides."""
        return self._columns.needs_all

    @property
    def all_match(self) -> bool:
        """Whether no message so far is beyond a tolerance."""
        return not self.differing and all(one.matches for one in self._columns.fields.values())

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages: row i of one side belongs to row i of the other."""
        same = equal_payloads(a, b)
        if self._redefined:
            same[:] = False
        self.add_equal(int(np.count_nonzero(same)))
        if not self.needs_equal:
            a, b = a.where(~same), b.where(~same)
        self.add_values(a, b)

    def add_equal(self, count: int) -> None:
        """Count so many messages with the same bytes; if needed, `add_values` takes them too."""
        self._equal_bytes += count

    def add_values(self, a: Side, b: Side, times: Int64s | None = None) -> Mask:
        """Take the next messages whose values have to be looked at; which of them are wrong, (m,).

        `times` (m,) are those of A's; without, `judged` needs those of all messages of A.
        """
        if not len(a.ticks):
            return np.zeros(0, np.bool_)
        wrong = self._columns.judge(a, b)
        self.differing += int(np.count_nonzero(wrong))
        self._kept.take(a, b, wrong, self._columns, times)
        return wrong

    def difference(self, a: Side, b: Side, row: int, time_ns: int) -> TickDifference:
        """How the messages of one row differ beyond tolerance."""
        return self._kept.difference(a, b, row, time_ns)

    def judged(self, times_a: Int64s | None = None) -> Judged:
        """What was found so far, at the times (n,) of all messages of A if they are known now."""
        kept = self._kept.kept
        beyond = self._columns.first_beyond_rounding
        clear = [] if beyond is None else [self._kept.climbs[beyond]]
        if times_a is not None:
            kept, clear = (
                [replace(found, time_ns=int(times_a[found.tick_a])) for found in some]
                for some in (kept, clear)
            )
        return Judged(
            equal_bytes=self._equal_bytes,
            differing=self.differing,
            fields=self._columns.fields,
            ignored=self._columns.ignored,
            kept=tuple(kept),
            beyond_rounding=clear[0] if clear else None,
            worst=self._kept.worst,
            worst_tick=self._kept.worst_tick,
        )
