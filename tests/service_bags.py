"""Bags with the events of services, as introspection records them (REP-2012)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lockstep.bag import BagWriter
from lockstep.cdr.codec import codec
from lockstep.message.definitions import definition, type_hash

REQUEST_SENT, REQUEST_RECEIVED, RESPONSE_SENT = range(3)


def write_with_requests(
    path: Path,
    events: str,
    steps: Iterable[tuple[str, int, Any]],
    topics: Mapping[str, str],
    *,
    told_by: Sequence[int] = (REQUEST_SENT, REQUEST_RECEIVED, RESPONSE_SENT),
    with_contents: bool = True,
) -> Path:
    """A bag of (topic, ns, message): on a topic whose type is `events`, a request and its response,
    which each of `told_by` tells; returns `path`."""
    encoders = {kind: codec(kind, definition(kind)).encode for kind in {*topics.values()}}
    with BagWriter(path) as writer:
        for topic, kind in topics.items():
            writer.add_topic(topic, kind, definition(kind), type_hash(kind))
        for number, (topic, time_ns, given) in enumerate(steps):
            kind = topics[topic]
            told = [given]
            if kind == events:
                told = [_event(one, number, *given, with_contents) for one in told_by]
            for message in told:
                writer.write(topic, encoders[kind](message), time_ns)
    return path


def _event(
    kind: int, number: int, request: Any, response: Any, with_contents: bool
) -> dict[str, Any]:
    info = {
        "event_type": kind,
        "stamp": {"sec": 0, "nanosec": 0},
        "client_gid": [7] * 16,
        "sequence_number": number,
    }
    asks = kind in (REQUEST_SENT, REQUEST_RECEIVED)
    return {
        "info": info,
        "request": [request] if asks and with_contents else [],
        "response": [response] if not asks and with_contents else [],
    }
