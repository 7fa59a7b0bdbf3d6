"""ImuComplementaryFilter: orientation from gyroscope and accelerometer; state and time matter.

The explicit complementary filter with bias estimate of R. Mahony, T. Hamel, J.-M. Pflimlin,
"Nonlinear complementary filters on the special orthogonal group", IEEE Trans. Automatic Control
53(5), 2008, eqs. (32a-c) with gravity as the only reference direction; frames and signs as in
REP-103 and REP-145.
"""

import math

from geometry_msgs.msg import QuaternionStamped
from lockstep.component import Component, Input, Output, Parameter, stamp_ns
from lockstep.distributions import (
    Constant,
    Covariance,
    Distribution,
    FrameId,
    OrnsteinUhlenbeck,
    Timestamps,
    UnitQuaternion,
)
from sensor_msgs.msg import Imu

MOTION = Distribution(
    {
        "header.stamp": Timestamps(rate_hz=100.0, jitter_s=0.001, gaps=0.001, gap_s=2.0),
        "header.frame_id": FrameId("imu_link"),
        "orientation": UnitQuaternion(),
        "angular_velocity": OrnsteinUhlenbeck(std=0.5, time_s=0.5),
        "linear_acceleration": OrnsteinUhlenbeck(std=2.0, time_s=0.2),
        "linear_acceleration.z": OrnsteinUhlenbeck(mean=9.81, std=2.0, time_s=0.2),
        "*covariance": Covariance(),
        "orientation_covariance": Constant(0.0),
    }
)


class ImuComplementaryFilter(Component):
    """Estimate the orientation of an IMU; yaw starts at zero and drifts with the gyroscope."""

    imu = Input(Imu, dist=MOTION)
    orientation = Output(QuaternionStamped)
    gain = Parameter(1.0, description="trust in the accelerometer, 1/s")
    bias_gain = Parameter(0.01, description="rate at which the gyroscope's bias is learnt, 1/s^2")
    max_gap = Parameter(1.0, description="start anew after a gap longer than this, s")

    def __init__(self) -> None:
        self.q = [1.0, 0.0, 0.0, 0.0]  # w, x, y, z: body to world
        self.bias = [0.0, 0.0, 0.0]  # rad/s
        self.last_ns = -1

    def on_imu(self, msg: Imu) -> None:
        w, a = msg.angular_velocity, msg.linear_acceleration
        if not all(math.isfinite(value) for value in (w.x, w.y, w.z, a.x, a.y, a.z)):
            self.logger.warning("skipped a sample that is not finite")
            return
        now_ns = stamp_ns(msg.header.stamp)
        dt = (now_ns - self.last_ns) * 1e-9
        if self.last_ns < 0 or dt < 0.0 or dt > self.max_gap:
            self.start(a.x, a.y, a.z)
        else:
            self.update(w.x, w.y, w.z, a.x, a.y, a.z, dt)
        self.last_ns = now_ns

        result = QuaternionStamped(header=msg.header)
        q = result.quaternion
        q.w, q.x, q.y, q.z = self.q
        self.orientation.publish(result)

    def start(self, ax: float, ay: float, az: float) -> None:
        """Level the filter: roll and pitch from the accelerometer, yaw zero."""
        roll = math.atan2(ay, az)
        pitch = math.atan2(-ax, math.sqrt(ay * ay + az * az))
        cr, sr = math.cos(0.5 * roll), math.sin(0.5 * roll)
        cp, sp = math.cos(0.5 * pitch), math.sin(0.5 * pitch)
        self.q = [cr * cp, sr * cp, cr * sp, -sr * sp]
        self.bias = [0.0, 0.0, 0.0]

    def update(
        self, wx: float, wy: float, wz: float, ax: float, ay: float, az: float, dt: float
    ) -> None:
        """Integrate the gyroscope over `dt` seconds and pull towards gravity."""
        q0, q1, q2, q3 = self.q
        wx -= self.bias[0]
        wy -= self.bias[1]
        wz -= self.bias[2]

        norm = math.sqrt(ax * ax + ay * ay + az * az)
        if norm > 0.0:
            # "up" as the filter sees it, in the body frame
            vx = 2.0 * (q1 * q3 - q0 * q2)
            vy = 2.0 * (q0 * q1 + q2 * q3)
            vz = q0 * q0 - q1 * q1 - q2 * q2 + q3 * q3
            # the rotation that is missing: measured x estimated
            ex = (ay * vz - az * vy) / norm
            ey = (az * vx - ax * vz) / norm
            ez = (ax * vy - ay * vx) / norm
            self.bias[0] -= self.bias_gain * ex * dt
            self.bias[1] -= self.bias_gain * ey * dt
            self.bias[2] -= self.bias_gain * ez * dt
            wx += self.gain * ex
            wy += self.gain * ey
            wz += self.gain * ez

        half = 0.5 * dt
        q0, q1, q2, q3 = (
            q0 + half * (-q1 * wx - q2 * wy - q3 * wz),
            q1 + half * (q0 * wx + q2 * wz - q3 * wy),
            q2 + half * (q0 * wy - q1 * wz + q3 * wx),
            q3 + half * (q0 * wz + q1 * wy - q2 * wx),
        )
        norm = math.sqrt(q0 * q0 + q1 * q1 + q2 * q2 + q3 * q3)
        if norm > 0.0 and math.isfinite(norm):
            self.q = [q0 / norm, q1 / norm, q2 / norm, q3 / norm]
        else:  # a rate beyond all reason
            self.start(ax, ay, az)


def main() -> None:
    from lockstep.nodes.host import host

    host(ImuComplementaryFilter)
