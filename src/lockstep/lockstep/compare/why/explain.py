"""Why the fields of keys differ: the simplest law for each.

It is sought in some thousand ticks from a little before the first difference on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ...bag import Bag
from ...message.arrays import Column, Mask
from ..align import Alignment
from ..key_comparison import Explained, KeyComparison
from ..kinds import kind_of_elements
from ..side_by_side import Side, columns_of, paired_topics
from ..tolerance import Tolerances
from .diagnose import diagnose

_TICKS = 20_000
_LEAST_TICKS = 10  # of fewer, laws hold by chance
_TICKS_BEFORE = 1_000
_BYTES = 32 << 20
ALL_BYTES = 64 << 20
_ELEMENTS = 4096
_FIELDS = 300
_Parts: TypeAlias = list[dict[str, Column]]


def explain(
    bags: tuple[Bag, Bag], keys: Sequence[KeyComparison], tolerances: Tolerances
) -> list[KeyComparison]:
    """The same keys, those explained whose values differ beyond tolerance.

    None for a field is "no simple explanation". The bags are read once; only where columns of all
    keys would take too much memory, the largest ones are put off to a pass of their own.
    """
    windows = {
        key.topic: _Window(bags, key, key.aligned.pairs)
        for key in keys
        if key.aligned.pairs is not None and _can_be_explained(key)
    }
    explained: dict[str, Explained] = {}
    while windows:
        put_off: dict[str, _Window] = {}
        chosen = {topic: window.pairs for topic, window in windows.items()}
        for topic, side_a, side_b in paired_topics(*bags, chosen, to_the_end=False):
            if topic not in windows:
                continue
            windows[topic].add(side_a, side_b)
            if windows[topic].is_full:
                explained[topic] = windows.pop(topic).explained(tolerances)
            elif len(windows) > 1 and sum(window.size for window in windows.values()) > ALL_BYTES:
                largest = max(windows, key=lambda name: windows[name].size)
                put_off[largest] = windows.pop(largest).emptied()
            if not windows:
                break
        windows = put_off
    return [replace(key, explained=explained.get(key.topic, key.explained)) for key in keys]


def _can_be_explained(key: KeyComparison) -> bool:
    return key.aligned.count >= _LEAST_TICKS and not key.judged.fields_match


class _Window:
    """The numeric columns of both sides from a little before the first difference of a key on."""

    def __init__(self, bags: tuple[Bag, Bag], key: KeyComparison, pairs: Alignment) -> None:
        fields = key.judged.fields.values()
        firsts = [found.first_tick for found in fields if found.first_tick is not None]
        first = int(np.searchsorted(pairs.a, min(firsts, default=0)))
        start = max(0, first - _TICKS_BEFORE)
        part = slice(start, start + _TICKS)
        self.pairs = replace(pairs, a=pairs.a[part], b=pairs.b[part])
        self.size = 0
        """Bytes of the columns so far."""
        self._again = bags, key, pairs
        self._key = key
        self._codecs = bags[0].codec(key.topic), bags[1].codec(key.topic)
        types = self._codecs[0].fields()
        kinds = {path: kind_of_elements(types[path]) for path in types if path not in key.unlike}
        numeric = [path for path, kind in kinds.items() if kind.has_numbers][:_FIELDS]
        self._kinds = {path: kinds[path] for path in numeric}
        self._parts: tuple[_Parts, _Parts] = ([], [])
        self._ticks: list[Column] = []

    def emptied(self) -> _Window:
        """The same without what was taken."""
        return _Window(*self._again)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be taken."""
        return self.size > _BYTES or sum(map(len, self._ticks)) == len(self.pairs.a)

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages."""
        self._ticks.append(a.ticks)
        for side, codec, parts in zip((a, b), self._codecs, self._parts, strict=True):
            parts.append(columns_of(side, codec, self._key.topic, list(self._kinds)))
            self.size += sum(column.nbytes for column in parts[-1].values())

    def explained(self, tolerances: Tolerances) -> Explained:
        """The laws of the fields that are beyond tolerance."""

        def matches(path: str, a: Column, b: Column) -> Mask:
            return self._kinds[path].matches(a, b, tolerances.of(path))

        columns_a, columns_b = (
            {
                path: whole
                for path in self._kinds
                if (whole := _whole([part[path] for part in parts])) is not None
            }
            for parts in self._parts
        )
        times = self._key.aligned.times_ns[0][np.concatenate(self._ticks)]
        found = diagnose(columns_a, columns_b, times, matches)
        fields = self._key.judged.fields.values()
        wrong = {path for field in fields if not field.matches for path in field.parts}
        return Explained({path: law for path, law in found.items() if path in wrong})


def _whole(parts: list[Column]) -> Column | None:
    """Columns end to end; None for arrays of different lengths, or more than can be tried."""
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1 or any(part.dtype == object or part.ndim > 2 for part in parts):
        return None
    if parts[0].ndim == 2 and not 0 < parts[0].shape[1] <= _ELEMENTS:
        return None
    return np.concatenate(parts)
