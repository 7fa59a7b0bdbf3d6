"""Sees to it that a run stays alone in its domain: what is replayed shall reach no robot.

A domain was free when the run chose it, but nothing keeps others from joining it later, and a node
that listens to a whole network meets those that keep to their machine as well.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..closing import Closable
from ..errors import RunError
from .domain import RUN
from .participants import (
    descendants,
    hold_a_participant,
    name_of,
    owners_of,
    processes,
    sockets_of,
    was_started_with,
)

if TYPE_CHECKING:
    from typing_extensions import Self

_PERIOD_S = 0.1  # discovery takes longer


class DomainGuard(Closable):
    """Looks, while the with-statement lasts, for participants of a domain that are none of the
    run's own.

    Its own are this process, those that it started, those that these started, and whatever else
    was started in the environment of the run.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        silence: Callable[[], None],
        *,
        allowed_by: str = "write `run: {allow_foreign_nodes: true}`",
    ) -> None:
        """`environment` is that of `isolated_domain`; `silence` ends whoever publishes by then,
        and is called again and again from another thread; `allowed_by` says how a user lets others
        in."""
        self._domain = int(environment["ROS_DOMAIN_ID"])
        self._mark = {RUN: environment[RUN]}
        self._silence = silence
        self._allowed_by = allowed_by
        self._own: set[str] = set()
        self._trouble: str | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="domain guard", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Look no more."""
        self._ending.set()
        self._thread.join()

    def check(self) -> None:
        """Raises RunError if somebody has joined the domain."""
        if self._trouble is not None:
            raise RunError(self._trouble)

    def _watch(self) -> None:
        while not self._ending.wait(_PERIOD_S):
            self._trouble = self._trouble or self._seen_trouble()
            if self._trouble is not None:
                self._silence()

    def _seen_trouble(self) -> str | None:
        try:
            intruder = self._intruder()
        except OSError as error:  # who cannot see must not go on
            return f"who is in ROS_DOMAIN_ID {self._domain} cannot be seen: {error}"
        if intruder is None:
            return None
        return (
            f"{intruder} joined ROS_DOMAIN_ID {self._domain} of this run, which was ended so that "
            f"nothing of it reaches others; end that process or give it another domain, or "
            f"{self._allowed_by}"
        )

    def _intruder(self) -> str | None:
        """Who is here without being one of ours."""
        sockets = sockets_of(self._domain)
        unknown = sockets.keys() - self._own
        if not hold_a_participant({sockets[inode] for inode in unknown}):
            return None
        family = descendants(os.getpid())
        self._own |= owners_of(unknown, family).keys()
        if not (unknown := unknown - self._own):
            return None
        owners = owners_of(unknown, processes() - family)
        ours = {pid for pid in set(owners.values()) if was_started_with(pid, self._mark)}
        self._own |= {inode for inode, pid in owners.items() if pid in ours}
        # Again, as one may have ended, and then nobody owns what it held.
        unknown &= sockets_of(self._domain).keys() - self._own
        if not hold_a_participant({sockets[inode] for inode in unknown}):
            return None
        pid = next((owners[inode] for inode in sorted(unknown) if inode in owners), None)
        return "another user's process" if pid is None else f"process {pid} ({name_of(pid)})"
