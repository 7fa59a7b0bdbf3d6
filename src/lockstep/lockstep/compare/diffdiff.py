"""The short form: whether two things are the same within a tolerance, whatever they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..bag import Bag
from .compare import compare
from .comparison import Comparison
from .deviation import Deviation
from .tolerance import ToleranceLike, tolerances_of
from .values import deviations
from .words import reason

_SHOWN = 20


@dataclass(frozen=True)
class ValueComparison:
    """The outcome of comparing two values; `deviations` are all fields that are not equal."""

    deviations: tuple[Deviation, ...]

    @property
    def all_match(self) -> bool:
        """Whether every field is within its tolerance."""
        return all(deviation.passes for deviation in self.deviations)

    def differences(self) -> Iterator[Deviation]:
        """The fields that are beyond their tolerance."""
        return (deviation for deviation in self.deviations if not deviation.passes)

    def summary(self) -> str:
        """The verdict, then the fields that differ; some lines."""
        wrong = list(self.differences())
        if not wrong:
            close = f", {len(self.deviations)} fields within tolerance" if self.deviations else ""
            return f"MATCH{close}"
        lines = [f"DIFFERENT: {len(wrong)} fields"]
        lines += [
            f"  {d.field or 'the value'} is {d.b}, expected {d.a}{reason(d)}"
            for d in wrong[:_SHOWN]
        ]
        if len(wrong) > _SHOWN:
            lines.append(f"  … {len(wrong) - _SHOWN} more like this")
        return "\n".join(lines)


def diffdiff(a: Any, b: Any, tol: ToleranceLike = None) -> Comparison | ValueComparison:
    """Compare `b` with the reference `a`; see `all_match` and `summary()` of what comes back.

    Bags, datasets and paths (as a Path, or as text beside one of these) are compared message by
    message as by `compare`; messages, dataclasses, dicts, lists, arrays, numbers and strings field
    by field. `tol` is one tolerance for all fields, a number being an absolute one, or one for each
    field pattern.
    """
    from ..dataset import Dataset  # as whoever compares bags needs none

    kinds = (Bag, Dataset, os.PathLike)
    sides = [isinstance(side, kinds) for side in (a, b)]
    if any(sides) and all(isinstance(side, (*kinds, str)) for side in (a, b)):
        return compare(a, b, tolerance=tol)
    return ValueComparison(tuple(deviations(a, b, tolerances_of(tol))))
