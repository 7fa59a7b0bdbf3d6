"""The DDS participants of this machine in a domain, seen by the UDP ports that they hold.

Port numbers are those of RTPS 2.2, 9.6.1.1. Every participant of a machine has two unicast ports of
its own; the multicast port is held only by those that listen beyond the machine. Ports are looked
up in /proc/net (proc_net(5)): binding one to see whether it is free would be in the way of whoever
starts in that moment.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

_PORT_BASE, _DOMAIN_GAIN, _UNICAST_OFFSET = 7400, 250, 10

Sockets = dict[str, int]
"""Inode → port, counted from the domain's first."""


def ports_of(domain: int) -> range:
    """The ports of a domain."""
    first = _PORT_BASE + _DOMAIN_GAIN * domain
    return range(first, first + _DOMAIN_GAIN)


def sockets_of(domain: int) -> Sockets:
    """The sockets that hold a port of a domain, of whatever process of this machine."""
    ports = ports_of(domain)
    sockets: Sockets = {}
    for table in (Path("/proc/net/udp"), Path("/proc/net/udp6")):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            for line in table.read_text("ascii").splitlines()[1:]:
                columns = line.split()
                port = int(columns[1].rpartition(":")[2], 16)
                if port in ports:
                    sockets[columns[9]] = port - ports.start
    return sockets


def hold_a_participant(ports: Collection[int]) -> bool:
    """Whether ports are a participant's, rather than some that were given to others by chance."""
    return 0 in ports or any(
        port >= _UNICAST_OFFSET and port % 2 == 0 and port + 1 in ports for port in ports
    )


def owners_of(sockets: Collection[str], pids: Collection[int]) -> dict[str, int]:
    """Inode → process, as far as these processes let us see what they hold."""
    return {inode: pid for pid in pids for inode in _inodes(pid) if inode in sockets}


def descendants(root: int) -> set[int]:
    """A process and those that it, or one of them, has started and that have not left it."""
    children: dict[int, list[int]] = {}
    for pid in processes():
        with contextlib.suppress(OSError):  # it has ended
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    family, todo = {root}, [root]
    while todo:
        for child in children.get(todo.pop(), ()):
            family.add(child)
            todo.append(child)
    return family


def processes() -> set[int]:
    """All that there are."""
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}


def was_started_with(pid: int, variables: Mapping[str, str]) -> bool:
    """Whether a process was given these environment variables; no, if we may not know."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return all(f"{name}={value}".encode() in environment for name, value in variables.items())


def name_of(pid: int) -> str:
    """What `ps` shows of a process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "which has ended"


def _inodes(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        for entry in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                target = os.readlink(f"/proc/{pid}/fd/{entry}")
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]
