"""Ordinary rclpy nodes, unmodified, in direct runs: nothing is lost, times are exact, and the same
inputs give the same bytes, however busy the machine is."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import codec
from lockstep.component import Component, Input, Output, contract_of
from lockstep.errors import Crash, Hang, RunError
from lockstep.message.definitions import definition, type_hash
from lockstep.run.inputs import RunInputs
from lockstep.run.model import Implementation, Run
from lockstep.run.nodes.run_node import run_node
from lockstep.run.processes import Processes
from lockstep.run.request import RunRequest
from sensor_msgs.msg import Imu
from std_msgs.msg import String

IMU, STRING = "sensor_msgs/msg/Imu", "std_msgs/msg/String"
NODES = Path(__file__).with_name("ordinary_nodes.py")
MS, S = 10**6, 10**9
START_NS = 1_700_000_000 * S
EVERY_NS = 10 * MS


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


def imu_bag(path, count=300, start_ns=START_NS):
    """Imu at 100 Hz."""
    encode = codec(IMU, definition(IMU)).encode
    imu = Imu()
    with BagWriter(path) as writer:
        writer.add_topic("/imu", IMU, definition(IMU), type_hash(IMU))
        for number in range(count):
            imu.angular_velocity.x = float(number)
            writer.write("/imu", encode(imu), start_ns + number * EVERY_NS)
    return path


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return imu_bag(tmp_path_factory.mktemp("imu") / "bag")


@contextmanager
def load(busy=3):
    """Other processes that want all processors."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Played:
    """What a run put out, and what was told of it."""

    def __init__(self, result, first_ns):
        self.result = result
        with Bag(result.bag) as bag:
            self.messages = [
                (message.log_time_ns - first_ns, message.topic, message.data)
                for message in bag.messages(list(result.recorded))
            ]

    @property
    def said(self):
        """(ns since the first input, text) of each message on /events."""
        decode = codec(STRING, definition(STRING)).decode
        return [(at, decode(data).data) for at, topic, data in self.messages if topic == "/events"]


@pytest.fixture
def play(tmp_path, bag):
    """Plays a bag to a style of the nodes."""
    count = 0

    def played(style, *, bag=bag, component=Watcher, parameters=None, start=(), **options):
        nonlocal count
        count += 1
        folder = tmp_path / f"run{count}"
        folder.mkdir()
        command = [*start, sys.executable, str(NODES), style]
        with Bag(bag) as opened, Processes(dict(os.environ)) as processes:
            request = RunRequest(
                name="node",
                implementation=Implementation(command=command),
                contract=contract_of(component),
                inputs=RunInputs(opened, {"/imu": "/imu"}),
                parameters=parameters or {},
                options=Run(mode="direct", **options),
                folder=folder,
            )
            first_ns = opened.start_ns
            return Played(run_node(request, processes), first_ns)

    return played


def test_a_relay_loses_nothing_and_hands_on_every_byte(play, tmp_path):
    many = imu_bag(tmp_path / "many", count=3000)
    played = play("relay", bag=many, component=Relay)
    with Bag(many) as bag:
        given = [(m.log_time_ns - START_NS, m.data) for m in bag.messages(["/imu"])]
    assert [(at, data) for at, _, data in played.messages] == given


STYLES = (
    "clocks",
    "spin_once",
    "sleep",
    "rate",
    "event",
    "busy_poll",
    "executor",
    "asynchronous",
    "late",
    "latched",
    "leaves",
    "services",
    "world",
    "overflows",
)


@pytest.mark.parametrize("style", STYLES)
def test_the_same_inputs_give_the_same_bytes_on_a_busy_machine(play, style):
    once = play(style)
    with load():
        again = play(style, start=("taskset", "--cpu-list", "0", "nice"))
    assert again.messages == once.messages
    assert len(once.messages) >= 5
