"""The numbers in the inputs that outputs answer, by which a difference may be explained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from ..bag import Bag, BagError
from ..cdr.message_error import MessageError
from ..compare.simplest_law import InputsOf
from ..message.arrays import Column, Floats, Int64s
from ..message.batch import Batch
from ..message.primitives import SIZES
from ..run.inputs import RunInputs

_MOST = 40
"""Numbers of all inputs together."""


def inputs_of(inputs: RunInputs, reference: Bag) -> InputsOf:
    """What tells, of a topic and ticks (n,) of the reference, the numbers of the last message on
    each input at the time of the output: exactly what it answers where time is that of the steps.

    A topic of which no number can be read, and inputs whose time steps back, are left out.
    """

    def numbers(topic: str, ticks: Int64s) -> dict[str, Column]:
        return _numbers(inputs, reference.times(topic)[ticks])

    return numbers


def _numbers(inputs: RunInputs, at_ns: Int64s) -> dict[str, Column]:
    paths = _paths(inputs)
    # What comes before the first message of an input counts as this one.
    found = {name: np.full((len(at_ns), len(fields)), np.nan) for name, fields in paths.items()}
    now_ns, last_ns = 0, int(at_ns.max(initial=0))
    for steps in inputs.timeline().steps():
        if not len(steps.time_ns):
            continue
        if steps.time_ns[0] < now_ns or (np.diff(steps.time_ns) < 0).any():
            return {}
        now_ns = int(steps.time_ns[-1])
        if steps.time_ns[0] > last_ns:
            break
        for number, name in enumerate(steps.messages.topics):
            mine = np.flatnonzero(steps.is_input & (steps.messages.topic == number))
            if name in found and len(mine):
                _fill(
                    found[name],
                    at_ns,
                    steps.time_ns[mine],
                    steps.messages.where(mine),
                    (inputs.bag, name, paths[name]),
                )
    return {
        f"{_short(inputs.topics[name])}.{path}": column
        for name, fields in paths.items()
        for path, column in zip(fields, found[name].T, strict=True)
        if np.isfinite(column).any()
    }


def _short(topic: str) -> str:
    return topic.removeprefix("/")


def _paths(inputs: RunInputs) -> dict[str, Sequence[str]]:
    """The fields of each topic that are single numbers, of the first topics if there are many."""
    paths: dict[str, Sequence[str]] = {}
    left = _MOST
    for name in inputs.topics:
        try:
            fields = inputs.bag.codec(name).fields()
        except BagError:
            continue
        single = (path for path, kind in fields.items() if kind in SIZES and "[" not in path)
        paths[name] = list(islice(single, left))
        left -= len(paths[name])
    return {name: fields for name, fields in paths.items() if fields}


def _fill(
    rows: Floats,
    at_ns: Int64s,
    time_ns: Int64s,
    messages: Batch,
    of: tuple[Bag, str, Sequence[str]],
) -> None:
    """Give each row whose time has come what the last of these messages before it holds."""
    bag, name, paths = of
    last = np.searchsorted(time_ns, at_ns, side="right") - 1
    wanted = np.unique(last[last >= 0])
    if not len(wanted):
        return
    chosen = messages.where(wanted)
    try:
        columns = bag.codec(name).columns(chosen.buffer, chosen.offset, chosen.length, list(paths))
    except MessageError as error:
        raise error.of(name, error.tick) from error
    values = np.stack([columns[path].astype(np.float64) for path in paths], axis=1)
    known = last >= 0
    rows[known] = values[np.searchsorted(wanted, last[known])]
