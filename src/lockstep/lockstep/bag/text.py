"""A bag as stable text for any diff tool: one line per field, numbers in the shortest form that reads back exactly.

    # lockstep text 1
    # /odom nav_msgs/msg/Odometry
    /odom 0 t 0.000000000
    header.stamp: 56.314000000
    header.frame_id: "odom"
    pose.pose.position.x: 0.0
    ranges[0:16]: 1.5 1.25 …

Topics come one after the other in the order of their names, so that how topics were interleaved makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Literal

import numpy as np

from .message_error import MessageError
from .reader import Bag

NS_PER_S = 1_000_000_000
TextTimes = Literal["log", "publish", "none"]
_PER_LINE = 16
_TIMES = ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")


def text(
    bag: Bag,
    topics: Collection[str] | None = None,
    times: TextTimes = "log",
    *,
    absolute: bool = False,
) -> Iterator[str]:
    """The lines of a bag. Times are seconds since its first log time, or since 1970 if `absolute`.

    Raises BagError after all that is whole if the bag is not, or at a message that cannot be decoded.
    """
    names = sorted(bag.topics if topics is None else topics)
    yield "# lockstep text 1"
    for name in names:
        yield f"# {name} {bag.topic(name).type}"
    origin_ns = 0 if absolute else bag.start_ns
    for name in names:
        codec = bag.codec(name)
        kinds = codec.fields()
        for tick, message in enumerate(bag.messages([name])):
            time_ns = message.log_time_ns if times == "log" else message.publish_time_ns
            when = "" if times == "none" else f" t {seconds(time_ns - origin_ns)}"
            yield f"{name} {tick}{when}"
            try:
                decoded = codec.decode(message.data)
            except MessageError as error:
                raise error.of(name, tick) from error
            yield from _lines(decoded, "", "", kinds)


def seconds(time_ns: int) -> str:
    """Nanoseconds as seconds with nine decimals, exactly."""
    sign = "-" if time_ns < 0 else ""
    whole, rest = divmod(abs(time_ns), NS_PER_S)
    return f"{sign}{whole}.{rest:09d}"


def _lines(value: Any, path: str, plain: str, kinds: dict[str, str]) -> Iterator[str]:
    """The lines of a value; `path` has indexes, `plain` has none and leads to its type."""
    if is_dataclass(value) and getattr(value, "__msgtype__", "") in _TIMES:
        stamp: Any = value
        yield f"{path}: {seconds(stamp.sec * NS_PER_S + stamp.nanosec)}"
    elif is_dataclass(value):
        for field in fields(value):
            below, plain_below = (f"{at}.{field.name}".lstrip(".") for at in (path, plain))
            yield from _lines(getattr(value, field.name), below, plain_below, kinds)
    elif isinstance(value, np.ndarray):
        yield from _array(value, path)
    elif isinstance(value, list):
        if not value:
            yield f"{path}: empty"
        for index, item in enumerate(value):
            yield from _lines(item, f"{path}[{index}]", plain, kinds)
    elif isinstance(value, str):
        yield f"{path}: {json.dumps(value)}"
    elif kinds.get(plain) == "float32":
        yield f"{path}: {np.float32(value)}"
    else:
        yield f"{path}: {value!r}"


def _array(values: np.ndarray[Any, Any], path: str) -> Iterator[str]:
    if not len(values):
        yield f"{path}: empty"
    for start in range(0, len(values), _PER_LINE):
        part = values[start : start + _PER_LINE]
        yield f"{path}[{start}:{start + len(part)}]: {' '.join(map(str, part))}"
