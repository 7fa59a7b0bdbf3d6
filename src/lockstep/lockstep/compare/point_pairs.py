"""Which points of two clouds are the same: each with the nearest one of the other cloud.

Nearest points are found in a k-d tree (scipy.spatial.cKDTree). Where several points have the same
nearest one, the closest of them gets it, and the others look for the next among what is left.
"""

from __future__ import annotations

import math

import numpy as np

from ..message.arrays import Floats, Int64s, Mask

_SAMPLE = 1000  # points that tell how far apart points usually are
_ROUNDS = 64  # of looking for the next one; each pairs at least the closest of all that are left
_BITS = 5  # of each coordinate that put points in order, so that those of three are 16 or fewer
_SPREAD = np.array(
    [sum(((value >> bit) & 1) << (3 * bit) for bit in range(_BITS)) for value in range(1 << _BITS)],
    np.uint16,
)


def nearest_pairs(a: Floats, b: Floats, reach: float) -> tuple[Int64s, Int64s]:
    """The rows of points (n, d) and (m, d) that belong together, (k,) each, by rows of a.

    No partner is further away than `reach`. Points that are not finite have no place: the first of
    a is paired with the first of b, and so on.
    """
    finite_a, finite_b = _finite(a), _finite(b)
    nowhere = np.flatnonzero(~finite_a), np.flatnonzero(~finite_b)
    count = min(map(len, nowhere))
    partners = np.full(len(a), -1, np.int64)
    partners[nowhere[0][:count]] = nowhere[1][:count]
    open_a, open_b = _by_place(a, finite_a), _by_place(b, finite_b)
    if len(open_a) and len(open_b):
        nearest = _nearest(a[open_a], b[open_b], reach)
        chosen, partner = _won(*nearest)
        partners[open_a[chosen]] = open_b[partner]
        losing = np.zeros(len(open_a), np.bool_)
        losing[nearest[0]] = True
        losing[chosen] = False
        left = np.ones(len(open_b), np.bool_)
        left[partner] = False
        open_a, open_b = open_a[losing], open_b[left]
        if len(open_a) and len(open_b):
            more_a, more_b = _pairs_of_crowds(a[open_a], b[open_b], reach)
            partners[open_a[more_a]] = open_b[more_b]
    rows = np.flatnonzero(partners >= 0)
    return rows, partners[rows]


def usual_spacing(points: Floats) -> float:
    """The median distance of points (n, d) to the nearest other; inf where there is none."""
    from scipy.spatial import cKDTree

    finite = points[_finite(points)]
    if len(finite) < 2:
        return math.inf
    tree = cKDTree(finite, balanced_tree=False, compact_nodes=False)
    some = finite[:: -(-len(finite) // _SAMPLE)]
    distances, _ = tree.query(some, k=2)
    apart = distances[:, 1][distances[:, 1] > 0]
    return float(np.median(apart)) if len(apart) else math.inf


def _finite(points: Floats) -> Mask:
    """Which points (n, d) have a place, (n,)."""
    finite: Mask = np.isfinite(points[:, 0])
    for axis in range(1, points.shape[1]):
        finite &= np.isfinite(points[:, axis])
    return finite


def _by_place(points: Floats, finite: Mask) -> Int64s:
    """The rows of points that have a place, near ones near each other.

    Trees are searched faster so. They are in the order of the bits of their coordinates, which
    take turns (Morton).
    """
    rows = np.flatnonzero(finite)
    if len(rows) < 2:
        return rows
    code = np.zeros(len(rows), np.uint16)  # which numpy sorts by its digits
    for axis in range(min(points.shape[1], 3)):
        places = points[rows, axis]
        low, high = places.min(), places.max()
        with np.errstate(over="ignore", invalid="ignore"):
            cells = (places - low) * (((1 << _BITS) - 1) / (high - low if high > low else 1.0))
        code |= _SPREAD[np.nan_to_num(cells).astype(np.uint16)] << axis
    return rows[np.argsort(code, kind="stable")]


def _nearest(a: Floats, b: Floats, reach: float) -> tuple[Int64s, Int64s, Floats]:
    """The rows of a that have a b within reach, the nearest one's row, and its distance."""
    from scipy.spatial import cKDTree

    tree = cKDTree(b, balanced_tree=False, compact_nodes=False)
    bound = np.nextafter(reach, math.inf)  # scipy leaves out what is at the bound
    distance, nearest = tree.query(a, distance_upper_bound=bound, workers=-1)
    there = np.flatnonzero(np.isfinite(distance))
    return there, nearest[there], distance[there]


def _won(rows: Int64s, nearest: Int64s, distance: Floats) -> tuple[Int64s, Int64s]:
    """Those of the rows that are closest of all with the same nearest one, and that one's rows."""
    if np.bincount(nearest).max(initial=0) < 2:
        return rows, nearest
    order = np.lexsort((distance, nearest))
    first = np.flatnonzero(np.diff(nearest[order], prepend=-1))
    return rows[order[first]], nearest[order[first]]


class _Crowds:
    """Points by their place: how many of each are left, and which."""

    def __init__(self, points: Floats) -> None:
        self.places, of, self.left = np.unique(
            points + 0.0, axis=0, return_inverse=True, return_counts=True
        )
        self._rows = np.argsort(of.ravel(), kind="stable")
        self._ends = np.cumsum(self.left)

    def take(self, crowd: Int64s, before: Int64s, count: Int64s) -> Int64s:
        """The rows of the next `count` points of crowds, (k,) each, `before` others of theirs."""
        start = np.repeat((self._ends - self.left)[crowd] + before, count)
        within = np.arange(len(start)) - np.repeat(np.cumsum(count) - count, count)
        found: Int64s = self._rows[start + within]
        return found


def _pairs_of_crowds(a: Floats, b: Floats, reach: float) -> tuple[Int64s, Int64s]:
    """As `nearest_pairs`, where many points may have one place and so one nearest."""
    crowds_a, crowds_b = _Crowds(a), _Crowds(b)
    rows_a: list[Int64s] = [np.empty(0, np.int64)]
    rows_b: list[Int64s] = [np.empty(0, np.int64)]
    for _ in range(_ROUNDS):
        open_a, open_b = np.flatnonzero(crowds_a.left), np.flatnonzero(crowds_b.left)
        if not (len(open_a) and len(open_b)):
            break
        there, nearest, distance = _nearest(crowds_a.places[open_a], crowds_b.places[open_b], reach)
        if not len(there):
            break
        order = np.lexsort((distance, nearest))
        of_a, of_b = open_a[there[order]], open_b[nearest[order]]
        asked = crowds_a.left[of_a]
        before = np.cumsum(asked) - asked
        starts = np.flatnonzero(np.diff(of_b, prepend=-1))
        before -= np.repeat(before[starts], np.diff([*starts, len(of_b)]))
        given = np.clip(crowds_b.left[of_b] - before, 0, asked)
        some = given > 0
        of_a, of_b, before, given = of_a[some], of_b[some], before[some], given[some]
        rows_a.append(crowds_a.take(of_a, np.zeros_like(given), given))
        rows_b.append(crowds_b.take(of_b, before, given))
        crowds_a.left[of_a] -= given
        np.subtract.at(crowds_b.left, of_b, given)
    return np.concatenate(rows_a), np.concatenate(rows_b)
