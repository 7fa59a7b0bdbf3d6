"""Which live pairs are in order: the longest series that is so on both sides, as offline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..align import increasing


@dataclass(frozen=True, slots=True)
class Pair:
    """Two messages that belong together; no bytes if they need no judging.

    `time_ns` is that of A's, `shift_ns` by how much later B's is.
    """

    tick_a: int
    tick_b: int
    time_ns: int
    shift_ns: int
    same: bool
    data_a: bytes
    data_b: bytes


class InOrder:
    """Holds pairs back until no later one can come before them."""

    def __init__(self) -> None:
        self.waiting: list[Pair] = []

    def settled(self, open_a: int, open_b: int) -> tuple[list[Pair], list[Pair]]:
        """The pairs that are in order and those that are not, as far as that is known.

        `open_a` and `open_b` are the lowest ticks of which no pair has been seen but may be. The
        longest increasing series of a whole is that of its parts, one after the other, if it is cut
        where everything after is later.
        """
        if not self.waiting:
            return [], []
        pairs = sorted(self.waiting, key=lambda pair: pair.tick_a)
        a, b = (
            np.array(ticks) for ticks in zip(*((p.tick_a, p.tick_b) for p in pairs), strict=True)
        )
        lowest_after = np.append(np.minimum.accumulate(b[:0:-1])[::-1], open_b)
        is_cut = (a < open_a) & (np.maximum.accumulate(b) < np.minimum(lowest_after, open_b))
        end = int(np.flatnonzero(is_cut)[-1]) + 1 if is_cut.any() else 0
        self.waiting = pairs[end:]
        kept = increasing(b[:end]).tolist() if end else []
        return (
            [pair for pair, keep in zip(pairs, kept, strict=False) if keep],
            [pair for pair, keep in zip(pairs, kept, strict=False) if not keep],
        )
