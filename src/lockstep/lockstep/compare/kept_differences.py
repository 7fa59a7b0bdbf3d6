"""Which of many differing messages are shown, as objects: the first ones of a key, and the worst."""

from __future__ import annotations

import numpy as np

from ..cdr.codec import Codec
from ..message.arrays import Int64s, Mask
from .column_judge import ColumnJudge
from .comparison import KEPT_TICKS, KeyComparison, TickDifference
from .definitions import common
from .pairs import Side
from .tolerance import Tolerances
from .values import Deviation, deviations


class Showing:
    """Picks the ticks of a key that are worth showing, and makes objects of them."""

    def __init__(
        self, codecs: tuple[Codec, Codec], tolerances: Tolerances, result: KeyComparison
    ) -> None:
        self._codecs, self._tolerances, self._result = codecs, tolerances, result
        self._kinds = common(*codecs)

    def block(
        self, a: Side, b: Side, wrong: Mask, columns: ColumnJudge, times: Int64s | None = None
    ) -> None:
        """Take m messages, which of them are wrong, and the times of A's, (m,); without, they have to be set in `kept`."""
        result = self._result
        for row in np.flatnonzero(wrong)[: KEPT_TICKS - len(result.kept)].tolist():
            wrong_fields = tuple(d for d in self.deviations(a, b, row) if not d.passes)
            tick_a, tick_b = int(a.ticks[row]), int(b.ticks[row])
            time_ns = 0 if times is None else int(times[row])
            result.kept.append(TickDifference(tick_a, tick_b, time_ns, wrong_fields))
        result.first = result.kept[0] if result.kept else None
        here = {
            found.max_tick
            for found in columns.fields.values()
            if found.max_tick is not None and a.ticks[0] <= found.max_tick <= a.ticks[-1]
        }
        for tick in sorted(here):
            for deviation in self.deviations(a, b, int(np.searchsorted(a.ticks, tick))):
                if _worse(deviation, result.worst):
                    result.worst, result.worst_tick = deviation, tick

    def deviations(self, a: Side, b: Side, row: int) -> list[Deviation]:
        """The fields in which one of the messages is not equal, those within tolerance included."""
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
