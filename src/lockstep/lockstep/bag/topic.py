"""What a bag says of one topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..cdr.codec import Codec, codec
from ..errors import BagError
from ..message.schema import Field, schema
from .metadata import OfferedQoS

VALUE_MARK = "# lockstep value: "
"""Begins a definition whose messages stand for a value of a dataset, which the line names."""


@dataclass
class Topic:
    """One topic: `definition` describes `type` in the schema encoding `encoding`
    ("ros2msg", "ros2idl", "jsonschema"); without an encoding it is not known.

    `clash` is a sentence if the bag describes the topic in two ways that mean different messages;
    those of the second way are then on a topic of their own, see `place`. `undecodable` is the
    cause if it is known that its messages cannot be decoded.
    """

    name: str
    type: str
    definition: str
    encoding: str
    type_hash: str = ""
    qos: tuple[OfferedQoS, ...] = ()
    count: int = 0
    message_encoding: str = "cdr"
    clash: str = ""
    undecodable: str = ""


def place(topics: dict[str, Topic], described: Topic) -> Topic:
    """The topic among `topics` that holds messages so described; it is added if it is new.

    It has the name of `described`, unless that is taken by messages of another type: then the type
    is added to the name.
    """
    recorded = described.name
    first = known = topics.setdefault(recorded, described)
    number = 1
    while known is not described and not described_alike(known, described):
        alone = described.type or "an unknown type"
        name = f"{recorded} ({alone}{f' {number}' if number > 1 else ''})"
        known = topics.setdefault(name, described)
        number += 1
        if known is described:
            described.name = name
            first.clash = first.clash or _clash(first, described)
            described.clash = first.clash
    if known is not described:
        _take(known, described)
    return known


def described_alike(one: Topic, other: Topic) -> bool:
    """Whether the definition of either topic is right for the messages of both, whatever
    comments, defaults and constants they have.
    """
    if one.message_encoding == other.message_encoding == "json":
        return True
    if (one.type, one.message_encoding) != (other.type, other.message_encoding):
        return False
    if (one.definition, one.encoding) == (other.definition, other.encoding):
        return True
    if _mark(one) != _mark(other):
        return False
    if one.type_hash and one.type_hash == other.type_hash:
        return True
    if not one.encoding or not other.encoding:
        return True
    fields = _fields(one.type, one.definition, one.encoding)
    return bool(fields) and fields == _fields(other.type, other.definition, other.encoding)


def codec_of(topic: Topic) -> Codec:
    """The Codec of a topic's messages.

    Raises BagError, which names the topic, if they cannot be decoded.
    """
    if topic.clash:
        raise BagError(topic.clash)
    if topic.undecodable:
        raise BagError(f"{topic.name} cannot be decoded: {topic.undecodable}")
    if topic.message_encoding != "cdr":
        raise BagError(
            f"{topic.name} holds messages in '{topic.message_encoding}'; only CDR, "
            "which ROS 2 sends, has fields"
        )
    try:
        return codec(topic.type, topic.definition, topic.encoding)
    except BagError as error:
        raise BagError(f"{topic.name} cannot be decoded: {error}") from error


def _take(known: Topic, other: Topic) -> None:
    """Add what another description of the same messages tells."""
    if not known.encoding and other.encoding:
        known.definition, known.encoding = other.definition, other.encoding
    known.type_hash = known.type_hash or other.type_hash
    known.qos += tuple(qos for qos in other.qos if qos not in known.qos)


def _clash(first: Topic, other: Topic) -> str:
    both = (
        f"with two definitions of {first.type}"
        if first.type == other.type
        else f"both as {first.type or 'an unknown type'} and as {other.type or 'an unknown type'}"
    )
    return (
        f"{first.name} is recorded {both}; take them apart with 'lockstep convert', "
        f"which gives the latter the name '{other.name}'"
    )


def _mark(topic: Topic) -> str:
    line = topic.definition.partition("\n")[0]
    return line if line.startswith(VALUE_MARK) else ""


@lru_cache(256)
def _fields(
    type_name: str, definition: str, encoding: str
) -> Mapping[str, tuple[Field, ...]] | None:
    """The fields of a type and of all that it uses, by type; None where the text tells none."""
    try:
        types = schema(type_name, definition, encoding).types
    except BagError:
        return None
    return {name: described.fields for name, described in types.items()}
