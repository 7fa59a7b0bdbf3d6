"""A bag from the text that `text.text` makes of one, or that someone wrote or edited by hand.

Fields that a message does not name are zero, empty or false. Lines that are empty or begin with
`# ` after the head are passed over.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..cdr.codec import Codec, codec
from ..errors import BagError
from ..message.primitives import SIZES, STRINGS
from ..message.schema import TIMES, Field, Schema
from ..message.time import NS_PER_S
from .text import HEAD
from .writer import BagWriter

Definition = Callable[[str], tuple[str, str, str] | None]
"""Gives the definition, its encoding and the type hash of a message type by its name.

None if nobody knows it: its messages become JSON of the fields that the text tells.
"""
_WORD = r'("(?:[^"\\]|\\.)*"|\S+)'
_TOPIC = re.compile(rf"# {_WORD} {_WORD}(?: {_WORD})?")
_MESSAGE = re.compile(rf"{_WORD} (\d+)(?: t (-?\d+(?:\.\d{{1,9}})?))?")
_FIELD = re.compile(r"([A-Za-z_][\w.\[\]:]*): ?(.*)")
_NAME = r'"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*'
_JSON_STEP = re.compile(rf"\.?({_NAME})|\[(\d+)\]")
_JSON_VALUE = re.compile(rf"((?:\.?(?:{_NAME})|\[\d+\])*): (.*)")
_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)(?::(\d+))?\]")
_INTEGER = re.compile(r"-?\d{1,30}")
_TIME = re.compile(r"(-?)(\d+)(?:\.(\d{1,9}))?")
_LARGEST_INDEX = 10_000_000


def read_text(path: str | os.PathLike[str], output: Path, definition: Definition) -> None:
    """Write the messages of a text to a new bag.

    Raises BagError, which names the line, for what is none. Times are ns since 1970 as far as the
    text tells them, without any the i-th message of a topic has i seconds.
    """
    reader = _Reader(Path(path), definition)
    with BagWriter(output) as writer:
        for name, type_name, found, message_encoding in reader.topics():
            writer.add_topic(
                name,
                type_name,
                found[0],
                found[2],
                encoding=found[1],
                message_encoding=message_encoding,
            )
        for name, time_ns, data in reader.messages():
            writer.write(name, data, time_ns)


class _Reader:
    def __init__(self, path: Path, definition: Definition) -> None:
        self._path, self._definition = path, definition
        self._number = 0
        self._codecs: dict[str, Codec | None] = {}
        """None for a topic whose messages are told by their bytes or as JSON."""
        self._json_topics: set[str] = set()
        self._untyped: set[str] = set()
        """Topics of types that nobody knows."""
        self._waiting: str | None = None
        self._lines = self._all_lines()

    def _all_lines(self) -> Iterator[str]:
        try:
            with self._path.open(encoding="utf-8") as stream:
                for self._number, line in enumerate(stream, 1):
                    yield line.rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BagError(f"{self._path} cannot be read: {error}") from error

    def _wrong(self, what: str) -> BagError:
        return BagError(f"{self._path}:{self._number}: {what}")

    def topics(self) -> Iterator[tuple[str, str, tuple[str, str, str], str]]:
        """Name, type, definition and encoding of the messages of each topic, as the head tells."""
        if next(self._lines, "") != HEAD:
            raise self._wrong(f"the text of a bag begins with '{HEAD}'")
        for line in self._lines:
            match = _TOPIC.fullmatch(line)
            if not match:
                self._waiting = line
                return
            name, type_name = _word(match[1]), _word(match[2])
            if match[3] is not None:
                message_encoding = _word(match[3])
                self._codecs[name] = None
                if message_encoding == "json":
                    self._json_topics.add(name)
                yield name, type_name, ("", "", ""), message_encoding
                continue
            found = self._definition(type_name)
            if found is None:
                self._codecs[name] = None
                self._untyped.add(name)
                yield name, type_name, ("", "", ""), "json"
                continue
            try:
                self._codecs[name] = codec(type_name, found[0], found[1])
            except BagError as error:
                raise self._wrong(str(error)) from error
            yield name, type_name, found, "cdr"

    def messages(self) -> Iterator[tuple[str, int, bytes]]:
        """Topic, time and CDR of each message."""
        topic, time_ns = "", 0
        value: dict[str, Any] | None = None
        first_line = 0
        for line in self._rest():
            is_json = value is not None and topic in self._json_topics
            field = (_JSON_VALUE if is_json else _FIELD).fullmatch(line)
            message = None if field else _MESSAGE.fullmatch(line)
            if message:
                if value is not None:
                    yield topic, time_ns, self._encoded(topic, value, first_line)
                topic, time_ns = self._head(message)
                value, first_line = {}, self._number
            elif field and is_json and value is not None:
                self._put_json(value, field[1], field[2])
            elif field and value is not None:
                self._put(value, field[1], field[2])
            elif line.strip() and not line.startswith("# "):
                raise self._wrong("this is neither 'TOPIC TICK t SECONDS' nor 'field: value'")
        if value is not None:
            yield topic, time_ns, self._encoded(topic, value, first_line)

    def _rest(self) -> Iterator[str]:
        if self._waiting is not None:
            yield self._waiting
        yield from self._lines

    def _head(self, match: re.Match[str]) -> tuple[str, int]:
        topic = _word(match[1])
        if topic not in self._codecs:
            known = ", ".join(self._codecs) or "none"
            raise self._wrong(f"topic {topic} is not in the head, which has {known}")
        if match[3] is None:
            return topic, int(match[2]) * NS_PER_S
        return topic, self._time(match[3])

    def _time(self, text: str) -> int:
        match = _TIME.fullmatch(text)
        if not match:
            raise self._wrong(f"'{text}' is no time in seconds")
        if match[1]:
            raise self._wrong(
                f"'{text}' is before 1970, which only a bag of SQLite storage can hold; print the "
                "text without --absolute"
            )
        return int(match[2]) * NS_PER_S + int((match[3] or "").ljust(9, "0"))

    def _put(self, value: dict[str, Any], path: str, text: str) -> None:
        """Note the text of a field where its path leads."""
        steps = [(name, first, last) for name, first, last in _STEP.findall(path)]
        here: Any = value
        for at, (name, first, last) in enumerate(steps):
            step: Any = int(first) if first else name
            if first:
                if step > _LARGEST_INDEX:
                    raise self._wrong(f"index {first} is too large")
                here = here.setdefault(_ITEMS if last else _ELEMENTS, {})
            if at == len(steps) - 1 or last:
                if step in here:
                    raise self._wrong(f"'{path}' is given twice")
                here[step] = text.split() if last else text
                return
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                raise self._wrong(f"'{path}' is below a field that has a value already")

    def _encoded(self, topic: str, value: dict[str, Any], line: int) -> bytes:
        found = self._codecs[topic]
        self._number = line
        if topic in self._untyped:
            return json.dumps(_untyped(value)).encode()
        if topic in self._json_topics:
            return json.dumps(_json_of(value.get(_ROOT, {}))).encode()
        if found is None:
            return self._bytes(value)
        try:
            return found.encode(self._message(found.schema, found.schema.root.name, value, ""))
        except BagError as error:
            raise self._wrong(str(error).removeprefix(f"{self._path}:{line}: ")) from error

    def _put_json(self, value: dict[str, Any], path: str, text: str) -> None:
        """Note a value of JSON where its path leads: by name in an object, by number in a list."""
        steps: list[str | int] = [_ROOT]
        steps += [int(at) if at else _word(name) for name, at in _JSON_STEP.findall(path)]
        here: Any = value
        for step in steps[:-1]:
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                raise self._wrong(f"'{path}' is below a field that has a value already")
        if steps[-1] in here:
            raise self._wrong(f"'{path}' is given twice")
        try:
            here[steps[-1]] = _Leaf(json.loads(text))
        except ValueError as error:
            raise self._wrong(f"'{path}: {text}' is no JSON") from error

    def _bytes(self, value: dict[str, Any]) -> bytes:
        """The message of a topic that is told by its bytes."""
        told = value.get("bytes")
        try:
            if isinstance(told, dict) and list(value) == ["bytes"]:
                return bytes.fromhex("".join(pair for row in told[_ITEMS].values() for pair in row))
            if told == "empty":
                return b""
        except (ValueError, KeyError):
            pass
        raise self._wrong("this message is told by its bytes; give them as 'bytes[0:2]: 00 ff'")

    def _message(
        self, schema: Schema, type_name: str, value: dict[str, Any], path: str
    ) -> dict[str, Any]:
        fields = {field.name: field for field in schema.types[type_name].fields}
        for name in value:
            if name not in fields:
                where = f"{path}.{name}".lstrip(".")
                raise self._wrong(f"'{where}' is not in {type_name}, which has {', '.join(fields)}")
        return {
            name: self._field(schema, field, value.get(name), f"{path}.{name}".lstrip("."))
            for name, field in fields.items()
        }

    def _field(self, schema: Schema, field: Field, value: Any, path: str) -> Any:
        if not field.array:
            return self._single(schema, field.type, value, path)
        if isinstance(value, str):
            value = {} if value == "empty" else {_ITEMS: {0: value.split()}}
        elements = dict((value or {}).get(_ELEMENTS, {}))
        for start, items in (value or {}).get(_ITEMS, {}).items():
            elements.update({start + at: item for at, item in enumerate(items)})
        count = field.size if field.array == "fixed" else max(elements, default=-1) + 1
        if elements and max(elements) >= count:
            raise self._wrong(f"'{path}' has only {count} elements")
        return [
            self._single(schema, field.type, elements.get(at), f"{path}[{at}]")
            for at in range(count)
        ]

    def _single(self, schema: Schema, kind: str, value: Any, path: str) -> Any:
        if kind in TIMES and isinstance(value, str):
            seconds, nanoseconds = divmod(self._time(value), NS_PER_S)
            return {"sec": seconds, "nanosec": nanoseconds}
        if kind not in SIZES and kind not in STRINGS:
            if isinstance(value, str) and value != "empty":
                raise self._wrong(f"'{path}' is a {kind}; give its fields, as '{path}.name: value'")
            return self._message(schema, kind, value if isinstance(value, dict) else {}, path)
        if isinstance(value, dict):
            raise self._wrong(f"'{path}' is a {kind} and has no fields")
        return self._plain(kind, value, path)

    def _plain(self, kind: str, text: str | None, path: str) -> Any:
        try:
            if kind in STRINGS:
                return "" if text is None else _string(text)
            if kind == "bool":
                return {None: False, "True": True, "False": False, "true": True, "false": False}[
                    text
                ]
            if kind.startswith("float"):
                return float(text or 0)
            return int(text or "0", 0)
        except (ValueError, KeyError) as error:
            raise self._wrong(f"'{path}: {text}' is no {kind}") from error


_ITEMS, _ELEMENTS = "[:]", "[]"
_ROOT = "$"


@dataclass(frozen=True)
class _Leaf:
    """A value of JSON without parts, or an empty object or list."""

    value: Any


def _json_of(parts: Any) -> Any:
    """What `_put_json` noted as an object of JSON."""
    if isinstance(parts, _Leaf):
        return parts.value
    if parts and all(isinstance(step, int) for step in parts):
        return [_json_of(parts[step]) for step in sorted(parts)]
    return {str(step): _json_of(part) for step, part in parts.items()}


def _untyped(value: Any) -> Any:
    """What `_put` noted as a value of JSON, by the looks of it."""
    if isinstance(value, str):
        return _plain_untyped(value)
    if _ITEMS in value or _ELEMENTS in value:
        elements = dict(value.get(_ELEMENTS, {}))
        for start, items in value.get(_ITEMS, {}).items():
            elements.update({start + at: item for at, item in enumerate(items)})
        return [_untyped(elements[at]) for at in sorted(elements)]
    return {name: _untyped(part) for name, part in value.items()}


def _plain_untyped(text: str) -> Any:
    if text == "empty":
        return []
    if text in ("True", "False"):
        return text == "True"
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return _string(text)
    # A time has more digits than a double, and two that differ must not become the same.
    is_exact = not math.isfinite(number) or Decimal(text) == Decimal(repr(number))
    return number if is_exact else text


def _word(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


def _string(text: str) -> str:
    """A string in quotes; one that someone wrote without any is taken as it is."""
    if not text.startswith('"'):
        return text
    value = json.loads(text)
    return str(value)
