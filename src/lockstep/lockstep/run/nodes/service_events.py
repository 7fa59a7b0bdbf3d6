"""Requests to the services of nodes, and their responses, as bags hold them: as events of a service
(service_msgs/msg/ServiceEventInfo, REP-2012)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ...bag import Bag
from ...cdr.codec import Codec, codec
from ...component import Contract
from ...component.contract import PortContract
from ...component.qos import QoS
from ...errors import UsageError
from ...host.protocol import resolved
from ...message.definitions import definition, type_hash
from ...message.services import base
from ...message.time import NS_PER_S
from ..inputs import EVENTS, events_of

_REQUESTS = (0, 1)  # sent by the client, received by the service
_RESPONSE_SENT = 2


@dataclass(frozen=True)
class Request:
    """What was asked: by whom, as the how manieth, and the request in CDR."""

    gid: tuple[int, ...]
    sequence: int
    data: bytes


def with_services(contract: Contract, services: Mapping[str, str], bag: Bag | None) -> Contract:
    """The contract, and for each service, by name, an input and an output of its events, of which
    the bag has a topic.

    Raises UsageError for what is no topic of events.
    """
    if not services:
        return contract
    if bag is None:
        raise UsageError("inputs.services takes requests from a bag; give inputs: {bag: …}")
    requests, responses = [], []
    for service, topic in services.items():
        kind = bag.topic(topic).type
        if not (base(kind) and kind.endswith("_Event")):
            raise UsageError(
                f"inputs.services: topic {topic} of {bag.path} is {kind}, which tells no requests; "
                f"record {events_of(service)}, which is there if the service is introspected"
            )
        name = resolved(service).strip("/").replace("/", "_")
        port = PortContract(name, events_of(service), kind, type_hash(kind), QoS(depth=1000))
        requests.append(port)
        responses.append(replace(port, name=f"{name}_response"))
    inputs, outputs = (*contract.inputs, *requests), (*contract.outputs, *responses)
    return replace(contract, inputs=inputs, outputs=outputs)


def service_of(port: PortContract) -> tuple[str, str] | None:
    """The name and type of the service whose events a port has; None for one of messages."""
    topic = resolved(port.topic)
    if not (base(port.type) and topic.endswith(EVENTS)):
        return None
    return topic.removesuffix(EVENTS), port.type.removesuffix("_Event")


def has_services(contract: Contract) -> bool:
    """Whether requests are among the inputs."""
    return any(service_of(port) is not None for port in contract.inputs)


def request_of(kind: str, data: bytes, seen: set[tuple[object, int]]) -> Request | None:
    """The request that an event (CDR) of a service tells, once, whoever of client and service has
    told it; None for others. `seen` are those of before.

    Raises UsageError for events without contents.
    """
    event, request, _ = _codecs(kind)
    told = event.decode(data)
    gid = tuple(int(one) for one in told.info.client_gid)
    key = gid, int(told.info.sequence_number)
    if told.info.event_type not in _REQUESTS or key in seen:
        return None
    if not told.request:
        raise UsageError(
            f"the bag has events of {kind} without their contents; record with service "
            "introspection of contents"
        )
    seen.add(key)
    return Request(*key, request.encode(told.request[0]))


def response_event(kind: str, asked: Request, time_ns: int, response: bytes) -> bytes:
    """The event (CDR) that a response (CDR) to a request was sent at a time."""
    event, _, response_codec = _codecs(kind)
    seconds, nanoseconds = divmod(time_ns, NS_PER_S)
    info = {
        "event_type": _RESPONSE_SENT,
        "stamp": {"sec": seconds, "nanosec": nanoseconds},
        "client_gid": list(asked.gid),
        "sequence_number": asked.sequence,
    }
    answered = response_codec.decode(response)
    return event.encode({"info": info, "request": [], "response": [answered]})


@lru_cache
def _codecs(kind: str) -> tuple[Codec, Codec, Codec]:
    """Of the events of a service, its requests and its responses, by the type of the events."""
    service = kind.removesuffix("_Event")
    event, request, response = (
        codec(f"{service}_{part}", definition(f"{service}_{part}"))
        for part in ("Event", "Request", "Response")
    )
    return event, request, response
