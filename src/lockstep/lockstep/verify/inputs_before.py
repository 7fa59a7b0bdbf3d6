"""What an implementation had been given just before its output first differed, as text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ..bag import Message
from ..bag.text import lines_of
from ..compare import Comparison
from ..message.time import seconds
from ..run.inputs import RunInputs
from .judge import Recorded

FILE_NAME = "inputs_before_first_difference.txt"
_EACH = 3


def inputs_before(inputs: RunInputs, reference: Recorded, comparison: Comparison) -> Iterator[str]:
    """The last three messages of each input topic before the first difference, or the first message
    too many.

    Nothing if nothing differs, or if the outputs were timed by another clock than the messages of
    the input bag.
    """
    times_ns = list(_first_times(reference, comparison))
    bag, first_ns = inputs.bag, reference.result.first_input_ns
    if not times_ns or bag.start_ns > first_ns or bag.end_ns < first_ns:
        return
    last: dict[str, deque[tuple[int, Message]]] = {}
    for name in inputs.topics:
        last[name] = deque(maxlen=_EACH)
        for tick, message in enumerate(bag.messages([name], end_ns=min(times_ns) + 1)):
            last[name].append((tick, message))
    for name, found in last.items():
        lines = lines_of(bag, name)
        for tick, message in found:
            yield f"{name} {tick} t {seconds(message.log_time_ns - first_ns)}"
            yield from lines(message.data)


def _first_times(reference: Recorded, comparison: Comparison) -> Iterator[int]:
    """The log times at which keys first differ, in ns."""
    for key in comparison.keys.values():
        only_a, first = key.aligned.only_a, key.judged.beyond_rounding or key.judged.first
        ticks = [int(only_a[0, 0])] if len(only_a) else []
        ticks += [first.tick_a] if first is not None else []
        if ticks:
            yield int(reference.outputs.times(key.topic)[min(ticks)])
