"""Why the fields of one key differ: the simplest law for each, found in some thousand ticks from the first difference on."""

from __future__ import annotations

import numpy as np

from ..bag import Bag
from ..bag.schema import STRINGS, TIMES, base_type
from .align import Alignment
from .comparison import KeyComparison
from .diagnose import diagnose
from .judge import Column, Mask, judge, judge_times
from .pairs import paired_columns
from .tolerance import Tolerances

_TICKS = 20_000
_LEAST_TICKS = 10  # of fewer, laws hold by chance
_TICKS_BEFORE = 1_000
_BYTES = 32 << 20
_ELEMENTS = 4096
_FIELDS = 300


def explain(bags: tuple[Bag, Bag], key: KeyComparison, tolerances: Tolerances) -> None:
    """Set `key.diagnoses` if its values differ; None for a field is "no simple explanation"."""
    if key.alignment is None or key.aligned < _LEAST_TICKS:
        return
    if all(found.matches for found in key.fields.values()):
        return
    kinds = bags[0].codec(key.topic).fields()
    paths = [
        path
        for path, kind in kinds.items()
        if base_type(kind) not in STRINGS and path not in key.unlike
    ][:_FIELDS]
    columns_a, columns_b, times = _window(bags, key, paths)

    def matches(path: str, a: Column, b: Column) -> Mask:
        tolerance, kind = tolerances.of(path), base_type(kinds[path])
        if kind in TIMES:
            return ~judge_times(a, b, tolerance, duration=kind.endswith("Duration"))[1]
        return ~judge(a, b, tolerance)[1]

    found = diagnose(columns_a, columns_b, times, matches)
    wrong = {path for field in key.fields.values() if not field.matches for path in field.parts}
    key.diagnoses = {path: law for path, law in found.items() if path in wrong}


def _window(
    bags: tuple[Bag, Bag], key: KeyComparison, paths: list[str]
) -> tuple[dict[str, Column], dict[str, Column], Column]:
    """The numeric columns of both sides, and times, from a little before the first difference on."""
    aligned = key.alignment
    assert aligned is not None
    firsts = [found.first_tick for found in key.fields.values() if found.first_tick is not None]
    first = int(np.searchsorted(aligned.a, min(firsts, default=0)))
    start = max(0, first - _TICKS_BEFORE)
    part = slice(start, start + _TICKS)
    none = np.empty(0, np.int64)
    chosen = Alignment(aligned.a[part], aligned.b[part], none, none, none.reshape(0, 2))
    parts_a: dict[str, list[Column]] = {path: [] for path in paths}
    parts_b: dict[str, list[Column]] = {path: [] for path in paths}
    ticks: list[Column] = []
    size = 0
    for some, columns_a, columns_b in paired_columns(*bags, key.topic, chosen, paths):
        ticks.append(some)
        for path in paths:
            parts_a[path].append(columns_a[path])
            parts_b[path].append(columns_b[path])
            size += columns_a[path].nbytes + columns_b[path].nbytes
        if size > _BYTES:
            break
    joined = [
        {path: whole for path, found in parts.items() if (whole := _whole(found)) is not None}
        for parts in (parts_a, parts_b)
    ]
    return joined[0], joined[1], key.times_ns[0][np.concatenate(ticks)]


def _whole(parts: list[Column]) -> Column | None:
    """Columns end to end; None if they hold no numbers, arrays of different lengths, or more than can be tried."""
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1 or any(part.dtype == object or part.ndim > 2 for part in parts):
        return None
    if parts[0].ndim == 2 and not 0 < parts[0].shape[1] <= _ELEMENTS:
        return None
    return np.concatenate(parts)
