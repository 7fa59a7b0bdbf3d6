"""Processes that are forked by one that has imported what they need; see nodes/fork_server.py."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import IO, Any, Protocol

from ..errors import Crash, Hang

FORKED = {"lockstep.nodes.player": "lockstep.player", "lockstep.nodes.recorder": "lockstep.record"}
"""What can be forked: module, and the name that `ps` shows, of 15 characters at most."""
ANSWER_BYTES = 4096
_PATIENCE_S = 60
_NAME = "the process that starts players and recorders"


class Child(Protocol):
    """What is known of a process that was started, as subprocess.Popen has it."""

    pid: int
    returncode: Any  # int | None, which Popen's stub does not say
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None:
        """Its exit code, or minus the signal's number; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The same when it has ended; raises subprocess.TimeoutExpired."""


class ForkServer:
    """The process that forks others, seen from whoever asks it; they end with it."""

    COMMAND = (sys.executable, "-m", "lockstep.nodes.fork_server")
    VARIABLES: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1"}
    """Of numpy's BLAS: threads that take as long to start as numpy, and that nobody needs here."""

    def __init__(self, asked: socket.socket, last_words: Callable[[], str]) -> None:
        """`asked`: of kind SEQPACKET, whose other end is the stdin of a process of COMMAND."""
        self._asked, self._last_words = asked, last_words
        self._codes: dict[int, int] = {}

    def start(
        self, command: Sequence[str], stdin: int, output: IO[bytes], environment: Mapping[str, str]
    ) -> Child:
        """Fork what `python -m MODULE ARGUMENT…` would start; stdin is subprocess.PIPE or DEVNULL.

        Raises Crash if the server has ended, Hang if it does not answer.
        """
        _, _, module, *arguments = command
        request = {"module": module, "arguments": arguments, "environment": dict(environment)}
        with ExitStack() as stack, open(os.memfd_create("request"), "wb", buffering=0) as file:
            file.write(json.dumps(request).encode())
            if stdin == subprocess.PIPE:
                reading, writing = os.pipe()
                stream = stack.enter_context(open(writing, "wb", buffering=0))
            else:
                reading, stream = os.open(os.devnull, os.O_RDONLY), None
            with open(reading, "rb", buffering=0):
                try:
                    given = [file.fileno(), reading, output.fileno()]
                    socket.send_fds(self._asked, [b"start"], given)
                    pid = self._answered_pid()
                except BrokenPipeError as error:
                    raise Crash(f"{_NAME} has ended; {self._last_words()}") from error
            stack.pop_all()
        return _Forked(pid, stream, self)

    def code(self, pid: int, timeout_s: float) -> int | None:
        """How a process ended, waiting for so long; 255 if nobody can tell any more."""
        deadline = time.monotonic() + timeout_s
        while pid not in self._codes:
            told = self._told(max(0.0, deadline - time.monotonic()))
            if told is None:
                return None
            if not told:
                self._codes[pid] = 255
        return self._codes[pid]

    def _answered_pid(self) -> int:
        deadline = time.monotonic() + _PATIENCE_S
        while (told := self._told(max(0.0, deadline - time.monotonic()))) is not None:
            if not told:
                raise BrokenPipeError
            if "code" not in told:
                return told["pid"]
        raise Hang(f"{_NAME} said nothing for {_PATIENCE_S} s")

    def _told(self, timeout_s: float) -> dict[str, int] | None:
        """The next that it tells; None if there is nothing, empty if it has ended."""
        if self._asked.fileno() < 0:  # closed: whoever is left is ended by its group
            return {}
        if not select.select([self._asked], [], [], timeout_s)[0]:
            return None
        with contextlib.suppress(ConnectionResetError):  # as good as an end
            if data := self._asked.recv(ANSWER_BYTES):
                told: dict[str, int] = json.loads(data)
                if "code" in told:
                    self._codes[told["pid"]] = told["code"]
                return told
        return {}


class _Forked:
    """A process that another process of ours has forked."""

    def __init__(self, pid: int, stdin: IO[bytes] | None, server: ForkServer) -> None:
        self.pid, self.stdin, self._server = pid, stdin, server
        self.stdout: IO[bytes] | None = None
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self.returncode is None:
            self.returncode = self._server.code(self.pid, 0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """How it ended; raises subprocess.TimeoutExpired."""
        while self.returncode is None:
            self.returncode = self._server.code(self.pid, 1.0 if timeout is None else timeout)
            if self.returncode is None and timeout is not None:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self.returncode
