"""Requests to services, as bags hold them: as events of a service
(service_msgs/msg/ServiceEventInfo, REP-2012).

What is asked becomes messages of an input, each once, whoever has told it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..bag import Bag, BagWriter
from ..bag.clock import clock_topic
from ..bag.convert import declare
from ..cdr.codec import Codec, codec
from ..component import Contract
from ..component.contract import PortContract, service_of
from ..component.qos import QoS
from ..component.service import OF_RESPONSES, REQUESTS, RESPONSES
from ..errors import UsageError
from ..host.protocol import resolved
from ..message.batch import Batch
from ..message.definitions import definition, type_hash
from ..message.time import NS_PER_S
from ..temporary_folder import TemporaryFolder
from .inputs import RunInputs, is_events
from .model import Inputs

_ASKED = (0, 1)
"""The events of a request: sent by the client, received by the service."""
Seen = set[tuple[tuple[int, ...], int]]
"""Requests that were told before: client and number."""


def with_services(contract: Contract, services: Mapping[str, str], bag: Bag | None) -> Contract:
    """The contract, and for each service, by name, that it does not have yet, an input of requests
    and an output of responses; the bag has a topic of events for each.

    Raises UsageError for what is no topic of events, or not of the contract's service.
    """
    if not services:
        return contract
    if bag is None:
        raise UsageError("inputs.services takes requests from a bag; give inputs: {bag: …}")
    found = filter(None, map(service_of, contract.inputs))
    known = {resolved(name): kind for name, kind in found}
    for name, topic in services.items():
        kind = bag.topic(topic).type
        service = resolved(name)
        if not is_events(kind):
            raise UsageError(
                f"inputs.services: topic {topic} of {bag.path} is {kind}, which tells no requests; "
                f"record {service}/_service_event, which is there if the service is introspected"
            )
        asked = kind.removesuffix("_Event")
        if known.get(service, asked) != asked:
            raise UsageError(
                f"inputs.services: topic {topic} of {bag.path} has requests of {asked}, but "
                f"{service} is {known[service]}"
            )
        if service not in known:
            contract = with_service(contract, service, asked)
    return contract


def with_service(contract: Contract, service: str, kind: str) -> Contract:
    """The contract of a node, and the ports of a service of it.

    Raises BagError if the service is not installed here.
    """
    name = service.strip("/").replace("/", "_")
    if any(port.name == name for port in contract.inputs):
        name = f"{name}_service"
    request, response = f"{kind}_Request", f"{kind}_Response"
    asked = PortContract(name, f"{service}{REQUESTS}", request, type_hash(request), QoS())
    answered = PortContract(
        f"{name}{OF_RESPONSES}", f"{service}{RESPONSES}", response, type_hash(response), QoS()
    )
    return replace(
        contract, inputs=(*contract.inputs, asked), outputs=(*contract.outputs, answered)
    )


def asked_only(contract: Contract, declared: Inputs | None = None) -> Contract:
    """The contract of a node without the services that the inputs neither request nor draw."""
    asked: set[str] = set()
    fed: set[str] = set()
    if declared is not None:
        asked = {resolved(name) for name in declared.services}
        fed = {*declared.topics, *(declared.sample.dist if declared.sample is not None else ())}
    asked |= {
        resolved(service[0])
        for port in contract.inputs
        if port.name in fed and (service := service_of(port)) is not None
    }

    def ports(of: Iterable[PortContract]) -> tuple[PortContract, ...]:
        services = ((port, service_of(port)) for port in of)
        return tuple(port for port, one in services if one is None or resolved(one[0]) in asked)

    return replace(contract, inputs=ports(contract.inputs), outputs=ports(contract.outputs))


def has_services(contract: Contract) -> bool:
    """Whether requests are among the inputs."""
    return any(service_of(port) is not None for port in contract.inputs)


@contextmanager
def with_requests(inputs: RunInputs, place: Path | None = None) -> Iterator[RunInputs]:
    """The inputs with requests for messages, where their bag has events of services: a bag of them
    is written to `place`, or to where it is gone in the end.

    Raises UsageError for events without contents.
    """
    bag = inputs.bag
    types = {name: bag.topic(name).type for name in inputs.topics}
    events = {name: kind for name, kind in types.items() if is_events(kind)}
    if not events:
        yield inputs
        return
    names = {name: inputs.topics[name] if name in events else name for name in inputs.topics}
    if (clock := clock_topic(bag)) is not None:
        names[clock] = clock
    with ExitStack() as stack:
        if place is None:
            place = stack.enter_context(TemporaryFolder("lockstep-requests-")).path / "bag"
        _write(bag, names, events, place)
        written = stack.enter_context(Bag(place))
        moved_s = (bag.start_ns - written.start_ns) / NS_PER_S if written.count else 0.0
        topics = {names[name]: target for name, target in inputs.topics.items()}
        yield replace(inputs, bag=written, topics=topics, start_s=inputs.start_s + moved_s)


def _write(bag: Bag, names: Mapping[str, str], events: Mapping[str, str], place: Path) -> None:
    seen: Seen = set()
    with BagWriter(place) as writer:
        for name, new in names.items():
            if name in events:
                kind = events[name].replace("_Event", "_Request")
                writer.add_topic(new, kind, definition(kind), type_hash(kind))
            else:
                declare(writer, bag.topic(name), new)
        for batch in bag.batches(names.keys()):
            asked = _requests_for_events(batch, events, seen)
            writer.write_batch(
                replace(asked, topics=tuple(names.get(name, "") for name in asked.topics))
            )


def _requests_for_events(batch: Batch, events: Mapping[str, str], seen: Seen) -> Batch:
    """The messages, of which those of events are requests, or gone."""
    kinds = [events.get(name) for name in batch.topics]
    told = np.isin(batch.topic, [index for index, kind in enumerate(kinds) if kind is not None])
    if not told.any():
        return batch
    offset, length, kept = batch.offset.copy(), batch.length.copy(), np.ones(len(batch), np.bool_)
    parts, end = [batch.buffer.tobytes()], len(batch.buffer)
    rows = np.flatnonzero(told).tolist()
    for row, data in zip(rows, batch.where(told).payloads(), strict=True):
        request = _request_of(str(kinds[batch.topic[row]]), data, seen)
        kept[row] = request is not None
        if request is not None:
            offset[row], length[row] = end, len(request)
            parts.append(request)
            end += len(request)
    buffer = np.frombuffer(b"".join(parts), np.uint8)
    return replace(batch, buffer=buffer, offset=offset, length=length).where(kept)


def _request_of(kind: str, data: bytes, seen: Seen) -> bytes | None:
    """The request (CDR) that an event (CDR) tells for the first time; None for others."""
    event, request = _codecs(kind)
    told = event.decode(data)
    key = tuple(int(one) for one in told.info.client_gid), int(told.info.sequence_number)
    if told.info.event_type not in _ASKED or key in seen:
        return None
    if not told.request:
        raise UsageError(
            f"the bag has events of {kind} without their contents; record with service "
            "introspection of contents"
        )
    seen.add(key)
    return request.encode(told.request[0])


@lru_cache
def _codecs(kind: str) -> tuple[Codec, Codec]:
    """Of the events of a service and its requests, by the type of the events."""
    request = kind.replace("_Event", "_Request")
    return codec(kind, definition(kind)), codec(request, definition(request))
