"""A bag as stable text for any diff tool: one line per field,
numbers in the shortest form that reads back exactly.

    # lockstep text 1
    # /odom nav_msgs/msg/Odometry
    /odom 0 t 0.000000000
    header.stamp: 56.314000000
    header.frame_id: "odom"
    pose.pose.position.x: 0.0
    ranges[0:16]: 1.5 1.25 …

The head of a topic that cannot be decoded ends with its encoding, and its messages are bytes; JSON
has its values as JSON:

    # /secret shop_msgs/msg/Secret cdr
    # /state "" json
    /secret 0 t 0.000000000
    bytes[0:5]: 00 01 00 00 07
    /state 0 t 0.000000000
    poses[0].x: null

Topics come one after the other in the order of their names, so that how topics were interleaved
makes no difference.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Literal

import numpy as np

from ..cdr.codec import Codec
from ..cdr.message_error import MessageError
from ..errors import BagError
from ..message.schema import TIMES
from ..message.time import NS_PER_S, seconds
from ..printable import printed_json
from .reader import Bag

TextTimes = Literal["log", "publish", "none"]
Lines = Callable[[bytes], Iterator[str]]
HEAD = "# lockstep text 1"
"""The first line; another form has another number."""
_PER_LINE = 16


def is_text(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as the text of a bag does."""
    try:
        with open(path, "rb") as stream:
            return stream.read(len(HEAD)) == HEAD.encode()
    except OSError:
        return False


def text(
    bag: Bag,
    topics: Collection[str] | None = None,
    times: TextTimes = "log",
    *,
    absolute: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[str]:
    """The lines of a bag. Times are seconds since its first log time, or since 1970 if `absolute`.

    Messages that cannot be decoded, because their topic has no usable definition, are told by their
    bytes. Raises BagError after all that is whole if the bag is not, or at a message that is
    not of its type.
    """
    names = sorted(bag.topics if topics is None else set(topics))
    yield HEAD
    for name in names:
        how = "" if is_decoded(bag, name) else f" {_word(bag.topic(name).message_encoding)}"
        yield f"# {_word(name)} {_word(bag.topic(name).type)}{how}"
    origin_ns = 0 if absolute else bag.start_ns
    done, total = 0, sum(bag.topics[name].count for name in names)
    for name in names:
        lines = lines_of(bag, name)
        for tick, message in enumerate(bag.messages([name], strict=False)):
            time_ns = message.log_time_ns if times == "log" else message.publish_time_ns
            when = "" if times == "none" else f" t {seconds(time_ns - origin_ns)}"
            yield f"{_word(name)} {tick}{when}"
            try:
                yield from lines(message.data)
            except MessageError as error:
                raise error.of(name, tick) from error
            done += 1
            if progress is not None:
                progress(done, total)
    if bag.problem:
        raise BagError(bag.problem)


def undecodable(bag: Bag, topics: Collection[str] | None = None) -> dict[str, str]:
    """Why topics (default: all) cannot be decoded, by name; only those that cannot."""
    found: dict[str, str] = {}
    for name in bag.topics if topics is None else topics:
        if bag.topic(name).message_encoding != "json":
            try:
                bag.codec(name)
            except BagError as error:
                found[name] = str(error)
    return found


def is_decoded(bag: Bag, name: str) -> bool:
    """Whether the messages of a topic are told by the fields of their type."""
    try:
        # Without any field, the definition may be missing rather than empty.
        return bool(bag.codec(name).fields() or bag.topic(name).definition.strip())
    except BagError:
        return False


def lines_of(bag: Bag, name: str) -> Lines:
    """What makes lines of the messages of a topic."""
    if bag.topic(name).message_encoding == "json":
        return _json_lines
    return lines_with(bag.codec(name)) if is_decoded(bag, name) else _byte_lines


def lines_with(codec: Codec) -> Lines:
    """What makes lines of messages in CDR."""
    kinds = codec.fields()
    return lambda data: _lines(codec.decode(data), "", "", kinds)


def _json_lines(data: bytes) -> Iterator[str]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MessageError("is no valid JSON") from error
    yield from _json_values(value, "")


def _json_values(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
            yield from _json_values(item, f"{path}.{name if plain else _json(name)}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _json_values(item, f"{path}[{index}]")
    else:
        yield f"{path.lstrip('.')}: {_json(value)}"


def _byte_lines(data: bytes) -> Iterator[str]:
    if not data:
        yield "bytes: empty"
    for start in range(0, len(data), _PER_LINE):
        part = data[start : start + _PER_LINE]
        yield f"bytes[{start}:{start + len(part)}]: {part.hex(' ')}"


def _word(name: str) -> str:
    """A name from a bag as one word."""
    plain = name.isprintable() and name and not set(' :"#') & set(name)
    return name if plain else _json(name)


def _json(value: Any) -> str:
    return printed_json(json.dumps(value))


def _lines(value: Any, path: str, plain: str, kinds: dict[str, str]) -> Iterator[str]:
    """The lines of a value.

    `path` has indexes, `plain` is as in `kinds`, which gives the types by path.
    """
    if is_dataclass(value) and getattr(value, "__msgtype__", "") in TIMES:
        stamp: Any = value
        yield f"{path}: {seconds(stamp.sec * NS_PER_S + stamp.nanosec)}"
    elif is_dataclass(value) or isinstance(value, dict):
        names = [field.name for field in fields(value)] if is_dataclass(value) else list(value)
        if not names and path:
            yield f"{path}: empty"
        for name in names:
            below, plain_below = (f"{at}.{_word(name)}".lstrip(".") for at in (path, plain))
            inner = value[name] if isinstance(value, dict) else getattr(value, name)
            yield from _lines(inner, below, plain_below, kinds)
    elif isinstance(value, np.ndarray):
        yield from _array(value, path)
    elif isinstance(value, list):
        if not value:
            yield f"{path}: empty"
        for index, item in enumerate(value):
            yield from _lines(item, f"{path}[{index}]", f"{plain}[]", kinds)
    elif isinstance(value, str):
        yield f"{path}: {_json(value)}"
    elif kinds.get(plain) == "float32":
        yield f"{path}: {np.float32(value)!s}"
    else:
        yield f"{path}: {value!r}"


def _array(values: np.ndarray[Any, Any], path: str) -> Iterator[str]:
    if not len(values):
        yield f"{path}: empty"
    for start in range(0, len(values), _PER_LINE):
        part = values[start : start + _PER_LINE]
        yield f"{path}[{start}:{start + len(part)}]: {' '.join(map(str, part))}"
