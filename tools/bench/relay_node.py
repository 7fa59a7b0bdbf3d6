"""An ordinary rclpy node that hands Imu on, as it would be without Lockstep."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import Imu


class Relay(Node):
    """/imu to /out."""

    def __init__(self) -> None:
        super().__init__("relay")
        publisher = self.create_publisher(Imu, "out", 10)
        self.create_subscription(Imu, "imu", publisher.publish, 10)
