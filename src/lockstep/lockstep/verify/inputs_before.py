"""What an implementation had been given just before its output first differed, as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..bag.text import lines_of
from ..compare import Comparison
from ..compare.key_comparison import KeyComparison
from ..message.arrays import Int64s
from ..message.time import seconds
from ..run.inputs import RunInputs
from .judge import Recorded

FILE_NAME = "inputs_before_first_difference.txt"
_EACH = 3


@dataclass(frozen=True)
class _Given:
    """A message that was given to an input: in which step of the run, and which of its topic."""

    step: int
    topic: str
    tick: int
    time_ns: int
    data: bytes


def inputs_before(inputs: RunInputs, reference: Recorded, comparison: Comparison) -> Iterator[str]:
    """The last three messages of each input topic before the first difference, or the first message
    too many, in the order in which they were given.

    Nothing if nothing differs, or if the outputs were timed by another clock than the steps of the
    run.
    """
    ticks = [(key, _first_tick(key)) for key in comparison.keys.values()]
    if all(tick is None for _, tick in ticks):
        return
    times_ns = np.concatenate([step.time_ns for step in inputs.timeline().steps()])
    steps = [
        step
        for key, tick in ticks
        if tick is not None and (step := _step(key, tick, times_ns, reference)) is not None
    ]
    if not steps:
        return
    lines = {name: lines_of(inputs.bag, name) for name in inputs.topics}
    for given in _given_until(inputs, min(steps)):
        at = seconds(given.time_ns - reference.result.first_input_ns)
        yield f"{given.topic} {given.tick} t {at}"
        yield from lines[given.topic](given.data)


def _first_tick(key: KeyComparison) -> int | None:
    """The first message of the reference that differs by more than rounding, or is missing."""
    only_a, first = key.aligned.only_a, key.judged.beyond_rounding or key.judged.first
    ticks = [int(only_a[0, 0])] if len(only_a) else []
    ticks += [first.tick_a] if first is not None else []
    return min(ticks, default=None)


def _step(key: KeyComparison, tick: int, steps_ns: Int64s, reference: Recorded) -> int | None:
    """The step of the run that a message of the reference answers; None if it cannot be told."""
    if key.aligned.steps is not None:
        return int(key.aligned.steps[0][tick])
    return step_of(reference.outputs.times(key.topic)[: tick + 1], steps_ns)


def step_of(outputs_ns: Int64s, steps_ns: Int64s) -> int | None:
    """The step (n,) during which the last of some outputs (m,) was published, by the run's times.

    Where time steps back, it starts anew on both sides. None for a time at which there was no step.
    """
    starts = [0, *(np.flatnonzero(np.diff(steps_ns) < 0) + 1).tolist(), len(steps_ns)]
    epochs = list(pairwise(starts))
    epoch = 0
    again = np.flatnonzero(np.diff(outputs_ns) < 0) + 1
    for index in again.tolist():
        at_ns = outputs_ns[index]
        later = range(epoch + 1, len(epochs))
        inside = (i for i in later if steps_ns[epochs[i][0]] <= at_ns <= steps_ns[epochs[i][1] - 1])
        epoch = next(inside, epoch)
    start, end = epochs[epoch]
    number = int(np.searchsorted(steps_ns[start:end], outputs_ns[-1], side="right"))
    return start + number - 1 if number and outputs_ns[-1] <= steps_ns[end - 1] else None


def _given_until(inputs: RunInputs, last_step: int) -> list[_Given]:
    """The last messages of each topic up to a step, in the order of steps."""
    found: dict[str, list[_Given]] = {name: [] for name in inputs.topics}
    counts = dict.fromkeys(inputs.topics, 0)
    step = 0
    for steps in inputs.timeline().steps():
        batch = steps.messages
        until = np.arange(step, step + len(batch)) <= last_step
        for index, name in enumerate(batch.topics):
            its = np.flatnonzero((batch.topic == index) & steps.is_input & until)
            rows = its[-_EACH:].tolist()
            payloads = batch.where(its[-_EACH:]).payloads()
            new = [
                _Given(step + row, name, counts[name] + len(its) - len(rows) + i, time_ns, data)
                for i, (row, time_ns, data) in enumerate(
                    zip(rows, steps.time_ns[rows].tolist(), payloads, strict=True)
                )
            ]
            if new:
                found[name] = [*found[name], *new][-_EACH:]
                counts[name] += len(its)
        step += len(batch)
        if step > last_step:
            break
    return sorted((one for given in found.values() for one in given), key=lambda one: one.step)
