"""What is wrong with a message, and the encapsulation header that each begins with."""

from __future__ import annotations

from ..errors import BagError

# DDS pads messages to 4 bytes. It ignores whatever comes after; we do not, for more is another type's message.
PADDING = 3
OVERESTIMATE = 8
"""The bytes that rmw's serialize_message may leave behind a message for each of its wstrings and empty sequences of
8-byte numbers: it computes the size before, as if a wstring had a NUL and sequences without elements were aligned."""


class MessageError(BagError):
    """A message is not what its definition says; the text follows on its name: "message 7 of /scan <text>".

    `tick` is its index among those that were given.
    """

    def __init__(self, text: str, tick: int = 0) -> None:
        super().__init__(text)
        self.tick = tick

    def of(self, topic: str, tick: int | None = None) -> BagError:
        """The error as a sentence; `tick` is the index of the message within its topic."""
        return BagError(f"message {self.tick if tick is None else tick} of {topic} {self}")


def byte_order(header: bytes) -> str:
    """The byte order "<" or ">" that the encapsulation header of a message says; raises MessageError."""
    if header[:2] == b"\0\1":
        return "<"
    if header[:2] == b"\0\0":
        return ">"
    raise MessageError(
        f"begins with {header[:2].hex() or 'nothing'} and not with 0001 or 0000, so it is no plain CDR"
    )
