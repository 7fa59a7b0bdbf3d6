"""Faults of ports that are seen over time: filters, and steps of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .fault import Fault, Plant, constant_step, one, same, timed
from .node_parts import (
    backlash,
    delayed,
    derivative,
    integral,
    low_pass,
    mean_of_last,
    median_of_last,
    on_change,
    slew_limited,
    trapezoids,
    until_reset,
)
from .recordings import GYRO, PLACE, SPEED, TURN


def filters() -> Iterator[Fault]:
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


def steps_of_time() -> Iterator[Fault]:
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
