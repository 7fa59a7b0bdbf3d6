"""Fields of messages that belong together, as columns of both sides that fit into little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..bag import Bag
from ..message.arrays import Column, Int64s
from .align import Alignment
from .fields import FieldComparison
from .kinds.kind import Columns
from .kinds.shown import is_ragged
from .meant import paired_columns
from .tolerance import Tolerances

_BLOCK = 1 << 19
"""Elements that are judged at a time."""
_RAGGED_ROWS = 64


def field_blocks(
    bags: tuple[Bag, Bag],
    topic: str,
    pairs: Alignment,
    fields: Sequence[FieldComparison],
    tolerances: Tolerances,
) -> Iterator[tuple[Int64s, Int64s, Columns, Columns]]:
    """Rows of the alignment and ticks of A, (m,), and columns.

    So many come at a time as can be judged in little memory.
    """
    paths = list(dict.fromkeys(path for found in fields for path in found.parts))
    done = 0
    for ticks, a, b in paired_columns(*bags, topic, pairs, paths, tolerances):
        step = min((_rows_of(column) for side in (a, b) for column in side.values()), default=1)
        for start in range(0, len(ticks), step):
            part = slice(start, start + step)
            rows = np.arange(done + start, done + min(start + step, len(ticks)))
            part_a, part_b = ({path: side[path][part] for path in side} for side in (a, b))
            yield rows, ticks[part], part_a, part_b
        done += len(ticks)


def _rows_of(column: Column) -> int:
    if is_ragged(column):
        return max(1, min(_RAGGED_ROWS, _BLOCK // max(1, np.size(column[0]))))
    return max(1, _BLOCK // max(1, column[:1].size))
