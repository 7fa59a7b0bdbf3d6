"""A graph of a live run's own: a domain, what keeps it alone there, and its processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from .domain import isolated_domain
from .guard import DomainGuard
from .processes import Processes
from .shared_memory import SHARED_MEMORY

_PROFILES = Path(__file__).with_name("fast_dds.xml")
_LEAST_SEGMENT, _MOST_SEGMENT = 1 << 19, 1 << 23
"""Bytes of shared memory of each node, all of which are taken when it starts,"""
_SHARES = 64
"""of which so many must fit: nodes that find none do not always hear those that have some."""


@dataclass(frozen=True)
class Graph:
    """`environment` leads into the domain, for who joins it otherwise than by `processes`."""

    environment: dict[str, str]
    processes: Processes
    guard: DomainGuard


@contextmanager
def own_graph(
    folder: Path, silence: Callable[[], None], *, in_lockstep: bool, guarded: bool = True
) -> Iterator[Graph]:
    """Hold a domain, whose processes all end in the end; ROS logs go to `folder`.

    `silence` ends whoever publishes, once somebody else has joined, unless that is allowed. Nodes
    in lockstep are all ours, and get a middleware that is set for it; others, one as users have it.
    """
    with isolated_domain() as environment:
        environment["ROS_LOG_DIR"] = str(folder / "ros_log")
        environment["PYTHONUNBUFFERED"] = "1"
        if in_lockstep:
            environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(_profiles(folder).absolute())
        guard = DomainGuard(environment, silence)
        with Processes(environment) as processes, guard if guarded else nullcontext():
            yield Graph(environment, processes, guard)


def _profiles(folder: Path) -> Path:
    """Write the profiles of Fast DDS into `folder`; returns the file."""
    path = folder / _PROFILES.name
    free = shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else 0
    size = min(max(free // _SHARES, _LEAST_SEGMENT), _MOST_SEGMENT)
    path.write_text(_PROFILES.read_text("utf-8").replace("SEGMENT_SIZE", str(size)), "utf-8")
    return path
