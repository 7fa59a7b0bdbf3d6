"""How well one series matches another that is shifted in time, for all shifts at once."""

from __future__ import annotations

import numpy as np

from ...message.arrays import Floats

LONGEST_DELAY = 1000
"""Ticks."""
_COLUMNS = 8
_TICKS = 8192


def mismatch(a: Floats, b: Floats) -> Floats:
    """Mean of (b[i] - a[i-k])² for k from -longest to longest, in a unit of its own.

    Its shape is (2 * longest + 1,). `a` and `b` are (n, columns); `longest` is a third of n, at
    most LONGEST_DELAY. The sums of squares less twice the correlation, which is found by FFT; of
    long series, in the part where they differ most.
    """
    a, b = _levelled(a, b)
    n = len(a)
    longest = min(LONGEST_DELAY, n // 3)
    size = 2 ** (n + longest).bit_length()
    product = np.fft.rfft(b, size, axis=0) * np.conj(np.fft.rfft(a, size, axis=0))
    correlation = np.fft.irfft(product.sum(axis=1), size)
    sums_a, sums_b = (
        np.concatenate([[0.0], np.cumsum(np.sum(np.square(side), axis=1))]) for side in (a, b)
    )
    shifts = np.arange(-longest, longest + 1)
    ahead, back = shifts.clip(0), (-shifts).clip(0)
    squares = sums_a[n - ahead] - sums_a[back] + sums_b[n - back] - sums_b[ahead]
    errors: Floats = (squares - 2 * correlation[shifts]) / np.maximum(1, n - np.abs(shifts))
    return errors.clip(0.0)


def _levelled(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """A part of both, less the mean of a and without gaps, at most 8 columns of 8192 ticks."""
    pick = slice(None, None, a.shape[1] // _COLUMNS + 1)
    a, b = (np.where(np.isfinite(side), side, 0.0)[:, pick] for side in (a, b))
    unit = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0))) or 1.0
    a, b = a / unit, b / unit
    if len(a) > _TICKS:
        apart = np.cumsum(np.sum(np.square(b - a), axis=1))
        start = int(np.argmax(apart[_TICKS - 1 :] - apart[: len(apart) - _TICKS + 1]))
        a, b = a[start : start + _TICKS], b[start : start + _TICKS]
    middle = a.mean(axis=0) if len(a) else 0.0
    return a - middle, b - middle
