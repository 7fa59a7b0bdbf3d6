"""What a node took of its inputs is known without its help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lockstep.errors import UsageError
from lockstep.run.tally import is_told, tallied, untaken

# A node that hears itself: of five messages on each topic it takes all of /whole, the first two and
# the last two of /gap, the last two of /late and the first three of /early, and none of /deaf; two
# of /enough and none of /nothing, which it gives up. It ends without giving up the others.
NODE = """
import os
import time
import rclpy
from std_msgs.msg import Empty

rclpy.init()
node = rclpy.create_node("node")
topics = {"/whole": 5, "/gap": 2, "/late": 2, "/early": 5, "/deaf": 5}
topics |= {"/enough": 5, "/nothing": 5}
pairs = {}
for topic, depth in topics.items():
    subscription = node.create_subscription(Empty, topic, print, depth)
    pairs[topic] = node.create_publisher(Empty, topic, 5), subscription


def publish(count):
    for _ in range(count):
        for publisher, _ in pairs.values():
            publisher.publish(Empty())
            publisher.wait_for_all_acked()
    time.sleep(0.1)


def take(topic, count):
    for _ in range(count):
        assert pairs[topic][1].handle.take_message(Empty, False), topic


publish(2)
take("/gap", 2)
take("/early", 2)
take("/enough", 2)
for topic in ("/enough", "/nothing"):
    node.destroy_subscription(pairs[topic][1])
publish(3)
for topic, count in {"/whole": 5, "/gap": 2, "/late": 2, "/early": 1}.items():
    take(topic, count)
os._exit(0)
"""
SENT = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a node has left its tally, and no second time."""
    folder = tmp_path_factory.mktemp("run") / "tally"
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}
    environment |= tallied(folder, environment)
    subprocess.run([sys.executable, "-c", NODE], env=environment, check=True, timeout=60)
    return folder


@pytest.mark.parametrize(
    ("topic", "lost"), [("/gap", 1), ("/late", 3), ("/early", 2), ("/deaf", 5)]
)
def test_what_was_not_taken_is_lost(folder: Path, topic: str, lost: int) -> None:
    told = untaken("box", folder, {"/whole": SENT, topic: SENT})
    assert told is not None
    assert told.startswith(f"box: the node did not take {lost} of the 5 messages on {topic},")


def test_what_was_taken_is_no_loss_nor_what_nobody_subscribed_to(folder: Path) -> None:
    assert is_told(folder)
    assert untaken("box", folder, {"/whole": SENT, "/other": SENT}) is None


def test_what_came_after_a_node_had_given_a_topic_up_is_no_loss(folder: Path) -> None:
    assert untaken("box", folder, {"/enough": SENT, "/nothing": SENT}) is None


def test_a_node_that_tells_nothing_is_known(tmp_path: Path) -> None:
    assert not is_told(tmp_path)


def test_a_workspace_without_the_library_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="build lockstep_cpp"):
        tallied(tmp_path, {"AMENT_PREFIX_PATH": str(tmp_path)})


def test_what_a_user_loads_before_all_else_stays(folder: Path) -> None:
    environment = tallied(folder, {**os.environ, "LD_PRELOAD": "libmine.so"})
    assert environment["LD_PRELOAD"].endswith("/liblockstep_tally.so libmine.so")
