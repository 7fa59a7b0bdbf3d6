"""What a bag says of one topic."""

from __future__ import annotations

from dataclasses import dataclass

from .metadata import OfferedQoS


@dataclass
class Topic:
    """One topic: `definition` describes `type` in the schema encoding `encoding` ("ros2msg", "ros2idl", "jsonschema").

    `clash` is a sentence if the bag describes the topic in two ways, so that no message of it can be decoded for sure.
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
                f"{other.type or 'an unknown type'}; take the recordings apart with 'lockstep convert'"
            )
        elif self.definition != other.definition:
            self.clash = (
                f"{self.name} is recorded with two definitions of {self.type}; "
                "take the recordings apart with 'lockstep convert'"
            )
