"""Decoding CDR messages with the definition that the bag embeds, through rosbags; needs no ROS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from .errors import BagError
from .topic import Topic

_TIMES = ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")


class Decoder:
    """Decodes the messages of one topic into dataclasses with numpy arrays."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        if topic.encoding != "ros2msg" or not topic.definition:
            raise BagError(
                f"{topic.name} is described as '{topic.encoding or 'nothing'}', not as ros2msg; record it with MCAP"
            )
        self._store = get_typestore(Stores.EMPTY)
        try:
            self._store.register(get_types_from_msg(topic.definition, topic.type))
        except (
            Exception
        ) as error:  # the parser raises whatever a malformed definition makes it raise
            raise BagError(
                f"the definition of {topic.type} in the bag cannot be read ({type(error).__name__})"
            ) from error

    def decode(self, data: bytes, tick: int) -> Any:
        """One message; `tick` only names it in the error."""
        try:
            return self._store.deserialize_cdr(data, self._topic.type)
        except Exception as error:  # generated code raises whatever malformed bytes make it raise
            raise BagError(
                f"message {tick} of {self._topic.name} is no valid {self._topic.type} ({type(error).__name__})"
            ) from error

    def fields(self) -> dict[str, str]:
        """The paths of all fields and their types; arrays without index, times as one field."""
        return dict(self._fields(self._topic.type, ""))

    def _fields(self, type_name: str, prefix: str) -> Iterator[tuple[str, str]]:
        for name, described in self._store.get_msgdef(type_name).fields:
            kind: Any = described[0]
            detail: Any = described[1]
            size = ""
            while kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
                size += f"[{detail[1] or ''}]"
                kind, detail = detail[0]
            if kind == Nodetype.NAME and detail not in _TIMES:
                yield from self._fields(detail, f"{prefix}{name}{size and '[]'}.")
            else:
                yield f"{prefix}{name}", f"{detail if kind == Nodetype.NAME else detail[0]}{size}"
