"""What a process takes while it runs: processor time and memory, as Linux tells them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_FIRST_PERIOD_S = 0.005
_MOST_SAMPLES = 256
_LEAST_SAMPLES = 16
_LEAST_GROWTH_BYTES = 1 << 20
_PARTS = 4
_COSTS = 50
"""Looks, which take longer where there are more processes, take one part in so many of the time."""


@dataclass(frozen=True)
class Resources:
    """What a run took, of the process and whatever it has started."""

    cpu_s: float
    """Processor time, user and system, from the first look to the last."""
    peak_bytes: int
    """The most memory that was resident at a time (VmHWM), code and libraries included."""
    growth_bytes: float | None
    """By how much memory grows with each message; None if it does not, or nobody can tell."""


class Meter:
    """Looks at processes now and then; each look takes some ten microseconds for each of them."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._cpu_ns: dict[int, int] = {}
        self._begin_ns: int | None = None
        self._peak: dict[int, int] = {}
        self._period_s, self._next_s = _FIRST_PERIOD_S, 0.0
        self._samples: list[tuple[int, int]] = []

    def look(self, messages: int, *, at_once: bool = False) -> None:
        """Take what it is like after so many messages, if it is time to, or `at_once`."""
        now_s = time.monotonic()
        if now_s < self._next_s and not at_once:
            return
        self._samples.append((messages, self._look()))
        end_s = time.monotonic()
        self._next_s = end_s + max(self._period_s, _COSTS * (end_s - now_s))
        if len(self._samples) >= _MOST_SAMPLES:  # bounded, and as good for a longer run
            self._samples = self._samples[::2]
            self._period_s *= 2

    def found(self) -> Resources | None:
        """Look a last time, while the process still lives; None if it was gone at once."""
        self._look()
        if self._begin_ns is None:
            return None
        cpu_s = (sum(self._cpu_ns.values()) - self._begin_ns) * 1e-9
        return Resources(cpu_s, sum(self._peak.values()), growth(self._samples))

    def _look(self) -> int:
        """Note processor time and peaks; returns the resident bytes."""
        resident = 0
        for pid in {member for first in self._pids for member in _family(first)}:
            with suppress(OSError):  # it has ended meanwhile: what is known of it stays
                self._cpu_ns[pid] = _cpu_ns(pid)
                now, peak = _memory(pid)
                self._peak[pid] = max(peak, self._peak.get(pid, 0))  # none is left of a zombie
                resident += now
        if self._begin_ns is None and self._cpu_ns:
            self._begin_ns = sum(self._cpu_ns.values())
        return resident


def growth(samples: Sequence[tuple[int, int]]) -> float | None:
    """Bytes by which memory grows with each message, of (messages, resident bytes) in time.

    What is taken once does not count: only the second half is looked at, and it has to grow from
    each quarter of that to the next, by a megabyte in all. The slope is that of Theil and Sen,
    between those quarters.
    """
    later = [one for one in samples if one[0] * 2 >= samples[-1][0]]
    if len(later) < _LEAST_SAMPLES:
        return None
    size = len(later) // _PARTS
    parts = [later[number * size : (number + 1) * size] for number in range(_PARTS)]
    at = [median(messages for messages, _ in part) for part in parts]
    level = [median(resident for _, resident in part) for part in parts]
    steps = [after - before for before, after in pairwise(level)]
    if min(steps) <= 0 or level[-1] - level[0] < _LEAST_GROWTH_BYTES:
        return None
    return median(
        (level[b] - level[a]) / (at[b] - at[a])
        for a in range(_PARTS)
        for b in range(a + 1, _PARTS)
        if at[b] > at[a]
    )


def _family(pid: int) -> Iterator[int]:
    """A process and, wrapped by it or helping it, whatever it has started."""
    yield pid
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in _read(f"/proc/{pid}/task/{task}/children").split():
                yield from _family(int(child))


def _cpu_ns(pid: int) -> int:
    """Processor time of a process with all its threads, those that have ended included."""
    # The clock that clock_getcpuclockid(3) gives for a process: ~pid << 3 | CPUCLOCK_SCHED
    return time.clock_gettime_ns(~pid << 3 | 2)


def _memory(pid: int) -> tuple[int, int]:
    """The resident bytes of a process, now and at most."""
    resident = int(_read(f"/proc/{pid}/statm").split()[1]) * _PAGE_BYTES
    _, found, rest = _read(f"/proc/{pid}/status").partition(b"\nVmHWM:")
    return resident, int(rest.split(None, 1)[0]) * 1024 if found else resident


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 16)
    finally:
        os.close(descriptor)
