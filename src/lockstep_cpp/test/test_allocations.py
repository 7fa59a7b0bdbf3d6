"""Once it runs, the C++ host allocates nothing of its own for a message.

What rcl and the middleware do is theirs.
"""

import re

import pytest
import rclpy
from builtin_interfaces.msg import Time
from live_graph import wait_until
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

from lockstep_interfaces.msg import Acknowledgement, Steps

LOSSLESS = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
MESSAGES = 2000
BATCH = 50


def allocations(host):
    code, out, err = host.stop()
    assert (code, out) == (0, "")
    return int(re.search(r"(\d+) allocations\n", err)[1])


def headers(count):
    # Longer than what a std::string holds without memory of its own.
    return [Header(stamp=Time(sec=1 + i), frame_id=f"{i:064}") for i in range(count)]


@pytest.mark.parametrize("wasteful", [False, True])
def test_an_ordinary_node_allocates_nothing_per_message(start, node, wasteful):
    host = start("--ros-args", "-p", f"wasteful:={str(wasteful).lower()}")
    relayed, beats = [], []
    publisher = node.create_publisher(Header, "header", LOSSLESS)
    node.create_subscription(Header, "relayed", relayed.append, LOSSLESS)
    node.create_subscription(Header, "beats", beats.append, 10)
    wait_until(lambda: publisher.get_subscription_count() and beats, node)
    messages = headers(MESSAGES)
    for begin in range(0, MESSAGES, 5):  # the input's queue holds 10
        for message in messages[begin : begin + 5]:
            publisher.publish(message)
        wait_until(lambda begin=begin: len(relayed) >= begin + 5, node)
    assert relayed == messages
    assert allocations(host) == (999 if wasteful else 0)  # by messages 1001 to 1999


def test_in_lockstep_the_host_allocates_nothing_per_message(start, node):
    recorder = rclpy.create_node("recorder")
    host = start("--lockstep")
    acknowledgements, relayed = [], []
    publisher = node.create_publisher(Header, "header", LOSSLESS)
    steps = node.create_publisher(Steps, "/lockstep/steps", LOSSLESS)
    topic = "/lockstep/acknowledgement"
    node.create_subscription(Acknowledgement, topic, acknowledgements.append, LOSSLESS)
    recorder.create_subscription(Acknowledgement, topic, print, LOSSLESS)
    node.create_subscription(Header, "relayed", relayed.append, LOSSLESS)
    node.create_subscription(Header, "beats", lambda _: None, LOSSLESS)
    wait_until(lambda: acknowledgements and acknowledgements[-1].ready, node)
    acknowledgements.clear()
    messages = headers(MESSAGES)
    for begin in range(0, MESSAGES, BATCH):
        for i, message in enumerate(messages[begin : begin + BATCH], start=begin):
            publisher.publish(message)
            stamp = Time(sec=100, nanosec=i * 1_000_000 % 1_000_000_000)
            stamp.sec += i // 1000
            steps.publish(Steps(index=i, topics=["/header"], topic=[0], stamp=[stamp]))
        wait_until(lambda begin=begin: len(relayed) == begin + BATCH, node)
    assert relayed == messages
    # The lists of an acknowledgement may still grow when one tells of more steps than any before.
    assert allocations(host) < 10
    recorder.destroy_node()
