"""Processes that have left the group that they were started in, as daemons do: found, and ended.

A process keeps the environment that it was started with, whatever becomes of its session and its
parents, and /proc tells it (proc_pid_environ(5)). One that was given another environment is found
by whoever adopts orphans (PR_SET_CHILD_SUBREAPER of prctl(2)).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from ..printable import one_line
from .participants import descendants, name_of, processes

STARTED = "LOCKSTEP_STARTED"
"""The environment variable that marks every process that `Processes` has started, and what that
starts: by RUN.NUMBER, each of them."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_GRACE_S, _PATIENCE_S = 1.0, 3.0
_adopts = False
_spared: set[int] = set()


def marked(mark: str) -> set[int]:
    """The processes that were started with a mark, as far as we may know."""
    entry = f"{STARTED}={mark}".encode()
    found = set()
    for pid in processes():
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.add(pid)
    return found


def outside(group: int, pids: Collection[int]) -> set[int]:
    """Those that are not, or no longer, in a process group."""
    return {pid for pid in pids if _group_of(pid) not in (group, None)}


@dataclass(frozen=True)
class Stray:
    """A process that was found, and whether it could be ended."""

    pid: int
    name: str
    has_ended: bool

    def __str__(self) -> str:
        ending = "was ended" if self.has_ended else "still runs"
        return f"process {self.pid} ({one_line(self.name)}), which {ending}"


def end(find: Callable[[], set[int]]) -> list[Stray]:
    """End what is found: SIGTERM, then SIGKILL."""
    names: dict[int, str] = {}
    start_s = time.monotonic()
    while pids := find():
        waited_s = time.monotonic() - start_s
        if waited_s > _PATIENCE_S:
            break
        late = waited_s > _GRACE_S
        for pid in pids:
            if late or pid not in names:
                names.setdefault(pid, name_of(pid))
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.01)
    return [Stray(pid, name, pid not in pids) for pid, name in names.items()]


def adopt() -> None:
    """From now on whoever has lost its parents is a child of this process, if it was started by
    it, however indirectly; for commands, in which nobody else starts processes."""
    global _adopts
    _adopts = ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def end_with(parent: int) -> None:
    """This process, which `parent` has started, ends when that does, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has ended before
        os.kill(os.getpid(), signal.SIGKILL)


def spare(pid: int) -> None:
    """A process that this one needs until its end, and that ends with it, is none that was left."""
    _spared.add(pid)


def end_adopted() -> list[Stray] | None:
    """End all that this process has started, however indirectly; None where that cannot be
    known."""
    return end(_living_descendants) if _adopts else None


def _living_descendants() -> set[int]:
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        found = descendants(os.getpid()) - {os.getpid()} - _spared
        return {pid for pid in found if _is_alive(pid)}
    return set()


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
