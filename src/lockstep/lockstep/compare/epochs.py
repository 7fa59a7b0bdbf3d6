"""Times that begin anew: a simulation that is reset sets its clock back, and what comes then
belongs to another epoch, however alike its times are."""

from __future__ import annotations

import numpy as np

from ..message.arrays import Int64s

_JITTER_NS = 100_000_000
"""By so much times step back under load, or because a recorder writes what it hears in parallel."""
_LEAST = 5
"""So many messages before all have a later time than so many after: fewer are early or late ones,
and no epoch."""


def epoch_starts(times_ns: Int64s) -> Int64s:
    """Where in message order times (n,) begin anew, (k,): the ticks of the first messages of all
    epochs but the first."""
    back = np.flatnonzero(np.diff(times_ns) < -_JITTER_NS) + 1
    stays = [
        tick
        for tick in back.tolist()
        if _LEAST <= tick <= len(times_ns) - _LEAST
        and times_ns[tick : tick + _LEAST].max() < times_ns[tick - _LEAST : tick].min()
    ]
    return np.array(stays, np.int64)


def one_after_the_other(a: Int64s, b: Int64s) -> tuple[Int64s, Int64s]:
    """The times of both sides (n,) and (m,) with those of each epoch after all of the one before,
    so that no message has the time of one of another epoch; as they are where there is but one."""
    starts = epoch_starts(a), epoch_starts(b)
    if not any(map(len, starts)):
        return a, b
    both = np.concatenate([a, b])
    length_ns = int(both.max()) - int(both.min()) + _JITTER_NS
    later_a, later_b = (
        times + length_ns * epochs_of(np.arange(len(times)), found)
        for times, found in zip((a, b), starts, strict=True)
    )
    return later_a, later_b


def epochs_of(ticks: Int64s, starts: Int64s) -> Int64s:
    """The number of the epoch of each tick (n,), from 0 on."""
    return np.searchsorted(starts, ticks, side="right").astype(np.int64)
