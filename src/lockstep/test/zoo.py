"""A zoo of faults that ports of nodes have, each planted in what a node makes of a real recording.

Each is a node and its port: `right` and `wrong` make the columns of an output of those of a
recorded input. What `diagnose` says of their difference should be one of `laws`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lockstep.bag import Bag
from lockstep.compare.simplest_law import Diagnosis
from lockstep.compare.why.diagnose import diagnose

Array = npt.NDArray[Any]
Columns = Mapping[str, Array]
BAGS = Path(__file__).resolve().parents[3] / "bags"
MOST_INPUTS = 40
"""Numbers of the inputs that a verification knows."""

# topic of a bag, first message and number of messages, all of which move
RECORDINGS: Mapping[str, tuple[str, str, int, int]] = {
    "husky imu": ("husky_gps_imu_odom", "/imu/data", 3000, 3000),
    "husky acceleration": ("husky_acceleration", "/imu/acceleration", 0, 3000),
    "husky odometry": ("husky_gps_imu_odom", "/husky_velocity_controller/odom", 500, 3000),
    "husky gps": ("husky_gps_imu_odom", "/fix", 0, 989),
    "office scan": ("office_scan_odom_tf", "/scan", 600, 400),
    "office odometry": ("office_scan_odom_tf", "/odom", 0, 1161),
    "gazebo imu": ("gazebo_diff_drive", "/imu", 0, 1997),
    "gazebo odometry": ("gazebo_diff_drive", "/odom", 0, 998),
    "wall imu": ("gazebo_diff_drive_wall", "/imu", 0, 2001),
    "wall odometry": ("gazebo_diff_drive_wall", "/odom", 0, 1000),
    "sick scan": ("sick_scan_cloud_radar", "/sick_lms_1xx/scan", 0, 89),
}
X, Y, Z = (f"linear_acceleration.{axis}" for axis in "xyz")
GYRO = tuple(f"angular_velocity.{axis}" for axis in "xyz")
QUATERNION = tuple(f"orientation.{axis}" for axis in "xyzw")
PLACE = tuple(f"pose.pose.position.{axis}" for axis in "xy")
SPEED, TURN = "twist.twist.linear.x", "twist.twist.angular.z"


@dataclass(frozen=True)
class Recording:
    """Columns (n,) or (n, k) of a topic by field, and the times (n,) of its messages."""

    columns: Columns
    time_ns: npt.NDArray[np.int64]

    def __getitem__(self, path: str) -> Array:
        return self.columns[path]

    @property
    def step_s(self) -> Array:
        """(n,) the time since the message before; that of the first is the median."""
        steps = np.diff(self.time_ns) * 1e-9
        return np.concatenate([[np.median(steps)], steps])

    def stack(self, paths: tuple[str, ...]) -> Array:
        """(n, k) several fields."""
        return np.stack([self[path] for path in paths], axis=1)

    @property
    def inputs(self) -> Columns:
        """What a verification knows of an input: its first fields that are single numbers."""
        single = {
            f"in.{path}": column.astype(np.float64)
            for path, column in self.columns.items()
            if column.ndim == 1 and not path.endswith("stamp")
        }
        return dict(list(single.items())[:MOST_INPUTS])


@cache
def recording(name: str) -> Recording:
    """A recording by its name."""
    folder, topic, first, count = RECORDINGS[name]
    with Bag(BAGS / folder) as bag:
        paths = [path for path in bag.codec(topic).fields() if not path.endswith("frame_id")]
        all_columns = bag.columns(topic, paths)
    columns = {
        path: column[first : first + count]
        for path, column in all_columns.items()
        if column.dtype != object
    }
    return Recording(columns, columns["header.stamp"])


Plant = Callable[[Recording], Columns]


@dataclass(frozen=True)
class Fault:
    """A node and a port of it that has this fault."""

    name: str
    laws: tuple[str, ...]
    on: str
    right: Plant
    wrong: Plant

    def diagnoses(self) -> Mapping[str, Diagnosis | None]:
        """What is said of each field that differs."""
        source = recording(self.on)
        with np.errstate(all="ignore"):
            a, b = self.right(source), self.wrong(source)
        return diagnose(a, b, source.time_ns, inputs=source.inputs)

    def is_named(self) -> bool:
        """Whether each field that differs is said to do so by this fault."""
        told = self.diagnoses()
        return bool(told) and all(law and law.law in self.laws for law in told.values())


# what nodes are made of


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


# how faults are written down


def one(field: str, f: Callable[[Array], Array], path: str = "value") -> Plant:
    """A number that is made of a field."""
    return lambda r: {path: f(r[field])}


def each(paths: tuple[str, ...], f: Callable[[Array], Array]) -> Plant:
    """Vectors (n, k) of these fields to vectors of the same names."""
    return lambda r: dict(zip(paths, f(r.stack(paths)).T, strict=True))


def whole(field: str, f: Callable[[Array], Array]) -> Plant:
    """An array that is made of an array."""
    return lambda r: {field: f(r[field])}


def timed(field: str, f: Callable[[Array, Array], Array], path: str = "value") -> Plant:
    """A number that is made of a field and the time since the message before."""
    return lambda r: {path: f(r[field], r.step_s)}


def same(x: Array) -> Array:
    """As it is."""
    return x


def constant_step(
    f: Callable[[Array, Array], Array], step: float
) -> Callable[[Array, Array], Array]:
    """The same with a time step that is written down."""
    return lambda x, step_s: f(x, np.full(len(x), step))


MOUNT = np.array([[0.3, -0.2, 0.5, math.sqrt(1 - 0.38)]])
MM = 1000.0


def _filters() -> Iterator[Fault]:
    accel, imu = "husky acceleration", "gazebo imu"
    x = "vector.x"

    def mean(count: int) -> Plant:
        return one(x, lambda v: mean_of_last(v, count))

    def median(count: int) -> Plant:
        return one(x, lambda v: median_of_last(v, count))

    def smooth(gain: float, start: float | None = None) -> Plant:
        return one(x, lambda v: low_pass(v, gain, start))

    yield Fault("a window off by one", ("average",), accel, mean(10), mean(9))
    yield Fault("a window twice as long", ("average",), accel, mean(10), mean(20))
    yield Fault("no average", ("average", "lacks_average"), accel, mean(5), one(x, same))
    yield Fault("an average of what comes in raw", ("average",), accel, one(x, same), mean(8))
    yield Fault("a median of 7 instead of 5", ("median",), accel, median(5), median(7))
    yield Fault("no median", ("median", "lacks_median"), accel, median(5), one(x, same))
    yield Fault("a mean instead of a median", ("median",), accel, median(5), mean(5))
    yield Fault("another gain of a low-pass", ("low_pass",), accel, smooth(0.1), smooth(0.2))
    yield Fault("gain and its complement", ("low_pass",), accel, smooth(0.1), smooth(0.9))
    yield Fault("no low-pass", ("low_pass",), accel, smooth(0.2), one(x, same))
    yield Fault(
        "filtered twice",
        ("low_pass",),
        accel,
        smooth(0.2),
        one(x, lambda v: low_pass(low_pass(v, 0.2), 0.2)),
    )
    yield Fault("begins at 0", ("initial_state",), accel, smooth(0.02), smooth(0.02, 0.0))
    yield Fault(
        "begins at 0 and soon forgets it",
        ("initial_state", "ending"),
        accel,
        smooth(0.3),
        smooth(0.3, 0.0),
    )
    yield Fault(
        "the value before", ("delay",), accel, one(x, same), one(x, lambda v: delayed(v, 1))
    )
    yield Fault(
        "a longer queue",
        ("delay",),
        imu,
        one(GYRO[2], lambda v: delayed(v, 2)),
        one(GYRO[2], lambda v: delayed(v, 7)),
    )
    yield Fault(
        "every third value, held",
        ("held",),
        accel,
        one(x, same),
        one(x, lambda v: v[np.arange(len(v)) // 3 * 3]),
    )
    yield Fault(
        "every fourth value is dropped",
        ("skipped",),
        accel,
        one(x, same),
        one(
            x,
            lambda v: np.delete(v, np.arange(3, len(v), 4))[
                np.arange(len(v)).clip(0, len(v) - len(v) // 4 - 1)
            ],
        ),
    )
    yield Fault(
        "every tenth value comes twice",
        ("repeated",),
        accel,
        one(x, same),
        one(x, lambda v: np.repeat(v, 1 + (np.arange(len(v)) % 10 == 9))[: len(v)]),
    )
    yield Fault(
        "moves by a limited step",
        ("slew_limit",),
        accel,
        one(x, same),
        one(x, lambda v: slew_limited(v, 0.2)),
    )
    yield Fault(
        "no limit of steps",
        ("slew_limit", "lacks_slew_limit"),
        accel,
        one(x, lambda v: slew_limited(v, 0.2)),
        one(x, same),
    )
    yield Fault("play", ("backlash",), accel, one(x, same), one(x, lambda v: backlash(v, 0.3)))
    yield Fault(
        "told on change only",
        ("on_change",),
        accel,
        one(x, same),
        one(x, lambda v: on_change(v, 0.3)),
    )
    yield Fault(
        "told always",
        ("on_change", "lacks_on_change"),
        accel,
        one(x, lambda v: on_change(v, 0.3)),
        one(x, same),
    )


def _steps_of_time() -> Iterator[Fault]:
    odom, gps = "husky odometry", "husky gps"
    yield Fault(
        "a constant dt in an integral",
        ("time_step",),
        odom,
        timed(TURN, integral),
        timed(TURN, constant_step(integral, 0.1)),
    )
    yield Fault(
        "a constant dt in a derivative",
        ("time_step",),
        odom,
        timed(PLACE[0], derivative),
        timed(PLACE[0], constant_step(derivative, 0.1)),
    )
    yield Fault(
        "Euler instead of trapezoids",
        ("trapezoids",),
        odom,
        timed(TURN, trapezoids),
        timed(TURN, integral),
    )
    yield Fault(
        "trapezoids instead of Euler",
        ("trapezoids",),
        odom,
        timed(SPEED, integral),
        timed(SPEED, trapezoids),
    )
    yield Fault(
        "a change for a speed",
        ("time_step",),
        odom,
        timed(PLACE[0], derivative),
        timed(PLACE[0], constant_step(derivative, 1.0)),
    )
    yield Fault(
        "a speed for a way",
        ("derivative",),
        "husky imu",
        timed(GYRO[2], integral),
        one(GYRO[2], same),
    )
    yield Fault(
        "a way for a speed",
        ("integral",),
        "gazebo odometry",
        one(SPEED, same),
        timed(SPEED, integral),
    )
    yield Fault(
        "the stamp before",
        ("delay",),
        gps,
        one("header.stamp", same, "header.stamp"),
        one("header.stamp", lambda v: delayed(v, 1), "header.stamp"),
    )
    yield Fault(
        "stamps in milliseconds",
        ("trunc", "floor"),
        "husky imu",
        one("header.stamp", same, "header.stamp"),
        one("header.stamp", lambda v: v // 1_000_000 * 1_000_000, "header.stamp"),
    )
    yield Fault(
        "stamps by way of a double",
        ("float64_time",),
        "husky imu",
        one("header.stamp", same, "header.stamp"),
        one("header.stamp", lambda v: ((v * 1e-9) * 1e9).astype(np.int64), "header.stamp"),
    )
    yield Fault(
        "no carry of nanoseconds",
        ("carry",),
        "husky imu",
        one("header.stamp", lambda v: v + 300_000_000, "header.stamp"),
        one(
            "header.stamp",
            lambda v: v // 10**9 * 10**9 + (v % 10**9 + 300_000_000) % 10**9,
            "header.stamp",
        ),
    )
    yield Fault(
        "a reset that is missing",
        ("reset",),
        odom,
        lambda r: {"value": until_reset(r[SPEED], np.abs(r[TURN]) > 0.35)},
        lambda r: {"value": until_reset(r[SPEED], np.zeros(len(r[SPEED]), np.bool_))},
    )
    yield Fault(
        "resets elsewhere",
        ("reset",),
        odom,
        lambda r: {"value": until_reset(r[SPEED], np.arange(len(r[SPEED])) % 500 == 0)},
        lambda r: {"value": until_reset(r[SPEED], np.arange(len(r[SPEED])) % 600 == 0)},
    )
    yield Fault(
        "another radius of wheels",
        ("scale", "rate"),
        odom,
        timed(SPEED, integral),
        timed(SPEED, lambda v, s: integral(1.02 * v, s)),
    )


def _limits() -> Iterator[Fault]:
    accel, odom, imu = "husky acceleration", "gazebo odometry", "husky imu"
    x = "vector.x"
    yield Fault(
        "another limit",
        ("clip",),
        accel,
        one(x, lambda v: v.clip(-1.5, 1.5)),
        one(x, lambda v: v.clip(-1.0, 1.0)),
    )
    yield Fault(
        "a lower limit only",
        ("clip", "lacks_clip"),
        accel,
        one(x, lambda v: v.clip(-1.0, 1.0)),
        one(x, lambda v: v.clip(-1.0, None)),
    )
    yield Fault(
        "no limit", ("clip", "lacks_clip"), accel, one(x, lambda v: v.clip(-1.0, 1.0)), one(x, same)
    )
    yield Fault(
        "a dead band",
        ("dead_band",),
        imu,
        one(GYRO[2], same),
        one(GYRO[2], lambda v: dead_band(v, 0.05)),
    )
    yield Fault(
        "no dead band",
        ("dead_band", "lacks_dead_band"),
        imu,
        one(GYRO[2], lambda v: dead_band(v, 0.05)),
        one(GYRO[2], same),
    )
    yield Fault(
        "a dead band that is taken off",
        ("dead_band", "soft_dead_band"),
        imu,
        one(GYRO[2], lambda v: dead_band(v, 0.05)),
        one(GYRO[2], lambda v: np.sign(v) * (np.abs(v) - 0.05).clip(0.0)),
    )
    yield Fault(
        "no hysteresis",
        ("hysteresis", "branch"),
        imu,
        one(GYRO[2], lambda v: schmitt(v, 0.01, 0.03)),
        one(GYRO[2], lambda v: v > 0.03),
    )
    yield Fault(
        "another threshold of a flag",
        ("branch", "threshold"),
        imu,
        one(GYRO[2], lambda v: v > 0.01),
        one(GYRO[2], lambda v: v > 0.03),
    )
    yield Fault(
        "no magnitude",
        ("magnitude", "lacks_magnitude"),
        imu,
        one(GYRO[0], np.abs),
        one(GYRO[0], same),
    )
    yield Fault("the square", ("square",), accel, one(x, same), one(x, np.square))
    yield Fault(
        "deviation instead of variance",
        ("root",),
        odom,
        lambda r: {"covariance": covariances(r)[:, 0, 0]},
        lambda r: {"covariance": np.sqrt(covariances(r)[:, 0, 0])},
    )
    yield Fault(
        "half the speed in curves",
        ("branch",),
        "husky odometry",
        one(SPEED, same, "speed"),
        lambda r: {"speed": np.where(np.abs(r[TURN]) > 0.05, 0.5, 1.0) * r[SPEED]},
    )
    yield Fault(
        "stops in sharp curves only to the left",
        ("branch",),
        "husky odometry",
        one(SPEED, same, "speed"),
        lambda r: {"speed": np.where(r[TURN] > 0.02, 0.0, r[SPEED])},
    )


def _digits() -> Iterator[Fault]:
    accel, imu, scan = "husky acceleration", "husky imu", "office scan"
    x = "vector.x"

    def ints(f: Callable[[Array], Array], kind: type = np.int32) -> Callable[[Array], Array]:
        return lambda v: f(v).astype(kind)

    yield Fault(
        "hundredths",
        ("round", "decimals"),
        accel,
        one(x, same),
        one(x, lambda v: np.rint(v * 100) / 100),
    )
    yield Fault(
        "coarser steps",
        ("round", "floor"),
        accel,
        one(x, same),
        one(x, lambda v: np.floor(v / 0.05) * 0.05),
    )
    yield Fault(
        "cut off instead of rounded",
        ("rounding",),
        accel,
        one(x, ints(lambda v: np.rint(100 * v))),
        one(x, ints(lambda v: np.trunc(100 * v))),
    )
    yield Fault(
        "halves away from zero",
        ("rounding",),
        "husky gps",
        one("altitude", ints(lambda v: np.rint(v * 5))),
        one("altitude", ints(lambda v: half_away(v * 5))),
    )
    yield Fault(
        "float32",
        ("float32",),
        accel,
        one(x, same),
        one(x, lambda v: v.astype(np.float32).astype(np.float64)),
    )
    yield Fault(
        "float16",
        ("float16",),
        imu,
        one(Z, same),
        one(Z, lambda v: v.astype(np.float16).astype(np.float64)),
    )
    yield Fault(
        "summed in float32",
        ("float32_arithmetic", "wander", "last_bits"),
        imu,
        one(GYRO[2], np.cumsum),
        one(GYRO[2], lambda v: np.cumsum(v.astype(np.float32)).astype(np.float64)),
    )
    yield Fault(
        "overflow of 16 bits",
        ("overflow",),
        imu,
        one(Y, ints(lambda v: v * 4000)),
        one(Y, lambda v: (v * 4000).astype(np.int64).astype(np.int16).astype(np.int32)),
    )
    yield Fault(
        "overflow of 8 bits",
        ("overflow",),
        accel,
        one(x, ints(lambda v: v * 100)),
        one(x, lambda v: (v * 100).astype(np.int64).astype(np.uint8).astype(np.int32)),
    )
    yield Fault(
        "bytes swapped",
        ("bytes_swapped",),
        accel,
        one(x, ints(lambda v: 1000 * v, np.int16)),
        one(x, lambda v: (1000 * v).astype(np.int16).byteswap()),
    )
    yield Fault(
        "NaN for infinity",
        ("nan", "infinite", "special_values"),
        scan,
        whole("ranges", same),
        whole("ranges", lambda v: np.where(np.isinf(v), np.nan, v)),
    )
    yield Fault(
        "0 for infinity",
        ("special_values", "infinite"),
        scan,
        whole("ranges", same),
        whole("ranges", lambda v: np.where(np.isinf(v), 0, v).astype(np.float32)),
    )
    yield Fault(
        "far ranges are infinite",
        ("threshold", "infinite", "lacks_clip"),
        scan,
        whole("ranges", same),
        whole("ranges", lambda v: np.where(v > 8.0, np.inf, v).astype(np.float32)),
    )


def _arrays() -> Iterator[Fault]:
    scan, sick, odom = "office scan", "sick scan", "husky odometry"
    yield Fault(
        "off by one index",
        ("index", "rolled"),
        scan,
        whole("ranges", same),
        whole("ranges", lambda v: np.roll(v, -1, axis=1)),
    )
    yield Fault(
        "the last element twice",
        ("index",),
        sick,
        whole("ranges", same),
        whole("ranges", lambda v: v[:, [*range(1, v.shape[1]), -1]]),
    )
    yield Fault(
        "clockwise",
        ("reversed",),
        scan,
        whole("ranges", same),
        whole("ranges", lambda v: v[:, ::-1]),
    )
    yield Fault(
        "begins behind",
        ("rolled",),
        sick,
        whole("ranges", same),
        whole("ranges", lambda v: np.roll(v, v.shape[1] // 2, axis=1)),
    )
    yield Fault(
        "sorted",
        ("sorted",),
        scan,
        whole("ranges", same),
        whole("ranges", lambda v: np.sort(v, axis=1)),
    )
    yield Fault(
        "another order of what is equal",
        ("sorted", "other_order"),
        scan,
        whole(
            "ranges",
            lambda v: np.take_along_axis(v, np.argsort(np.floor(v), axis=1, kind="stable"), axis=1),
        ),
        whole(
            "ranges",
            lambda v: np.take_along_axis(v, np.argsort(np.floor(v) + v / 100, axis=1), axis=1),
        ),
    )
    yield Fault(
        "a window of beams off by one",
        ("average", "index_average"),
        scan,
        whole("ranges", lambda v: beams(v, 5)),
        whole("ranges", lambda v: beams(v, 4)),
    )
    yield Fault(
        "rotation matrix transposed",
        ("transposed",),
        "husky imu",
        lambda r: {"rotation": matrix(r.stack(QUATERNION)).reshape(-1, 9)},
        lambda r: {"rotation": matrix(r.stack(QUATERNION)).transpose(0, 2, 1).reshape(-1, 9)},
    )
    turned = [3, 4, 5, 0, 1, 2]
    yield Fault(
        "covariance with rotations first",
        ("covariance_order",),
        odom,
        lambda r: {"covariance": covariances(r).reshape(-1, 36)},
        lambda r: {"covariance": covariances(r)[:, turned][:, :, turned].reshape(-1, 36)},
    )
    yield Fault(
        "a covariance without correlations",
        ("elements", "masked"),
        odom,
        lambda r: {"covariance": covariances(r).reshape(-1, 36)},
        lambda r: {"covariance": (covariances(r) * np.eye(6)).reshape(-1, 36)},
    )


def beams(v: Array, count: int) -> Array:
    """The mean of so many beams from each on; the last ones are as they are."""
    v = np.where(np.isfinite(v), v, 25.0).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(v, count, axis=1).mean(axis=2)
    return np.concatenate([windows, v[:, windows.shape[1] :]], axis=1)


def _axes() -> Iterator[Fault]:
    imu, accel, odom = "husky imu", "husky acceleration", "husky odometry"
    vector = ("vector.x", "vector.y", "vector.z")
    yield Fault(
        "the sign of y",
        ("sign", "permuted"),
        accel,
        each(vector, same),
        each(vector, lambda v: v * [1, -1, 1]),
    )
    yield Fault(
        "x and y swapped",
        ("swapped",),
        imu,
        each(GYRO, same),
        each(GYRO, lambda v: v[:, [1, 0, 2]]),
    )
    yield Fault(
        "y is x once more",
        ("copied", "permuted"),
        accel,
        each(vector, same),
        each(vector, lambda v: v[:, [0, 0, 2]]),
    )
    yield Fault(
        "NED",
        ("permuted", "frame"),
        accel,
        each(vector, same),
        each(vector, lambda v: v[:, [1, 0, 2]] * [1, 1, -1]),
    )
    yield Fault(
        "FRD",
        ("permuted", "frame", "sign"),
        imu,
        each(GYRO, same),
        each(GYRO, lambda v: v * [1, -1, -1]),
    )
    yield Fault(
        "optical",
        ("permuted", "frame"),
        accel,
        each(vector, same),
        each(vector, lambda v: v[:, [1, 2, 0]] * [-1, -1, 1]),
    )
    yield Fault(
        "a mount that is turned",
        ("rotated",),
        accel,
        each(vector, same),
        each(vector, lambda v: v @ matrix(MOUNT)[0].T),
    )
    yield Fault(
        "a mount that is turned the other way",
        ("rotated",),
        imu,
        each(GYRO, lambda v: v @ matrix(MOUNT)[0].T),
        each(GYRO, lambda v: v @ matrix(MOUNT)[0]),
    )
    yield Fault(
        "quaternion order",
        ("quaternion_order",),
        imu,
        each(QUATERNION, same),
        each(QUATERNION, lambda q: q[:, [3, 0, 1, 2]]),
    )
    yield Fault(
        "conjugate",
        ("conjugate",),
        imu,
        each(QUATERNION, same),
        each(QUATERNION, lambda q: q * [-1, -1, -1, 1]),
    )
    yield Fault(
        "w is positive",
        ("negated",),
        imu,
        each(QUATERNION, same),
        each(QUATERNION, lambda q: q * np.where(q[:, 3:] < 0, -1, 1)),
    )
    yield Fault(
        "order of a product",
        ("product_order",),
        imu,
        each(QUATERNION, lambda q: product(q, MOUNT)),
        each(QUATERNION, lambda q: product(np.repeat(MOUNT, len(q), axis=0), q)),
    )
    yield Fault(
        "no product with the mount",
        ("rotated", "copied"),
        imu,
        each(QUATERNION, lambda q: product(q, MOUNT)),
        each(QUATERNION, same),
    )
    yield Fault(
        "not of unit length",
        ("scale", "normalized", "lacks_normalized"),
        imu,
        each(QUATERNION, same),
        each(QUATERNION, lambda q: q * (1 + 0.1 * np.sin(np.arange(len(q)) / 50))[:, None]),
    )
    yield Fault(
        "a map that is turned",
        ("rotated",),
        odom,
        each(PLACE, same),
        each(
            PLACE,
            lambda p: (
                p @ np.array([[math.cos(0.1), math.sin(0.1)], [-math.sin(0.1), math.cos(0.1)]])
            ),
        ),
    )
    yield Fault(
        "speed in the map instead of the robot",
        ("rotated_by",),
        odom,
        lambda r: {"speed.x": r[SPEED], "speed.y": 0.1 * r[TURN]},
        lambda r: {
            "speed.x": np.cos(yaw(r)) * r[SPEED] - np.sin(yaw(r)) * 0.1 * r[TURN],
            "speed.y": np.sin(yaw(r)) * r[SPEED] + np.cos(yaw(r)) * 0.1 * r[TURN],
        },
    )
    yield Fault(
        "longitude for latitude",
        ("copied", "swapped"),
        "husky gps",
        lambda r: {"latitude": r["latitude"], "longitude": r["longitude"]},
        lambda r: {"latitude": r["longitude"], "longitude": r["latitude"]},
    )


def _angles() -> Iterator[Fault]:
    odom = "husky odometry"

    def heading(f: Callable[[Array], Array]) -> Plant:
        return lambda r: {"yaw": f(yaw(r))}

    yield Fault("degrees", ("unit",), odom, heading(same), heading(np.degrees))
    yield Fault("0 … 2 pi", ("wrap",), odom, heading(same), heading(lambda v: v % math.tau))
    yield Fault("not wrapped", ("wrap",), odom, heading(same), heading(np.unwrap))
    yield Fault(
        "atan for atan2", ("wrap",), odom, heading(same), heading(lambda v: np.arctan(np.tan(v)))
    )
    yield Fault(
        "from north clockwise",
        ("affine+wrap", "sign+offset+wrap"),
        odom,
        heading(same),
        heading(lambda v: wrapped(math.pi / 2 - v)),
    )
    yield Fault(
        "turned by a quarter",
        ("offset+wrap", "wrap"),
        odom,
        heading(same),
        heading(lambda v: wrapped(v + math.pi / 2)),
    )
    yield Fault(
        "degrees from another zero",
        ("unit+offset",),
        odom,
        heading(same),
        heading(lambda v: np.degrees(v) + 12.0),
    )


def _two_at_once() -> Iterator[Fault]:
    accel, imu = "husky acceleration", "husky imu"
    x = "vector.x"
    vector = ("vector.x", "vector.y", "vector.z")

    def both(*laws: str) -> tuple[str, ...]:
        return ("+".join(laws), "+".join(reversed(laws)))

    def plant(
        name: str,
        laws: tuple[str, ...],
        f: Callable[[Array], Array],
        on: str = accel,
        field: str = x,
    ) -> Fault:
        return Fault(name, laws, on, one(field, same), one(field, f))

    yield plant("late and scaled", both("delay", "scale"), lambda v: 1.7 * delayed(v, 3))
    yield plant("late and in millimetres", both("delay", "unit"), lambda v: MM * delayed(v, 2))
    yield plant("late and off", both("delay", "offset"), lambda v: delayed(v, 1) + 0.4)
    yield plant(
        "late and of another sign", both("delay", "sign"), lambda v: -delayed(v, 1), imu, GYRO[2]
    )
    yield plant("late and limited", both("delay", "clip"), lambda v: delayed(v, 2).clip(-1, 1))
    yield plant(
        "late and rounded",
        (*both("delay", "decimals"), *both("delay", "round")),
        lambda v: np.rint(10 * delayed(v, 2)) / 10,
    )
    yield plant(
        "late float32",
        both("delay", "float32"),
        lambda v: delayed(v, 1).astype(np.float32).astype(np.float64),
    )
    yield plant("scaled, then limited", both("scale", "clip"), lambda v: (1.5 * v).clip(-1, 1))
    yield plant("scaled, then smoothed", both("scale", "low_pass"), lambda v: low_pass(2 * v, 0.2))
    yield plant(
        "limited, then smoothed", both("clip", "low_pass"), lambda v: low_pass(v.clip(-1, 1), 0.2)
    )
    yield plant("in millimetres, cut off", both("unit", "trunc"), lambda v: np.trunc(v * MM))
    yield plant("negative and smoothed", both("sign", "low_pass"), lambda v: low_pass(-v, 0.2))
    yield plant("averaged and scaled", both("scale", "average"), lambda v: mean_of_last(2 * v, 6))
    yield Fault(
        "axes swapped, one tick late",
        (*both("delay", "swapped"), "delay"),
        accel,
        each(vector, same),
        each(vector, lambda v: delayed(v, 1)[:, [1, 0, 2]]),
    )
    yield Fault(
        "NED in degrees",
        (*both("permuted", "unit"), *both("frame", "unit"), "sign+unit"),
        imu,
        each(GYRO, same),
        each(GYRO, lambda v: np.degrees(v[:, [1, 0, 2]] * [1, 1, -1])),
    )
    yield Fault(
        "optical and scaled",
        (*both("permuted", "scale"), *both("frame", "scale")),
        accel,
        each(vector, same),
        each(vector, lambda v: 1.1 * v[:, [1, 2, 0]] * [-1, -1, 1]),
    )


FAULTS: tuple[Fault, ...] = (
    *_filters(),
    *_steps_of_time(),
    *_limits(),
    *_digits(),
    *_arrays(),
    *_axes(),
    *_angles(),
    *_two_at_once(),
)


# what has nothing to do with each other


_ROBOTS = {
    "husky": "husky",
    "office": "office",
    "gazebo": "gazebo",
    "wall": "gazebo",
    "sick": "sick",
}
"""Recordings of one robot may well follow from each other."""


def unrelated(count: int, seed: int = 0) -> Iterator[Mapping[str, Diagnosis | None]]:
    """What is said of so many pairs of numbers, or vectors, of different recordings."""
    rng = np.random.default_rng(seed)
    robots: dict[str, list[str]] = {}
    for name in RECORDINGS:
        robots.setdefault(_ROBOTS[name.partition(" ")[0]], []).append(name)
    for _ in range(count):
        chosen = rng.choice(list(robots), 2, replace=False).tolist()
        one, other = (recording(str(rng.choice(robots[robot]))) for robot in chosen)
        size = int(rng.choice([1, 1, 1, 2, 3]))
        sides = [_numbers(source, size, rng) for source in (one, other)]
        ticks = min(len(side[0]) for side in sides)
        paths = ["value"] if size == 1 else [f"v.{axis}" for axis in "xyz"[:size]]
        a, b = (dict(zip(paths, (x[:ticks] for x in side), strict=True)) for side in sides)
        inputs = {
            path: x[:ticks]
            for path, x in other.inputs.items()
            if not any(np.array_equal(x[:ticks], y) for y in b.values())
        }
        yield diagnose(a, b, one.time_ns[:ticks], inputs=inputs)


def _numbers(source: Recording, count: int, rng: np.random.Generator) -> list[Array]:
    """Some fields of a recording that move."""
    moving = [
        np.asarray(column, np.float64)
        for path, column in source.columns.items()
        if column.ndim == 1 and path != "header.stamp" and len(np.unique(column)) > 10
    ]
    if "ranges" in source.columns:
        beams_ = np.where(np.isfinite(source["ranges"]), source["ranges"], 25.0)
        moving = [beams_[:, i].astype(np.float64) for i in range(0, beams_.shape[1], 60)]
    return [moving[i] for i in rng.choice(len(moving), count, replace=count > len(moving))]


NO_LAW_OF_A = frozenset({"constant", "mean", "nan", "infinite"})
"""True of any two series for which they are told."""


def false_names(told: Mapping[str, Diagnosis | None]) -> list[str]:
    """What was said of unrelated fields that is not so."""
    return [law.sentence for law in told.values() if law and law.law not in NO_LAW_OF_A]
