"""Judging messages whose bytes differ: field by field, as columns of some thousand at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..cdr.codec import Codec
from ..message.arrays import Column, Int64s, Mask
from .definitions import unlike
from .fields import FieldComparison
from .kinds import KINDS, subject_of
from .kinds.keyed import KEYED
from .meant import Meant
from .side_by_side import Side
from .subject import Subject
from .tally import FieldTally
from .tolerance import MEASURES, Tolerances

_TINY = 1e-12


class ColumnJudge:
    """Judges the messages of one topic and keeps count of each field.

    Raises CompareError for tolerances that make no sense for their fields.
    """

    def __init__(self, topic: str, codecs: tuple[Codec, Codec], tolerances: Tolerances) -> None:
        self._topic = topic
        self._tallies: dict[str, FieldTally] = {}
        tolerances = tolerances.at(topic)
        self._meant = Meant(topic, codecs, tolerances)
        self._known: set[str] = set()
        self._root = codecs[0].type
        apart = (path for path in unlike(*codecs) if tolerances.of(path).ignore)
        self._ignored = dict.fromkeys(apart)
        self._begin(self._meant.types)

    def _begin(self, types: Mapping[str, str]) -> None:
        """Count what is found of these fields from now on."""
        for path in types:
            tolerance = self._meant.tolerance_of(path)
            if tolerance.ignore:
                self._ignored[path] = None
                continue
            if path in self._meant.keyed:
                subject = Subject(path, types[path], KEYED.name, (path,), (path,))
            else:
                subject = subject_of(path, types, tolerance)
            if not subject.path:
                subject = replace(subject, type=self._root)
            if subject.path not in self._tallies:
                self._tallies[subject.path] = FieldTally(self._topic, subject, tolerance)
        self._known |= types.keys()
        wanted = (tally.subject.columns for tally in self._tallies.values())
        self._paths = list(dict.fromkeys(path for columns in wanted for path in columns))
        self._paths += [path for path in self._meant.opened if path not in self._paths]

    @property
    def ignored(self) -> tuple[str, ...]:
        """The paths of fields that a tolerance leaves out."""
        return tuple(self._ignored)

    @property
    def needs_all(self) -> bool:
        """Whether messages with equal bytes count as well."""
        each = ("element", *MEASURES)
        known = (tally.tolerance for tally in self._tallies.values())
        return any(tolerance.by not in each for tolerance in (*known, *self._meant.rules_to_come))

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
        columns_a, columns_b = self._meant.columns(a, b, self._paths)
        new = {path: self._meant.types[path] for path in self._meant.types.keys() - self._known}
        if new:
            self._begin(dict(sorted(new.items())))
        return self._judge(a.ticks, columns_a, columns_b)

    def _judge(self, ticks: Int64s, a: Mapping[str, Column], b: Mapping[str, Column]) -> Mask:
        wrong: Mask = np.zeros(len(ticks), np.bool_)
        for tally in self._tallies.values():
            if not a.keys() >= set(tally.subject.columns):  # of clouds that have other fields
                continue
            wrong |= KINDS[tally.subject.kind].judge(tally, ticks, a, b)
        return wrong
