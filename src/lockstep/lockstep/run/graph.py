"""A graph of a live run's own: a domain, what keeps it alone there, and its processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from .domain import isolated_domain
from .guard import DomainGuard
from .processes import Processes

_PROFILES = Path(__file__).with_name("fast_dds.xml")


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
            environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(_PROFILES)
        guard = DomainGuard(environment, silence)
        with Processes(environment) as processes, guard if guarded else nullcontext():
            yield Graph(environment, processes, guard)
