"""Which of many differing messages are shown as objects: the first ones of a key, and the worst."""

from __future__ import annotations

import numpy as np

from ..cdr.codec import Codec
from ..message.arrays import Int64s, Mask
from .column_judge import ColumnJudge
from .definitions import common
from .deviation import Deviation
from .key_comparison import KEPT_TICKS, TickDifference
from .side_by_side import Side
from .tolerance import Tolerances
from .values import deviations


class KeptDifferences:
    """Picks the ticks of a key that are worth showing, and makes objects of them."""

    def __init__(self, codecs: tuple[Codec, Codec], tolerances: Tolerances) -> None:
        self._codecs, self._tolerances = codecs, tolerances
        self._kinds = common(*codecs)
        self.kept: list[TickDifference] = []
        self.climbs: dict[int, TickDifference] = {}
        """The ticks at which errors became much larger than before."""
        self.worst: Deviation | None = None
        self.worst_tick: int | None = None

    def take(
        self, a: Side, b: Side, wrong: Mask, judge: ColumnJudge, times: Int64s | None = None
    ) -> None:
        """Take m messages that `judge` has just judged, which of them are wrong, (m,).

        `times` (m,) are those of A's; without, they are still to be set in `kept`.
        """
        for row in np.flatnonzero(wrong)[: KEPT_TICKS - len(self.kept)].tolist():
            time_ns = 0 if times is None else int(times[row])
            self.kept.append(self.difference(a, b, row, time_ns))
        for tick in sorted(judge.climbed_at - self.climbs.keys()):
            row = int(np.searchsorted(a.ticks, tick))
            time_ns = 0 if times is None else int(times[row])
            self.climbs[tick] = self.difference(a, b, row, time_ns)
        here = {tick for tick in judge.largest_at if a.ticks[0] <= tick <= a.ticks[-1]}
        for tick in sorted(here):
            for deviation in self._deviations(a, b, int(np.searchsorted(a.ticks, tick))):
                if _worse(deviation, self.worst):
                    self.worst, self.worst_tick = deviation, tick

    def difference(self, a: Side, b: Side, row: int, time_ns: int) -> TickDifference:
        """The fields of one of the messages that are beyond tolerance."""
        wrong = tuple(d for d in self._deviations(a, b, row) if not d.passes)
        return TickDifference(int(a.ticks[row]), int(b.ticks[row]), time_ns, wrong)

    def _deviations(self, a: Side, b: Side, row: int) -> list[Deviation]:
        """The fields of one of the messages that are not equal, within tolerance or not."""
        message_a, message_b = (
            codec.decode(side.payload(row))
            for codec, side in zip(self._codecs, (a, b), strict=True)
        )
        return list(deviations(message_a, message_b, self._tolerances, kinds=self._kinds))


def _worse(new: Deviation, old: Deviation | None) -> bool:
    if old is None or old.passes != new.passes:
        return old is None or old.passes
    return (new.error if new.error is not None else -1.0) > (
        old.error if old.error is not None else -1.0
    )
