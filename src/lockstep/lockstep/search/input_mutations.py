"""Mutations of messages: a field gets a value that breaks ports, one of interest, or that of
another message."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..distributions import Edges
from ..distributions.edges import EDGE_TEXTS
from ..distributions.fields import Field
from ..message.primitives import STRINGS
from ..message.time import NS_PER_S
from .message_fields import Leaf, Message

Pick = Callable[[int, int], int]
"""Chooses a whole number from the first to the second, both included; simple ones come first."""
_EDGES = Edges()
_LONGEST = 1000
_SIMPLE = (0, 1, -1, 2, 3, 10, 100)


def numbers_of_interest(values: Sequence[Any]) -> list[float]:
    """Finite numbers such as values of parameters, and what lies around them."""
    found: list[float] = []
    for value in values:
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, (int, float)) and not isinstance(item, bool) and item:
                number = float(item)
                found += [
                    *(number, 0.5 * number, 2.0 * number, -number),
                    *(math.nextafter(number, 0.0), math.nextafter(number, math.inf)),
                ]
    return [number for number in dict.fromkeys(found) if math.isfinite(number)]


def mutated(
    message: Message,
    pick: Pick,
    interest: Sequence[float],
    previous: Message | None,
    now_ns: int,
) -> Message:
    """The message with one change; `previous` is the one before it on the same port, `now_ns` the
    time of the run."""
    leaves = message.leaves()
    if not leaves:
        return message
    kind = pick(0, 4)
    if kind == 1:
        return _filled(message, leaves, pick, interest)
    leaf = leaves[pick(0, len(leaves) - 1)]
    if previous is not None and not previous.has(leaf.path):
        previous = None
    if kind == 2 and previous is not None:
        return message.with_value(leaf.path, previous.get(leaf.path))
    if leaf.array:
        return message.with_value(leaf.path, _array(leaf, message.get(leaf.path), pick, interest))
    if leaf.kind in ("time", "duration"):
        before_ns = 0 if previous is None else previous.get(leaf.path)
        return message.with_value(leaf.path, _stamp(pick, before_ns, now_ns))
    if kind == 3 and leaf.kind not in (*STRINGS, "bool"):
        return message.with_value(leaf.path, _tweaked(leaf, message.get(leaf.path), pick))
    return message.with_value(leaf.path, _value(leaf, pick, interest))


def held(leaf: Leaf, value: Any) -> Any:
    """A number as the leaf can hold it."""
    dtype = _field(leaf).dtype
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return float(dtype.type(value))
    limits = np.iinfo(dtype)
    whole = int(value) if math.isfinite(value) else 0
    return min(max(whole, int(limits.min)), int(limits.max))


def _field(leaf: Leaf) -> Field:
    return Field(leaf.name, leaf.kind, "", 0, leaf.string_bound)


def _filled(
    message: Message, leaves: Sequence[Leaf], pick: Pick, interest: Sequence[float]
) -> Message:
    """All numbers of one kind and message get the same value: those of a vector, say."""
    chosen = leaves[pick(0, len(leaves) - 1)]
    if chosen.kind in (*STRINGS, "bool", "time", "duration", "message"):
        return message.with_value(chosen.path, message.zero(chosen.path))
    value = _value(chosen, pick, interest)
    for leaf in leaves:
        if leaf.kind != chosen.kind or leaf.path[:-1] != chosen.path[:-1]:
            continue
        if leaf.array:
            length = len(message.get(leaf.path))
            message = message.with_value(leaf.path, np.full(length, value, _field(leaf).dtype))
        else:
            message = message.with_value(leaf.path, value)
    return message


def _value(leaf: Leaf, pick: Pick, interest: Sequence[float]) -> Any:
    if leaf.kind in STRINGS:
        text = EDGE_TEXTS[pick(0, len(EDGE_TEXTS) - 1)]
        return text[: leaf.string_bound] if leaf.string_bound else text
    if leaf.kind == "bool":
        return bool(pick(0, 1))
    every = [*_SIMPLE, *_EDGES.values(_field(leaf)), *interest]
    value = every[pick(0, len(every) - 1)]
    return value if isinstance(value, float) and leaf.kind == "float64" else held(leaf, value)


def _tweaked(leaf: Leaf, value: Any, pick: Pick) -> Any:
    number = value if isinstance(value, int) else float(value)
    how = pick(0, 5)
    if how == 5 and isinstance(number, float):
        return held(leaf, math.nextafter(number, math.inf))
    return held(leaf, (-number, number + 1, number - 1, 2 * number, number / 2, number)[how])


def _stamp(pick: Pick, before_ns: int, now_ns: int) -> int:
    """Equal to the one before, 1 ns or 1 s or 10 s before or after it, 0, the last that there is,
    or now."""
    every = (0, now_ns, before_ns, before_ns - 1, before_ns - NS_PER_S, before_ns + 10 * NS_PER_S)
    return max(0, (*every, before_ns + NS_PER_S, 2**31 * NS_PER_S - 1)[pick(0, 7)])


def _array(leaf: Leaf, values: Any, pick: Pick, interest: Sequence[float]) -> Any:
    listed = list(values)
    how = pick(0, 5)
    if leaf.array == "sequence" and how < 4:
        most = leaf.size or _LONGEST
        changed = (listed[:0], listed[:1], listed[:-1], (listed * 2)[: max(most, 0)])[how]
        return _as(leaf, changed)
    if leaf.kind in ("message", "time", "duration") or not listed:
        return values
    at = pick(0, len(listed) - 1)
    listed[at] = _value(leaf, pick, interest)
    return _as(leaf, listed)


def _as(leaf: Leaf, listed: list[Any]) -> Any:
    if leaf.kind in (*STRINGS, "message", "time", "duration"):
        return listed
    return np.array(listed, _field(leaf).dtype)
