"""Why the fields of keys differ: the simplest law for each, found in some thousand ticks from the first difference on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ...bag import Bag
from ...message.arrays import Column, Mask
from ...message.primitives import STRINGS
from ...message.schema import TIMES, base_type
from ..comparison import KeyComparison
from ..judge import judge, judge_times
from ..pairs import Side, columns_of, paired_topics
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


def explain(bags: tuple[Bag, Bag], keys: Iterable[KeyComparison], tolerances: Tolerances) -> None:
    """Set `diagnoses` of the keys whose values differ; None for a field is "no simple explanation"."""
    windows = {key.topic: _Window(bags, key) for key in keys if _can_be_explained(key)}
    while windows:
        put_off: dict[str, _Window] = {}
        chosen = {topic: window.aligned for topic, window in windows.items()}
        for topic, side_a, side_b in paired_topics(*bags, chosen, to_the_end=False):
            if topic not in windows:
                continue
            windows[topic].add(side_a, side_b)
            if windows[topic].is_full:
                windows.pop(topic).explain(tolerances)
            elif len(windows) > 1 and sum(window.size for window in windows.values()) > ALL_BYTES:
                largest = max(windows, key=lambda name: windows[name].size)
                put_off[largest] = windows.pop(largest).emptied()
            if not windows:
                break
        windows = put_off


def _can_be_explained(key: KeyComparison) -> bool:
    if key.alignment is None or key.aligned < _LEAST_TICKS:
        return False
    return not all(found.matches for found in key.fields.values())


class _Window:
    """The numeric columns of both sides, and times, from a little before the first difference of a key on."""

    def __init__(self, bags: tuple[Bag, Bag], key: KeyComparison) -> None:
        aligned = key.alignment
        assert aligned is not None
        firsts = [found.first_tick for found in key.fields.values() if found.first_tick is not None]
        first = int(np.searchsorted(aligned.a, min(firsts, default=0)))
        start = max(0, first - _TICKS_BEFORE)
        part = slice(start, start + _TICKS)
        self.aligned = replace(aligned, a=aligned.a[part], b=aligned.b[part])
        self.size = 0
        """Bytes of the columns so far."""
        self._bags, self._key = bags, key
        self._codecs = bags[0].codec(key.topic), bags[1].codec(key.topic)
        self._kinds = self._codecs[0].fields()
        self._paths = [
            path
            for path, kind in self._kinds.items()
            if base_type(kind) not in STRINGS and path not in key.unlike
        ][:_FIELDS]
        self._parts: tuple[_Parts, _Parts] = ([], [])
        self._ticks: list[Column] = []

    def emptied(self) -> _Window:
        """The same without what was taken."""
        return _Window(self._bags, self._key)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be taken."""
        return self.size > _BYTES or sum(map(len, self._ticks)) == len(self.aligned.a)

    def add(self, a: Side, b: Side) -> None:
        """Take the next messages."""
        self._ticks.append(a.ticks)
        for side, codec, parts in zip((a, b), self._codecs, self._parts, strict=True):
            parts.append(columns_of(side, codec, self._key.topic, self._paths))
            self.size += sum(column.nbytes for column in parts[-1].values())

    def explain(self, tolerances: Tolerances) -> None:
        """Set the diagnoses of the key."""
        kinds = self._kinds

        def matches(path: str, a: Column, b: Column) -> Mask:
            tolerance, kind = tolerances.of(path), base_type(kinds[path])
            if kind in TIMES:
                return ~judge_times(a, b, tolerance, duration=kind.endswith("Duration"))[1]
            return ~judge(a, b, tolerance)[1]

        columns_a, columns_b = (
            {
                path: whole
                for path in self._paths
                if (whole := _whole([part[path] for part in parts])) is not None
            }
            for parts in self._parts
        )
        times = self._key.times_ns[0][np.concatenate(self._ticks)]
        found = diagnose(columns_a, columns_b, times, matches)
        fields = self._key.fields.values()
        wrong = {path for field in fields if not field.matches for path in field.parts}
        self._key.diagnoses = {path: law for path, law in found.items() if path in wrong}


def _whole(parts: list[Column]) -> Column | None:
    """Columns end to end; None if they hold no numbers, arrays of different lengths, or more than can be tried."""
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1 or any(part.dtype == object or part.ndim > 2 for part in parts):
        return None
    if parts[0].ndim == 2 and not 0 < parts[0].shape[1] <= _ELEMENTS:
        return None
    return np.concatenate(parts)
