"""Starts players and recorders as copies of one process that has imported what they need.

An interpreter that imports rclpy, numpy and the codecs takes half a second of processor time, and a
verification needs several of them. It is not multiprocessing's fork server, which imports the main
module of the process that asks for one: any script that calls `verify`.

Asked by run/forks.py through the socket that is its stdin: a packet for each process brings the
file descriptors of what it shall be as JSON, of its stdin and of its log, and is answered by its
process ID as JSON; how it ends is told by another packet. It ends when nobody is left to ask.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from ..run.forks import FORKED

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # linux/prctl.h


_children: dict[int, int] = {}
"""Of those that have not ended: pidfd → process ID."""


def main() -> None:
    """`python3 -m lockstep.nodes.fork_server`, with a socket of kind SEQPACKET as stdin."""
    gc.disable()  # while modules load, which makes no garbage
    mains = {module: importlib.import_module(module).main for module in FORKED}
    gc.freeze()  # what is shared by all stays shared
    gc.enable()
    # Ctrl-C is for whoever asks, who ends each process as it should end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = socket.socket(fileno=os.dup(0))
    while (request := _next_request(asked)) is not None:
        child = os.fork()
        if child == 0:
            asked.close()
            _become(request)
            mains[request["module"]]()
            return
        for descriptor in request["descriptors"]:
            os.close(descriptor)
        _children[os.pidfd_open(child)] = child
        _answer(asked, {"pid": child})
    for pid in _children.values():  # the harness, or its guardian, ends them as they should end
        os.waitpid(pid, 0)


def _next_request(asked: socket.socket) -> dict[str, Any] | None:
    """What is asked for next, telling meanwhile who ends; None when nobody is left to ask."""
    while True:
        watched: list[Any] = [asked, *_children]
        ready, _, _ = select.select(watched, [], [])
        for descriptor in ready:
            if descriptor is not asked:
                os.close(descriptor)
                pid = _children.pop(descriptor)
                _, status = os.waitpid(pid, 0)
                _answer(asked, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})
        if asked in ready:
            data, descriptors, _, _ = socket.recv_fds(asked, 16, 3)
            return _request(*descriptors) if data else None


def _request(file: int, stdin: int, log: int) -> dict[str, Any]:
    """What a file tells, which may be longer than a packet."""
    with open(file, "rb") as stream:
        stream.seek(0)
        return {**json.load(stream), "descriptors": (stdin, log)}


def _answer(asked: socket.socket, told: dict[str, int]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the end is told by the next request
        asked.send(json.dumps(told).encode())


def _become(request: dict[str, Any]) -> None:
    """Be in everything a process of its own."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    prctl(_PR_SET_NAME, FORKED[request["module"]].encode(), 0, 0, 0)
    os.setsid()
    stdin, log = request["descriptors"]
    for number, descriptor in enumerate((stdin, log, log)):
        os.dup2(descriptor, number)
    for descriptor in (stdin, log, *_children):
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["module"], *request["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main()
