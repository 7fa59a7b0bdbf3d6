"""Whether another way to align would make most differences vanish."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..bag import Bag
from .align import Align
from .bytes_judge import BytesJudge
from .key_comparison import BetterAlign, KeyComparison
from .key_judge import KeyJudge
from .one_pass import How, Paired, aligned_pairs
from .tolerance import Tolerances

_MOST = 0.5


def better_aligned(
    bags: tuple[Bag, Bag],
    keys: Mapping[str, KeyComparison],
    how: How,
    paired: Paired,
    tolerances: Tolerances,
    start: Callable[[str], KeyJudge | BytesJudge],
) -> dict[str, BetterAlign]:
    """The way by topic, of those `keys` for which there is one.

    By tick all has been judged already, if there are as many messages on both sides. Only where
    most messages differ or stand alone, and times do not say all, the bags are read again.
    """
    found = {
        topic: BetterAlign("tick", judge.differing)
        for topic, judge in paired.by_tick.items()
        if topic in keys
        and keys[topic].aligned.by != "tick"
        and _is_less(judge.differing, keys[topic])
    }
    wanted: dict[str, Align] = {
        topic: "value" if how.of(topic) == "auto" else "auto"
        for topic, key in keys.items()
        if topic not in found and how.of(topic) != "value" and _is_doubtful(key)
    }
    if not wanted:
        return found
    other = aligned_pairs(
        bags, list(wanted), list(wanted), How(wanted, how.origin_ns, None), tolerances, start
    )
    for topic in wanted:
        aligned = other.aligned[topic]
        wrong = other.judges[topic].differing + aligned.alone
        if aligned.by != keys[topic].aligned.by and _is_less(wrong, keys[topic]):
            found[topic] = BetterAlign(aligned.by, wrong)
    return found


def _is_less(wrong: int, key: KeyComparison) -> bool:
    return 2 * wrong < key.wrong


def _is_doubtful(key: KeyComparison) -> bool:
    aligned = key.aligned
    is_sure = aligned.by in ("stamp", "cause") or np.array_equal(*aligned.times_ns)
    return not is_sure and key.wrong > _MOST * min(aligned.count_a, aligned.count_b)
