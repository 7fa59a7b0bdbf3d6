"""Hosts of Python components in live runs, whose interpreters start while other things are done;
see nodes/prepared_host.py."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..component import Contract
from ..errors import Crash, Hang
from ..host.events import EVENTS, told_error
from .implementation import CONTRACT_PATIENCE_S, told_contract
from .processes import Answer, Process, Processes
from .strays import STARTED

_READ_BYTES = 1 << 16


class PreparedHost:
    """The process of a host that waits to be told how to run; whoever ends `processes` ends it,
    too."""

    def __init__(
        self,
        name: str,
        component: str,
        log: Path,
        processes: Processes,
        variables: Mapping[str, str],
    ) -> None:
        """Starts it for MODULE:CLASS, without waiting until it is ready; `variables` are those of
        the environment that an interpreter starts with."""
        self._processes = processes
        self._variables = dict(variables)
        command = [sys.executable, "-m", "lockstep.nodes.prepared_host", component]
        self.process = processes.start(name, command, log, pipes=True, variables=variables)

    @property
    def contract(self) -> Contract:
        """The contract that it tells; raises as `contracts_of_commands` does."""
        process = self.process
        text = self._all_it_says().decode("utf-8", "replace")
        code = 0 if text else process.child.wait(CONTRACT_PATIENCE_S)
        answer = Answer(
            code, text, process.log.read_text("utf-8", "replace"), told_error(process.events)
        )
        return told_contract(process.name, answer)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Let it run with a host's arguments; its log and what marks it as ours stay as they are.

        Raises Crash if it has ended.
        """
        own = {EVENTS: str(self.process.events.absolute()), STARTED: self.process.mark}
        request = {
            "arguments": list(arguments),
            "environment": {**environment, **self._variables, **own},
        }
        stdin = self.process.child.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.close()
        except BrokenPipeError as error:
            raise Crash(
                f"{self.process.name} ended before its run ({self.process.how_it_ended()}); "
                f"{self.process.last_words()}"
            ) from error
        return self.process

    def end(self) -> None:
        """End the process, and whatever it has started."""
        self._processes.end(self.process)

    def _all_it_says(self) -> bytes:
        """Until it closes its stdout; raises Hang if that takes too long."""
        stdout = self.process.child.stdout
        assert stdout is not None
        deadline = time.monotonic() + CONTRACT_PATIENCE_S
        said = b""
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            data = os.read(stdout.fileno(), _READ_BYTES)
            if not data:
                return said
            said += data
        raise Hang(f"{self.process.name} did not tell its contract in {CONTRACT_PATIENCE_S:g} s")
