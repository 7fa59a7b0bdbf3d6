"""Why the fields of keys differ: the simplest law for each.

It is sought in some thousand ticks from a little before the first difference on, and for fields
that differ first only later in some of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ...bag import Bag
from ...message.arrays import Column, Int64s, Mask
from ..align import Alignment
from ..fields import FieldComparison
from ..key_comparison import Explained, KeyComparison
from ..kinds import KINDS, kind_of_elements
from ..meant import Meant
from ..side_by_side import Side, paired_topics
from ..simplest_law import Diagnosis, Extent, InputsOf
from ..tolerance import Tolerances
from .diagnose import diagnose

_TICKS = 20_000
_LEAST_TICKS = 10  # of fewer, laws hold by chance
_TICKS_BEFORE = 1_000
_BYTES = 32 << 20
ALL_BYTES = 64 << 20
_ELEMENTS = 4096
_FIELDS = 300
_MOST_PASSES = 4
_Parts: TypeAlias = list[dict[str, Column]]


def explain(
    bags: tuple[Bag, Bag],
    keys: Sequence[KeyComparison],
    tolerances: Tolerances,
    inputs_of: InputsOf | None = None,
) -> list[KeyComparison]:
    """The same keys, those explained whose values differ beyond tolerance.

    With `inputs_of` also by what the messages answer. None for a field is "no simple explanation".
    The bags are read once; only where columns of all keys would take too much memory, the largest
    ones are put off to a pass of their own, as are fields of which the first difference lies beyond
    what was looked at, for some passes.
    """
    windows = {
        key.topic: _Window(bags, key, key.aligned.pairs, tolerances)
        for key in keys
        if key.aligned.pairs is not None and _can_be_explained(key)
    }
    explained: dict[str, Explained] = {}
    later: dict[str, int] = {}
    while windows:
        put_off: dict[str, _Window] = {}
        chosen = {topic: window.pairs for topic, window in windows.items()}
        for topic, side_a, side_b in paired_topics(*bags, chosen, to_the_end=False):
            if topic not in windows:
                continue
            windows[topic].add(side_a, side_b)
            if windows[topic].is_full:
                window = windows.pop(topic)
                known = explained.get(topic, Explained())
                explained[topic] = _joined(known, window.explained(inputs_of))
                later[topic] = later.get(topic, 0) + 1
                if later[topic] < _MOST_PASSES and window.later:
                    put_off[topic] = window.beginning_at(window.later)
            elif len(windows) > 1 and sum(window.size for window in windows.values()) > ALL_BYTES:
                largest = max(windows, key=lambda name: windows[name].size)
                put_off[largest] = windows.pop(largest).emptied()
            if not windows:
                break
        windows = put_off
    return [replace(key, explained=explained.get(key.topic, key.explained)) for key in keys]


def _can_be_explained(key: KeyComparison) -> bool:
    return key.aligned.count >= _LEAST_TICKS and not key.judged.fields_match


def _joined(first: Explained, later: Explained) -> Explained:
    """What is known of all fields; of those explained twice, what is known later."""
    old = {path: at for path, at in first.extents.items() if path not in later.diagnoses}
    return Explained({**first.diagnoses, **later.diagnoses}, {**old, **later.extents})


class _Window:
    """The numeric columns of both sides from a little before the first difference of a key on.

    Of some of its wrong fields, or else of all.
    """

    def __init__(
        self,
        bags: tuple[Bag, Bag],
        key: KeyComparison,
        pairs: Alignment,
        tolerances: Tolerances,
        fields: Collection[str] | None = None,
        before: int = _TICKS_BEFORE,
    ) -> None:
        self._wrong = {
            path: field
            for path, field in key.judged.fields.items()
            if not field.matches and (fields is None or path in fields)
        }
        wrong = self._wrong.values()
        firsts = [field.first_tick for field in wrong if field.first_tick is not None]
        first = int(np.searchsorted(pairs.a, min(firsts, default=0)))
        start = max(0, first - before)
        part = slice(start, start + _TICKS)
        self.pairs = replace(pairs, a=pairs.a[part], b=pairs.b[part])
        self.size = 0
        """Bytes of the columns so far."""
        self._key, self._whole_pairs = key, pairs
        self._again = bags, key, pairs, tolerances, fields, before
        codecs = bags[0].codec(key.topic), bags[1].codec(key.topic)
        self._meant = Meant(key.topic, codecs, tolerances)
        kinds = {path: kind_of_elements(kind) for path, kind in self._meant.types.items()}
        judged = key.judged.fields.values()
        told = {one.field: KINDS[one.kind] for one in judged if one.field not in kinds}
        kinds |= {path: kind for path, kind in told.items() if kind.elements}
        for path in self._meant.opened:
            del kinds[path]
        numeric = [path for path, kind in kinds.items() if kind.has_numbers][:_FIELDS]
        self._kinds = {path: kinds[path] for path in numeric}
        self._parts: tuple[_Parts, _Parts] = ([], [])
        self._ticks: list[Column] = []

    def emptied(self) -> _Window:
        """The same without what was taken."""
        return _Window(*self._again)

    def beginning_at(self, fields: Collection[str]) -> _Window:
        """One that begins before the first difference of these fields, and reaches it."""
        before = min(_TICKS_BEFORE, sum(map(len, self._ticks)) // 2)
        return _Window(*self._again[:4], fields, before)

    @property
    def later(self) -> list[str]:
        """The fields that differ first only after the ticks that were taken."""
        last = int(self._ticks[-1][-1])
        return [
            path
            for path, field in self._wrong.items()
            if field.first_tick is not None and field.first_tick > last
        ]

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be taken."""
        return self.size > _BYTES or sum(map(len, self._ticks)) == len(self.pairs.a)

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages."""
        self._ticks.append(a.ticks)
        columns = self._meant.columns(a, b, list(self._kinds), for_laws=True)
        for parts, found in zip(self._parts, columns, strict=True):
            parts.append({path: found[path] for path in self._kinds if path in found})
            self.size += sum(column.nbytes for column in parts[-1].values())

    def explained(self, inputs_of: InputsOf | None) -> Explained:
        """The laws of the fields that are beyond tolerance."""

        def matches(path: str, a: Column, b: Column) -> Mask:
            return self._kinds[path].matches(a, b, self._meant.tolerance_of(path))

        columns_a, columns_b = (
            {
                path: whole
                for path in self._kinds
                if all(path in part for part in parts)
                and (whole := _whole([part[path] for part in parts])) is not None
            }
            for parts in self._parts
        )
        ticks = np.concatenate(self._ticks)
        times = self._key.aligned.times_ns[0][ticks]
        inputs = inputs_of(self._key.topic, ticks) if inputs_of else {}
        found = diagnose(columns_a, columns_b, times, matches, inputs, ticks)
        diagnoses: dict[str, Diagnosis | None] = {}
        extents: dict[str, Extent] = {}
        for field in self._wrong.values():
            known = [path for path in field.parts if path in columns_a and path in columns_b]
            here = [path for path in known if path in found]
            diagnoses |= {path: found[path] for path in here}
            if known and len(ticks) < len(self._whole_pairs.a):
                differs = [~matches(path, columns_a[path], columns_b[path]) for path in known]
                rows = [part.reshape(len(ticks), -1).any(axis=1) for part in differs]
                count = int(np.count_nonzero(np.any(rows, axis=0)))
                extent = self._extent(field, ticks, count)
                if extent is not None:
                    told = here or known
                    extents |= dict.fromkeys(told, extent)
                    diagnoses |= {path: found.get(path) for path in told}
        return Explained(diagnoses, extents)

    def _extent(self, field: FieldComparison, ticks: Int64s, differing: int) -> Extent | None:
        """The ticks that were looked at, unless they have all differences of a field."""
        of = field.wrong_ticks if field.tolerance.by == "element" else None
        if of is not None and differing >= of:
            return None
        return Extent(int(ticks[0]), int(ticks[-1]), differing, of)


def _whole(parts: list[Column]) -> Column | None:
    """Columns end to end; None for arrays of different lengths, or more than can be tried."""
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1 or any(part.dtype == object or part.ndim > 2 for part in parts):
        return None
    if parts[0].ndim == 2 and not 0 < parts[0].shape[1] <= _ELEMENTS:
        return None
    return np.concatenate(parts)
