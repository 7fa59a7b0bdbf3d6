"""What a bag says of one topic."""

from __future__ import annotations

from dataclasses import dataclass

from ..cdr.codec import Codec, codec
from ..errors import BagError
from .metadata import OfferedQoS


@dataclass
class Topic:
    """One topic: `definition` describes `type` in the schema encoding `encoding`
    ("ros2msg", "ros2idl", "jsonschema").

    `clash` is a sentence if the bag describes the topic in two ways, so that no message of it can
    be decoded for sure.
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

    def meet(self, other: Topic) -> None:
        """Note another description of the same topic."""
        if (self.type, self.encoding) != (other.type, other.encoding):
            self.clash = (
                f"{self.name} is recorded both as {self.type or 'an unknown type'} and as "
                f"{other.type or 'an unknown type'}; "
                "take the recordings apart with 'lockstep convert'"
            )
        elif self.definition != other.definition:
            self.clash = (
                f"{self.name} is recorded with two definitions of {self.type}; "
                "take the recordings apart with 'lockstep convert'"
            )


def codec_of(topic: Topic) -> Codec:
    """The Codec of a topic's messages.

    Raises BagError, which names the topic, if they cannot be decoded.
    """
    if topic.clash:
        raise BagError(topic.clash)
    if topic.message_encoding != "cdr":
        raise BagError(
            f"{topic.name} holds messages in '{topic.message_encoding}'; only CDR, "
            "which ROS 2 sends, has fields"
        )
    try:
        return codec(topic.type, topic.definition, topic.encoding)
    except BagError as error:
        raise BagError(f"{topic.name} cannot be decoded: {error}") from error
