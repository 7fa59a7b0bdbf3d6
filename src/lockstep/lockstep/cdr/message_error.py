"""What is wrong with a message."""

from __future__ import annotations

from ..errors import BagError


class MessageError(BagError):
    """A message is not what its definition says.

    The text follows on its name, as in "message 7 of /scan <text>"; `tick` is its index among those
    that were given.
    """

    def __init__(self, text: str, tick: int = 0) -> None:
        super().__init__(text)
        self.tick = tick

    def of(self, topic: str, tick: int | None = None) -> BagError:
        """The error as a sentence; `tick` is the index of the message within its topic."""
        return BagError(f"message {self.tick if tick is None else tick} of {topic} {self}")
