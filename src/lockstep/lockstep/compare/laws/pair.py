"""Two aligned columns as laws see them, and how well a law turns one into the other."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...message.arrays import Column, Floats, Int64s, Mask
from .correlation import mismatch

Matches = Callable[[str, Column, Column], Mask]
HeldOut = Literal["ticks", "later", "nothing"]
"""Every other tick, as rows do not depend on each other; the later half; or none."""

EXACT_SHARE = 0.99
"""A law is exact if it brings this share of the elements within tolerance, and of those that
differed."""
_BROKEN = 0.1
"""Nor may it push more elements beyond tolerance than this share of those that differed."""
EXACT_IN_NOISE = 0.98
"""A law holds in noise if it accounts for this share of the mean square of the difference."""
MOST_ELEMENTS = 200_000
MOST_TICKS = 20_000
_WINDOWS = 8
_PROBE = 512
_PROBE_TICKS = 64
_PART = 2_000
_ULPS = 16
_NEGLIGIBLE = 1e-9
_EXACT_INTEGER = 2**53


@dataclass(frozen=True)
class Law:
    """A way to get `b` from `a`: `apply` maps values of a to values of b, of the same shape.

    `cost` orders laws from the simplest on: roughly the number of parameters. A law that is not
    pointwise needs the whole series and may leave elements out of `covers` (n, k) or (1, k), which
    it cannot predict.
    """

    name: str
    sentence: str
    cost: float
    apply: Callable[[Floats], Floats]
    parameters: Mapping[str, float]
    pointwise: bool = True
    covers: Mask | None = None
    held_out: HeldOut = "nothing"
    """On what data that it was not fitted on a law that is not pointwise can be tried."""
    roughly: str = ""
    """What is still true in words if b is not just this law of a and noise; nothing if empty."""
    as_a_has: str = ""
    """What b lacks if a follows from b by this law; nothing if nobody would forget that."""


@dataclass(frozen=True)
class Fit:
    """How well a law does.

    By its share of the mean square of the difference, and of the elements that pass.
    """

    explains: float
    passing: float
    exact: bool
    residual: float
    """Mean square of what remains, in units of the mean square of the difference."""


@dataclass(frozen=True)
class Pair:
    """Columns (n,) or (n, k) of one field, or of k sibling fields.

    They are float64, less `base` for large integers.
    """

    paths: tuple[str, ...]
    a: Floats
    b: Floats
    raw: Column
    """The values of b as they are in the messages."""
    time_s: Floats
    """(n,) since the first of them all, which is at `start_s`."""
    start_s: float
    stamp_s: Floats
    """(n,) the same by the stamp of the messages, if they have one."""
    tick: Int64s
    """(n,) the number of each tick in the whole series."""
    differs: Mask
    segment: Int64s
    """(n,) number of the contiguous window that a tick belongs to."""
    eps: float
    base: int
    matches: Matches
    joined: bool = False
    """Whether the columns are fields, of scalars, rather than the elements of one."""

    @property
    def n(self) -> int:
        """How many ticks."""
        return len(self.a)

    @property
    def width(self) -> int:
        """How many elements a tick has."""
        return self.a.shape[1] if self.a.ndim == 2 else 1

    @functools.cached_property
    def finite(self) -> Mask:
        """Elements of which both sides are finite."""
        finite: Mask = np.isfinite(self.a) & np.isfinite(self.b)
        return finite

    @functools.cached_property
    def difference(self) -> Floats:
        """b - a; 0 where it is not finite."""
        difference = self.b - self.a
        return np.where(np.isfinite(difference), difference, 0.0)

    @functools.cached_property
    def finite_values(self) -> tuple[Floats, Floats]:
        """The elements (m,) of a and of b where both are finite."""
        return self.a[self.finite], self.b[self.finite]

    @functools.cached_property
    def unit(self) -> float:
        """The largest difference: dividing by it keeps squares from overflowing."""
        return float(np.abs(self.difference).max(initial=0.0)) or 1.0

    @functools.cached_property
    def slack(self) -> Floats:
        """Residuals up to this are rounding.

        That is some ulps of b, an ulp of what is typical of it, or next to nothing beside the
        difference.
        """
        apart = np.abs(self.difference[self.differs & self.finite])
        typical = float(np.median(apart)) if apart.size else 0.0
        size = np.where(self.finite, np.maximum(np.abs(self.a), np.abs(self.b)), 0.0)
        least = max(_NEGLIGIBLE * typical, self.eps * float(np.median(size)) if size.size else 0.0)
        return np.maximum(_ULPS * self.eps * size, least)

    @functools.cached_property
    def is_still(self) -> bool:
        """Whether b moves by no more than rounding, so that whatever foretells this is no law."""
        middle = np.median(np.where(np.isfinite(self.b), self.b, 0.0), axis=0)
        return bool(np.mean(np.abs(self.b - middle) <= self.slack) >= EXACT_SHARE)

    @functools.cached_property
    def ticks(self) -> Mask:
        """(n,) ticks at which any element differs."""
        ticks: Mask = np.any(self.differs.reshape(self.n, self.width), axis=1)
        return ticks

    @functools.cached_property
    def is_time(self) -> bool:
        """Whether the values are nanoseconds."""
        return self.paths[0].endswith("stamp") and self.raw.dtype.kind in "iu"

    @functools.cached_property
    def is_integer(self) -> bool:
        """Whether the field holds whole numbers or booleans only."""
        return self.raw.dtype.kind in "iub"

    @functools.cached_property
    def is_flag(self) -> bool:
        """Whether values are true or false, of which there are no multiples."""
        return self.raw.dtype.kind == "b"

    @functools.cached_property
    def has_zero(self) -> bool:
        """Whether values are the field's own, so that scaling them makes sense."""
        return not self.base and not self.is_time

    @functools.cached_property
    def mismatch(self) -> Floats:
        """How b differs from a that is delayed by -k … k ticks; see `correlation.mismatch`."""
        power = np.square(self.difference / self.unit).reshape(self.n, self.width).sum(axis=1)
        worst = int(np.argmax(np.bincount(self.segment, weights=power))) if self.n else 0
        part = self.segment == worst  # across the seam of two windows nothing matches
        return mismatch(self.a[part].reshape(-1, self.width), self.b[part].reshape(-1, self.width))

    @functools.cached_property
    def moving(self) -> Mask:
        """(k,) columns whose b is not the same finite number at all ticks."""
        b = self.b.reshape(self.n, self.width)
        moving: Mask = ((b != b[:1]) | ~np.isfinite(b)).any(axis=0)
        return moving

    @functools.cached_property
    def evidence(self) -> int:
        """In how many ways b differs: other values, other columns, and other runs of ticks.

        Of one value at one place any law can be made.
        """
        rows = np.flatnonzero(self.ticks)
        rows = rows[:: len(rows) // _PROBE_TICKS + 1]
        b, differs = (side.reshape(self.n, self.width)[rows] for side in (self.b, self.differs))
        at = np.flatnonzero(differs)[: _PROBE_TICKS * _PROBE_TICKS]
        kinds = np.stack([at % self.width, b.ravel()[at]], axis=1)
        runs = int(np.count_nonzero(np.diff(self.ticks.astype(np.int8), prepend=0) > 0))
        return len(np.unique(kinds, axis=0)) + max(0, runs - 1)

    @functools.cached_property
    def position(self) -> Int64s:
        """(n,) the number of each tick in its contiguous window."""
        at = np.arange(self.n)
        starts = np.where(np.diff(self.segment, prepend=-1) != 0, at, 0)
        position: Int64s = at - np.maximum.accumulate(starts)
        return position

    @functools.cached_property
    def part(self) -> Pair:
        """Contiguous ticks of which most differ: a law that fails there need not be made for all.

        Of a series that is hardly longer it is the whole.
        """
        if self.n <= 2 * _PART:
            return self
        counts = np.concatenate([[0], np.cumsum(self.ticks)])
        whole = self.position[_PART - 1 :] >= _PART - 1
        within = np.where(whole, counts[_PART:] - counts[:-_PART], -1)
        start = int(np.argmax(within))
        return self.rows(slice(start, start + _PART)) if within[start] > 0 else self

    @functools.cached_property
    def probe(self) -> Pair:
        """Some of the differing elements, flat: what fails there need not be tried on all."""
        indices = np.flatnonzero(self.differs & self.finite)
        return self.elements(indices[:: len(indices) // _PROBE + 1])

    def elements(self, flat: npt.NDArray[np.intp]) -> Pair:
        """The elements with these flat indices as a series of their own.

        Only pointwise laws apply to it.
        """
        return replace(
            self,
            a=self.a.ravel()[flat],
            b=self.b.ravel()[flat],
            raw=self.raw.ravel()[flat],
            differs=self.differs.ravel()[flat],
            time_s=self.time_s[flat // self.width],
            stamp_s=self.stamp_s[flat // self.width],
            tick=self.tick[flat // self.width],
            segment=np.zeros(len(flat), np.int64),
        )

    def rows(self, which: slice | Mask | Int64s) -> Pair:
        """Some ticks as a series of their own."""
        return replace(
            self,
            a=self.a[which],
            b=self.b[which],
            raw=self.raw[which],
            differs=self.differs[which],
            time_s=self.time_s[which],
            stamp_s=self.stamp_s[which],
            tick=self.tick[which],
            segment=self.segment[which],
        )

    def with_a(self, a: Floats) -> Pair:
        """The same with another a, as what a law makes of it."""
        pair = replace(self, a=a)
        return replace(pair, differs=~pair.passes(a))

    @functools.cached_property
    def exchanged(self) -> Pair:
        """b as it were the reference."""
        return replace(self, a=self.b, b=self.a, raw=self._as_stored(self.a))

    def columns(self, which: npt.NDArray[np.intp]) -> Pair:
        """Some of the joined fields."""
        return replace(
            self,
            paths=tuple(self.paths[i] for i in which.tolist()),
            a=self.a[:, which],
            b=self.b[:, which],
            raw=self.raw[:, which],
            differs=self.differs[:, which],
        )

    def passes(self, predicted: Floats) -> Mask:
        """Which predicted values are within the user's tolerance of b."""
        values = self._as_stored(predicted)
        if not self.joined:
            return np.asarray(self.matches(self.paths[0], values, self.raw), np.bool_)
        return np.stack(
            [self.matches(path, values[:, i], self.raw[:, i]) for i, path in enumerate(self.paths)],
            axis=1,
        )

    def _as_stored(self, values: Floats) -> Column:
        kind: np.dtype[Any] = self.raw.dtype
        stored: Column
        whole = np.rint(np.where(np.isnan(values), 0.0, values))
        if kind.kind == "f":
            stored = values.astype(kind)
        elif kind.kind == "b":
            stored = whole > 0.5
        elif not self.base and kind.itemsize < 8:
            limits = np.iinfo(kind)
            stored = whole.clip(limits.min, limits.max).astype(kind)
        else:
            low = 0.0 if kind.kind == "u" and not self.base else -(2.0**62)
            inside = whole.clip(low, 2.0**62).astype(np.int64)
            stored = (inside.view(np.uint64) + np.uint64(self.base % 2**64)).astype(kind)
        return stored


def equal(_path: str, a: Column, b: Column) -> Mask:
    """The default tolerance: equal, and NaN equals NaN."""
    same: Mask = np.equal(a, b)
    if a.dtype.kind == "f":
        same |= np.isnan(a) & np.isnan(b)
    return same


def make_pair(
    path: str,
    a: Column,
    b: Column,
    times_ns: tuple[Int64s, Int64s],
    tick: Int64s,
    matches: Matches,
) -> Pair:
    """The pair of a field; more than two dimensions of a column become two.

    `times_ns` are the times (n,) of the ticks, and those in their stamps.
    """
    if a.ndim > 2:
        a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    differs = ~np.asarray(matches(path, a, b), np.bool_)
    values_a, values_b, base = as_floats(a, b)
    eps = float(np.finfo(b.dtype).eps) if b.dtype.kind == "f" else 0.0
    time_ns, stamp_ns = times_ns
    return Pair(
        paths=(path,),
        a=values_a,
        b=values_b,
        raw=b,
        time_s=_seconds(time_ns),
        stamp_s=_seconds(stamp_ns),
        start_s=float(time_ns[0]) * 1e-9 if len(time_ns) else 0.0,
        tick=tick,
        differs=differs,
        segment=np.zeros(len(a), np.int64),
        eps=eps,
        base=base,
        matches=matches,
    )


def _seconds(time_ns: Int64s) -> Floats:
    return (time_ns - time_ns[:1]).astype(np.float64) * 1e-9


def join(pairs: list[Pair]) -> Pair:
    """k fields (n,) of the same ticks as one pair (n, k)."""
    return replace(
        pairs[0],
        paths=tuple(pair.paths[0] for pair in pairs),
        a=np.stack([pair.a for pair in pairs], axis=1),
        b=np.stack([pair.b for pair in pairs], axis=1),
        raw=np.stack([pair.raw for pair in pairs], axis=1),
        differs=np.stack([pair.differs for pair in pairs], axis=1),
        joined=True,
    )


def sampled(pair: Pair, most_ticks: int = MOST_TICKS) -> Pair:
    """Contiguous windows, evenly spread, of a series that is too long to try all laws on."""
    width = min(pair.width, MOST_ELEMENTS // 16)
    most = max(16, min(most_ticks, MOST_ELEMENTS // max(1, width)))
    if pair.n <= most and pair.width == width:
        return pair
    if pair.width != width:
        pair = replace(
            pair,
            a=pair.a[:, :width],
            b=pair.b[:, :width],
            raw=pair.raw[:, :width],
            differs=pair.differs[:, :width],
        )
    if pair.n <= most:
        return pair
    windows = max(1, min(_WINDOWS, most // 512))
    length = most // windows
    starts = np.linspace(0, pair.n - length, windows).astype(np.int64)
    chosen = (starts[:, None] + np.arange(length)).ravel()
    return replace(pair.rows(chosen), segment=np.repeat(np.arange(windows), length))


def judge(pair: Pair, predicted: Floats, covers: Mask | None = None) -> Fit:
    """Compare what a law predicts, shaped like b, with b.

    Elements outside `covers` do not count.
    """
    differs = pair.differs if covers is None else pair.differs & covers
    finite = pair.finite if covers is None else pair.finite & covers
    residual = np.where(pair.finite, (pair.b - predicted) / pair.unit, 0.0)
    wild = ~np.isfinite(residual)
    if wild.any():
        residual[wild] = np.abs(pair.b[wild] / pair.unit) + 1.0
    before = float(np.sum(np.square(pair.difference / pair.unit), where=finite))
    after = float(np.sum(np.square(residual), where=finite))
    left = after / before if before else (math.inf if after else 0.0)
    small = np.abs(residual) * pair.unit <= pair.slack
    if pair.is_integer:
        small &= np.rint(predicted) == pair.b
    good = np.where(pair.finite, small, equal("", predicted, pair.b))
    passing, fixed = _shares(good, differs, covers)
    if min(passing, fixed) < 1.0 and (left < 0.5 or not before):
        good |= pair.passes(predicted)
        passing, fixed = _shares(good, differs, covers)
    explains = min(max(1.0 - left, 0.0), 1.0)
    if not before:  # whatever differs is not finite
        explains = fixed
    inside = ~good & ~pair.differs if covers is None else ~good & ~pair.differs & covers
    broken = int(inside.sum()) / max(1, int(differs.sum()))
    exact = min(passing, fixed) >= EXACT_SHARE and broken <= _BROKEN
    return Fit(explains, passing, exact, left)


def _shares(good: Mask, differs: Mask, covers: Mask | None) -> tuple[float, float]:
    among = int(differs.sum())
    fixed = float((good & differs).sum()) / among if among else 0.0
    if covers is None:
        return float(good.mean()) if good.size else 0.0, fixed
    covers = np.broadcast_to(covers, good.shape)
    counted = int(covers.sum())
    return float((good & covers).sum()) / counted if counted else 0.0, fixed


def dot(x: Floats, y: Floats) -> float:
    """The sum of products; without BLAS, whose threads cost more than they give at this length."""
    return float(np.sum(x * y))


def as_floats(a: Column, b: Column) -> tuple[Floats, Floats, int]:
    """Both as float64, integers beyond 2^53 less a common base that keeps them exact.

    The base is whole seconds of ns.
    """
    kinds = {a.dtype.kind, b.dtype.kind}
    if a.dtype == b.dtype and kinds <= {"i", "u"} and a.dtype.itemsize == 8 and a.size:
        low, high = min(int(a.min()), int(b.min())), max(int(a.max()), int(b.max()))
        if max(abs(low), abs(high)) > _EXACT_INTEGER > high - low + 10**9:
            base = low // 10**9 * 10**9
            return _less(a, base), _less(b, base), base
    return a.astype(np.float64), b.astype(np.float64), 0


def _less(values: Column, base: int) -> Floats:
    # Modulo 2^64 nothing overflows, and the difference itself is small.
    rest = values.astype(np.uint64) - np.uint64(base % 2**64)
    return rest.view(np.int64).astype(np.float64)
