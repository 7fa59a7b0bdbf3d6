"""Times that begin anew: a simulation that is reset sets its clock back, and what comes then
belongs to another epoch, however alike its times are."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..bag import Bag
from ..bag.clock import ClockReader
from ..message.arrays import Int64s
from ..message.batch import Batch

JumpsBack = Int64s
"""How often /clock went back among the messages of a topic: how many of these came before, and by
how many ns it went, (k, 2)."""
Jumps = tuple[JumpsBack | None, JumpsBack | None]
"""Those of A and of B; None of a bag without a clock."""
NO_CLOCKS: Jumps = (None, None)
_JITTER_NS = 100_000_000
"""By so much times step back under load, or because a recorder writes what it hears in parallel."""
_LEAST = 5
"""So many messages before all have a later time than so many after: fewer are early or late ones,
and no epoch."""
_NEAR = 20
"""A topic may begin anew by so many messages earlier or later than /clock: it comes another way."""


class ClockJumps:
    """Where the /clock of a bag goes back between the messages of its topics.

    `see` is to be shown all batches that hold /clock or one of these topics, in file order.
    """

    def __init__(self, bag: Bag) -> None:
        self._reader = ClockReader(bag)
        self._counts: Counter[str] = Counter()
        self._jumps: list[tuple[Counter[str], int]] = []

    @property
    def topic(self) -> str | None:
        """The topic of the clock; None if there is none that can be read."""
        return self._reader.topic

    def see(self, batch: Batch) -> None:
        """Take the next messages."""
        for jump in self._reader.jumps(batch):
            self._jumps.append((self._counts + _counted(batch, jump.row), jump.back_ns))
        self._counts += _counted(batch, len(batch))

    def among(self, topic: str) -> JumpsBack | None:
        """The jumps among the messages of a topic; None if the bag has no clock."""
        if self.topic is None:
            return None
        jumps = [(before[topic], back_ns) for before, back_ns in self._jumps]
        return np.array(jumps, np.int64).reshape(-1, 2)


def _counted(batch: Batch, end: int) -> Counter[str]:
    """How many of the first messages of a batch are of each topic."""
    counts = np.bincount(batch.topic[:end], minlength=len(batch.topics)).tolist()
    return Counter(dict(zip(batch.topics, counts, strict=True)))


def epoch_starts(times_ns: Int64s, jumps: JumpsBack | None = None) -> Int64s:
    """The ticks of the first messages of all epochs but the first, (k,), of times (n,) in message
    order.

    That is where /clock went back or, where times went back as far beside that, there; without a
    clock it is where they begin anew for good.
    """
    if jumps is not None:
        ticks = [_begin(times_ns, jumps, number) for number in range(len(jumps))]
        return np.maximum.accumulate(np.array(ticks, np.int64))
    back = np.flatnonzero(np.diff(times_ns) < -_JITTER_NS) + 1
    stays = [
        tick
        for tick in back.tolist()
        if _LEAST <= tick <= len(times_ns) - _LEAST
        and times_ns[tick : tick + _LEAST].max() < times_ns[tick - _LEAST : tick].min()
    ]
    return np.array(stays, np.int64)


def _begin(times_ns: Int64s, jumps: JumpsBack, number: int) -> int:
    """The tick at which times begin anew with one of the jumps: the nearest at which they go back
    about as far as /clock did, if that is nearer to this jump than to others; else that of /clock.
    """
    tick, back_ns = jumps[number].tolist()
    first = max(0, tick - _NEAR)
    found = np.flatnonzero(np.diff(times_ns[first : tick + _NEAR]) <= -back_ns // 2) + first + 1
    apart = np.abs(found[:, None] - jumps[None, :, 0])
    mine = found[apart[:, number] == apart.min(axis=1)]
    return int(mine[np.argmin(np.abs(mine - tick))]) if len(mine) else tick


def one_after_the_other(a: Int64s, b: Int64s, jumps: Jumps = NO_CLOCKS) -> tuple[Int64s, Int64s]:
    """The times of both sides (n,) and (m,) with those of each epoch after all of the one before,
    so that no message has the time of one of another epoch; as they are where there is but one."""
    starts = epoch_starts(a, jumps[0]), epoch_starts(b, jumps[1])
    both = np.concatenate([a, b])
    if not any(map(len, starts)) or not len(both):
        return a, b
    length_ns = int(both.max()) - int(both.min()) + _JITTER_NS
    later_a, later_b = (
        times + length_ns * epochs_of(np.arange(len(times)), found)
        for times, found in zip((a, b), starts, strict=True)
    )
    return later_a, later_b


def epochs_of(ticks: Int64s, starts: Int64s) -> Int64s:
    """The number of the epoch of each tick (n,), from 0 on."""
    return np.searchsorted(starts, ticks, side="right").astype(np.int64)
