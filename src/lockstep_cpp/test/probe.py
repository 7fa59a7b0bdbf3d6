#!/usr/bin/env python3
"""The twin of probe.cpp: a component that publishes what it sees, and does what it is told."""

import atexit
import time

from lockstep.component import (
    SENSOR_DATA,
    Component,
    Input,
    Output,
    Parameter,
    QoS,
    Timer,
    to_stamp,
)
from lockstep.nodes.host import host
from std_msgs.msg import Header, String


class Probe(Component):
    text = Input(String)
    header = Input(Header, "sensor/header", SENSOR_DATA)
    echo = Output(String, qos=QoS(durability="transient_local", depth=5))
    ticks = Output(Header)
    state = Output(String, "~/state")
    slow = Timer(0.02)
    fast = Timer(0.01)
    flag = Parameter(False)
    whole = Parameter(3, "a whole number")
    gain = Parameter(0.5)
    name = Parameter("probe")
    flags = Parameter([True, False], name="lists.flags")
    wholes = Parameter([1, 2], name="lists.wholes")
    gains = Parameter([0.5, 2.0], name="lists.gains")
    names = Parameter(["a", "b"], name="lists.names")
    share = Parameter(0.5, "of the whole", minimum=0.0, maximum=1.0)
    size = Parameter(10, "in messages", minimum=1)
    weights = Parameter([0.5], "of the inputs", minimum=0.0)
    frame = Parameter("base", "of the header", read_only=True)

    says_farewell = False

    def __del__(self):
        if self.says_farewell:
            self.logger.info("the last line")
            self.say("farewell")

    def on_start(self):
        if self.name == "throw":
            raise RuntimeError("told to throw")
        self.say(f"started with gain {self.gain:.6f}")
        # An output may be used like any other from here on.
        self.tick("start")

    def on_parameters_changed(self):
        if self.name == "throw":
            raise RuntimeError("told to throw")
        self.say(f"changed to gain {self.gain:.6f} and share {self.share:.6f}")

    def on_text(self, msg):
        if msg.data == "throw":
            raise RuntimeError("told to\nthrow")
        if msg.data == "throw a number":
            raise SystemExit(42)
        if msg.data == "hang":
            self.logger.info("hanging")
            while True:
                time.sleep(3600)
        if msg.data == "log":
            self.logger.debug("a debug line")
            self.logger.info("an info line")
            self.logger.warning("a warning line")
            self.logger.error("an error line")
        if msg.data == "farewell":
            self.says_farewell = True
            kept = self.logger  # it may outlive its component
            atexit.register(lambda: kept.info("a line at exit"))
        if msg.data == "state":
            self.state.publish(msg)
        if msg.data == "print":
            print("a printed line")
        if msg.data == "burst":
            for i in range(10_500):
                self.tick(str(i))
        self.say(f"{msg.data} at {self.now()} with gain {self.gain:.6f}")

    def on_header(self, msg):
        self.say(f"{msg.frame_id} at {self.now()}")

    def on_slow(self):
        self.tick("slow")

    def on_fast(self):
        self.tick("fast")

    def say(self, text):
        self.echo.publish(String(data=text))

    def tick(self, timer):
        self.ticks.publish(Header(stamp=to_stamp(self.now()), frame_id=timer))


if __name__ == "__main__":
    host(Probe)
