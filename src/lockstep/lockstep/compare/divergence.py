"""How far two trajectories come apart over time, as a table for each topic with points."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..bag import Bag
from ..message.arrays import Floats, Int64s
from ..message.time import NS_PER_S
from .comparison import Comparison
from .epochs import epochs_of
from .fields import FieldComparison
from .key_comparison import KeyComparison
from .kinds import KINDS
from .kinds.point import POINT
from .meant import paired_columns
from .tolerance import Tolerances
from .transforms import as_compared


def write_divergences(comparison: Comparison, bags: tuple[Bag, Bag], folder: Path) -> list[Path]:
    """Write TOPIC.divergence.txt for each topic with a field that is judged as a point: the largest
    error of its points and rotations in each second. Raises OSError and BagError."""
    files = []
    bags = as_compared(bags, comparison)
    for key in comparison.keys.values():
        fields = [found for found in key.judged.fields.values() if not _errs_by_element(found)]
        if not any(found.kind == POINT.name for found in fields) or key.aligned.pairs is None:
            continue
        stem = re.sub(r"[^\w.-]", "_", key.topic.strip("/").replace("/", "__"))
        file = folder / f"{stem}.divergence.txt"
        file.write_text("\n".join(_lines(key, bags, fields, comparison.tolerances)) + "\n", "utf-8")
        files.append(file)
    return files


def _errs_by_element(found: FieldComparison) -> bool:
    return KINDS[found.kind].errs_by_element


def _lines(
    key: KeyComparison,
    bags: tuple[Bag, Bag],
    fields: list[FieldComparison],
    tolerances: Tolerances,
) -> Iterator[str]:
    yield f"# {key.topic}: the largest error in each second"
    for found in fields:
        within = "" if found.matches else f", beyond it from tick {found.first_tick} on"
        yield f"# {found.field}: tolerance {found.tolerance}{within}"
    yield "# " + "  ".join(["epoch", "second", *(found.field for found in fields)])
    ticks, errors = _errors(key, bags, fields, tolerances)
    second = key.aligned.times_ns[0][ticks] // NS_PER_S
    epoch = epochs_of(ticks, key.aligned.epochs[0])
    begins = np.flatnonzero(np.diff(second, prepend=-1) | np.diff(epoch, prepend=-1))
    for begin, end in zip(begins, [*begins[1:], len(ticks)], strict=True):
        largest = (f"{error:.6g}" for error in errors[:, begin:end].max(axis=1))
        yield "  ".join([str(epoch[begin] + 1), str(second[begin]), *largest])


def _errors(
    key: KeyComparison,
    bags: tuple[Bag, Bag],
    fields: list[FieldComparison],
    tolerances: Tolerances,
) -> tuple[Int64s, Floats]:
    """The ticks of A (n,) and the errors of each field, (k, n)."""
    pairs, paths = key.aligned.pairs, [path for found in fields for path in found.parts]
    assert pairs is not None
    ticks: list[Int64s] = [np.empty(0, np.int64)]
    errors: list[Floats] = [np.empty((len(fields), 0))]
    for some, a, b in paired_columns(*bags, key.topic, pairs, paths, tolerances):
        ticks.append(some)
        shown = [KINDS[found.kind].show(found, a, b, 0) for found in fields]
        errors.append(np.stack([one.error.max(axis=1) for one in shown]))
    return np.concatenate(ticks), np.concatenate(errors, axis=1)
