"""Several processes with nodes as one system: whatever happens in it happens in one total order,
which is the same in every run.

It is a conservative simulation of discrete events: the earliest happens first, deadlines of the
processes before inputs of the same time and in the order of the processes; what a process then
publishes and asks is delivered at that time, in the order in which it was published, until nobody
has anything to do; then time goes on.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...component import Contract
from ...component.contract import service_of
from ...component.service import RESPONSES
from ...errors import Hang, RunError
from ...host.frames import Frames
from ...host.protocol import HARNESS_CLIENT, TO_DEADLINE, Kind, resolved
from ..inputs import CLOCK_TOPIC
from .endpoints import Endpoint, announced, is_matched
from .gathering import START_PATIENCE_S, Connection, command_line, is_running, node_has_joined
from .member import Member, Told

_GID_BYTES = 16
_HEAD_BYTES = 24  # gid and sequence number, before a request or response
_CLIENT = slice(8, 10)  # of a gid: the number of the client,
_PROCESS = slice(10, 12)  # and of its process
_MANY_ROUNDS = 1000
_MOST_PEERS = 0xFFFF
_END_PATIENCE_S = 5.0
_LOOK_S = 0.002
_JOIN_PERIOD_S = 0.05


class Output(NamedTuple):
    """What was published on output `port` of the contract, during step `step` of the inputs."""

    port: int
    step: int
    time_ns: int
    data: bytes


class _Delivery(NamedTuple):
    to: Member
    kind: Kind
    port: int
    payload: bytes
    is_step: bool = True


@dataclass
class _Publisher:
    """A publisher of a process: its number among all peers, its output in the contract, what is
    latched, and who gets what it publishes, as of which state of the graph."""

    peer: int
    output: int | None
    latched: deque[bytes] | None
    readers: Sequence[Member] = ()
    graph: int = -1


class System:
    """The processes of a system whose time begins at `start_ns`, in an order of their own.

    All methods raise RunError for a process that crashes, hangs or breaks the protocol, and for
    messages that go round for ever.
    """

    def __init__(
        self, connections: Sequence[Connection], contract: Contract, start_ns: int, timeout_s: float
    ) -> None:
        """Waits until all have done what they do at the start of their time."""
        self._contract = contract
        self._outputs = {
            (resolved(port.topic), port.type): number
            for number, port in enumerate(contract.outputs)
        }
        self._timeout_s = timeout_s
        self._now_ns = start_ns
        self._step = 0
        self._order = len(connections)
        self._pending: list[_Delivery] = []
        self._publishers: dict[tuple[int, int], _Publisher] = {}
        self._peers: dict[tuple[int, int], int] = {}
        self._graph = 0
        self._uninformed: set[int] = set()
        self._readers: dict[int, list[Member]] = {}
        self._servers: dict[tuple[str, str], tuple[Member, int] | None] = {}
        self._clocks: list[Member] | None = None
        self._found: list[Output] = []
        self._response: bytes | None = None
        self._services = {
            number: service
            for number, port in enumerate(contract.inputs)
            if (service := service_of(port)) is not None
        }
        self._open: dict[int, int] = {}
        self.requests = 0
        """How many requests of the inputs were handed on."""
        self._next_look_s = 0.0
        self._listening = list(dict.fromkeys(one.listening for one in connections))
        self.known: list[tuple[Member, Endpoint]] = []
        """All that was registered, and by whom."""
        self.unread: Counter[str] = Counter()
        """How many inputs came before anybody subscribed to their topics."""
        self.members: list[Member] = []
        told: dict[int, list[Told]] = {}
        found = [Member(place, one, START_PATIENCE_S) for place, one in enumerate(connections)]
        for member in found:
            told[id(member)] = member.answers()
            member.be_patient(timeout_s)
        commands = list(dict.fromkeys(id(one.process) for one in connections))
        self.members = sorted(found, key=lambda one: _place(one, told[id(one)], commands))
        for number, member in enumerate(self.members):
            member.number = number
            member.tell(Kind.NUMBER, port=number)
            for index, port in enumerate(contract.inputs):
                if index not in self._services:
                    member.tell(Kind.TOPIC, announced(port), index)
        for is_entity in (True, False):  # whoever subscribes gets what others say at the start
            for member in self.members:
                for frame in told[id(member)]:
                    if (frame.kind == Kind.ENTITY) == is_entity:
                        self._take(member, frame)

    @property
    def unanswered(self) -> int:
        """How many requests of the inputs have no response."""
        return len(self._open)

    @property
    def consumed(self) -> int:
        """How many steps of the inputs are over."""
        return self._step

    def start(self) -> list[Output]:
        """Let the processes know of each other; what they put out before the first input."""
        self._inform()
        self._settle(self._now_ns)
        return self._taken()

    def deliver(self, port: int, time_ns: int, data: bytes) -> list[Output]:
        """Step time and give input `port` a message (CDR); what the system puts out until it
        waits. A time of 0 is not known."""
        self._advance(time_ns)
        if port in self._services:
            self._request(port, data)
            self._tick(time_ns, [])
            return self._taken()
        readers = self._readers_of(port)
        if not readers:
            self.unread[resolved(self._contract.inputs[port].topic)] += 1
        self._pending += [_Delivery(member, Kind.INPUT, port, data) for member in readers]
        self._tick(time_ns, readers)
        return self._taken()

    def advance(self, time_ns: int) -> list[Output]:
        """Step time; what the system puts out until it waits."""
        self._advance(time_ns)
        self._tick(time_ns, [])
        return self._taken()

    def asked(self, member: Member) -> AskedMember:
        """A process whose services can be asked."""
        return AskedMember(self, member)

    def ask(self, member: Member, service: int, request: bytes) -> bytes | None:
        """The response (CDR) of a service of a process to a request (CDR); None if it gives none
        at once."""
        payload = HARNESS_CLIENT + bytes(8) + request
        self._pending.append(_Delivery(member, Kind.REQUEST, service, payload))
        self._settle(self._now_ns)
        response, self._response = self._response, None
        return response

    def end(self) -> list[Output]:
        """End the run, and all processes."""
        for member in self.members:
            if not member.has_ended:
                for told in member.end():
                    self._take(member, told)
        deadline = time.monotonic() + _END_PATIENCE_S
        for member in self.members:  # who is left alone by its harness would be killed
            while is_running(member.connection.pid) and time.monotonic() < deadline:
                time.sleep(_LOOK_S)
            member.close()
        return self._taken()

    def _taken(self) -> list[Output]:
        found, self._found = self._found, []
        return found

    def _tick(self, time_ns: int, readers: Sequence[Member]) -> None:
        """Do what is pending at a time of the inputs, which who wants /clock is told as well."""
        if self._clocks is None:
            self._clocks = self._subscribed(CLOCK_TOPIC)
        self._pending += [
            _Delivery(member, Kind.ADVANCE, 0, b"")
            for member in self._clocks
            if member not in readers
        ]
        self._settle(time_ns)
        self._step += 1

    def _advance(self, until_ns: int) -> None:
        """Let all happen that processes do by themselves until a time."""
        while (first_ns := min(member.deadline_ns for member in self.members)) <= until_ns:
            self._now_ns = max(self._now_ns, first_ns)
            self._pending += [
                _Delivery(member, Kind.ADVANCE, TO_DEADLINE, b"")
                for member in self.members
                if member.deadline_ns <= first_ns
            ]
            self._settle(self._now_ns)
        self._now_ns = max(self._now_ns, until_ns)

    def _settle(self, time_ns: int) -> None:
        """Deliver at a time what is pending, and what comes of that, until nobody has anything to
        do."""
        rounds, begin_s = 0, time.monotonic()
        while self._pending:
            pending, self._pending = self._pending, []
            self._round(pending, time_ns)
            self._inform()
            rounds += 1
            if rounds > _MANY_ROUNDS and time.monotonic() - begin_s > self._timeout_s:
                raise self._endless(pending)
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + _JOIN_PERIOD_S
        if node_has_joined(self._listening):
            raise RunError(
                f"{self.members[0].connection.process.name}: another process became a node during "
                "the run, at a moment that is another one in each run; start it with the others"
            )

    def _round(self, pending: Sequence[_Delivery], time_ns: int) -> None:
        """Deliver at once, and take what is told in the order of the deliveries."""
        asked: dict[int, Member] = {}
        for to, kind, port, payload, is_step in pending:
            if to.has_ended:
                continue
            if is_step:
                to.step(self._order, kind, time_ns, port, payload)
                self._order += 1
            else:
                to.tell(kind, payload, port)
            asked[to.number] = to
        for member in asked.values():
            member.send()
        told = [(one, member) for member in asked.values() for one in member.answers()]
        told.sort(key=lambda each: each[0].order)
        for one, member in told:
            self._take(member, one)

    def _inform(self) -> None:
        """Let those who were told of others look at the graph."""
        self._pending += [
            _Delivery(self.members[number], Kind.ADVANCE, TO_DEADLINE, b"")
            for number in sorted(self._uninformed)
        ]
        self._uninformed.clear()

    def _take(self, member: Member, told: Told) -> None:
        match told.kind:
            case Kind.OUTPUT:
                self._publish(member, told)
            case Kind.ASKED:
                self._ask(member, told)
            case Kind.RESPONSE:
                self._answer(told)
            case Kind.ENTITY:
                self._register(member, told.port, told.payload)
            case Kind.GONE:
                self._forget(member, told.port)
            case Kind.NOTE:
                member.note(told.payload)
            case Kind.FINISHED:
                for number in list(member.endpoints):
                    self._forget(member, number)
            case Kind.PROCESS:
                pass
            case _:
                raise member.broken(f"sent a frame of unknown kind {told.kind}")

    def _request(self, port: int, data: bytes) -> None:
        """Ask a service."""
        name, kind = self._services[port]
        server = self._server(resolved(name), kind)
        if server is None:
            self.unread[resolved(self._contract.inputs[port].topic)] += 1
            return
        self.requests += 1
        self._open[self.requests] = port
        payload = HARNESS_CLIENT + self.requests.to_bytes(8, "little") + data
        self._pending.append(_Delivery(server[0], Kind.REQUEST, server[1], payload))

    def _server(self, name: str, kind: str) -> tuple[Member, int] | None:
        """The first process that serves something, and the number of its service."""
        if (name, kind) not in self._servers:
            self._servers[name, kind] = next(
                (
                    (member, number)
                    for member in self.members
                    for number, one in member.endpoints.items()
                    if (one.kind, one.name, one.type) == ("service", name, kind)
                ),
                None,
            )
        return self._servers[name, kind]

    def _publish(self, member: Member, told: Told) -> None:
        publisher = self._publishers.get((member.number, told.port))
        if publisher is None:
            raise member.broken(f"published by entity {told.port}, which is no publisher")
        if publisher.output is not None:
            self._found.append(Output(publisher.output, self._step, told.time_ns, told.payload))
        if publisher.latched is not None:
            publisher.latched.append(told.payload)
        if publisher.graph != self._graph:
            publisher.graph = self._graph
            endpoint = member.endpoints[told.port]
            publisher.readers = [
                other
                for other in self.members
                if other is not member
                and any(is_matched(endpoint, one) for one in other.endpoints.values())
            ]
        self._pending += [
            _Delivery(reader, Kind.MESSAGE, publisher.peer, told.payload)
            for reader in publisher.readers
        ]

    def _ask(self, member: Member, told: Told) -> None:
        """Hand a request on to the first process that serves it."""
        client = member.endpoints[told.port]
        gid = bytearray(told.payload[:_GID_BYTES])
        gid[_PROCESS] = (member.number + 1).to_bytes(2, "little")
        server = self._server(client.name, client.type)
        if server is not None:
            asked = bytes(gid) + told.payload[_GID_BYTES:]
            self._pending.append(_Delivery(server[0], Kind.REQUEST, server[1], asked))

    def _answer(self, told: Told) -> None:
        """Hand a response on to the client."""
        if told.payload.startswith(HARNESS_CLIENT):
            self._answer_here(told)
            return
        number = int.from_bytes(told.payload[_PROCESS], "little") - 1
        client = int.from_bytes(told.payload[_CLIENT], "little")
        self._pending.append(_Delivery(self.members[number], Kind.ANSWER, client, told.payload))

    def _answer_here(self, told: Told) -> None:
        """Take the response to a request of the inputs, or of `ask`."""
        response = told.payload[_HEAD_BYTES:]
        number = int.from_bytes(told.payload[_GID_BYTES:_HEAD_BYTES], "little")
        port = self._open.pop(number, None)
        if port is None:
            self._response = response
            return
        name, kind = self._services[port]
        output = self._outputs[f"{resolved(name)}{RESPONSES}", f"{kind}_Response"]
        self._found.append(Output(output, self._step, told.time_ns, response))

    def _register(self, member: Member, number: int, payload: bytes) -> None:
        endpoint = member.register(number, payload)
        self.known.append((member, endpoint))
        peer = len(self._peers)
        if peer > _MOST_PEERS:
            raise member.broken("and the others have made more than 65536 entities")
        self._peers[member.number, number] = peer
        self._forget_readers()
        told = _as_peer(endpoint, member.number, number)
        self._tell_others(member, Kind.PEER, peer, told)
        if endpoint.kind == "publisher":
            latched: deque[bytes] | None = None
            if endpoint.durability == "transient_local":
                latched = deque(maxlen=endpoint.depth or None)
            output = self._outputs.get((endpoint.name, endpoint.type))
            self._publishers[member.number, number] = _Publisher(peer, output, latched)
        elif endpoint.kind == "subscription":
            self._subscribe(member, number, endpoint)

    def _subscribe(self, member: Member, number: int, endpoint: Endpoint) -> None:
        """Give a new subscription what was latched before."""
        if endpoint.durability != "transient_local":
            return
        for (other, publisher_number), publisher in self._publishers.items():
            if other == member.number or not publisher.latched:
                continue
            if is_matched(self.members[other].endpoints[publisher_number], endpoint):
                self._pending += [
                    _Delivery(
                        member, Kind.LATCHED, number, publisher.peer.to_bytes(2, "little") + data
                    )
                    for data in publisher.latched
                ]

    def _forget(self, member: Member, number: int) -> None:
        endpoint = member.endpoints.pop(number, None)
        if endpoint is None:
            return
        self._tell_others(member, Kind.PEER_GONE, self._peers[member.number, number])
        if endpoint.kind == "publisher":
            del self._publishers[member.number, number]
        self._forget_readers()

    def _forget_readers(self) -> None:
        """The graph has changed: whoever wants to know who reads what is to look again."""
        self._graph += 1
        self._readers.clear()
        self._servers.clear()
        self._clocks = None

    def _tell_others(self, member: Member, kind: Kind, port: int, payload: bytes = b"") -> None:
        for other in self.members:
            if other is not member and not other.has_ended:
                self._pending.append(_Delivery(other, kind, port, payload, is_step=False))
                self._uninformed.add(other.number)

    def _readers_of(self, port: int) -> list[Member]:
        """Who gets an input: whoever subscribes to it now, and of latched ones everybody, for
        those who subscribe later."""
        if port not in self._readers:
            declared = self._contract.inputs[port]
            is_latched = declared.qos.durability == "transient_local"
            self._readers[port] = [
                member for member in self.members if not member.has_ended and is_latched
            ] or self._subscribed(resolved(declared.topic))
        return self._readers[port]

    def _subscribed(self, topic: str) -> list[Member]:
        return [member for member in self.members if member.subscribes_to(topic)]

    def _endless(self, pending: Sequence[_Delivery]) -> RunError:
        peers = {peer: key for key, peer in self._peers.items()}
        topics = {
            self.members[number].endpoints[entity].name
            for number, entity in (peers[one.port] for one in pending if one.kind == Kind.MESSAGE)
        }
        about = f" of {', '.join(sorted(topics))}" if topics else ""
        return Hang(
            f"{self.members[0].connection.process.name} hangs: messages{about} go round at one "
            "time for ever, since callbacks take no time; give them some with run: {cost: "
            "{fixed_us: 100}}"
        )


class AskedMember:
    """A process of a system, as who asks its services sees it."""

    def __init__(self, system: System, member: Member) -> None:
        self._system, self._member = system, member

    @property
    def endpoints(self) -> Mapping[int, Endpoint]:
        """What it has registered, by number."""
        return self._member.endpoints

    def ask(
        self, service: int, request: bytes, published: list[Frames] | None = None
    ) -> bytes | None:
        """The response; what is put out meanwhile is the system's."""
        return self._system.ask(self._member, service, request)


def _place(member: Member, told: Sequence[Told], commands: Sequence[int]) -> tuple[Any, ...]:
    """Where a process stands in a system: by its command, and those of one command by their nodes
    and command lines, since they connect in no order."""
    texts = (one.payload.decode() for one in told if one.kind == Kind.ENTITY)
    nodes = sorted({Endpoint.from_json(text).node for text in texts})
    connection = member.connection
    return commands.index(id(connection.process)), nodes, command_line(connection.pid)


def _as_peer(endpoint: Endpoint, member: int, number: int) -> bytes:
    """An endpoint of one process as others are told of it."""
    words = (
        endpoint.kind,
        str(member + 1),
        str(number),
        endpoint.name,
        endpoint.type,
        endpoint.node,
        endpoint.type_hash,
        str(endpoint.depth),
        endpoint.reliability,
        endpoint.durability,
    )
    return "\0".join(words).encode()
