"""Laws of numbers of few bits: those that overflow, and bytes in the other order."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from ...message.arrays import Floats
from .pair import Law, Pair

_BITS = (8, 16, 32)


def whole_laws(pair: Pair) -> Iterator[Law]:
    """b is a modulo 2^n, signed or not, or a with its bytes in the other order."""
    if pair.base or pair.is_flag or pair.is_time:
        return
    size = pair.raw.dtype.itemsize
    for bits in _BITS if pair.is_integer else ():
        if bits > 8 * size or (pair.probe.difference % 2.0**bits).any():
            continue
        for name, low in (("an unsigned", 0.0), ("a signed", -(2.0 ** (bits - 1)))):
            sentence = f"b is a as {name} number of {bits} bits holds it (it overflows)"
            overflown = functools.partial(_overflown, low, 2.0**bits)
            yield Law("overflow", sentence, 0.2, overflown, {"bits": float(bits)})
    swapped = functools.partial(_swapped, pair.raw.dtype)
    # To the bit: most floats so made are next to nothing, which any other such number is close to.
    if size > 1 and np.array_equal(swapped(pair.probe.a), pair.probe.b, equal_nan=True):
        sentence = "b is a with its bytes in the other order"
        yield Law("bytes_swapped", sentence, 0.2, swapped, {})


def _overflown(low: float, span: float, x: Floats) -> Floats:
    return np.mod(x - low, span) + low


def _swapped(kind: np.dtype[np.generic], x: Floats) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):
        swapped: Floats = x.astype(kind).byteswap().astype(np.float64)
    return swapped
