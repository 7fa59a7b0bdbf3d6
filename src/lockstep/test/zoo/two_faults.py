"""Ports with two faults, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .fault import MM, Fault, each, one, same
from .node_parts import delayed, low_pass, mean_of_last
from .recordings import GYRO, Array


def two_at_once() -> Iterator[Fault]:
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
