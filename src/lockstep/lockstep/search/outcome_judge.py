"""Whether two implementations did the same with a sequence, by the rules of a verification, without
bags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..cdr.codec import Codec
from ..compare.align import Alignment, align_steps, align_ticks, align_times, tolerance_ns
from ..compare.column_judge import ColumnJudge
from ..compare.deviation import Deviation
from ..compare.index import first_times, shared_stamp, stamp_paths, stamp_to_align_by
from ..compare.model import Compare
from ..compare.payloads import equal_payloads
from ..compare.side_by_side import Side
from ..compare.values import deviations
from ..component import Contract
from ..errors import UsageError
from ..message.arrays import Int64s
from ..run.result import HOW_TO_DECLARE, failed_as_declared
from .many_runs import Outcome, Published
from .sequence import codecs_of


@dataclass(frozen=True)
class Difference:
    """Where an implementation first does not do what the reference does: in which step, on which
    output, and how.

    `kind` is "output", or "NAME raised" for one that alone does so in this step, or "NAME hangs" or
    "NAME crashes". `a` and `b` are the messages that do not agree; None where one side has none.
    """

    kind: str
    step: int
    port: int | None = None
    a: Published | None = None
    b: Published | None = None
    sentence: str = ""


@dataclass(frozen=True)
class _Series:
    """The messages of one output: `times` (n,) of the run, `steps` (n,), and their bytes."""

    messages: list[Published]
    times: Int64s
    steps: Int64s
    side: Side
    codec: Codec

    @property
    def stamps(self) -> Mapping[str, Int64s]:
        side, paths = self.side, stamp_paths(self.codec.fields())
        found = self.codec.columns(side.buffer, side.offset, side.length, paths)
        return {path: first_times(column) for path, column in found.items()}


class OutcomeJudge:
    """Compares outcomes as `lockstep verify` compares bags, with its alignment and tolerances."""

    def __init__(self, contract: Contract, options: Compare) -> None:
        """Raises UsageError as `check` does."""
        self.check(options)
        self._contract = contract
        self._options = options
        self._tolerances = options.tolerances()
        self._codecs = codecs_of(contract.outputs)
        self._time_tolerance_ns = tolerance_ns(options.time_tolerance or 0.0)

    @staticmethod
    def check(options: Compare) -> None:
        """Raises UsageError for `align: none`, with which single runs have no verdict."""
        if options.any_align("none"):
            raise UsageError(
                "compare.align is none, which compares distributions; a search needs pairs: align "
                "by time, stamp or tick"
            )

    def difference(
        self, a: Outcome, b: Outcome, names: tuple[str, str], *, is_repeat: bool = False
    ) -> Difference | None:
        """The first difference of `b` to the reference `a`; None if both do the same, also if both
        raise in the same step what is declared (`Compare.failures`), or one implementation did it
        twice (`is_repeat`).

        A crash or hang of both is told as well, since nothing is known of what they would have
        done, and so is any other exception of both.
        """
        kinds = [f"{name} {one.end}" for name, one in zip(names, (a, b), strict=True) if one.end]
        step_a, step_b = (None if one.failure is None else one.failure.step for one in (a, b))
        if a.end != b.end or a.is_lost or step_a != step_b:
            ends = [one for one in (a, b) if one.failure is not None]
            first = min(ends, key=lambda one: one.failure.step if one.failure else 0)
            assert first.failure is not None
            told = "; ".join(one.failure.sentence for one in ends if one.failure)
            return Difference(" and ".join(kinds), first.failure.step, sentence=told)
        is_same = is_repeat or failed_as_declared(self._options.failures, a.failure, b.failure)
        if a.failure is not None and b.failure is not None and not is_same:
            told = f"{a.failure.sentence}; {b.failure.sentence}; {HOW_TO_DECLARE}"
            return Difference(" and ".join(kinds), a.failure.step, sentence=told)
        if a.published == b.published:
            return None
        found = [
            self._of_port(port, _of(a, port), _of(b, port)) for port in range(len(self._codecs))
        ]
        return min(filter(None, found), key=lambda one: one.step, default=None)

    def deviations(self, difference: Difference) -> list[Deviation]:
        """The fields beyond tolerance of the messages that do not agree."""
        if difference.port is None or difference.a is None or difference.b is None:
            return []
        codec = self._codecs[difference.port]
        messages = codec.decode(difference.a.data), codec.decode(difference.b.data)
        tolerances = self._tolerances.at(self._contract.outputs[difference.port].name)
        every = deviations(*messages, tolerances, kinds=codec.fields())
        return [one for one in every if not one.passes]

    def _of_port(
        self, port: int, of_a: list[Published], of_b: list[Published]
    ) -> Difference | None:
        if of_a == of_b:
            return None
        a, b = (_series(messages, self._codecs[port]) for messages in (of_a, of_b))
        aligned = self._aligned(port, a, b)
        alone = [
            Difference("output", one.step, port, one, None)
            for one in (of_a[tick] for tick in aligned.only_a.tolist())
        ]
        alone += [
            Difference("output", one.step, port, None, one)
            for one in (of_b[tick] for tick in aligned.only_b.tolist())
        ]
        alone += [
            Difference("output", of_a[i].step, port, of_a[i], of_b[j], "in another order")
            for i, j in aligned.reordered.tolist()
        ]
        pairs = a.side.where(aligned.a), b.side.where(aligned.b)
        return min([*alone, *self._of_values(port, *pairs, of_a, of_b)], key=_step, default=None)

    def _of_values(
        self, port: int, a: Side, b: Side, of_a: list[Published], of_b: list[Published]
    ) -> list[Difference]:
        """The first pair whose values differ; if only statistics of all do, the last pair."""
        codec = self._codecs[port]
        topic = self._contract.outputs[port].name
        judge = ColumnJudge(topic, (codec, codec), self._tolerances)
        if not judge.needs_all:
            same = equal_payloads(a, b)
            a, b = a.where(~same), b.where(~same)
        if not len(a.ticks):
            return []
        wrong = np.flatnonzero(judge.judge(a, b))
        if len(wrong):
            row = int(wrong[0])
        elif not all(field.matches for field in judge.fields.values()):
            row = len(a.ticks) - 1
        else:
            return []
        one, other = of_a[int(a.ticks[row])], of_b[int(b.ticks[row])]
        return [Difference("output", one.step, port, one, other)]

    def _aligned(self, port: int, a: _Series, b: _Series) -> Alignment:
        by, stamp = self._options.align_of(self._contract.outputs[port].name), None
        if by == "auto":
            stamp = shared_stamp(a, b)
        elif by == "stamp":
            stamp = stamp_to_align_by(self._contract.outputs[port].name, a, b)
        if stamp is not None:
            return align_times(a.stamps[stamp], b.stamps[stamp], 0)
        if by == "tick":
            return align_ticks(len(a.times), len(b.times))
        if by == "cause":
            return align_steps(a.steps, b.steps)
        return align_times(a.times, b.times, self._time_tolerance_ns)


def _step(difference: Difference) -> int:
    return difference.step


def _of(outcome: Outcome, port: int) -> list[Published]:
    return [one for one in outcome.published if one.port == port]


def _series(messages: Sequence[Published], codec: Codec) -> _Series:
    length = np.array([len(one.data) for one in messages], np.int64)
    buffer = np.frombuffer(b"".join(one.data for one in messages), np.uint8)
    side = Side(np.arange(len(messages)), buffer, np.cumsum(length) - length, length)
    times = np.array([one.time_ns for one in messages], np.int64)
    steps = np.array([one.step for one in messages], np.int64)
    return _Series(list(messages), times, steps, side, codec)
