"""The workers of a cluster, whichever engine it has: what is done when one dies, when the whole is
out of reach, and when nobody is there to run a case."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ..errors import RunError, UsageError
from .case import Case
from .case_run import Place
from .elsewhere import Answer, packed, result_of
from .result import Result

CONNECT_S = 5.0
_AWAY_S = 120.0
"""So long a cluster may be out of reach, or without workers, until a suite ends."""
_GRACE_S = 10.0
"""So long cases have to end when all is to end."""
_TRY_S, _LOOK_S = 1.0, 5.0
_MOST_LETTERS = 300
_AHEAD = 1.5
"""So many cases are given to it for each that it runs, so that no worker waits for the next."""


class Cluster(Protocol):
    """What an engine offers. All but `disconnect` raise ConnectionError where the cluster is out of
    reach, and UsageError where it cannot be used."""

    name: str

    def connect(self) -> None:
        """Become its client."""

    def disconnect(self) -> None:
        """Leave it, if it was joined, and nothing that was started for us; never raises."""

    def machines(self) -> list[int]:
        """The cores that each of its workers or machines has now."""

    def start(self, job: bytes, cores: int) -> Any:
        """Let a worker `answer` on so many cores, at most once; gives what stands for it."""

    def ended(self, started: Collection[Any], patience_s: float) -> list[Any]:
        """Which of what was started has ended, after waiting for one so long."""

    def answer(self, started: Any) -> Answer:
        """What a worker answered of what has ended, perhaps that it is lost."""

    def cancel(self, started: Collection[Any], patience_s: float) -> None:
        """End what was started."""


class ClusterWorkers:
    """As workers.Workers."""

    def __init__(self, cluster: Cluster, jobs: int | None, place: Place, root: Path) -> None:
        self._cluster, self._jobs, self._place, self._root = cluster, jobs, place, root
        self._running: dict[Any, Case] = {}
        self._lost: list[Case] = []
        self._machines: list[int] = []
        self._looked_s = self._seen_s = -math.inf
        cluster.connect()

    @property
    def running(self) -> list[Case]:
        """The cases that were started and have not ended."""
        return [*self._running.values(), *self._lost]

    def has_room_for(self, case: Case) -> bool:
        """Whether there are as many cores as it needs; one that needs more than all has all."""
        running = self.running
        if self._lost or not running:
            return not running
        if self._jobs is not None and len(running) >= self._jobs:
            return False
        taken = sum(one.cores for one in (case, *running))
        return taken <= math.ceil(_AHEAD * sum(self._machines))

    def start(self, case: Case) -> None:
        """Let a worker run a case."""
        job = packed(case, self._place, self._root)
        try:
            self._look()
            cores = min(case.cores, max(self._machines, default=case.cores))
            self._running[self._cluster.start(job, cores)] = case
        except ConnectionError:
            self._lost.append(case)

    def ended(self, patience_s: float) -> Iterator[tuple[Case, Result | None]]:
        """The cases that have ended, after waiting for one so long; None for one whose worker
        died."""
        came: list[tuple[Case, Result | None]] = []
        try:
            if self._lost:
                raise ConnectionError
            for each in self._cluster.ended(self._running.keys(), patience_s):
                result = result_of(self._cluster.answer(each))
                came.append((self._running.pop(each), result))
            self._look()
        except ConnectionError as error:
            came += [(case, None) for case in self.running]
            self._running, self._lost = {}, []
            self._connect_again(error)
        yield from came

    def close(self) -> None:
        """End all, and leave the cluster."""
        try:
            if self._running:
                self._cluster.cancel(self._running.keys(), _GRACE_S)
        except ConnectionError:
            pass  # they end as they find that nobody is there
        finally:
            self._cluster.disconnect()

    def _look(self) -> None:
        """See now and then which machines there are; raises RunError if there have been none for
        long."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        self._machines = self._cluster.machines()
        if self._machines or self._seen_s == -math.inf:
            self._seen_s = now_s
        elif now_s - self._seen_s > _AWAY_S:
            raise RunError(
                f"{self._cluster.name} has had no worker for {_AWAY_S:g} s; start some, and go on "
                "with --resume"
            )

    def _connect_again(self, why: ConnectionError) -> None:
        """Wait until the cluster is there again, and connect to it."""
        last_s = time.monotonic() + _AWAY_S
        while True:
            self._cluster.disconnect()
            try:
                self._cluster.connect()
                return
            except ConnectionError as error:
                why = error
            if time.monotonic() > last_s:
                raise RunError(
                    f"{self._cluster.name} has been out of reach for {_AWAY_S:g} s "
                    f"({said(why)}); go on with --resume when it is there again"
                ) from why
            time.sleep(_TRY_S)


@contextmanager
def cluster_workers(
    cluster: Cluster, jobs: int | None, place: Place, root: Path
) -> Iterator[ClusterWorkers]:
    """The workers of a cluster for cases of a suite whose folder is `root`; whatever was started is
    ended in the end. Raises UsageError where it is out of reach."""
    try:
        made = ClusterWorkers(cluster, jobs, place, root)
    except BaseException as error:
        cluster.disconnect()
        if isinstance(error, ConnectionError):
            raise UsageError(f"{cluster.name} cannot be reached: {said(error)}") from error
        raise
    try:
        yield made
    finally:
        made.close()


def knock(host: str, port: int) -> None:
    """Raises ConnectionError where nobody listens, sooner than engines do."""
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        raise ConnectionError(error.strerror or str(error) or type(error).__name__) from error


def engine(module: str, package: str) -> Any:
    """A module of an engine; raises UsageError where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(
            f"that cluster needs the Python package {package}; run: "
            f"python3 -m pip install '{package}'"
        ) from error


def said(error: BaseException) -> str:
    """What an error of an engine says, in a line: all of it, or what it ends with."""
    text = " ".join(str(error).split())
    if len(text) >= _MOST_LETTERS:
        text = str(error).strip().splitlines()[-1][:_MOST_LETTERS]
    return text or type(error).__name__
