"""A component whose names and values C++ writes in another way."""

from geometry_msgs.msg import Vector3Stamped
from lockstep.component import SENSOR_DATA, Component, Input, Output, Parameter, QoS, Timer
from std_msgs.msg import Float64, Header


class OddIMU2Filter(Component):
    """Names and values that C++ writes in another way <&>.

    More text.
    """

    new = Input(Float64, "/raw/number", SENSOR_DATA)
    inputs_ = Input(Vector3Stamped, qos=QoS("best_effort", "transient_local", 3))
    logger_out = Output(Header, "out/header")
    template = Output(Float64)
    now_ = Timer(1 / 3)
    double = Timer(1e-9)
    text = Parameter('tab\t"quoted" \\ back\x01slash é …', "Größe in % <unit>")
    flag = Parameter(True, read_only=True)
    huge = Parameter(-(2**63), minimum=-(2**63), maximum=2**62)
    limit = Parameter(float("inf"))
    tiny = Parameter(5e-324, minimum=-1.0)
    speeds = Parameter([0.1, 1e300, -0.0], "per wheel", minimum=-1.0)
    names = Parameter(["a", "b\n"])
    ids = Parameter([1, -2])
    flags = Parameter([True, False])
    nested = Parameter(2, name="limits.speed.max")

    def on_start(self):
        self.count = 0

    def on_new(self, msg):
        self.template.publish(msg)

    def on_inputs_(self, msg):
        self.logger_out.publish(msg.header)

    def on_now_(self):
        pass

    def on_double(self):
        pass
