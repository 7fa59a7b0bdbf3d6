"""How what was found is said: of a field, a tick, an explanation and a distribution."""

from __future__ import annotations

import numpy as np

from ..message.time import seconds
from .deviation import Deviation
from .distribution import DistributionComparison
from .fields import FieldComparison, statistic
from .key_comparison import Aligned
from .simplest_law import Diagnosis, Extent
from .tolerance import MEASURES, TRAJECTORY

KEPT_FIELDS = 50
"""Fields of one message, or of one kind, that are told; the rest is only counted."""


def reason(deviation: Deviation) -> str:
    """By how much a field is off, and its tolerance; nothing where that has no meaning."""
    if deviation.error is None:
        return ""
    return f"    # off by {deviation.error:.6g}, tolerance {deviation.tolerance}"


def when(aligned: Aligned, side: int, tick: int, time_ns: int, other: int | None = None) -> str:
    """The tick of a message of a side, that of its partner if it is another, and the time.

    Also the step that it answers, if that is known, and the epoch, if there are several.
    """
    ticks = f"tick {tick}" if other in (None, tick) else f"tick {tick} / {other}"
    step = f", step {aligned.steps[side][tick]}" if aligned.steps else ""
    starts = aligned.epochs[side]
    epoch = f", epoch {1 + np.count_nonzero(starts <= tick)}" if len(starts) else ""
    return f"{ticks}{step}{epoch}, t = {seconds(time_ns)} s"


def explanation(law: Diagnosis | None, extent: Extent | None = None) -> str:
    """Why a field differs, in a sentence; `extent` where it does so in other messages as well."""
    where = "" if extent is None else f" {in_extent(extent)}"
    if law is None:
        return f"no simple explanation{where}" if extent is None or extent.differing else where[1:]
    if not law.predicts:
        return f"{law.sentence}{where and ','}{where}"
    return f"{law.sentence}; explains {law.explains * 100:.4g} % of the difference{where}"


def in_extent(extent: Extent) -> str:
    """Of which part of all differences a sentence is."""
    ticks = f"ticks {extent.first} … {extent.last}"
    if extent.of is None:
        return f"in {ticks}"
    if not extent.differing:
        return f"not looked for: no difference is in {ticks}, all {extent.of} are elsewhere"
    return f"in {extent.differing} of {extent.of} messages that differ ({ticks})"


def by_statistic(found: FieldComparison) -> str:
    """What a field is judged by as a whole, of all its elements or of each image."""
    by, value = statistic(found)
    if found.tolerance.by not in MEASURES:
        what = "poses" if found.tolerance.by in TRAJECTORY else "elements"
        return (
            f"{found.field or 'the pose'}: {by} is {value} over {found.compared} {what}, "
            f"tolerance {found.tolerance}"
        )
    parts = [f"{by} is {value}, the worst image"] if found.judged_tick is not None else []
    if found.other_lengths:
        parts.append(f"{found.other_lengths} images of another size")
    if found.wrong_ticks:
        parts.append(f"{found.wrong_ticks} wrong")
    return f"{found.field}: {', '.join(parts)}, tolerance {found.tolerance}"


def in_distribution(found: DistributionComparison) -> str:
    """How the distributions of a field differ, in numbers."""
    if found.why_not:
        return f"{found.field}: {found.why_not}, tolerance {found.tolerance}"
    shift = ""
    if found.element_shift:
        which = "mean" if found.element is None else f"element {found.element}"
        shift = f", {which} by {found.element_shift:.3g} standard errors"
    return (
        f"{found.field}: mean {found.means[1]:.6g} against {found.means[0]:.6g}, "
        f"standard deviation {found.deviations[1]:.6g} against {found.deviations[0]:.6g}, "
        f"Kolmogorov–Smirnov {found.ks:.3g} (p = {found.p:.2g}), "
        f"Wasserstein {found.wasserstein:.3g}{shift}, "
        f"effect {found.effect:.2g} standard deviations ({found.size}), tolerance {found.tolerance}"
    )
