"""The values that break ports."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..message.arrays import Column
from ..message.drawn_columns import Drawn
from ..message.time import NS_PER_S
from .fields import TEXTS, TIMES, Field
from .numbers import Choice, as_array
from .random import Random
from .rule import Rule, Setting, Source, required
from .ticks import Ticks

EDGE_TEXTS = (
    "",
    " ",
    "a",
    "/",
    "two words",
    'quote " and \\ slash',
    "line\nbreak\ttab",
    "Übergröße",
    "日本語",
    "🤖",
    "e\u0301",
)
_LATEST_NS = (2**31 - 1) * NS_PER_S + 999_999_999


@dataclass(frozen=True)
class Edges(Rule):
    """Values at the edges of a field's type, each as likely.

    Floats: ±0, the smallest above and below 0, the smallest that are not denormal, the largest,
    NaN, ±inf, ±1. Integers: the least, the greatest, 0, ±1. Strings: empty, non-ASCII, with quotes
    and line breaks, and now and then one of `huge` characters. Arrays: empty, of one element, and
    one in a hundred of `huge` elements. Stamps: equal to the one before, 1 ns and 1 s before it, 0,
    the last that there is, and the time of the message.
    """

    huge: int = 10_000
    of_lengths = True

    def __post_init__(self) -> None:
        required(
            isinstance(self.huge, int) and 2 <= self.huge <= 1 << 24,
            f"huge of Edges is {self.huge!r}; give a number of elements from 2 to {1 << 24}",
        )

    def check(self, wanted: Field) -> None:
        """Every field has edges."""

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        if wanted.array == "sequence":
            return self._of_sequence(wanted, random, setting)
        if wanted.kind in TIMES and not wanted.array:
            return _Stamps(random).draw
        if wanted.kind in TEXTS:
            return self._of_texts(wanted, random)
        return Choice(*self.values(wanted)).source(wanted, random, setting)

    def values(self, wanted: Field) -> list[float | int | bool]:
        """The edges of a field of numbers, bools or times (s)."""
        if wanted.kind == "bool":
            return [False, True]
        if wanted.kind in TIMES:
            return [0, 1e-9, 1, 2**31 - 1]
        if wanted.dtype.kind == "f":
            info = np.finfo(wanted.dtype)
            sizes = [
                0.0,
                float(info.smallest_subnormal),
                float(info.tiny),
                1.0,
                float(info.max),
                np.inf,
            ]
            return [np.nan, *sizes, *(-size for size in sizes)]
        limits = np.iinfo(wanted.dtype)
        near = [-1, 0, 1] if limits.min < 0 else [0, 1]
        return [int(limits.min), *near, int(limits.max)]

    def _of_texts(self, wanted: Field, random: Random) -> Source:
        most = wanted.string_bound or self.huge
        texts: Column = as_array([text[:most] for text in EDGE_TEXTS] + ["x" * most])

        def draw(ticks: Ticks) -> Drawn:
            shape = (len(ticks), *wanted.shape)
            chosen = random.integers(0, 99, int(np.prod(shape)))
            index = np.where(chosen == 99, len(EDGE_TEXTS), chosen % len(EDGE_TEXTS))
            return Drawn(texts[index].reshape(shape))

        return draw

    def _of_sequence(self, wanted: Field, random: Random, setting: Setting) -> Source:
        lengths = random.named("length")
        most = wanted.size or self.huge
        if wanted.kind == "length":
            return lambda ticks: Drawn(_lengths(lengths, len(ticks), most))
        element = replace(wanted, path=f"{wanted.path}[]", array="", size=0)
        elements = self.source(element, random, setting)

        def draw(ticks: Ticks) -> Drawn:
            counts = _lengths(lengths, len(ticks), most)
            return Drawn(elements(ticks.repeated(counts)).values, counts)

        return draw


def _lengths(random: Random, count: int, most: int) -> Column:
    chosen = random.integers(0, 99, count)
    return np.where(chosen == 99, most, np.minimum(chosen % 2, most))


class _Stamps:
    """Stamps in a bad order, each after the one before it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last_ns = 0

    def draw(self, ticks: Ticks) -> Drawn:
        found = []
        kinds = self._random.integers(0, 5, len(ticks)).tolist()
        for kind, now_ns in zip(kinds, ticks.time_ns.tolist(), strict=True):
            before_ns = max(0, self._last_ns - (1 if kind == 1 else NS_PER_S))
            chosen = (self._last_ns, before_ns, before_ns, 0, _LATEST_NS, now_ns)
            self._last_ns = chosen[kind]
            found.append(self._last_ns)
        return Drawn(np.array(found, np.int64))
