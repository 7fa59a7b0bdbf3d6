"""What a node that knows nothing of Lockstep took of its inputs, told from outside.

Such a node acknowledges nothing. A library that is loaded before all others stands between rcl and
the middleware in each of its processes, and keeps a tally of what is taken there, in a file of the
folder that LOCKSTEP_TALLY names; lockstep_cpp's src/tally is the other side.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

VARIABLE = "LOCKSTEP_TALLY"
LIBRARY = "liblockstep_tally.so"
_ENTRY = struct.Struct("=256sQQQQ16sQ")
_UNNUMBERED = 2**64 - 1


@dataclass(frozen=True)
class Taken:
    """What one subscription took of one publisher; `first` and `last` are the numbers of messages
    that the publisher gave, None where the middleware gives none."""

    topic: str
    count: int
    first: int | None
    last: int | None
    is_closed: bool
    """Whether the node has given the subscription up, and wanted no more."""

    @property
    def is_used(self) -> bool:
        """Whether it was made to take messages."""
        return self.count > 0 or not self.is_closed

    @property
    def gaps(self) -> int:
        """How many are missing between the first and the last."""
        if self.first is None or self.last is None:
            return 0
        return self.last - self.first + 1 - self.count


def tallied(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What a node's environment has in addition, for its processes to keep tallies in `folder`,
    which is made.

    Raises UsageError if the library is in no prefix of AMENT_PREFIX_PATH.
    """
    prefixes = environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    libraries = (Path(prefix, "lib", LIBRARY) for prefix in prefixes if prefix)
    library = next((path for path in libraries if path.is_file()), None)
    if library is None:
        raise UsageError(f"{LIBRARY} is in no lib/ of AMENT_PREFIX_PATH; build lockstep_cpp")
    folder.mkdir(exist_ok=True)
    preloaded = [str(library), *environment.get("LD_PRELOAD", "").split()]
    return {VARIABLE: str(folder), "LD_PRELOAD": " ".join(preloaded)}


def is_told(folder: Path) -> bool:
    """Whether a process of the node has left a tally in `folder`."""
    return any(folder.iterdir())


def untaken(name: str, folder: Path, sent: Mapping[str, int]) -> str | None:
    """What a node did not take of what it was sent, by topic, of what it subscribes to, as a
    sentence; what it has not taken until now counts, as long as it is subscribed."""
    entries = [entry for file in folder.iterdir() for entry in _entries(file)]
    for topic, count in sent.items():
        of_topic = [entry for entry in entries if entry.topic == topic and entry.is_used]
        if of_topic and (lost := _lost([entry for entry in of_topic if entry.count], count)):
            return (
                f"{name}: the node did not take {lost} of the {count} messages on {topic}, which "
                "came faster than it takes them; play slower, or give it a deeper queue"
            )
    return None


def _lost(entries: list[Taken], sent: int) -> int:
    """How many of the messages of a topic never were taken, or not by each who had begun."""
    if gaps := sum(entry.gaps for entry in entries):
        return gaps
    given_up = any(entry.is_closed for entry in entries)
    firsts = [entry.first for entry in entries if entry.first is not None]
    lasts = [entry.last for entry in entries if entry.last is not None]
    if not firsts:
        return 0 if given_up else sent - max((entry.count for entry in entries), default=0)
    return max(0, min(firsts) - 1 + (0 if given_up else sent - max(lasts)))


def _entries(file: Path) -> Iterator[Taken]:
    """The used part of a table."""
    data = file.read_bytes()
    for topic, _, count, first, last, _, closed in _ENTRY.iter_unpack(
        data[: len(data) // _ENTRY.size * _ENTRY.size]
    ):
        if not topic[0]:
            return
        is_numbered = last != _UNNUMBERED
        yield Taken(
            topic.rstrip(b"\0").decode(errors="replace"),
            count,
            first if is_numbered else None,
            last if is_numbered else None,
            bool(closed),
        )
