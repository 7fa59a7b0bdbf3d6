"""The contracts of the ordinary nodes of ordinary_nodes.py."""

from lockstep.component import Component, Input, Output
from sensor_msgs.msg import Imu
from std_msgs.msg import String


class Watcher(Component):
    imu = Input(Imu, "/imu")
    events = Output(String, "/events")

    def on_imu(self, msg):
        """Only its contract counts."""


class Relay(Component):
    imu = Input(Imu, "/imu")
    out = Output(Imu, "/out")

    def on_imu(self, msg):
        self.out.publish(msg)
