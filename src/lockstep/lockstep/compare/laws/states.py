"""Laws of outputs that remember their last value: a step that is limited, play, told on change."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from ...message.arrays import Floats, Mask
from .filters import has_last, is_series
from .pair import Law, Pair

_LEAST_TICKS = 10
"""In which b moves, and as many in which it is held back."""


def states(pair: Pair) -> Iterator[Law]:
    """b follows a in a way that depends on its own last value, which is taken as it is."""
    if not is_series(pair):
        return
    inside = has_last(pair)
    last = np.concatenate([pair.b[:1], pair.b[:-1]])
    step, to_a = pair.b - last, pair.a - last
    step[np.abs(step) <= pair.slack] = 0.0
    free = np.abs(pair.difference) <= pair.slack
    for name, sentence, limit, apply, has in (
        *_slew_limit(step, free, inside, last),
        *_backlash(pair, step, inside, last),
        *_on_change(step, to_a, free, inside, last),
    ):
        wrong = inside & (np.abs(apply(pair.a) - pair.b) > pair.slack)
        # Most ticks may be of one kind, which foretells nothing of the other.
        if any((wrong & kind).sum() > 0.01 * kind.sum() for kind in (step != 0.0, step == 0.0)):
            continue
        yield Law(
            name,
            sentence,
            1.4,
            apply,
            {"limit": limit},
            pointwise=False,
            covers=inside,
            as_a_has=has,
        )


_Row = tuple[str, str, float, functools.partial[Floats], str]


def _slew_limit(step: Floats, free: Mask, inside: Mask, last: Floats) -> Iterator[_Row]:
    most = float(np.abs(step[inside]).max(initial=0.0))
    at_limit = np.abs(step) >= most * (1 - 1e-6)
    if (at_limit & ~free & inside).sum() < _LEAST_TICKS or most == 0.0:
        return
    if (free & ~at_limit & (step != 0.0)).sum() < _LEAST_TICKS:
        return
    shown = f"{most:.6g}"
    sentence = f"b moves by at most {shown} from tick to tick, and is a else"
    yield "slew_limit", sentence, most, functools.partial(_slewed, last, most), _STEP.format(shown)


_STEP = "steps of at most {} from tick to tick"


def _slewed(last: Floats, most: float, x: Floats) -> Floats:
    return last + np.clip(x - last, -most, most)


def _backlash(pair: Pair, step: Floats, inside: Mask, last: Floats) -> Iterator[_Row]:
    width = float(np.abs(pair.difference).max(initial=0.0))
    pushed = np.abs(pair.difference) >= width * (1 - 1e-6)
    if min((pushed & (step != 0.0)).sum(), ((step == 0.0) & inside).sum()) < _LEAST_TICKS:
        return
    sentence = f"b follows a only where it is more than {width:.6g} behind (play)"
    apply = functools.partial(_played, last, width)
    yield "backlash", sentence, width, apply, f"play of {width:.6g}"


def _played(last: Floats, width: float, x: Floats) -> Floats:
    return np.clip(last, x - width, x + width)


def _on_change(
    step: Floats, to_a: Floats, free: Mask, inside: Mask, last: Floats
) -> Iterator[_Row]:
    stays, goes = inside & (step == 0.0) & ~free, inside & (step != 0.0) & free
    if min(stays.sum(), goes.sum()) < _LEAST_TICKS:
        return
    low, high = float(np.abs(to_a[stays]).max()), float(np.abs(to_a[goes]).min())
    if low > high:
        return
    width = low + (high - low) / 2
    sentence = f"b keeps its value until a is more than {width:.3g} from it"
    apply = functools.partial(_changed, last, width)
    yield "on_change", sentence, width, apply, f"values kept until they change by {width:.3g}"


def _changed(last: Floats, width: float, x: Floats) -> Floats:
    return np.where(np.abs(x - last) > width, x, last)
