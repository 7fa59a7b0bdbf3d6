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
_JOINED_ROWS, _JOINED_BYTES = 1 << 15, 1 << 24

Part = tuple[Int64s, Columns, Columns]
"""Ticks of A (m,), and columns of both sides."""


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
    for ticks, a, b in _joined(paired_columns(*bags, topic, pairs, paths, tolerances)):
        step = min((_rows_of(column) for side in (a, b) for column in side.values()), default=1)
        for start in range(0, len(ticks), step):
            part = slice(start, start + step)
            rows = np.arange(done + start, done + min(start + step, len(ticks)))
            part_a, part_b = ({path: side[path][part] for path in side} for side in (a, b))
            yield rows, ticks[part], part_a, part_b
        done += len(ticks)


def _joined(parts: Iterator[Part]) -> Iterator[Part]:
    """The same in parts that are worth the calls for each field; those of arrays as they come."""
    held: list[Part] = []
    rows = size = 0
    for part in parts:
        columns = [*part[1].values(), *part[2].values()]
        is_plain = all(column.ndim == 1 and column.dtype != object for column in columns)
        if held and not (is_plain and _is_like(held[0], part)):
            yield _end_to_end(held)
            held, rows, size = [], 0, 0
        if not is_plain:
            yield part
            continue
        held.append(part)
        rows += len(part[0])
        size += sum(column.nbytes for column in columns)
        if rows >= _JOINED_ROWS or size >= _JOINED_BYTES:
            yield _end_to_end(held)
            held, rows, size = [], 0, 0
    if held:
        yield _end_to_end(held)


def _is_like(one: Part, other: Part) -> bool:
    """Whether two parts have the same columns."""
    return all(
        a.keys() == b.keys() and all(a[path].dtype == b[path].dtype for path in a)
        for a, b in ((one[1], other[1]), (one[2], other[2]))
    )


def _end_to_end(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    every_a, every_b = [a for _, a, _ in parts], [b for _, _, b in parts]
    a, b = (
        {path: np.concatenate([side[path] for side in sides]) for path in sides[0]}
        for sides in (every_a, every_b)
    )
    return np.concatenate([ticks for ticks, _, _ in parts]), a, b


def _rows_of(column: Column) -> int:
    if is_ragged(column):
        return max(1, min(_RAGGED_ROWS, _BLOCK // max(1, np.size(column[0]))))
    return max(1, _BLOCK // max(1, column[:1].size))
