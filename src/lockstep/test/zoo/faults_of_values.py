"""Faults of ports in single values: their limits and their digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .fault import Fault, one, same, whole
from .node_parts import covariances, dead_band, half_away, schmitt
from .recordings import GYRO, SPEED, TURN, Array, Y, Z


def limits() -> Iterator[Fault]:
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


def digits() -> Iterator[Fault]:
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
