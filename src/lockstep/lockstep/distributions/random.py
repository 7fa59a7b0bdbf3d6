"""Random numbers that are the same bits on every machine.

Drawn from the raw 64 bits of PCG64, the only stream that numpy promises never to change (NEP 19),
and made into numbers by arithmetic that IEEE 754 rounds exactly (`exact`).
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..message.arrays import Column, Floats
from .exact import normal_quantile

_WORDS = 4


class Random:
    """One stream of random numbers, chosen by a seed and a name: other names have other,
    independent streams."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed, self.name = seed, name
        digest = hashlib.sha256(name.encode()).digest()
        words = np.frombuffer(digest, "<u4", _WORDS).tolist()
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=words))

    def named(self, name: str) -> Random:
        """Another stream of the same seed, below this one's name."""
        return Random(self.seed, f"{self.name}:{name}")

    @property
    def generator(self) -> np.random.Generator:
        """The stream as numpy's Generator, whose distributions may change with the version of
        numpy."""
        return np.random.Generator(self._bits)

    def uniform(self, count: int) -> Floats:
        """Numbers (count,) in the open interval from 0 to 1, each 2**-53 off a multiple of
        2**-52."""
        raw = self._bits.random_raw(count)
        found: Floats = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return found

    def normal(self, count: int) -> Floats:
        """Numbers (count,) of mean 0 and standard deviation 1."""
        return normal_quantile(self.uniform(count))

    def integers(self, low: int, high: int, count: int) -> Column:
        """Whole numbers (count,) from `low` to `high`, both included; int64, or uint64 where `high`
        takes it."""
        span = high - low + 1
        raw = self._bits.random_raw(count)
        if span < 1 << 64:
            # Those of the last, incomplete span would make some numbers likelier.
            limit = (1 << 64) - (1 << 64) % span
            while limit < 1 << 64 and (over := raw >= np.uint64(limit)).any():
                raw[over] = self._bits.random_raw(int(over.sum()))
            raw %= np.uint64(span)
        raw += np.uint64(low % (1 << 64))  # wraps, as two's complement does
        return raw if high >= 1 << 63 else raw.view(np.int64)
