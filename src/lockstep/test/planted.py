"""Components with one fault each, of which the smallest input that shows it
is known; `Scale` is right.
"""

from __future__ import annotations

import math
import os
import time
from typing import ClassVar

from geometry_msgs.msg import Vector3Stamped, WrenchStamped
from lockstep.component import Component, Input, Output, Parameter, stamp_ns
from lockstep.distributions import Box, Distribution, FrameId, Timestamps

VECTORS = Distribution(
    {
        "header.stamp": Timestamps(rate_hz=100.0),
        "header.frame_id": FrameId("imu"),
        "vector": Box(-10.0, 10.0),
    }
)


class Scale(Component):
    """Scale each vector to unit length; shorter ones than epsilon become 0."""

    vector = Input(Vector3Stamped, dist=VECTORS)
    scaled = Output(Vector3Stamped)
    epsilon = Parameter(1e-3)

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.scaled.publish(self.answer(msg))

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        x, y, z = msg.vector.x, msg.vector.y, msg.vector.z
        length = math.hypot(x, y, z)
        result = Vector3Stamped(header=msg.header)
        if not length < self.epsilon:
            result.vector.x, result.vector.y, result.vector.z = (v / length for v in (x, y, z))
        return result


class WrongForNan(Scale):
    """Takes NaN for 0."""

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        if math.isnan(msg.vector.y):
            return Vector3Stamped(header=msg.header)
        return super().answer(msg)


class WrongForShort(Scale):
    """Takes half of epsilon for it."""

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        values = msg.vector.x, msg.vector.y, msg.vector.z
        length = math.hypot(*values)
        if not 0.5 * self.epsilon <= length < self.epsilon:
            return super().answer(msg)
        result = Vector3Stamped(header=msg.header)
        result.vector.x, result.vector.y, result.vector.z = (v / length for v in values)
        return result


class WrongThird(Scale):
    """Forgets the third message."""

    count = 0

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if self.count != 3:
            super().on_vector(msg)


class WrongAfterStampStepsBack(Scale):
    """Says nothing any more once a stamp was before the one before it."""

    last_ns = 0

    def on_vector(self, msg: Vector3Stamped) -> None:
        now_ns = stamp_ns(msg.header.stamp)
        if now_ns >= self.last_ns:
            self.last_ns = now_ns
            super().on_vector(msg)


class RaisesWhenNegative(Scale):
    """Raises if x is negative."""

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        if msg.vector.x < 0.0:
            raise ValueError("x is negative")
        return super().answer(msg)


class RaisesWhenNegativeToo(Scale):
    """Raises another error, but for the same messages."""

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        if msg.vector.x < 0.0:
            raise ArithmeticError("no negative x, please")
        return super().answer(msg)


class CrashesForInfinity(Scale):
    """Ends the process if z is infinite."""

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        if math.isinf(msg.vector.z):
            os._exit(7)
        return super().answer(msg)


class HangsForZero(Scale):
    """Never answers a vector of zeros."""

    def answer(self, msg: Vector3Stamped) -> Vector3Stamped:
        if msg.vector.x == msg.vector.y == msg.vector.z == 0.0:
            time.sleep(3600)
        return super().answer(msg)


class KeepsState(Scale):
    """Counts the messages of all runs, and goes wrong after many."""

    seen: ClassVar[list[int]] = []

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.seen.append(0)
        if len(self.seen) < 1500:
            super().on_vector(msg)


class LeftToChance(Scale):
    """Now and then is wrong by chance."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        if os.urandom(1)[0] < 128:
            super().on_vector(msg)


class Join(Component):
    """Puts the last force and the last torque together, whenever a torque comes."""

    force = Input(Vector3Stamped, dist=VECTORS)
    torque = Input(Vector3Stamped, dist=VECTORS)
    wrench = Output(WrenchStamped)

    def __init__(self) -> None:
        self.last = Vector3Stamped()

    def on_force(self, msg: Vector3Stamped) -> None:
        self.last = msg

    def on_torque(self, msg: Vector3Stamped) -> None:
        result = WrenchStamped(header=msg.header)
        result.wrench.force = self.last.vector
        result.wrench.torque = msg.vector
        self.wrench.publish(result)


class JoinsTheFirst(Join):
    """Keeps the first force instead of the last."""

    is_first = True

    def on_force(self, msg: Vector3Stamped) -> None:
        if self.is_first:
            self.is_first = False
            super().on_force(msg)


class JoinsTwice(Join):
    """Doubles the torque."""

    def on_torque(self, msg: Vector3Stamped) -> None:
        msg.vector.z *= 2.0
        super().on_torque(msg)
