"""What an implementation had been given just before its output first differed, as text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ..bag import Bag, Message
from ..bag.text import lines_of
from ..compare import Comparison
from ..message.time import seconds
from ..run.model import Inputs
from ..run.result import RunResult

FILE_NAME = "inputs_before_first_difference.txt"
_EACH = 3


def inputs_before(inputs: Inputs, reference: RunResult, comparison: Comparison) -> Iterator[str]:
    """The last three messages of each input topic before the first difference, or before the first message too many.

    Nothing if nothing differs, or if the outputs were timed by another clock than the messages of the input bag.
    """
    times_ns = list(_first_times(reference, comparison))
    if not times_ns:
        return
    with Bag(inputs.bag) as bag:
        if bag.start_ns > reference.first_input_ns or bag.end_ns < reference.first_input_ns:
            return
        last: dict[str, deque[tuple[int, Message]]] = {}
        for name in _topics(inputs):
            last[name] = deque(maxlen=_EACH)
            for tick, message in enumerate(bag.messages([name], end_ns=min(times_ns) + 1)):
                last[name].append((tick, message))
        for name, found in last.items():
            lines = lines_of(bag, name)
            for tick, message in found:
                t_ns = message.log_time_ns - reference.first_input_ns
                yield f"{name} {tick} t {seconds(t_ns)}"
                yield from lines(message.data)


def _topics(inputs: Inputs) -> Iterator[str]:
    for names in inputs.topics.values():
        yield from [names] if isinstance(names, str) else names


def _first_times(reference: RunResult, comparison: Comparison) -> Iterator[int]:
    """The log times at which keys first differ, in ns."""
    with Bag(reference.bag) as bag:
        for key in comparison.keys.values():
            ticks = [int(key.only_a[0, 0])] if len(key.only_a) else []
            ticks += [key.first.tick_a] if key.first is not None else []
            if ticks:
                yield int(bag.times(key.topic)[min(ticks)])
