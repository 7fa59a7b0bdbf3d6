"""The process of an ordinary node on rmw_lockstep_cpp: the harness's side of its frames
(docs/direct-protocol.md)."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import numpy as np

from ...component import Contract
from ...component.contract import service_of
from ...component.service import RESPONSES
from ...errors import Crash, Hang, RunError, UsageError
from ...host.events import Declared, told_declared
from ...host.frames import Chunk, FrameError, FrameParser, Frames, frame
from ...host.protocol import BY_ITSELF, HARNESS_CLIENT, Kind, resolved
from ..processes import Process
from .endpoints import Endpoint, Note, announced
from .gathering import Connection, first_connection, further_connections, own_error

_END_PATIENCE_S = 5.0
_SOCKET_BYTES = 1 << 22
_READ_BYTES = 1 << 20
_PORTS = 1 << 16
_LOOK_S = 0.02
_OF_INPUTS = 1 << 62
"""Numbers of requests of inputs are from here on, by their steps."""
_HEAD_BYTES = 24
"""What is before the request or the response: the client and the number."""
_ANSWERS = (
    Kind.OUTPUT,
    Kind.DONE,
    Kind.FINISHED,
    Kind.PROCESS,
    Kind.ENTITY,
    Kind.GONE,
    Kind.NOTE,
    Kind.RESPONSE,
)


class NodeProcess:
    """Speaks with the one process of a command that is a node, whichever of those it starts.

    Whatever goes wrong ends with the tail of the process's log: a Crash, also for what breaks the
    protocol, or a Hang, if nothing moves for `timeout_s`; a UsageError for a class that is no node,
    or parameters that are refused.
    """

    def __init__(
        self, process: Process, listening: socket.socket, contract: Contract, timeout_s: float
    ) -> None:
        """Waits until the node connects to the socket, for 60 s."""
        self._process = process
        self._contract = contract
        self._listening = listening
        self.connection = first_connection(process, listening)
        self._socket = self.connection.link
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        self._timeout_s = timeout_s
        self._parser = FrameParser()
        self._output = np.full(_PORTS, -1, np.int64)  # of each publisher, as in the contract
        self._outputs = {
            (resolved(port.topic), port.type): index for index, port in enumerate(contract.outputs)
        }
        self._is_settled = self._is_finished = False
        self._responses: dict[int, bytes] = {}
        self._services = {
            number: service
            for number, port in enumerate(contract.inputs)
            if (service := service_of(port)) is not None
        }
        topics = {resolved(port.topic): index for index, port in enumerate(contract.outputs)}
        self._responses_of = {
            number: topics.get(f"{resolved(name)}{RESPONSES}", -1)
            for number, (name, _) in self._services.items()
        }
        self._open: dict[int, int] = {}  # requests of inputs: the outputs of their responses
        self.unserved = 0
        """How many requests of the inputs came when nobody served them."""
        self.consumed = 0
        self.sent = 0
        self.endpoints: dict[int, Endpoint] = {}
        self.notes: list[Note] = []
        self.ended_by_itself = False

    @property
    def pid(self) -> int:
        """Of the command, which may have started the node's process."""
        return self._process.child.pid

    @property
    def unanswered(self) -> int:
        """How many requests of the inputs have no response."""
        return len(self._open)

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Frames]:
        """Send the contract's inputs as topics and then steps: (how many, their frames), taken as
        the node keeps up; yields outputs as they come, with ports as in the contract, until the
        node has consumed all or ends by itself."""
        if self._services:  # who serves them is to be known at each step
            yield from self.start()
            for _, data in chunks:
                yield from self._one_by_one(bytes(data))
            yield from self.end()
            return
        sent = chain(self._topics(), chunks, [(0, frame(Kind.END))])
        yield from self._exchange(sent, lambda: self._is_finished)

    def start(self) -> Iterator[Frames]:
        """Send the contract's inputs as topics, before single steps; yields what the node puts out
        at the start of its time."""
        yield from self._exchange(self._topics(), lambda: self._is_settled or self._is_finished)
        self._check_end()

    def deliver(self, port: int, time_ns: int, data: bytes) -> Iterator[Frames]:
        """Step time and give input `port` a message (CDR); yields the outputs, and ends when the
        node waits for more."""
        yield from self._step(self._input(port, self.sent, time_ns, data))

    def advance(self, time_ns: int) -> Iterator[Frames]:
        """Step time; yields the outputs, and ends when the node has done what falls due."""
        yield from self._step(frame(Kind.ADVANCE, step=self.sent, time_ns=time_ns))

    def end(self) -> Iterator[Frames]:
        """End the run after single steps; yields what the node still puts out."""
        yield from self._exchange([(0, frame(Kind.END))], lambda: self._is_finished)

    def _topics(self) -> list[tuple[int, bytes]]:
        topics = b"".join(
            frame(Kind.TOPIC, announced(port), number)
            for number, port in enumerate(self._contract.inputs)
            if number not in self._services
        )
        return [(0, topics)] if topics else []

    def _one_by_one(self, data: bytes) -> Iterator[Frames]:
        """Take the steps of frames one by one."""
        steps = FrameParser().feed(data)
        assert steps is not None
        for index in range(len(steps)):
            if self._is_finished:
                return
            time_ns = int(steps.time_ns[index])
            if steps.kind[index] == Kind.INPUT:
                yield from self.deliver(int(steps.port[index]), time_ns, steps.payload(index))
            else:
                yield from self.advance(time_ns)

    def _input(self, port: int, step: int, time_ns: int, data: bytes) -> bytes:
        """The frame of a step at which an input gets a message, or a service of the node a request;
        at one that nobody serves, only time steps."""
        if port not in self._services:
            return frame(Kind.INPUT, data, port, step, time_ns)
        name, kind = self._services[port]
        wanted = ("service", resolved(name), kind)
        served = (n for n, e in self.endpoints.items() if (e.kind, e.name, e.type) == wanted)
        service = next(served, None)
        if service is None:
            self.unserved += 1
            return frame(Kind.ADVANCE, step=step, time_ns=time_ns)
        number = _OF_INPUTS + step
        self._open[number] = self._responses_of[port]
        asked = HARNESS_CLIENT + number.to_bytes(8, "little") + data
        return frame(Kind.REQUEST, asked, service, step, time_ns)

    def _step(self, sent: bytes) -> Iterator[Frames]:
        done = self.sent + 1
        yield from self._exchange([(1, sent)], lambda: self.consumed == done or self._is_finished)
        self._check_end()

    def _check_end(self) -> None:
        """Raises RunError if it has ended by itself, and badly, UsageError if it was started for
        what cannot be."""
        if self.ended_by_itself:
            self._wait_for_end()
            if self._process.ended and self._process.child.returncode != 0:
                raise self._ended()

    def companions(self) -> list[Connection]:
        """Other processes with nodes that the same command has started."""
        return further_connections(self.connection)

    def settle(self) -> None:
        """Wait until the node has done all that it does at the start of its time."""
        for _ in self._exchange((), lambda: self._is_settled or self._is_finished):
            pass

    def ask(
        self, service: int, request: bytes, published: list[Frames] | None = None
    ) -> bytes | None:
        """The response (CDR) of a service of the node, by its number, to a request (CDR); None if
        it gives none at once.

        What it puts out meanwhile is added to `published`.
        """
        number = self.sent
        asked = frame(
            Kind.REQUEST, HARNESS_CLIENT + number.to_bytes(8, "little") + request, service, number
        )
        done = number + 1
        outputs = self._exchange([(1, asked)], lambda: self.consumed == done or self._is_finished)
        for frames in outputs:
            if published is not None:
                published.append(frames)
        return self._responses.pop(number, None)

    def _exchange(self, chunks: Iterable[Chunk], is_over: Callable[[], bool]) -> Iterator[Frames]:
        """Write and read at once until it is over; yields outputs."""
        waiting = iter(chunks)
        pending, is_sent = memoryview(b""), False
        while not is_over():
            while not pending and not is_sent:
                count, data = next(waiting, (0, b""))
                self.sent += count
                pending, is_sent = memoryview(data), not data
            readable, writable = self._wait(bool(pending))
            if writable:
                with suppress(BlockingIOError):
                    pending = self._write(pending)
            if readable and (outputs := self._read()) is not None and len(outputs):
                yield outputs

    def declared(self) -> Declared:
        """What a class of nodes had declared when it was constructed."""
        return told_declared(self._process.events)

    def close(self) -> None:
        """Wait for the end of the process; raises RunError if it has ended by itself, and badly,
        UsageError if it was started for what cannot be."""
        self._wait_for_end()
        self._socket.close()
        self._check_end()

    def _wait_for_end(self) -> None:
        deadline = time.monotonic() + _END_PATIENCE_S
        while not self._process.ended and time.monotonic() < deadline:
            time.sleep(_LOOK_S / 10)

    def _write(self, pending: memoryview) -> memoryview:
        try:
            return pending[self._socket.send(pending) :]
        except (BrokenPipeError, ConnectionResetError):  # what it says before it ends tells why
            return memoryview(b"")

    def _wait(self, with_room: bool) -> tuple[bool, bool]:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if with_room else 0))
        poll.register(self._listening, select.POLLIN)
        ready = dict(poll.poll(self._timeout_s * 1000))
        if not ready:
            raise self._broken(f"hangs: nothing came for {self._timeout_s:g} s", Hang)
        if self._listening.fileno() in ready:
            raise self._broken(
                "started another process with nodes during the run, at a moment that is another "
                "one in each run; start it with the others"
            )
        events = ready[self._socket.fileno()]
        return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)

    def _read(self) -> Frames | None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except ConnectionResetError:
            data = b""
        if not data:
            raise self._ended()
        try:
            frames = self._parser.feed(data)
        except FrameError as error:
            raise self._broken(str(error)) from error
        return None if frames is None else self._take(frames)

    def _take(self, frames: Frames) -> Frames:
        """Note what frames tell; returns the outputs among them that the contract has."""
        unknown = ~np.isin(frames.kind, _ANSWERS)
        if unknown.any():
            raise self._broken(f"sent a frame of unknown kind {frames.kind[np.argmax(unknown)]}")
        told = np.isin(frames.kind, (Kind.ENTITY, Kind.NOTE))
        for index in np.flatnonzero(told).tolist():
            text = frames.payload(index).decode("utf-8", "replace")
            try:
                if frames.kind[index] == Kind.ENTITY:
                    self._register(int(frames.port[index]), Endpoint.from_json(text))
                else:
                    self.notes.append(Note.from_json(text))
            except ValueError as error:
                raise self._broken(f"told what is not understood: {error}") from error
        port = self._output[frames.port]
        answers = np.zeros(len(frames), np.bool_)
        for index in np.flatnonzero(frames.kind == Kind.RESPONSE).tolist():
            data = frames.payload(index)
            number = int.from_bytes(data[16:_HEAD_BYTES], "little")
            if number in self._open:
                answers[index], port[index] = True, self._open.pop(number)
            else:
                self._responses[number] = data[_HEAD_BYTES:]
        said = np.flatnonzero(np.isin(frames.kind, (Kind.DONE, Kind.FINISHED)))
        if len(said):
            self._is_settled = True
            self.consumed = int(frames.step[said[-1]])
            self._is_finished = frames.kind[said[-1]] == Kind.FINISHED
            self.ended_by_itself = self._is_finished and frames.port[said[-1]] == BY_ITSELF
        head = np.where(answers, _HEAD_BYTES, 0)
        outputs = replace(
            frames, port=port, offset=frames.offset + head, length=frames.length - head
        )
        return outputs.where(((frames.kind == Kind.OUTPUT) | answers) & (port >= 0))

    def _register(self, number: int, endpoint: Endpoint) -> None:
        self.endpoints[number] = endpoint
        if endpoint.kind != "publisher":
            return
        self._output[number] = self._outputs.get((endpoint.name, endpoint.type), -1)

    def _broken(self, what: str, kind: type[RunError] = Crash) -> RunError:
        return kind(f"{self._process.name} {what}; {self._process.last_words()}")

    def _ended(self) -> RunError | UsageError:
        """Why it has closed its socket."""
        self._wait_for_end()
        if not self._process.ended:
            return self._broken("closed its connection during the run")
        return own_error(self._process) or self._broken(
            f"ended during the run ({self._process.how_it_ended()})"
        )
