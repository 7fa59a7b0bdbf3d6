"""Hypothesis strategies for sequences of inputs: drawn from declared distributions, recorded, and
mutated."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..bag import BagError
from ..cdr.codec import Codec
from ..cdr.column_encoder import ColumnEncoder
from ..cdr.message_error import MessageError
from ..component import Contract
from ..distributions.distribution import Plan
from ..distributions.exact import normal_quantile
from ..distributions.random import Random
from ..distributions.recordings import BagRecordings
from ..distributions.rule import PartSource
from ..distributions.ticks import Ticks
from ..message.arrays import Column, Floats
from .input_mutations import mutated, numbers_of_interest
from .message_fields import Message
from .sequence import Inputs, Step, codecs_of, is_playable, span_ns

_START_NS = 1_000_000_000
_BITS = 32
_ONE_BY_ONE = 16
"""More numbers at once than these come from a seed, not each from Hypothesis."""
_SPAN = 30
_MUTATIONS = 3
_HEADER = "std_msgs/msg/Header"


@dataclass(frozen=True)
class Space:
    """What inputs there are: recorded ones, drawn ones, and by port what draws more (none without a
    distribution).

    `interest` are numbers that components may treat in their own way.
    """

    contract: Contract
    recorded: Inputs
    drawn: Inputs
    plans: dict[int, Plan]
    interest: Sequence[float]
    codecs: list[Codec] = field(default_factory=list)
    period_ns: int = 10_000_000

    @classmethod
    def of(
        cls,
        contract: Contract,
        recorded: Inputs,
        drawn: Inputs,
        plans: dict[int, Plan],
        parameters: dict[str, Any],
    ) -> Space:
        """The space of a contract; `parameters` are the values that differ from the defaults."""
        values = {p.name: p.default for p in contract.parameters} | parameters
        interest = numbers_of_interest(list(values.values()))
        codecs = codecs_of(contract.inputs)
        return cls(contract, recorded, drawn, plans, interest, codecs, span_ns(recorded or drawn))


@st.composite
def sequences(draw: st.DrawFn, space: Space, most: int) -> Inputs:
    """Sequences of at most about `most` steps that a bag can hold."""
    making = _Making(draw, space)
    draw(st.lists(st.builds(making.add), min_size=1, max_size=most))
    return tuple(making.steps[: most + _SPAN])


class _Making:
    """A sequence that is being made; everything is chosen by `draw`, simple choices first."""

    def __init__(self, draw: st.DrawFn, space: Space) -> None:
        self._draw, self._space = draw, space
        self.steps: list[Step] = []
        self._last: dict[int, bytes] = {}
        random = _Drawn(draw, {})
        recordings = BagRecordings()
        self._encoders = {port: ColumnEncoder(space.codecs[port]) for port in space.plans}
        self._sources: dict[int, PartSource] = {
            port: plan.source(random.named(plan.label), recordings)
            for port, plan in space.plans.items()
        }

    def add(self) -> None:
        """Add a step, or several recorded ones."""
        kind = self._pick(0, 5)
        if kind < 2 and self._space.recorded:
            self._add_recorded()
            return
        port = self._pick(0, len(self._space.codecs) - 1)
        now_ns = self._next_time()
        data = self._base(port, kind, now_ns)
        self._append(port, now_ns, self._changed(port, data, now_ns))

    def _pick(self, low: int, high: int) -> int:
        return low if low == high else self._draw(_integers(low, high))

    def _add_recorded(self) -> None:
        recorded = self._space.recorded
        start = self._pick(0, len(recorded) - 1)
        count = self._pick(1, min(_SPAN, len(recorded) - start))
        chosen = recorded[start : start + count]
        shift_ns = self._next_time() - chosen[0].time_ns if self.steps else 0
        at = self._pick(0, 2 * count)  # one of them is changed, or none
        for index, step in enumerate(chosen):
            now_ns = step.time_ns + shift_ns
            data = self._shifted(step.port, step.data, shift_ns)
            changed = self._changed(step.port, data, now_ns) if index == at - 1 else data
            self._append(step.port, now_ns, changed)

    def _base(self, port: int, kind: int, now_ns: int) -> bytes:
        """A message that was drawn before, or is recorded, or the one before once more, or is drawn
        now, or is empty."""
        if kind == 4 and port in self._last:
            return self._last[port]
        if kind == 5 and port in self._sources:
            columns = self._sources[port](Ticks(np.array([now_ns]), _START_NS))
            buffer, _, _ = self._encoders[port].encode(columns, 1)
            return buffer.tobytes()
        steps = self._space.drawn if kind < 4 and self._space.drawn else self._space.recorded
        if steps:
            step = steps[self._pick(0, len(steps) - 1)]
            if step.port == port:
                return self._shifted(port, step.data, now_ns - step.time_ns)
        return Message.empty(self._space.codecs[port]).encoded()

    def _changed(self, port: int, data: bytes, now_ns: int) -> bytes:
        count = self._pick(0, _MUTATIONS)
        if not count:
            return data
        codec = self._space.codecs[port]
        before = self._last.get(port)
        try:
            message = Message.decoded(codec, data)
            previous = None if before is None else Message.decoded(codec, before)
            for _ in range(count):
                message = mutated(message, self._pick, self._space.interest, previous, now_ns)
            return message.encoded()
        except (MessageError, BagError):  # recorded bytes that are no message stay as they are
            return data

    def _next_time(self) -> int:
        if not self.steps:
            return _START_NS
        last_ns, how = self.steps[-1].time_ns, self._pick(0, 7)
        if how == 7:
            return last_ns - self._pick(2, 10) * _START_NS
        extra_ns = (self._space.period_ns, 0, 1, 1_000_000, 100_000_000, 2_000_000_000)
        return last_ns + extra_ns[how] if how < 6 else last_ns + self._pick(0, 1 << 40)

    def _append(self, port: int, time_ns: int, data: bytes) -> None:
        if is_playable([*self.steps, step := Step(port, time_ns, data)]):
            self.steps.append(step)
            self._last[port] = data

    def _shifted(self, port: int, data: bytes, shift_ns: int) -> bytes:
        """The message with the stamp of its header moved; CDR begins with 4 bytes, then come sec
        and nanosec."""
        fields = self._space.codecs[port].schema.root.fields
        if not shift_ns or not fields or fields[0].type != _HEADER or len(data) < 12:
            return data
        order = "<iI" if data[1] & 1 else ">iI"
        sec, nanosec = struct.unpack_from(order, data, 4)
        sec, nanosec = divmod(max(0, sec * 1_000_000_000 + nanosec + shift_ns), 1_000_000_000)
        stamp = struct.pack(order, min(sec, 2**31 - 1), nanosec)
        return data[:4] + stamp + data[12:]


class _Drawn(Random):
    """Random numbers that Hypothesis chooses: simple ones lie in the middle of a distribution.

    Streams of one name are the same, as with Random; correlated fields rely on that.
    """

    def __init__(self, draw: st.DrawFn, known: dict[str, list[float]], name: str = "") -> None:
        self.seed, self.name = 0, name
        self._draw, self._known = draw, known
        self._numbers = known.setdefault(name, [])
        self._taken = 0

    def named(self, name: str) -> Random:
        return _Drawn(self._draw, self._known, f"{self.name}:{name}")

    @property
    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self._draw(_integers(0, 1 << _BITS)))

    def uniform(self, count: int) -> Floats:
        while len(self._numbers) < self._taken + count:
            missing = self._taken + count - len(self._numbers)
            self._numbers += self._more(missing)
        found = self._numbers[self._taken : self._taken + count]
        self._taken += count
        return np.array(found, np.float64)

    def normal(self, count: int) -> Floats:
        return normal_quantile(self.uniform(count))

    def integers(self, low: int, high: int, count: int) -> Column:
        if count > _ONE_BY_ONE:
            return self._seeded().integers(low, high, count)
        found = [self._draw(_integers(low, high)) for _ in range(count)]
        return np.array(found, np.uint64 if high >= 1 << 63 else np.int64)

    def _more(self, count: int) -> list[float]:
        if count > _ONE_BY_ONE:
            return [float(number) for number in self._seeded().uniform(count)]
        return [_share(self._draw(_integers(0, (1 << _BITS) - 1))) for _ in range(count)]

    def _seeded(self) -> Random:
        return Random(self._draw(_integers(0, (1 << _BITS) - 1)), self.name)


@functools.lru_cache(4096)
def _integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def _share(number: int) -> float:
    """1/2 for 0, then 1/4, 3/4, 1/8, …: the van der Corput sequence, which has simple fractions
    first.

    As those of Random, none is exactly a fraction: vectors of normal numbers that all are 0 have no
    direction.
    """
    number += 1
    bits = number.bit_length()
    return int(f"{number:b}"[::-1], 2) / float(1 << bits) + 2.0**-53
