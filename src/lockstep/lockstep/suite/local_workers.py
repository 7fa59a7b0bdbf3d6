"""The processes of this machine that run cases, by loky: each a pool of one, so that a process that
dies takes no other's case along, and it is known whose case it was.

A worker takes one case after the other and keeps what it has imported. It must not take part in
Ctrl-C (`prepare`), as loky would pass that on as the result of a case, or break the pool.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

from ..errors import UsageError
from ..run.strays import spare
from .case import Case
from .case_run import Place, prepare, run_case
from .result import Result

_TRACKERS = ("loky.backend.resource_tracker", "multiprocessing.resource_tracker")
"""Each starts a process that watches what processes share, and ends with this one."""
_GRACE_S = 10.0
"""So long a case has to end its processes when all is to end."""


class LocalWorkers:
    """As workers.Workers: so many processes, each with at most one case, which may need the cores
    of several."""

    def __init__(self, count: int, place: Place) -> None:
        self._count = count
        self._place = place
        self._pools: list[Any] = [None] * count
        self._running: dict[Future[Result], tuple[int, Case]] = {}

    @property
    def running(self) -> list[Case]:
        """The cases that are being run."""
        return [case for _, case in self._running.values()]

    def has_room_for(self, case: Case) -> bool:
        """Whether there are as many cores as it needs; one that needs more than all has all."""
        running = self.running
        if case.exclusive or any(other.exclusive for other in running):
            return not running
        return not running or sum(one.cores for one in (case, *running)) <= self._count

    def start(self, case: Case) -> None:
        """Let a process run a case."""
        busy = {number for number, _ in self._running.values()}
        number = next(n for n in range(self._count) if n not in busy)
        pool = self._pools[number]
        if pool is None:
            pool = self._pools[number] = _new_pool()
        self._running[pool.submit(run_case, case, self._place)] = number, case

    def ended(self, patience_s: float) -> Iterator[tuple[Case, Result | None]]:
        """The cases that have ended, after waiting for one so long; None for one whose process
        died."""
        done, _ = wait(self._running, patience_s, FIRST_COMPLETED)
        for future in done:
            number, case = self._running.pop(future)
            try:
                yield case, future.result()
            except BrokenProcessPool:
                self._pools[number].shutdown(kill_workers=True)
                self._pools[number] = None
                yield case, None

    def close(self) -> None:
        """End all, and whatever their cases have started."""
        children = [child for child in multiprocessing.active_children() if self._running]
        for child in children:
            child.terminate()
        if self._running:
            wait(self._running, _GRACE_S)
        self._running.clear()
        for pool in self._pools:
            if pool is not None:
                pool.shutdown(kill_workers=True)
        self._pools.clear()


@contextmanager
def local_workers(jobs: int | None, place: Place) -> Iterator[LocalWorkers]:
    """Processes on so many cores, or on all, none of which is left in the end."""
    count = jobs or len(os.sched_getaffinity(0))
    made = LocalWorkers(count, replace(place, shares=count))
    try:
        yield made
    finally:
        made.close()


def _new_pool() -> Any:
    try:
        loky = import_module("loky")
    except ImportError as error:
        raise UsageError(
            "lockstep suite needs the Python package loky; run: python3 -m pip install loky"
        ) from error
    pool = loky.ProcessPoolExecutor(
        max_workers=1, timeout=None, initializer=prepare, initargs=(os.getpid(),)
    )
    for module in _TRACKERS:
        tracker = import_module(module)
        tracker.ensure_running()
        spare(tracker._resource_tracker._pid)
    return pool
