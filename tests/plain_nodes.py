"""Ordinary rclpy nodes that know nothing of Lockstep, for what a user does with one."""

from __future__ import annotations

import math

from geometry_msgs.msg import Vector3Stamped
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node
from std_msgs.msg import Float64
from std_srvs.srv import SetBool


class Smoother(Node):
    """Puts out the smoothed length of vectors, and ten times a second how many came."""

    def __init__(self) -> None:
        super().__init__("smoother")
        described = ParameterDescriptor(
            description="Weight of what is new.",
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=1.0)],
        )
        self.declare_parameter("gain", 0.5, described)
        self.length = 0.0
        self.count = 0
        self.smoothed = self.create_publisher(Float64, "smoothed", 10)
        self.counted = self.create_publisher(Float64, "counted", 10)
        self.create_subscription(Vector3Stamped, "vector", self.on_vector, 10)
        self.create_timer(0.1, self.on_tick)

    def on_vector(self, msg: Vector3Stamped) -> None:
        """Take a vector."""
        gain = self.get_parameter("gain").value
        v = msg.vector
        self.count += 1
        self.length += gain * (math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z) - self.length)
        if self.length > 0.0:
            self.smoothed.publish(Float64(data=self.length))

    def on_tick(self) -> None:
        """Tell how many came."""
        self.counted.publish(Float64(data=float(self.count)))


class Gate(Node):
    """Lets vectors pass while it is open, which a service says: the VectorGate of the examples."""

    def __init__(self) -> None:
        super().__init__("gate")
        self.declare_parameter("starts_open", True)
        self.is_open = self.get_parameter("starts_open").value
        self.count = 0
        self.passed = self.create_publisher(Vector3Stamped, "passed", 10)
        self.create_subscription(Vector3Stamped, "vector", self.on_vector, 10)
        self.create_service(SetBool, "set_open", self.on_set_open)

    def on_vector(self, msg: Vector3Stamped) -> None:
        """Let it pass, or not."""
        if self.is_open:
            self.count += 1
            self.passed.publish(msg)

    def on_set_open(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Open or close it."""
        response.success = request.data != self.is_open
        response.message = f"{self.count} passed until now"
        self.is_open = request.data
        return response


class ForgetfulGate(Gate):
    """Says of a gate that is closed twice that this has changed something."""

    def on_set_open(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Open or close it."""
        response = super().on_set_open(request, response)
        response.success |= not request.data
        return response


class Named(Node):
    """Needs to be told its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)


class Broken(Node):
    """Cannot be constructed."""

    def __init__(self) -> None:
        super().__init__("broken")
        raise ValueError("no such device")


class Mute(Node):
    """Publishes nothing, and has nowhere to publish to."""

    def __init__(self) -> None:
        super().__init__("mute")
        self.create_subscription(Vector3Stamped, "vector", self.on_vector, 10)

    def on_vector(self, msg: Vector3Stamped) -> None:
        """Say nothing."""


class Clashing(Node):
    """Has topics that are alike but for a slash, and hears what it says."""

    def __init__(self) -> None:
        super().__init__("clashing")
        self.create_subscription(Float64, "left/speed", self.on_left, 10)
        self.create_subscription(Float64, "left_speed", self.on_left, 10)
        self.said = self.create_publisher(Float64, "left_speed", 10)

    def on_left(self, msg: Float64) -> None:
        """Say nothing."""
