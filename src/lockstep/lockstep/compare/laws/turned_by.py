"""Laws of vectors in another frame, by an angle or a rotation that is itself in the messages."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import numpy as np

from ...message.arrays import Floats
from .pair import EXACT_SHARE, Law, Pair

_AS_LONG = 1e-6
_LEAST_TICKS = 20


def turned_by(
    pair: Pair, angles: Mapping[str, Floats], quaternions: Mapping[str, Floats]
) -> Iterator[Law]:
    """b is a turned by one of `angles` (n,), in the plane, or by one of `quaternions` (n, 4) as x,
    y, z, w, both by name."""
    if not pair.joined or pair.width not in (2, 3) or not pair.finite.all():
        return
    lengths = [np.sqrt(np.sum(np.square(side), axis=1)) for side in (pair.a, pair.b)]
    longest = float(np.max(lengths[0], initial=0.0))
    if np.mean(np.abs(lengths[0] - lengths[1]) <= _AS_LONG * longest) < EXACT_SHARE:
        return
    clear = (lengths[0] > _AS_LONG * longest) & (np.hypot(*pair.a[:, :2].T) > _AS_LONG * longest)
    if clear.sum() < _LEAST_TICKS:
        return
    for name, by in (
        *((name, _about_z(angle)) for name, angle in angles.items()),
        *quaternions.items(),
    ):
        for word, sign in (("", 1.0), ("the inverse of ", -1.0)):
            turn = by * np.array([sign, sign, sign, 1.0])
            made = _rotated(pair.a, turn)
            yield Law(
                "rotated_by",
                f"b is a turned by {word}{name}: in another frame",
                0.9,
                functools.partial(_given, made),
                {},
                pointwise=False,
                held_out="ticks",
            )


def _given(made: Floats, _: Floats) -> Floats:
    return made


def _about_z(angle: Floats) -> Floats:
    none = np.zeros(len(angle))
    return np.stack([none, none, np.sin(angle / 2), np.cos(angle / 2)], axis=1)


def _rotated(vectors: Floats, q: Floats) -> Floats:
    """Vectors (n, 2) or (n, 3) turned by rotations (n, 4)."""
    whole = np.zeros((len(vectors), 3))
    whole[:, : vectors.shape[1]] = vectors
    axis, w = q[:, :3], q[:, 3:]
    twice = 2 * np.cross(axis, whole)
    turned: Floats = whole + w * twice + np.cross(axis, twice)
    return turned[:, : vectors.shape[1]]
