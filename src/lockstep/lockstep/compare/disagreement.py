"""At which messages two sides disagree, and how much: all those that a comparison only counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from ..bag import Bag
from ..message.arrays import Floats, Int64s, Mask
from .align import Alignment
from .as_bags import SideLike, as_bags
from .compare import compare
from .comparison import Comparison
from .field_blocks import field_blocks
from .fields import FieldComparison
from .key_comparison import KeyComparison
from .kinds import KINDS
from .payloads import equal_payloads
from .side_by_side import pairs
from .tolerance import ToleranceLike, Tolerances
from .transforms import as_compared

_LEAST = 1e-9  # the score of a message whose fields are wrong by next to nothing


@dataclass(frozen=True)
class Disagreement:
    """The messages of one topic at which B is not as A, in the order of A and then of B.

    `time_ns` (n,) are their log times in A, or in B where A has none. `score` (n,) is from 0 to 1:
    the error of the worst field beyond its tolerance, as a share of the largest that this field has
    anywhere; 1 where a message has no partner, or cannot be compared. `tick` (n,) is that of A, or
    -1.
    """

    time_ns: Int64s
    score: Floats
    tick: Int64s


def disagreements(comparison: Comparison, bags: tuple[Bag, Bag]) -> dict[str, Disagreement]:
    """Where the bags that were compared disagree, by topic; topics that agree are left out.

    Fields that are judged by a statistic disagree where an element is beyond the limit for one.
    Raises BagError as reading does.
    """
    bags = as_compared(bags, comparison)
    found = {}
    for topic, key in comparison.keys.items():
        if not key.matches:
            one = _of_topic(key, bags, comparison.tolerances)
            if len(one.score):
                found[topic] = one
    return found


def disagreements_of(
    a: SideLike, b: SideLike, *, tolerance: ToleranceLike = None
) -> dict[str, Disagreement]:
    """Where `b` disagrees with the reference `a`: bags, paths or URLs of bags, or datasets."""
    with ExitStack() as stack:
        bags = as_bags(a, b, stack)
        return disagreements(compare(*bags, tolerance=tolerance), bags)


def _of_topic(key: KeyComparison, bags: tuple[Bag, Bag], tolerances: Tolerances) -> Disagreement:
    topic = key.topic
    times_a, times_b = (
        bag.times(topic) if topic in bag.topics else np.empty(0, np.int64) for bag in bags
    )
    together = key.aligned.pairs
    score = np.zeros(len(times_a))
    if key.problem is not None or together is None:
        score += 1.0 if key.problem is not None else 0.0
        alone: Int64s = np.arange(0 if len(times_a) else len(times_b), dtype=np.int64)
    else:
        score[together.only_a] = 1.0
        score[together.reordered[:, 0]] = 1.0
        alone = together.only_b
        for ticks, worse in _scores(key, together, bags, tolerances):
            score[ticks] = np.maximum(score[ticks], worse)
    ticks = np.flatnonzero(score)
    return Disagreement(
        np.concatenate([times_a[ticks], times_b[alone]]),
        np.concatenate([score[ticks], np.ones(len(alone))]),
        np.concatenate([ticks, np.full(len(alone), -1)]),
    )


def _scores(
    key: KeyComparison, together: Alignment, bags: tuple[Bag, Bag], tolerances: Tolerances
) -> Iterator[tuple[Int64s, Floats]]:
    """Ticks of A (m,) and how wrong each is, some at a time."""
    if key.undecoded:
        for side_a, side_b in pairs(*bags, key.topic, together):
            yield side_a.ticks, (~equal_payloads(side_a, side_b)).astype(float)
        return
    wrong = [field for field in key.judged.fields.values() if not field.matches]
    for _, ticks, a, b in field_blocks(bags, key.topic, together, wrong, tolerances):
        for field in wrong:
            shown = KINDS[field.kind].show(field, a, b, 0)
            yield ticks, _shares(field, shown.error, shown.wrong)


def _shares(field: FieldComparison, error: Floats, wrong: Mask) -> Floats:
    """The worst error beyond tolerance of each message, as a share of the largest one, (m,)."""
    if not error.shape[1]:
        return np.zeros(len(error))
    size = np.abs(error)
    if math.isfinite(field.max_error) and field.max_error > 0:
        size = np.minimum(size / field.max_error, 1.0)
    share = np.where(np.isfinite(size), np.clip(size, _LEAST, 1.0), 1.0)
    worst: Floats = np.where(wrong, share, 0.0).max(axis=1)
    return worst
