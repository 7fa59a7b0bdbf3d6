"""Faults of ports in where values stand and what they are about: arrays, axes and angles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from .fault import MOUNT, Fault, Plant, each, same, whole
from .node_parts import beams, covariances, matrix, product, wrapped, yaw
from .recordings import GYRO, PLACE, QUATERNION, SPEED, TURN, Array


def arrays() -> Iterator[Fault]:
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


def axes() -> Iterator[Fault]:
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


def angles() -> Iterator[Fault]:
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
