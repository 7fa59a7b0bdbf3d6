"""One of several processes that are run as one system: the harness's side of its frames
(docs/direct-protocol.md), one step after the other."""

from __future__ import annotations

import select
import socket
import struct
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from ...errors import Crash, Hang, RunError, UsageError
from ...host.frames import FrameError, frame, what_came
from ...host.protocol import BY_ITSELF, HEADER_SIZE, MAGIC, MAX_PAYLOAD, Kind
from .endpoints import Endpoint, Note
from .gathering import Connection, own_error

NEVER = 2**63 - 1
"""The deadline of whoever does nothing by itself."""
_HEADER = struct.Struct("<4sBBHQqII")
_DEADLINE = struct.Struct("<q")
_STATUS = struct.Struct("<i")
_TIMEOUT = struct.Struct("@ll")
_CHECKSUM_SIZE = 4
_DONE = int(Kind.DONE)  # a member of an IntEnum takes longer to compare with
_READ_BYTES = 1 << 20
_END_PATIENCE_S = 5.0
_LOOK_S = 0.002


class Told(NamedTuple):
    """A frame of a process, `order` being the delivery during which it was sent."""

    order: int
    kind: int
    port: int
    time_ns: int
    payload: bytes


@dataclass
class Member:
    """A process of a system; `number` is its place in it.

    Whatever goes wrong ends with the tail of its log: a Crash, also for what breaks the protocol,
    or a Hang, if it is silent for `timeout_s`.
    """

    number: int
    connection: Connection
    timeout_s: float
    endpoints: dict[int, Endpoint] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    deadline_ns: int = NEVER
    has_ended: bool = False
    ended_by_itself: bool = False
    _nodes: set[str] = field(default_factory=set)
    _parts: list[bytes] = field(default_factory=list)  # of a frame that is not whole yet
    _size: int = 0  # of these
    _needed: int = 0  # of the frame
    _told: list[Told] = field(default_factory=list)
    _unsent: list[bytes] = field(default_factory=list)
    _orders: deque[int] = field(default_factory=deque)
    _step: int = 0  # the one that _orders begins with
    _sent: int = 0
    _done: int = -1

    def __post_init__(self) -> None:
        self._socket = self.connection.link
        self._socket.setblocking(True)  # which takes one call of the kernel where poll takes two
        self.be_patient(self.timeout_s)
        self._room = select.poll()
        self._room.register(self._socket, select.POLLIN | select.POLLOUT)

    def be_patient(self, timeout_s: float) -> None:
        """From now on a silence of so long is a hang."""
        self.timeout_s = timeout_s
        seconds, rest_s = divmod(timeout_s, 1)
        patience = _TIMEOUT.pack(int(seconds), int(rest_s * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)

    @property
    def name(self) -> str:
        """What it is called in a sentence: by its command and its nodes."""
        nodes = ", ".join(self.nodes)
        return f"{self.connection.process.name} ({nodes or 'no node yet'})"

    @property
    def nodes(self) -> list[str]:
        """The nodes that it has or had, in the order of their names."""
        return sorted(self._nodes)

    def register(self, number: int, payload: bytes) -> Endpoint:
        """Note an entity that it has told."""
        try:
            endpoint = Endpoint.from_json(payload.decode("utf-8", "replace"))
        except ValueError as error:
            raise self.broken(f"told what is not understood: {error}") from error
        self.endpoints[number] = endpoint
        self._nodes.add(endpoint.node)
        return endpoint

    def note(self, payload: bytes) -> None:
        """Keep what it has told beside its messages."""
        try:
            self.notes.append(Note.from_json(payload.decode("utf-8", "replace")))
        except ValueError as error:
            raise self.broken(f"told what is not understood: {error}") from error

    def subscribes_to(self, topic: str) -> bool:
        """Whether it now does."""
        return not self.has_ended and any(
            one.kind == "subscription" and one.name == topic for one in self.endpoints.values()
        )

    def tell(self, kind: Kind, payload: bytes = b"", port: int = 0) -> None:
        """A frame that is no step, with the next step."""
        self._unsent.append(frame(kind, payload, port))

    def step(self, order: int, kind: Kind, time_ns: int, port: int, payload: bytes) -> None:
        """A step, which is sent with the next `send`."""
        self._unsent.append(frame(kind, payload, port, self._sent, time_ns))
        self._orders.append(order)
        self._sent += 1

    def send(self) -> None:
        """Send what there is to be sent; what comes meanwhile is kept."""
        data = memoryview(b"".join(self._unsent))
        self._unsent.clear()
        while data and not self.has_ended:
            try:
                data = data[self._socket.send(data, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                ready = self._room.poll(self.timeout_s * 1000)
                if not ready:
                    raise self._hang() from None
                if ready[0][1] & ~select.POLLOUT:
                    self._read()
            except (BrokenPipeError, ConnectionResetError):
                return  # what it said before tells why

    def answers(self) -> list[Told]:
        """Wait until it has done all that it was sent and would wait; what it has told by then."""
        while self._done != self._sent and not self.has_ended:
            self._read()
        told, self._told = self._told, []
        return told

    def end(self) -> list[Told]:
        """The run is over; what it has told until its end."""
        self.tell(Kind.END)
        self.send()
        while not self.has_ended:
            self._read()
        told, self._told = self._told, []
        return told

    def close(self) -> None:
        """Let go of its socket."""
        self._socket.close()

    def broken(self, what: str, kind: type[RunError] = Crash) -> RunError:
        """An error with its last words."""
        return kind(f"{self.name} {what}; {self.connection.process.last_words()}")

    def _hang(self) -> RunError:
        return self.broken(f"hangs: nothing came for {self.timeout_s:g} s", Hang)

    def _read(self) -> None:
        """Wait for frames, and take them."""
        try:
            data = self._socket.recv(_READ_BYTES)
        except ConnectionResetError:
            data = b""
        except BlockingIOError:
            raise self._hang() from None
        if not data:
            raise self._gone()
        if self._size:  # of a frame that is not whole yet
            self._parts.append(data)
            self._size += len(data)
            if self._size < self._needed:
                return
            data = b"".join(self._parts)
        position, size, self._needed = 0, len(data), HEADER_SIZE
        while size - position >= HEADER_SIZE:
            head = _HEADER.unpack_from(data, position)
            magic, kind, _, port, step, time_ns, length, checksum = head
            start = position + HEADER_SIZE
            if (
                magic != MAGIC
                or length > MAX_PAYLOAD
                or zlib.crc32(data[position : start - _CHECKSUM_SIZE]) != checksum
            ):
                raise self.broken(str(FrameError(what_came(data[position:]))))
            if size - start < length:
                self._needed = HEADER_SIZE + length
                break
            position = start + length
            if kind == _DONE:
                self._done = step
                (self.deadline_ns,) = _DEADLINE.unpack_from(data, start)
            else:
                self._take(kind, port, step, time_ns, data[start:position])
        self._size = size - position
        self._parts = [data[position:]] if self._size else []

    def _take(self, kind: int, port: int, step: int, time_ns: int, payload: bytes) -> None:
        while self._step < step and len(self._orders) > 1:
            self._orders.popleft()
            self._step += 1
        if kind == Kind.FINISHED:
            self.has_ended = True
            self.ended_by_itself = port == BY_ITSELF
            self.deadline_ns = NEVER
            (code,) = _STATUS.unpack(payload)
            if self.ended_by_itself and code:
                raise self.broken(f"ended during the run (exit code {code})")
        order = self._orders[0] if self._orders else self.number
        self._told.append(Told(order, kind, port, time_ns, payload))

    def _gone(self) -> RunError | UsageError:
        """Why it has closed its socket."""
        process = self.connection.process
        is_command = self.connection.pid == process.child.pid
        deadline = time.monotonic() + _END_PATIENCE_S
        while is_command and not process.ended and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        if (told := own_error(process)) is not None:
            return told
        how = f" ({process.how_it_ended()})" if process.ended else ""
        return self.broken(f"ended during the run{how}")
