"""Who runs cases: the processes of this machine, or the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ..errors import UsageError
from .case import Case
from .case_run import Place
from .cluster_workers import Cluster, cluster_workers
from .result import Result

ENGINES = "ray, ray://HEAD:10001 or dask://SCHEDULER:8786"


class Workers(Protocol):
    """Takes cases and gives their results."""

    @property
    def running(self) -> list[Case]:
        """The cases that were started and have not ended."""

    def has_room_for(self, case: Case) -> bool:
        """Whether to start a case now, rather than when another has ended."""

    def start(self, case: Case) -> None:
        """Let a case be run."""

    def ended(self, patience_s: float) -> Iterator[tuple[Case, Result | None]]:
        """The cases that have ended, after waiting for one so long; None for one whose worker
        died."""


def workers(
    on: str | None, jobs: int | None, place: Place, root: Path, runtime_env: Path | None
) -> AbstractContextManager[Workers]:
    """Who runs the cases of a suite whose folder is `root`, at most `jobs` at a time; none of them
    is left in the end. `on` is a cluster, without it this machine.

    Raises UsageError where it is none that is known, or cannot be reached.
    """
    if on is None:
        from .local_workers import local_workers

        return local_workers(jobs, place)
    parts = urlsplit(on)
    try:
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--on {on}: {error}") from error
    cluster: Cluster
    if on == "ray" or (parts.scheme == "ray" and parts.netloc):
        from .ray_cluster import RayCluster

        cluster = RayCluster(None if on == "ray" else on, jobs, runtime_env)
    elif parts.scheme == "dask" and parts.netloc:
        from .dask_cluster import DaskCluster

        if runtime_env is not None:
            raise UsageError(
                "Dask brings no runtime environment to its workers; start them in theirs"
            )
        cluster = DaskCluster(parts.hostname or "", port)
    else:
        raise UsageError(f"--on {on} is no cluster that is known; give {ENGINES}")
    return cluster_workers(cluster, jobs, place, root)
