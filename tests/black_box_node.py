"""An ordinary rclpy node that knows nothing of Lockstep: scales vectors to unit length, on topics
of its own names.

Arguments change what it does: silent, crash, drop, slow, sensor (QoS), latched (and one message
at the start), count_clocks.
"""

from __future__ import annotations

import math
import sys
import time

import rclpy
from geometry_msgs.msg import Vector3Stamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock

MIDDLE = 50


class Direction(Node):
    def __init__(self, arguments: list[str]) -> None:
        super().__init__("direction")
        self.arguments = arguments
        self.count = 0
        self.clocks = 0
        self.declare_parameter("epsilon", 1e-12)
        # Deep enough for a machine that has other work.
        qos = QoSProfile(depth=100)
        if "sensor" in arguments:
            qos.reliability = ReliabilityPolicy.BEST_EFFORT
        self.create_subscription(Vector3Stamped, "acceleration", self.on_acceleration, qos)
        if "count_clocks" in arguments:
            self.create_subscription(Clock, "/clock", self.on_clock, qos_profile_sensor_data)
        if "latched" in arguments:
            qos = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.publisher = self.create_publisher(Vector3Stamped, "direction", qos)
        if "latched" in arguments:
            self.publisher.publish(Vector3Stamped())

    def on_clock(self, msg: Clock) -> None:
        self.clocks += 1

    def on_acceleration(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if "slow" in self.arguments:
            time.sleep(0.02)
        if "crash" in self.arguments and self.count == MIDDLE:
            raise RuntimeError("acceleration out of range")
        if "silent" in self.arguments or ("drop" in self.arguments and self.count == MIDDLE):
            return
        v = msg.vector
        length = math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z)
        out = Vector3Stamped(header=msg.header)
        if length >= self.get_parameter("epsilon").value:
            out.vector.x, out.vector.y, out.vector.z = v.x / length, v.y / length, v.z / length
        self.publisher.publish(out)


def main() -> None:
    rclpy.init()
    node = Direction(remove_ros_args(sys.argv)[1:])
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        print(f"{node.clocks} clocks")


if __name__ == "__main__":
    main()
