"""The node plain_nodes:Smoother as a component."""

from __future__ import annotations

import math

from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output, Parameter, Timer
from std_msgs.msg import Float64


class Smoother(Component):
    """Puts out the smoothed length of vectors, and ten times a second how many came."""

    vector = Input(Vector3Stamped)
    smoothed = Output(Float64)
    counted = Output(Float64)
    gain = Parameter(0.5, "Weight of what is new.", minimum=0.0, maximum=1.0)
    tick = Timer(0.1)

    def __init__(self) -> None:
        self.length = 0.0
        self.count = 0

    def on_vector(self, msg: Vector3Stamped) -> None:
        """Take a vector."""
        v = msg.vector
        self.count += 1
        self.length += self.gain * (math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z) - self.length)
        if self.length > 0.0:
            self.smoothed.publish(Float64(data=self.length))

    def on_tick(self) -> None:
        """Tell how many came."""
        self.counted.publish(Float64(data=float(self.count)))


class Eager(Smoother):
    """Counts the vector that is to come, too."""

    def on_tick(self) -> None:
        self.counted.publish(Float64(data=float(self.count + 1)))


class Fixed(Component):
    """Has another default, and none of the counts."""

    vector = Input(Vector3Stamped)
    smoothed = Output(Float64)
    gain = Parameter(0.25)

    def on_vector(self, msg: Vector3Stamped) -> None:
        """Only its contract counts."""
