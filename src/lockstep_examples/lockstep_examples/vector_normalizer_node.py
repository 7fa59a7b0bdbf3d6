"""An ordinary rclpy node, which knows nothing of Lockstep: what VectorNormalizer was before it was
ported."""

import math
from contextlib import suppress

import rclpy
from geometry_msgs.msg import Vector3Stamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node


class VectorNormalizerNode(Node):
    """Scale each vector to unit length."""

    def __init__(self) -> None:
        super().__init__("vector_normalizer")
        self.declare_parameter("epsilon", 1e-12)
        self.publisher = self.create_publisher(Vector3Stamped, "normalized", 10)
        self.create_subscription(Vector3Stamped, "vector", self.on_vector, 10)

    def on_vector(self, msg: Vector3Stamped) -> None:
        v = msg.vector
        length = math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z)
        result = Vector3Stamped(header=msg.header)
        if not (length < self.get_parameter("epsilon").value or length == 0.0):
            result.vector.x = v.x / length
            result.vector.y = v.y / length
            result.vector.z = v.z / length
        self.publisher.publish(result)


def main() -> None:
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(VectorNormalizerNode())
