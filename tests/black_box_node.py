"""An ordinary rclpy node that knows nothing of Lockstep: scales vectors to unit length, on topics of its own names.

An argument makes it misbehave: silent, crash, drop, sensor or latched QoS.
"""

from __future__ import annotations

import math
import sys

import rclpy
from geometry_msgs.msg import Vector3Stamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data

MIDDLE = 50


class Direction(Node):
    def __init__(self, behaviour: str) -> None:
        super().__init__("direction")
        self.behaviour = behaviour
        self.count = 0
        self.declare_parameter("epsilon", 1e-12)
        qos = QoSProfile(depth=10)
        if behaviour == "sensor":
            qos = qos_profile_sensor_data
        if behaviour == "latched":
            qos = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.publisher = self.create_publisher(Vector3Stamped, "direction", qos)
        if behaviour == "latched":
            self.publisher.publish(Vector3Stamped())
        self.create_subscription(
            Vector3Stamped,
            "acceleration",
            self.on_acceleration,
            qos_profile_sensor_data if behaviour == "sensor" else 10,
        )

    def on_acceleration(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if self.behaviour == "silent" or (self.behaviour == "drop" and self.count == MIDDLE):
            return
        if self.behaviour == "crash" and self.count == MIDDLE:
            raise RuntimeError("acceleration out of range")
        v = msg.vector
        length = math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z)
        out = Vector3Stamped(header=msg.header)
        if length >= self.get_parameter("epsilon").value:
            out.vector.x, out.vector.y, out.vector.z = v.x / length, v.y / length, v.z / length
        self.publisher.publish(out)


def main() -> None:
    rclpy.init()
    own = rclpy.utilities.remove_ros_args(sys.argv)[1:]
    node = Direction(own[0] if own else "")
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        node.get_logger().info("good bye")


if __name__ == "__main__":
    main()
