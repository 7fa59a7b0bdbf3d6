"""PdController: two inputs, a timer at a fixed rate and parameters.

The discrete PD law with a filtered derivative on the measurement of K. J. Åström and R. M. Murray,
"Feedback Systems", 2nd ed., section 11.5, by backward differences.
"""

from geometry_msgs.msg import Twist, WrenchStamped
from lockstep.component import Component, Input, Output, Parameter, Timer, to_stamp
from lockstep.distributions import (
    Constant,
    Distribution,
    FrameId,
    Normal,
    RandomWalk,
    Stamp,
    Steps,
    Timestamps,
    UnitQuaternion,
)
from nav_msgs.msg import Odometry

COMMANDS = Distribution(
    {
        "*": Constant(0.0),
        "linear.x": Steps([0.0, 0.5, 1.0, -0.5], every_s=2.0),
        "angular.z": RandomWalk(std=0.3, low=-1.0, high=1.0),
    },
    at=Timestamps(rate_hz=10.0),
)
MEASUREMENTS = Distribution(
    {
        "header.stamp": Stamp(latency_s=0.005),
        "header.frame_id": FrameId("odom"),
        "child_frame_id": FrameId("base_link"),
        "pose.pose.position": RandomWalk(std=0.5),
        "pose.pose.orientation": UnitQuaternion(),
        "twist.twist": Normal(0.0, 0.3),
        "*.covariance": Constant(0.0),
    },
    at=Timestamps(rate_hz=50.0, jitter_s=0.002),
)


class PdController(Component):
    """Force and torque that make a mobile base follow a commanded velocity."""

    command = Input(Twist, dist=COMMANDS)
    odometry = Input(Odometry, dist=MEASUREMENTS)
    wrench = Output(WrenchStamped)
    control = Timer(0.02)
    kp_linear = Parameter(40.0, description="N per m/s")
    kd_linear = Parameter(2.0, description="N per m/s^2")
    kp_angular = Parameter(8.0, description="Nm per rad/s")
    kd_angular = Parameter(0.5, description="Nm per rad/s^2")
    filter_time = Parameter(0.05, "time constant of the derivative's filter, s", minimum=0.0)
    max_force = Parameter(60.0, "N", minimum=0.0)
    max_torque = Parameter(20.0, "Nm", minimum=0.0)

    def __init__(self) -> None:
        self.target = (0.0, 0.0)  # m/s, rad/s
        self.measured = (0.0, 0.0)
        self.previous = (0.0, 0.0)
        self.derivative = (0.0, 0.0)
        self.frame_id = ""
        self.running = False

    def on_command(self, msg: Twist) -> None:
        self.target = (msg.linear.x, msg.angular.z)

    def on_odometry(self, msg: Odometry) -> None:
        self.measured = (msg.twist.twist.linear.x, msg.twist.twist.angular.z)
        self.frame_id = msg.child_frame_id
        if not self.running:
            self.previous = self.measured
            self.running = True

    def on_control(self) -> None:
        if not self.running:
            return
        dt = 0.02
        filter_time = max(self.filter_time, 0.0)
        decay = filter_time / (filter_time + dt)
        derivative = (
            decay * self.derivative[0]
            + (1.0 - decay) * ((self.measured[0] - self.previous[0]) / dt),
            decay * self.derivative[1]
            + (1.0 - decay) * ((self.measured[1] - self.previous[1]) / dt),
        )
        force = (
            self.kp_linear * (self.target[0] - self.measured[0]) - self.kd_linear * derivative[0]
        )
        torque = (
            self.kp_angular * (self.target[1] - self.measured[1]) - self.kd_angular * derivative[1]
        )
        self.previous = self.measured
        self.derivative = derivative

        result = WrenchStamped()
        result.header.stamp = to_stamp(self.now())
        result.header.frame_id = self.frame_id
        result.wrench.force.x = max(-self.max_force, min(force, self.max_force))
        result.wrench.torque.z = max(-self.max_torque, min(torque, self.max_torque))
        self.wrench.publish(result)


def main() -> None:
    from lockstep.nodes.host import host

    host(PdController)
