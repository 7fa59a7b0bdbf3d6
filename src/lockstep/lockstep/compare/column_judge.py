"""Judging messages whose bytes differ: field by field, as columns of some thousand at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..cdr.codec import Codec
from ..message.arrays import Column, Int64s, Mask
from .any_order import AnyOrder
from .definitions import common, unlike
from .fields import FieldComparison
from .kinds import KINDS, subject_of
from .side_by_side import Side, columns_of
from .tally import FieldTally
from .tolerance import MEASURES, Tolerances

_TINY = 1e-12


class ColumnJudge:
    """Judges the messages of one topic and keeps count of each field.

    Raises CompareError for tolerances that make no sense for their fields.
    """

    def __init__(self, topic: str, codecs: tuple[Codec, Codec], tolerances: Tolerances) -> None:
        self._topic = topic
        self._codecs = codecs
        self._tallies: dict[str, FieldTally] = {}
        types = common(*codecs)
        self._any_order = AnyOrder(types, tolerances)
        rules = {path: tolerances.of(path) for path in types}
        self.ignored = (
            *(path for path in unlike(*codecs) if tolerances.of(path).ignore),
            *(path for path, tolerance in rules.items() if tolerance.ignore),
        )
        """The paths of fields that a tolerance leaves out."""
        for path, tolerance in rules.items():
            if tolerance.ignore:
                continue
            subject = subject_of(path, types, tolerance)
            if not subject.path:
                subject = replace(subject, type=codecs[0].type)
            if subject.path not in self._tallies:
                self._tallies[subject.path] = FieldTally(topic, subject, tolerance)
        wanted = (tally.subject.columns for tally in self._tallies.values())
        self._paths = list(dict.fromkeys(path for columns in wanted for path in columns))

    @property
    def needs_all(self) -> bool:
        """Whether messages with equal bytes count as well."""
        each = ("element", *MEASURES)
        return any(tally.tolerance.by not in each for tally in self._tallies.values())

    @property
    def fields(self) -> dict[str, FieldComparison]:
        """What is known so far of each field, by path."""
        return {path: tally.result() for path, tally in self._tallies.items()}

    @property
    def largest_at(self) -> set[int]:
        """The ticks at which fields have their largest error so far."""
        ticks = (tally.max_tick for tally in self._tallies.values())
        return {tick for tick in ticks if tick is not None}

    @property
    def climbed_at(self) -> set[int]:
        """The ticks at which errors of a field became much larger than before."""
        return set().union(*(tally.climbed_at for tally in self._tallies.values()))

    @property
    def first_beyond_rounding(self) -> int | None:
        """The first tick with an error beyond tolerance that is not next to nothing beside others.

        None if there is none.
        """
        errors = [tally.result().max_error for tally in self._tallies.values()]
        largest = max((error for error in errors if math.isfinite(error)), default=0.0)
        firsts = (tally.first_larger(_TINY * largest) for tally in self._tallies.values())
        return min((tick for tick in firsts if tick is not None), default=None)

    def judge(self, a: Side, b: Side) -> Mask:
        """Which of m messages are beyond a tolerance that holds for each element, (m,).

        Raises BagError that names a message that is none, CompareError for what cannot be judged.
        """
        columns_a, columns_b = self._any_order.arranged(*self._columns(a, b))
        return self._judge(a.ticks, columns_a, columns_b)

    def _columns(self, a: Side, b: Side) -> tuple[dict[str, Column], dict[str, Column]]:
        found_a, found_b = (
            columns_of(side, codec, self._topic, self._paths)
            for side, codec in zip((a, b), self._codecs, strict=True)
        )
        return found_a, found_b

    def _judge(self, ticks: Int64s, a: Mapping[str, Column], b: Mapping[str, Column]) -> Mask:
        wrong: Mask = np.zeros(len(ticks), np.bool_)
        for tally in self._tallies.values():
            wrong |= KINDS[tally.subject.kind].judge(tally, ticks, a, b)
        return wrong
