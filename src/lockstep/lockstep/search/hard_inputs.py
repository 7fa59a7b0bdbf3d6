"""The inputs on which implementations disagree most, with what came before them: recorded from any
datasets of inputs and outputs, deduplicated and bounded."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..cdr.codec import codec
from ..compare.disagreement import Disagreement
from ..dataset import Dataset
from ..dataset.form import Encoded
from ..dataset.source import Record
from ..dataset.stored_as import form_of
from ..dataset.weighted import content
from ..errors import DatasetError
from ..message.arrays import Int64s
from ..message.time import NS_PER_S

SCORE = "/lockstep/disagreement"
"""The key of the scores (std_msgs/Float64), each at the time of its input."""
MOST = 1000
"""Inputs that are recorded, if nobody says how many."""
_DIGEST_BYTES = 8
_STAMP = slice(4, 12)  # of a message that begins with a header, after the encapsulation


@dataclass(frozen=True)
class Hard:
    """An input after which implementations disagree: its log time, how much (0 to 1), and who does
    on which topics."""

    time_ns: int
    score: float
    implementations: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Hardest:
    """The inputs that were chosen, in the order of time, of so many after which any disagree;
    `repeated` of these were like one that was chosen."""

    chosen: tuple[Hard, ...]
    of: int
    repeated: int
    context_ns: int

    def windows(self) -> Int64s:
        """From which log time to which one there is a chosen input or its context, (n, 2)."""
        joined: list[list[int]] = []
        for one in self.chosen:
            if joined and one.time_ns - self.context_ns <= joined[-1][1]:
                joined[-1][1] = one.time_ns
            else:
                joined.append([one.time_ns - self.context_ns, one.time_ns])
        return np.array(joined, np.int64).reshape(-1, 2)


Times = Callable[[Int64s], Int64s]


def _unmoved(times_ns: Int64s) -> Int64s:
    return times_ns


def hardest(
    inputs: Dataset,
    found: Mapping[str, Mapping[str, Disagreement]],
    *,
    context_s: float = 0.0,
    most: int = MOST,
    in_inputs: Times = _unmoved,
) -> Hardest:
    """Choose inputs: the last before each message at which implementations disagree.

    `found` is by implementation and topic. Those of the highest scores are chosen, at most `most`,
    and of those that are alike with all in the `context_s` before them, but for stamps, the first.
    `in_inputs` gives the log times of inputs at times of outputs.
    """
    context_ns = round(context_s * NS_PER_S)
    times, digests = _digests(inputs)
    scored = _by_input(times, found, in_inputs)
    ranked = sorted(scored.values(), key=lambda one: (-one.score, one.time_ns))
    chosen: list[Hard] = []
    seen: set[bytes] = set()
    repeated = 0
    for one in ranked:
        if len(chosen) == most:
            break
        first = np.searchsorted(times, one.time_ns - context_ns, "left")
        last = np.searchsorted(times, one.time_ns, "right")
        content = digests[first:last].tobytes()
        if content in seen:
            repeated += 1
            continue
        seen.add(content)
        chosen.append(one)
    in_time = tuple(sorted(chosen, key=lambda one: one.time_ns))
    return Hardest(in_time, len(scored), repeated, context_ns)


def record(
    target: Dataset,
    inputs: Dataset,
    outputs: Mapping[str, Dataset],
    hard: Hardest,
    *,
    latched: Sequence[str] = (),
    in_inputs: Times = _unmoved,
) -> int:
    """Append the chosen inputs with their context, what each implementation published meanwhile as
    `/NAME/TOPIC`, and the scores; returns how many values that are.

    Of `latched` inputs also all that came before. Outputs of the time after the last input of a
    window, until the next input, belong to it.
    """
    windows = hard.windows()
    if not len(windows):
        return 0
    ends = _ends(windows, inputs)
    scores = (Record(SCORE, one.time_ns, one.time_ns, one.score) for one in hard.chosen)
    streams: list[Iterator[Record]] = [
        _within(inputs.stored(), windows, windows[:, 1], latched),
        *(
            _within(_renamed(name, dataset.stored(), in_inputs), windows, ends)
            for name, dataset in outputs.items()
        ),
        scores,
    ]
    count = 0
    for one in heapq.merge(*streams, key=lambda record: record.stamp_ns):
        target.append(one.key, one.value, one.stamp_ns, publish_ns=one.publish_ns)
        count += 1
    return count


def _digests(inputs: Dataset) -> tuple[Int64s, Int64s]:
    """The log times of all inputs in order, and a digest of what each says, (n,)."""
    stamped = {key for key in inputs if _has_stamp(inputs.select(key))}
    times: list[int] = []
    digests: list[bytes] = []
    for one in inputs.stored():
        own = hashlib.blake2b(one.key.encode(), digest_size=_DIGEST_BYTES)
        data = content(one)
        if one.key in stamped:
            data = data[: _STAMP.start] + data[_STAMP.stop :]
        own.update(data)
        times.append(one.stamp_ns)
        digests.append(own.digest())
    at = np.array(times, np.int64)
    order = np.argsort(at, kind="stable")
    return at[order], np.frombuffer(b"".join(digests), np.int64)[order]


def _has_stamp(inputs: Dataset) -> bool:
    """Whether the values of the one key are messages in CDR that begin with a header."""
    first = next(inputs.stored(), None)
    if first is None:
        return False
    try:
        value = first.value
        form = value.form if isinstance(value, Encoded) else form_of(value)
    except DatasetError:
        return False
    if not form.is_message:
        return False
    topic = form.topic
    fields = codec(topic.type, topic.definition, topic.encoding).fields()
    return next(iter(fields), "").startswith("header.stamp")


def _by_input(
    times: Int64s, found: Mapping[str, Mapping[str, Disagreement]], in_inputs: Times
) -> dict[int, Hard]:
    """The inputs after which implementations disagree, by time."""
    scored: dict[int, Hard] = {}
    for name, by_topic in found.items():
        for topic, one in by_topic.items():
            if not len(times):
                continue
            index = np.searchsorted(times, in_inputs(one.time_ns), "right") - 1
            at = times[np.maximum(index, 0)].tolist()
            for time_ns, score in zip(at, one.score.tolist(), strict=True):
                before = scored.get(time_ns, Hard(time_ns, 0.0, (), ()))
                scored[time_ns] = Hard(
                    time_ns,
                    max(before.score, score),
                    tuple(dict.fromkeys((*before.implementations, name))),
                    tuple(dict.fromkeys((*before.topics, topic))),
                )
    return scored


def _ends(windows: Int64s, inputs: Dataset) -> Int64s:
    """Until when outputs answer the last input of each window: just before the next one."""
    times = np.sort(np.concatenate([inputs[key].times() for key in inputs]))
    following = np.searchsorted(times, windows[:, 1], "right")
    never = np.iinfo(np.int64).max
    after: Int64s = np.append(times, never)[following]
    return after - 1


def _renamed(name: str, records: Iterator[Record], in_inputs: Times) -> Iterator[Record]:
    for one in records:
        at, published = in_inputs(np.array([one.stamp_ns, one.publish_ns], np.int64)).tolist()
        yield Record(f"/{name}/{one.key.lstrip('/')}", at, published, one.value)


def _within(
    records: Iterator[Record], windows: Int64s, ends: Int64s, always: Sequence[str] = ()
) -> Iterator[Record]:
    """The records in a window, in their order."""
    starts, stops, last = windows[:, 0].tolist(), ends.tolist(), int(ends[-1])
    for one in records:
        window = bisect_right(starts, one.stamp_ns) - 1
        inside = window >= 0 and one.stamp_ns <= stops[window]
        if inside or (one.key in always and one.stamp_ns <= last):
            yield one
