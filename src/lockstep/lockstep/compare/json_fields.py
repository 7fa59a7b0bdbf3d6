"""The fields of messages in JSON, which no definition tells."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from ..bag import Bag


def json_fields(bags: Iterable[Bag], topics: Collection[str]) -> set[str]:
    """The paths of all values in the JSON messages of `topics`, with the objects that hold them;
    elements of lists are those of the list. What is no JSON has none.
    """
    fields: set[str] = set()
    for bag in bags:
        json_topics = [
            name
            for name, topic in bag.topics.items()
            if name in topics and topic.message_encoding == "json"
        ]
        for message in bag.messages(json_topics) if json_topics else ():
            try:
                _note(json.loads(message.data), "", fields)
            except (ValueError, RecursionError):
                continue
    return fields


def _note(value: Any, path: str, fields: set[str]) -> None:
    fields.add(path)
    if isinstance(value, dict):
        for name, part in value.items():
            _note(part, f"{path}.{name}" if path else name, fields)
    elif isinstance(value, list):
        for part in value:
            _note(part, path, fields)
