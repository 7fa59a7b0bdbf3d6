"""Making a sequence of inputs small while two implementations still differ on it.

Fewest messages first (delta debugging: A. Zeller, R. Hildebrandt, "Simplifying and isolating
failure-inducing input", IEEE Trans. Software Engineering 28(2), 2002; the steps that are left keep
their order and time), then the simplest times and values of fields.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from ..bag import BagError
from ..cdr.codec import Codec
from ..cdr.message_error import MessageError
from ..message.primitives import STRINGS
from ..message.time import NS_PER_S
from .input_mutations import held
from .message_fields import Leaf, Message
from .sequence import Inputs, Step, is_playable

Differs = Callable[[Inputs], bool]
Item = TypeVar("Item")
_ROUNDS = 4
_SIMPLE = (0, 1, -1, 2, 0.5, 3, 4, 5, -2, 10, 100, 1000)
_EACH = 64
"""Elements of longer arrays are not made simpler one by one."""


def shrink(
    steps: Inputs, differs: Differs, codecs: Sequence[Codec], deadline_s: float = math.inf
) -> Inputs:
    """A sequence that `differs` too, from which nothing can be taken without that it no longer
    does.

    `codecs` are those of the input ports. Stops at a time of `time.monotonic`, with the smallest
    that is known then.
    """
    return _Shrinking(differs, codecs, deadline_s).shrunk(steps)


def fewest(items: Sequence[Item], still: Callable[[tuple[Item, ...]], bool]) -> tuple[Item, ...]:
    """A subsequence for which `still` holds, as it does for `items`, but not if any one more is
    taken away (ddmin)."""
    found = tuple(items)
    parts = 2
    while len(found) > 1:
        size = math.ceil(len(found) / parts)
        for start in range(0, len(found), size):
            rest = found[:start] + found[start + size :]
            if rest and still(rest):
                found, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return found
            parts = min(2 * parts, len(found))
    return found


class _Shrinking:
    def __init__(self, differs: Differs, codecs: Sequence[Codec], deadline_s: float) -> None:
        self._differs, self._codecs, self._deadline_s = differs, codecs, deadline_s
        self._known: dict[int, bool] = {}

    def shrunk(self, steps: Inputs) -> Inputs:
        if not self._holds(steps[-1:]):
            steps = self._beginning(steps)
        if self._holds(steps[-1:]):
            steps = steps[-1:]
        for _ in range(_ROUNDS):
            before = steps
            steps = fewest(steps, self._holds)
            steps = self._earlier(steps)
            for at in range(len(steps)):
                steps = self._simpler(steps, at)
            if steps == before:
                break
        return steps

    def _holds(self, steps: Inputs) -> bool:
        if time.monotonic() > self._deadline_s or not is_playable(steps):
            return False
        key = hash(steps)
        if key not in self._known:
            self._known[key] = self._differs(steps)
        return self._known[key]

    def _beginning(self, steps: Inputs) -> Inputs:
        """A beginning that still differs, by bisection: every try of a crash or hang is dear."""
        low, high = 1, len(steps)
        while low < high:
            middle = (low + high) // 2
            if self._holds(steps[:middle]):
                high = middle
            else:
                low = middle + 1
        return steps[:high]

    def _earlier(self, steps: Inputs) -> Inputs:
        """The simplest times: all 1 s since 1970, 10 ms apart, or as far apart as they are; then
        each by itself."""
        same = [NS_PER_S] * len(steps)
        even = [NS_PER_S + at * 10_000_000 for at in range(len(steps))]
        from_start = [NS_PER_S + step.time_ns - steps[0].time_ns for step in steps]
        for times in (same, even, from_start):
            tried = _at(steps, times)
            if tried == steps or self._holds(tried):
                return tried
        for at in range(1, len(steps)):
            apart_ns = steps[at].time_ns - steps[at - 1].time_ns
            for simpler_ns in (0, 10_000_000, NS_PER_S, _rounded(apart_ns, NS_PER_S)):
                if 0 <= simpler_ns < abs(apart_ns):
                    times = [step.time_ns for step in steps]
                    times[at:] = [one + simpler_ns - apart_ns for one in times[at:]]
                    tried = _at(steps, times)
                    if self._holds(tried):
                        steps = tried
                        break
        return steps

    def _simpler(self, steps: Inputs, at: int) -> Inputs:
        """The simplest message of one step."""
        codec = self._codecs[steps[at].port]

        def holds(message: Message) -> bool:
            try:
                data = message.encoded()
            except BagError:  # not every length that an array may have fits a bound
                return False
            return self._holds(_with(steps, at, data))

        empty = Message.empty(codec)
        if holds(empty):
            return _with(steps, at, empty.encoded())
        try:
            message = Message.decoded(codec, steps[at].data)
        except MessageError:
            return steps
        if not holds(
            message
        ):  # what it says is not all that matters: its byte order, or bytes behind it
            return steps
        message = _simplest(message, (), holds)
        for leaf in message.leaves():
            if not message.has(leaf.path):
                continue  # the element that it is in has been taken away
            if leaf.array:
                message = _simplest_array(message, leaf, holds)
                continue
            for value in simpler_values(leaf, message.get(leaf.path), steps[at].time_ns):
                tried = message.with_value(leaf.path, value)
                if holds(tried):
                    message = tried
                    break
        return _with(steps, at, message.encoded())


def _at(steps: Inputs, times: Sequence[int]) -> Inputs:
    return tuple(Step(s.port, at, s.data) for s, at in zip(steps, times, strict=True))


def _with(steps: Inputs, at: int, data: bytes) -> Inputs:
    return (*steps[:at], Step(steps[at].port, steps[at].time_ns, data), *steps[at + 1 :])


def _rounded(value: int, unit: int) -> int:
    return value // unit * unit


def _simplest(
    message: Message, path: tuple[str | int, ...], holds: Callable[[Message], bool]
) -> Message:
    """The message with whole parts of it made 0, outer ones first."""
    part = message.data
    for step in path:
        part = part[step]  # type: ignore[index]
    for name, value in part.items():
        here = (*path, name)
        if not isinstance(value, dict) or value.keys() == {"sec", "nanosec"}:
            continue
        zero = message.zero(here)
        if _same(zero, value):
            continue
        tried = message.with_value(here, zero)
        message = tried if holds(tried) else _simplest(message, here, holds)
    return message


def _simplest_array(message: Message, leaf: Leaf, holds: Callable[[Message], bool]) -> Message:
    """The message with the fewest and simplest elements in an array."""
    values = message.get(leaf.path)
    dtype = values.dtype if isinstance(values, np.ndarray) else None

    def as_array(items: Sequence[Any]) -> Any:
        return list(items) if dtype is None else np.array(items, dtype)

    def still(items: Sequence[Any]) -> bool:
        return holds(message.with_value(leaf.path, as_array(items)))

    items: Sequence[Any] = list(values)
    if leaf.array == "sequence" and len(items):
        items = [] if still([]) else list(fewest(items, still))
    zero = message.zero(leaf.path)
    zeros = list(zero)[: len(items)]
    if leaf.kind != "message" and len(items) and not _same(zeros, list(items)) and still(zeros):
        items = zeros
    if leaf.kind not in ("message", "time", "duration") and len(items) <= _EACH:
        for at in range(len(items)):
            for value in simpler_values(leaf, _item(items[at]), 0):
                tried = [*items[:at], value, *items[at + 1 :]]
                if still(tried):
                    items = tried
                    break
    return message.with_value(leaf.path, as_array(items))


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(_same(a[name], b[name]) for name in a)
    if isinstance(a, (list, np.ndarray)):
        return len(a) == len(b) and all(map(_same, a, b))
    return repr(a) == repr(b)


def simpler_values(leaf: Leaf, value: Any, now_ns: int) -> Iterator[Any]:
    """Values simpler than the one that a leaf has, the simplest first; times in ns."""
    if leaf.kind in STRINGS:
        candidates: list[Any] = ["", "a", value[: len(value) // 2], value[:-1]]
    elif leaf.kind == "bool":
        candidates = [False]
    elif leaf.kind in ("time", "duration"):
        candidates = [0, now_ns, NS_PER_S, _rounded(value, NS_PER_S), _rounded(value, 1_000_000)]
    else:
        candidates = [held(leaf, number) for number in _SIMPLE if held(leaf, number) == number]
        if math.isfinite(value):
            rounded = [float(f"{value:.{digits}g}") for digits in (1, 2, 3, 6)]
            power = 10.0 ** math.floor(math.log10(abs(value))) if value else 0.0
            candidates += [held(leaf, one) for one in (power, math.trunc(value), *rounded)]
        else:
            candidates += [math.inf] if value == -math.inf else []
    for candidate in candidates:
        if repr(candidate) == repr(value):
            return
        yield candidate
