"""Which processes of what was started are nodes, however many they are."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import Crash, Hang, RunError, UsageError
from ...host.events import told_error
from ..participants import descendants
from ..processes import Process
from ..strays import marked

START_PATIENCE_S = 60.0
_LOOK_S = 0.02
_LOOKS = 2
_BUSY_PATIENCE_S = 10.0
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True)
class Connection:
    """A process that is a node, and the command that it comes of."""

    process: Process
    link: socket.socket
    pid: int
    listening: socket.socket


def first_connection(process: Process, listening: socket.socket) -> Connection:
    """Wait until a command connects, for 60 s; raises Crash if it ends before, Hang if it does
    not."""
    deadline = time.monotonic() + START_PATIENCE_S
    listening.settimeout(_LOOK_S)
    while True:
        has_ended = process.ended  # before looking: it may have connected
        with suppress(TimeoutError):
            return _accepted(process, listening)
        if has_ended:
            raise own_error(process) or Crash(
                f"{process.name} ended without being a node ({process.how_it_ended()}), as what "
                "unsets LD_PRELOAD, is linked statically or runs as another user always does; "
                f"{process.last_words()}"
            )
        if time.monotonic() > deadline:
            raise Hang(
                f"{process.name} did not begin as a node on this middleware within "
                f"{START_PATIENCE_S:g} s: what unsets LD_PRELOAD, is linked statically or runs as "
                f"another user can only run live; {process.last_words()}"
            )


def further_connections(first: Connection) -> list[Connection]:
    """Those of the other processes that the same command has started, once all of them are at
    rest.

    They have no order that is the same in each run.
    """
    if first.pid == first.process.child.pid:
        return []  # the command itself is a node, and whom it starts is its own matter
    found = [first]
    quiet, seen = 0, None
    busy_until = time.monotonic() + _BUSY_PATIENCE_S
    while quiet < _LOOKS and time.monotonic() < busy_until:
        if _is_waiting(first.listening):
            found.append(_accepted(first.process, first.listening))
            busy_until = time.monotonic() + _BUSY_PATIENCE_S
            quiet, seen = 0, None
            continue
        connected = {one.pid for one in found}
        others = (descendants(first.process.child.pid) | marked(first.process.mark)) - connected
        now = {pid: _at_rest(pid) for pid in sorted(others)}
        quiet = quiet + 1 if now == seen and None not in now.values() else 0
        seen = now
        if now and quiet < _LOOKS:
            select.select([first.listening], [], [], _LOOK_S)
        elif not now:
            break
    return found[1:]


def own_error(process: Process) -> RunError | UsageError | None:
    """What a process of ours told of its end."""
    told = told_error(process.events)
    if told is None:
        return None
    kind = UsageError if isinstance(told, UsageError) else Crash
    return kind(f"{process.name}: {told}")


def node_has_joined(listening: Sequence[socket.socket]) -> bool:
    """Whether a process wants to be a node that was none when the run began."""
    return any(_is_waiting(one) for one in listening)


def command_line(pid: int) -> str:
    """What a process was started as; empty if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").replace("\0", " ").strip()
    return ""


def is_running(pid: int) -> bool:
    """Whether a process has not ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def _is_waiting(listening: socket.socket) -> bool:
    return bool(select.select([listening], [], [], 0)[0])


def _accepted(process: Process, listening: socket.socket) -> Connection:
    connected, _ = listening.accept()
    size = _CREDENTIALS.size
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return Connection(process, connected, _CREDENTIALS.unpack(credentials)[0], listening)


def _at_rest(pid: int) -> int | None:
    """How much of the processor a process has had, if it sleeps; None if it does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return int(stat[11]) + int(stat[12]) if stat[0] in "SZX" else None
