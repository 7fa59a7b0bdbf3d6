"""VectorNormalizer: stateless, one message in, one message out."""

import math

from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output, Parameter
from lockstep.distributions import (
    Box,
    Distribution,
    Edges,
    FrameId,
    Mixture,
    Timestamps,
    UnitVector,
)

VECTORS = Distribution(
    {
        "header.stamp": Timestamps(rate_hz=100.0),
        "header.frame_id": FrameId("imu", "base_link"),
        "vector": Mixture((8, Box(-10.0, 10.0)), (1, UnitVector()), (1, Distribution(Edges()))),
    }
)


class VectorNormalizer(Component):
    """Scale each vector to unit length."""

    vector = Input(Vector3Stamped, dist=VECTORS)
    normalized = Output(Vector3Stamped)
    epsilon = Parameter(1e-12, description="below this length the zero vector is returned")

    def on_vector(self, msg: Vector3Stamped) -> None:
        x, y, z = msg.vector.x, msg.vector.y, msg.vector.z
        length = math.sqrt(x * x + y * y + z * z)
        result = Vector3Stamped(header=msg.header)
        if not (length < self.epsilon or length == 0.0):  # NaN stays NaN
            result.vector.x = x / length
            result.vector.y = y / length
            result.vector.z = z / length
        self.normalized.publish(result)


def main() -> None:
    from lockstep.nodes.host import host

    host(VectorNormalizer)
