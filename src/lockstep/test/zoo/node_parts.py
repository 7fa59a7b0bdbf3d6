"""What the nodes of the zoo are made of."""

from __future__ import annotations

import numpy as np

from .recordings import SPEED, Array, Recording


def mean_of_last(x: Array, count: int) -> Array:
    """Of so many as there are at the beginning."""
    return np.array([x[max(0, i - count + 1) : i + 1].mean() for i in range(len(x))])


def median_of_last(x: Array, count: int) -> Array:
    """Of so many as there are at the beginning."""
    return np.array([np.median(x[max(0, i - count + 1) : i + 1]) for i in range(len(x))])


def low_pass(x: Array, gain: float, start: float | None = None) -> Array:
    """Each tick goes this share of the way to x."""
    y = np.array(x, np.float64)
    y[0] = x[0] if start is None else start
    for i in range(1, len(x)):
        y[i] = y[i - 1] + gain * (x[i] - y[i - 1])
    return y


def delayed(x: Array, ticks: int) -> Array:
    """What x was so many ticks ago; at first its first value."""
    return np.concatenate([np.repeat(x[:1], ticks, axis=0), x[: len(x) - ticks]])


def integral(x: Array, step_s: Array) -> Array:
    """Euler's."""
    return np.asarray(np.cumsum(x * step_s))


def trapezoids(x: Array, step_s: Array) -> Array:
    """The integral by trapezoids."""
    return np.asarray(np.cumsum((x + delayed(x, 1)) / 2 * step_s))


def derivative(x: Array, step_s: Array) -> Array:
    """0 at first."""
    return np.diff(x, prepend=x[:1]) / step_s


def dead_band(x: Array, width: float) -> Array:
    """0 in it."""
    return np.where(np.abs(x) < width, 0.0, x)


def backlash(x: Array, width: float) -> Array:
    """The play of a gear."""
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = min(max(y[i - 1], x[i] - width), x[i] + width)
    return y


def on_change(x: Array, width: float) -> Array:
    """The last value until another is farther from it than this."""
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = x[i] if abs(x[i] - y[i - 1]) > width else y[i - 1]
    return y


def slew_limited(x: Array, step: float) -> Array:
    """It moves by at most this in a tick."""
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] + min(max(x[i] - y[i - 1], -step), step)
    return y


def schmitt(x: Array, low: float, high: float) -> Array:
    """Set above one limit, reset below another."""
    y = np.zeros(len(x), np.bool_)
    for i in range(1, len(x)):
        y[i] = x[i] > low if y[i - 1] else x[i] > high
    return y


def until_reset(x: Array, resets: Array) -> Array:
    """The sum of x since the last reset."""
    total = np.cumsum(x)
    last = np.maximum.accumulate(np.where(resets, np.arange(len(x)), -1))
    return np.where(last >= 0, total - total[last.clip(0)], total)


def half_away(x: Array) -> Array:
    """Rounded as C's round() does."""
    return np.asarray(np.copysign(np.floor(np.abs(x) + 0.5), x))


def wrapped(angle: Array) -> Array:
    """In -pi … pi."""
    return np.asarray(np.arctan2(np.sin(angle), np.cos(angle)))


def product(p: Array, q: Array) -> Array:
    """Hamilton's product of quaternions (n, 4) as x, y, z, w."""
    (px, py, pz, pw), (qx, qy, qz, qw) = (
        np.broadcast_arrays(p, q)[0].T,
        np.broadcast_to(q, p.shape).T,
    )
    return np.stack(
        [
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
            pw * qw - px * qx - py * qy - pz * qz,
        ],
        axis=1,
    )


def matrix(q: Array) -> Array:
    """(n, 3, 3) rotations of quaternions (n, 4)."""
    x, y, z, w = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def yaw(r: Recording, prefix: str = "pose.pose.orientation.") -> Array:
    """Of a pose in the plane."""
    x, y, z, w = (r[prefix + axis] for axis in "xyzw")
    return np.asarray(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def covariances(r: Recording) -> Array:
    """(n, 36) as a filter would have them: they grow with the way, and correlate."""
    way = integral(np.abs(r[SPEED]), r.step_s)
    angle = yaw(r)
    rows = np.stack([way + 0.1 * i for i in range(6)], axis=1)[:, :, None] * np.eye(6)
    skew = np.zeros((len(way), 6, 6))
    skew[:, 0, 5] = skew[:, 5, 0] = 0.1 * way * np.sin(angle)
    skew[:, 1, 5] = skew[:, 5, 1] = 0.1 * way * np.cos(angle)
    skew[:, 0, 1] = skew[:, 1, 0] = 0.05 * np.sin(2 * angle)
    return rows + skew


def beams(v: Array, count: int) -> Array:
    """The mean of so many beams from each on; the last ones are as they are."""
    v = np.where(np.isfinite(v), v, 25.0).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(v, count, axis=1).mean(axis=2)
    return np.concatenate([windows, v[:, windows.shape[1] :]], axis=1)
