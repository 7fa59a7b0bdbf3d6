"""A component's program in direct mode, of any language: the harness's side of
docs/direct-protocol.md."""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import BagError
from ..cdr.codec import installed_codec
from ..component import Contract
from ..component.parameter import ros_type
from ..errors import USAGE, CallbackError, Crash, Hang, RunError, UsageError
from ..host.events import told_error
from ..host.frames import Chunk, FrameError, FrameParser, Frames, frame
from ..host.protocol import PARAMETER_VALUES, Kind
from .processes import Process

_PARAMETER = "rcl_interfaces/msg/Parameter"
_PIPE_BYTES = 1 << 20
_START_PATIENCE_S = 30.0
_END_PATIENCE_S = 5.0
_NO_VALUE = {
    "bool_value": False,
    "integer_value": 0,
    "double_value": 0.0,
    "string_value": "",
    **{field: [] for _, field in PARAMETER_VALUES.values() if field.endswith("_array_value")},
    "byte_array_value": [],
}
_ANSWERS = (Kind.OUTPUT, Kind.DONE, Kind.TIMES, Kind.FAILED, Kind.FINISHED)


class DirectProcess:
    """Speaks with one process; it makes any number of runs, one after the other.

    Whatever goes wrong ends with the tail of the process's log: a Crash, also for what breaks the
    protocol, or a Hang, if nothing moves for `timeout_s`. A callback that raised is a
    CallbackError.
    """

    def __init__(self, process: Process, timeout_s: float, *, goes_on: bool = False) -> None:
        """Waits for the contract, for which a program has 30 s.

        A program that `goes_on` takes the next run after one that a callback has ended
        (`many_command`).
        """
        self._process = process
        self._goes_on = goes_on
        assert process.child.stdin is not None and process.child.stdout is not None
        self._stdin = process.child.stdin.fileno()
        self._stdout = process.child.stdout.fileno()
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe, False)
            with suppress(OSError):  # more than this machine allows; it only were faster
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._parser = FrameParser()
        self._sent = self._consumed = 0
        self._last: tuple[Kind, int] | None = None
        self._durations: dict[int, list[npt.NDArray[np.uint32]]] = {}
        self._timeout_s = _START_PATIENCE_S
        self.contract = self._read_contract()
        self._timeout_s = timeout_s

    @property
    def durations_ns(self) -> dict[int, npt.NDArray[np.uint32]]:
        """The wall time of each callback of the run that has ended, by input port; of timers from
        TIMER_PORTS on."""
        return {port: np.concatenate(parts) for port, parts in self._durations.items()}

    @property
    def consumed(self) -> int:
        """How many steps of this run the component has consumed."""
        return self._consumed

    def start(self, parameters: Mapping[str, Any]) -> Iterator[Frames]:
        """Begin a run; yields the outputs of on_start. Raises UsageError for parameters that the
        component refuses."""
        yield from self._exchange([self._beginning(parameters)], Kind.DONE)

    def deliver(self, port: int, time_ns: int, data: bytes) -> Iterator[Frames]:
        """Step time and give input `port` a message (CDR); yields the outputs, and ends when it is
        consumed."""
        sent = frame(Kind.INPUT, data, port, self._sent, time_ns)
        yield from self._exchange([(1, sent)], Kind.DONE)

    def advance(self, time_ns: int) -> Iterator[Frames]:
        """Step time; yields the outputs, and ends when the timers that fall due have fired."""
        sent = frame(Kind.ADVANCE, step=self._sent, time_ns=time_ns)
        yield from self._exchange([(1, sent)], Kind.DONE)

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Frames]:
        """Send many steps: (how many, their frames), taken as the component keeps up; yields
        outputs as they come."""
        yield from self._exchange(chunks, Kind.DONE)

    def end(self) -> None:
        """End the run, after which `durations_ns` are known and another may start."""
        for _ in self._exchange([(0, frame(Kind.END))], Kind.FINISHED):
            raise self._broken("published after the END of the run")

    def whole_run(
        self, parameters: Mapping[str, Any], count: int, steps: bytes
    ) -> Iterator[Frames]:
        """A run of `count` steps (their frames) from its start to its end, sent at once; yields the
        outputs."""
        _, begin = self._beginning(parameters)
        sent = b"".join([begin, steps, frame(Kind.END)])
        yield from self._exchange([(count, sent)], Kind.FINISHED)

    def close(self) -> None:
        """Let the process exit; raises RunError if it does not, or not with 0."""
        assert self._process.child.stdin is not None
        self._process.child.stdin.close()
        self._read_to_the_end()
        self._check_parser()
        if not self._has_ended():
            raise self._broken(f"did not end within {_END_PATIENCE_S:g} s of its last run")
        if self._process.child.returncode != 0:
            raise self._broken(
                f"failed after the end of its last run ({self._process.how_it_ended()})"
            )

    def _read_to_the_end(self) -> None:
        """Until it has closed its stdout; raises RunError if something comes, or nothing does for
        too long."""
        deadline = time.monotonic() + _END_PATIENCE_S
        while time.monotonic() < deadline:
            has_ended = self._process.ended  # before looking: a child may hold its stdout
            if self._has_closed(patience_s=0.01) or has_ended:
                return

    def _has_closed(self, patience_s: float = 0.0) -> bool:
        """Whether it has closed its stdout after a run; raises RunError if it says something."""
        poll = select.poll()
        poll.register(self._stdout, select.POLLIN)
        if not poll.poll(patience_s * 1000):
            return False
        if os.read(self._stdout, _PIPE_BYTES):
            raise self._broken("published after the END of the run")
        return True

    def _check_parser(self) -> None:
        """Raises RunError for a part of a frame after the last one."""
        if not self._parser.is_empty:
            raise self._broken("sent more after the END of the run")

    def _exchange(self, chunks: Iterable[Chunk], last: Kind) -> Iterator[Frames]:
        """Write and read at once until all is sent and the component says `last` of all steps;
        yields outputs."""
        waiting = iter(chunks)
        pending = memoryview(b"")
        is_sent = False
        failed: CallbackError | None = None
        while True:
            while not pending and not is_sent:
                count, data = next(waiting, (0, b""))
                self._sent += count
                pending, is_sent = memoryview(data), not data
            if is_sent and not pending and self._last == (last, self._sent):
                return
            if failed is not None and is_sent and not pending and self._has_finished:
                raise failed
            readable, writable = self._wait(bool(pending))
            if writable:
                try:
                    pending = pending[os.write(self._stdin, pending) :]
                except BrokenPipeError:  # what it says before it ends tells why
                    pending, is_sent, waiting = memoryview(b""), True, iter(())
            if readable:
                frames = self._read()
                if frames is not None:
                    outputs = self._take(frames)
                    if len(outputs):
                        yield outputs
                    failed = failed or _failed(frames)
                    if failed is not None and not self._goes_on:
                        raise failed

    @property
    def _has_finished(self) -> bool:
        return self._last is not None and self._last[0] is Kind.FINISHED

    def _beginning(self, parameters: Mapping[str, Any]) -> tuple[int, bytes]:
        """The frames that begin a run; forgets the one before, of which nothing may come any
        more."""
        if self._has_finished:
            self._check_parser()
            if self._has_closed():
                raise self._broken("ended after its last run")
        self._sent = self._consumed = 0
        self._last = None
        self._durations = {}
        data = [self._parameter(name, value) for name, value in parameters.items()]
        return 0, b"".join([*data, frame(Kind.START)])

    def _parameter(self, name: str, value: Any) -> bytes:
        """A PARAMETER frame; raises UsageError for what is no value of a parameter."""
        declared = {p.name: p.type for p in self.contract.parameters}.get(name, "")
        try:
            kind = declared if value == [] and declared.endswith("_array") else ros_type(value)
            number, field = PARAMETER_VALUES[kind]
            values = {**_NO_VALUE, "type": number, field: value}
            data = installed_codec(_PARAMETER).encode({"name": name, "value": values})
        except (TypeError, BagError) as error:
            raise UsageError(f"parameter '{name}': {error}") from error
        return frame(Kind.PARAMETER, data)

    def _wait(self, with_stdin: bool) -> tuple[bool, bool]:
        """Whether there is something to read, and room to write; raises RunError if nothing
        happens."""
        poll = select.poll()
        poll.register(self._stdout, select.POLLIN)
        if with_stdin:
            poll.register(self._stdin, select.POLLOUT)
        ready = dict(poll.poll(self._timeout_s * 1000))
        if not ready:
            raise self._broken(f"hangs: nothing came for {self._timeout_s:g} s", Hang)
        return self._stdout in ready, self._stdin in ready

    def _read(self) -> Frames | None:
        data = os.read(self._stdout, _PIPE_BYTES)
        if not data:
            raise self._failure()
        try:
            return self._parser.feed(data)
        except FrameError as error:
            raise self._broken(str(error)) from error

    def _read_contract(self) -> Contract:
        while True:
            self._wait(with_stdin=False)
            frames = self._read()
            if frames is not None:
                break
        if len(frames) != 1 or frames.kind[0] != Kind.CONTRACT:
            raise self._broken("did not begin with its contract")
        try:
            return Contract.from_json(frames.payload(0).decode())
        except ValueError as error:
            raise self._broken(f"sent no contract: {error}") from error

    def _take(self, frames: Frames) -> Frames:
        """Check frames and note what they tell; returns the outputs among them."""
        for index in np.flatnonzero(frames.kind == Kind.TIMES).tolist():
            data = frames.payload(index)
            if len(data) % 4:
                raise self._broken(f"told times of {len(data)} bytes, which are no uint32")
            times = np.frombuffer(data, "<u4").astype(np.uint32)
            self._durations.setdefault(int(frames.port[index]), []).append(times)
        finished = np.flatnonzero(frames.kind == Kind.FINISHED)
        if self._has_finished or (len(finished) and int(finished[0]) + 1 < len(frames)):
            raise self._broken("published after the END of the run")
        frames = frames.where(frames.kind != Kind.TIMES)
        for wrong, what in (
            (~np.isin(frames.kind, _ANSWERS), "sent a frame of unknown kind {kind}"),
            (frames.step > self._sent, "answered step {step}, which was not sent yet"),
            (
                np.diff(frames.step, prepend=self._consumed) < 0,
                "answered step {step} again",
            ),
            (
                (frames.kind == Kind.OUTPUT) & (frames.port >= len(self.contract.outputs)),
                "published on output {port}, which its contract does not have",
            ),
        ):
            if wrong.any():
                at = int(np.argmax(wrong))
                found = {"kind": frames.kind[at], "step": frames.step[at], "port": frames.port[at]}
                raise self._broken(what.format(**found))
        said = np.flatnonzero(np.isin(frames.kind, (Kind.DONE, Kind.FINISHED)))
        if len(said):
            self._consumed = int(frames.step[said[-1]])
            self._last = Kind(int(frames.kind[said[-1]])), self._consumed
        return frames.where(frames.kind == Kind.OUTPUT)

    def _broken(self, what: str, kind: type[RunError] = Crash) -> RunError:
        return kind(f"{self._process.name} {what}; {self._process.last_words()}")

    def _failure(self) -> RunError | UsageError:
        """Why it has closed its stdout."""
        if not self._has_ended():
            return self._broken("closed its stdout during the run")
        if self._process.child.returncode == USAGE and self._last is None:  # it did not start
            told = told_error(self._process.events) or self._process.tail().rpartition("\n")[2]
            if told:
                return UsageError(f"{self._process.name}: {told}")
        return self._broken(f"ended during the run ({self._process.how_it_ended()})")

    def _has_ended(self) -> bool:
        deadline = time.monotonic() + _END_PATIENCE_S
        while not self._process.ended and time.monotonic() < deadline:
            time.sleep(0.001)
        return self._process.ended


def _failed(frames: Frames) -> CallbackError | None:
    """What a callback raised, if one did."""
    for index in np.flatnonzero(frames.kind == Kind.FAILED).tolist():
        sentence = frames.payload(index).decode("utf-8", "replace")
        return CallbackError(sentence, int(frames.step[index]))
    return None
