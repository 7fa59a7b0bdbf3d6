"""Transforms between frames at a time: what tf2's BufferCore does, operation for operation, so that
its results are tf2's to the last bit. lockstep_cpp's component/transforms.cpp is the twin.

Rotations are unit quaternions (x, y, z, w), translations (x, y, z) in metres. A transform from a
source to a target frame takes coordinates in the source frame to those in the target frame.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from ..message.time import NS_PER_S, seconds

CACHE_NS = 10 * NS_PER_S
"""How far back from the latest transform of a frame others are kept."""
_MOST_FRAMES = 1000
_NEVER_NS = (1 << 63) - 1

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

_NO_ROTATION = (0.0, 0.0, 0.0, 1.0)
_NO_TRANSLATION = (0.0, 0.0, 0.0)


class TransformError(Exception):
    """There is no such transform, at that time or at all; the text is one sentence."""


class Transform(NamedTuple):
    """A transform that was looked up; `time_ns` is the time it is of."""

    translation: Vector
    rotation: Quaternion
    time_ns: int


class _Stored(NamedTuple):
    """A transform from a child frame to its parent as it was told."""

    time_ns: int
    rotation: Quaternion
    translation: Vector
    parent: str


class _TooFarError(Exception):
    """Nothing is known of a frame at a time; the text tells what is."""


class _Changing:
    """The transforms of a frame over time, by time; of one time the one that was told last is
    last."""

    def __init__(self) -> None:
        self._stored: list[_Stored] = []

    @property
    def latest_ns(self) -> int:
        """The time of the latest one; 0 if there is none."""
        return self._stored[-1].time_ns if self._stored else 0

    def latest_parent(self) -> str | None:
        return self._stored[-1].parent if self._stored else None

    def add(self, new: _Stored) -> None:
        stored, latest_ns = self._stored, self.latest_ns
        kept = next((i for i, one in enumerate(stored) if one.time_ns + CACHE_NS >= latest_ns), 0)
        del stored[:kept]
        if stored and new.time_ns < latest_ns - CACHE_NS:
            return
        place = bisect_right(stored, new.time_ns, key=_time_of)
        before = place
        while before and stored[before - 1].time_ns == new.time_ns:
            before -= 1
            if stored[before] == new:
                return
        stored.insert(place, new)

    def at(self, time_ns: int) -> _Stored:
        """What holds at a time, 0 being that of the latest; raises _TooFarError."""
        stored = self._stored
        if not stored:
            raise _TooFarError("at no time")
        latest, earliest = stored[-1], stored[0]
        if time_ns in (0, latest.time_ns):
            return latest
        if len(stored) == 1:
            raise _TooFarError(f"at {seconds(latest.time_ns)} s alone")
        if time_ns == earliest.time_ns:
            return earliest
        if time_ns > latest.time_ns:
            raise _TooFarError(f"until {seconds(latest.time_ns)} s")
        if time_ns < earliest.time_ns:
            raise _TooFarError(f"from {seconds(earliest.time_ns)} s on")
        after = bisect_right(stored, time_ns, key=_time_of)
        older, newer = stored[after - 1], stored[after]
        return _between(older, newer, time_ns) if older.parent == newer.parent else older


class _Static:
    """The transform of a frame that holds at all times."""

    latest_ns = 0

    def __init__(self) -> None:
        self._stored: _Stored | None = None

    def latest_parent(self) -> str | None:
        return None if self._stored is None else self._stored.parent

    def add(self, new: _Stored) -> None:
        self._stored = new

    def at(self, time_ns: int) -> _Stored:
        assert self._stored is not None
        return self._stored


@dataclass
class _Way:
    """What leads from a frame up to another one: rotate, then translate."""

    rotation: Quaternion = _NO_ROTATION
    translation: Vector = _NO_TRANSLATION

    def go_up(self, step: _Stored) -> None:
        self.translation = _sum(_rotated(step.rotation, self.translation), step.translation)
        self.rotation = _product(step.rotation, self.rotation)

    def back(self) -> _Way:
        inverse = _inverse(self.rotation)
        x, y, z = self.translation
        return _Way(inverse, _rotated(inverse, (-x, -y, -z)))


class TransformBuffer:
    """The transforms that were told, of the last ten seconds and static ones."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._frames: dict[str, _Changing | _Static] = {}

    def add(
        self,
        parent: str,
        child: str,
        time_ns: int,
        translation: Vector,
        rotation: Quaternion,
        *,
        is_static: bool = False,
    ) -> bool:
        """Take a transform from `child` to `parent`; gives whether it is one.

        It is none between a frame and itself or one without a name, with NaN, or without a
        rotation, all 0.
        """
        parent, child = parent.removeprefix("/"), child.removeprefix("/")
        if parent == child or not (parent and child) or _dot(rotation, rotation) == 0.0:
            return False
        rotation = _by_matrix(rotation)
        if any(map(math.isnan, (*translation, *rotation))):
            return False
        kind = _Static if is_static else _Changing
        frame = self._frames.get(child)
        if not isinstance(frame, kind):
            frame = self._frames[child] = kind()
        self._known |= {parent, child}
        frame.add(_Stored(time_ns, rotation, translation, parent))
        return True

    def lookup(self, target: str, source: str, time_ns: int = 0) -> Transform:
        """The transform from the source to the target frame at a time; 0 is the latest at which all
        are known.

        Raises TransformError.
        """
        if target == source:
            frame = self._frames.get(target)
            latest_ns = frame.latest_ns if frame is not None else 0
            return Transform(_NO_TRANSLATION, _NO_ROTATION, time_ns or latest_ns)
        for name in (target, source):
            if not name or name.startswith("/"):
                raise TransformError(
                    f"'{name}' is no name of a frame; give one that does not begin with /"
                )
            if name not in self._known:
                raise TransformError(f"frame '{name}' is not known")
        if time_ns == 0:
            time_ns = self._latest_common_ns(target, source)
        way = self._way(target, source, time_ns)
        return Transform(way.translation, _by_matrix(way.rotation), time_ns)

    def can_lookup(self, target: str, source: str, time_ns: int = 0) -> bool:
        """Whether `lookup` would give a transform."""
        try:
            self.lookup(target, source, time_ns)
        except TransformError:
            return False
        return True

    def _way(self, target: str, source: str, time_ns: int) -> _Way:
        up, unknown, top, name = _Way(), "", source, source
        for _ in range(_MOST_FRAMES + 1):
            top = name
            if name not in self._frames:
                break
            try:
                step = self._frames[name].at(time_ns)
            except _TooFarError as error:
                unknown = self._unknown(target, source, time_ns, name, error)
                break
            if name == target:
                return up
            up.go_up(step)
            name = step.parent
        else:
            raise _circle(target, source)
        down, name = _Way(), target
        for _ in range(_MOST_FRAMES + 1):
            if name == top or name not in self._frames:
                break
            try:
                step = self._frames[name].at(time_ns)
            except _TooFarError as error:
                raise TransformError(self._unknown(target, source, time_ns, name, error)) from error
            if name == source:
                return down.back()
            down.go_up(step)
            name = step.parent
        else:
            raise _circle(target, source)
        if name != top:
            raise TransformError(unknown or _apart(target, source))
        back = down.back()
        return _Way(
            _product(back.rotation, up.rotation),
            _sum(_rotated(back.rotation, up.translation), back.translation),
        )

    @staticmethod
    def _unknown(target: str, source: str, time_ns: int, name: str, known: _TooFarError) -> str:
        return (
            f"no transform from '{source}' to '{target}' at {seconds(time_ns)} s: that of '{name}' "
            f"is known {known}"
        )

    def _latest_common_ns(self, target: str, source: str) -> int:
        """The latest time at which all transforms between two frames are known; 0 if all are
        static."""
        ups: list[tuple[int, str]] = []
        name, common_ns = source, _NEVER_NS
        for _ in range(_MOST_FRAMES + 1):
            frame = self._frames.get(name)
            parent = None if frame is None else frame.latest_parent()
            if frame is None or parent is None:
                break
            common_ns = min(common_ns, frame.latest_ns or _NEVER_NS)
            ups.append((frame.latest_ns, parent))
            name = parent
            if name == target:
                return _or_static(common_ns)
        else:
            raise _circle(target, source)
        name, common_ns = target, _NEVER_NS
        for _ in range(_MOST_FRAMES + 1):
            frame = self._frames.get(name)
            parent = None if frame is None else frame.latest_parent()
            if frame is None or parent is None:
                raise TransformError(_apart(target, source))
            common_ns = min(common_ns, frame.latest_ns or _NEVER_NS)
            if any(parent == one for _, one in ups):
                break
            name = parent
            if name == source:
                return _or_static(common_ns)
        else:
            raise _circle(target, source)
        for latest_ns, one in ups:
            common_ns = min(common_ns, latest_ns or _NEVER_NS)
            if one == parent:
                break
        return _or_static(common_ns)


def _time_of(stored: _Stored) -> int:
    return stored.time_ns


def _or_static(common_ns: int) -> int:
    return 0 if common_ns == _NEVER_NS else common_ns


def _apart(target: str, source: str) -> str:
    return f"no transforms connect '{source}' and '{target}'"


def _circle(target: str, source: str) -> TransformError:
    return TransformError(f"the transforms from '{source}' to '{target}' go round in a circle")


def _between(one: _Stored, two: _Stored, time_ns: int) -> _Stored:
    """Linear in the translation, spherical in the rotation."""
    ratio = float(time_ns - one.time_ns) / float(two.time_ns - one.time_ns)
    rest = 1.0 - ratio
    a, b = one.translation, two.translation
    translation = (
        rest * a[0] + ratio * b[0],
        rest * a[1] + ratio * b[1],
        rest * a[2] + ratio * b[2],
    )
    return _Stored(one.time_ns, _slerp(one.rotation, two.rotation, ratio), translation, one.parent)


def _slerp(a: Quaternion, b: Quaternion, ratio: float) -> Quaternion:
    product = _dot(a, b)
    if product < 0.0:
        b = (-b[0], -b[1], -b[2], -b[3])
    length = math.sqrt(_dot(a, a) * _dot(b, b))
    theta = math.acos(min(1.0, max(-1.0, _dot(a, b) / length)))
    if theta == 0.0:
        return a
    d = 1.0 / math.sin(theta)
    s0 = math.sin((1.0 - ratio) * theta)
    s1 = math.sin(ratio * theta)
    return (
        (a[0] * s0 + b[0] * s1) * d,
        (a[1] * s0 + b[1] * s1) * d,
        (a[2] * s0 + b[2] * s1) * d,
        (a[3] * s0 + b[3] * s1) * d,
    )


def _dot(a: Quaternion, b: Quaternion) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]


def _sum(a: Vector, b: Vector) -> Vector:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def _inverse(q: Quaternion) -> Quaternion:
    return (-q[0], -q[1], -q[2], q[3])


def _product(a: Quaternion, b: Quaternion) -> Quaternion:
    return (
        a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
        a[3] * b[1] + a[1] * b[3] + a[2] * b[0] - a[0] * b[2],
        a[3] * b[2] + a[2] * b[3] + a[0] * b[1] - a[1] * b[0],
        a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
    )


def _rotated(q: Quaternion, v: Vector) -> Vector:
    half = (
        q[3] * v[0] + q[1] * v[2] - q[2] * v[1],
        q[3] * v[1] + q[2] * v[0] - q[0] * v[2],
        q[3] * v[2] + q[0] * v[1] - q[1] * v[0],
        -q[0] * v[0] - q[1] * v[1] - q[2] * v[2],
    )
    x, y, z, _ = _product(half, _inverse(q))
    return (x, y, z)


def _by_matrix(q: Quaternion) -> Quaternion:
    """The same rotation as it comes back from a rotation matrix, where tf2 keeps it."""
    s = 2.0 / _dot(q, q)
    xs, ys, zs = q[0] * s, q[1] * s, q[2] * s
    wx, wy, wz = q[3] * xs, q[3] * ys, q[3] * zs
    xx, xy, xz = q[0] * xs, q[0] * ys, q[0] * zs
    yy, yz, zz = q[1] * ys, q[1] * zs, q[2] * zs
    m = (
        (1.0 - (yy + zz), xy - wz, xz + wy),
        (xy + wz, 1.0 - (xx + zz), yz - wx),
        (xz - wy, yz + wx, 1.0 - (xx + yy)),
    )
    trace = m[0][0] + m[1][1] + m[2][2]
    if trace > 0.0:
        s = math.sqrt(trace + 1.0)
        w = s * 0.5
        s = 0.5 / s
        return ((m[2][1] - m[1][2]) * s, (m[0][2] - m[2][0]) * s, (m[1][0] - m[0][1]) * s, w)
    larger = 1 if m[0][0] < m[1][1] else 0
    i = 2 if m[larger][larger] < m[2][2] else larger
    j, k = (i + 1) % 3, (i + 2) % 3
    part = [0.0, 0.0, 0.0]
    s = math.sqrt(m[i][i] - m[j][j] - m[k][k] + 1.0)
    part[i] = s * 0.5
    s = 0.5 / s
    w = (m[k][j] - m[j][k]) * s
    part[j] = (m[j][i] + m[i][j]) * s
    part[k] = (m[k][i] + m[i][k]) * s
    return (part[0], part[1], part[2], w)
