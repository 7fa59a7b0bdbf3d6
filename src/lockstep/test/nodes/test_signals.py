"""Player and recorder, each stopped, continued and killed at moments that nobody chose."""

import os
import random
import signal
import time

import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.host.protocol import ACKNOWLEDGEMENT_TOPIC
from lockstep.message.definitions import definition, type_hash
from lockstep.nodes.qos import lossless
from observed_graph import MS, vector
from rclpy.duration import Duration

from lockstep_interfaces.msg import Acknowledgement

VECTOR = "geometry_msgs/msg/Vector3Stamped"
SECOND = 1_000 * MS


@pytest.fixture
def bag(tmp_path):
    """300 messages within three seconds."""
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/vector", VECTOR, definition(VECTOR), type_hash(VECTOR), (OfferedQoS(),))
        for number in range(300):
            time_ns = SECOND + number * 10 * MS
            writer.write("/vector", vector(number, time_ns), time_ns)
    return tmp_path / "bag"


def held_up(process, times, chance):
    """Stop a process and let it go on, so many times."""
    for _ in range(times):
        time.sleep(chance.uniform(0.0, 0.2))
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0.0, 0.3))
        os.kill(process.pid, signal.SIGCONT)


@pytest.mark.parametrize("seed", range(2))
def test_a_player_that_was_held_up_sends_each_message_once_and_in_order(graph, bag, seed):
    received = graph.listen(Vector3Stamped, "/vector", lossless())
    player = graph.start("player", bag, "--wait-for-subscribers", "--clock", "none")
    graph.spin_until(lambda: received)
    held_up(player, 4, random.Random(seed))
    out, _ = graph.finish(player)
    graph.spin_until(lambda: len(received) == 300)
    assert [message.vector.x for message in received] == list(range(300))
    assert out.startswith("played 300 messages")


@pytest.mark.parametrize("seed", range(2))
def test_a_recorder_that_was_held_up_records_all_of_who_keeps_all(graph, tmp_path, seed):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", lossless())
    recorder = graph.start("recorder", tmp_path / "out", "--topics", "/vector")
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    chance = random.Random(seed)
    for number in range(300):
        publisher.publish(vector(number, number * MS))
        if number % 60 == 30:
            held_up(recorder, 1, chance)
    graph.spin_until(lambda: publisher.wait_for_all_acked(Duration(seconds=1)))
    graph.interrupt(recorder)
    with Bag(tmp_path / "out") as recorded:
        assert recorded.problem is None
        assert recorded.columns("/vector", ["vector.x"])["vector.x"].tolist() == [*range(300)]


@pytest.mark.parametrize("seed", range(3))
def test_a_recorder_that_is_killed_leaves_a_bag_that_is_a_beginning(graph, tmp_path, seed):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", lossless())
    recorder = graph.start("recorder", tmp_path / "out", "--topics", "/vector")
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    end = time.monotonic() + 1.5 + random.Random(seed).uniform(0.0, 1.0)
    sent = 0
    while time.monotonic() < end:
        publisher.publish(vector(sent, sent * MS))
        sent += 1
        time.sleep(0.005)
    recorder.kill()
    recorder.wait()
    with Bag(tmp_path / "out") as recorded:
        values = [message.data for message in recorded.messages(strict=False)]
    assert 0 < len(values) <= sent
    assert values == [vector(number, number * MS) for number in range(len(values))]


def test_a_second_player_into_a_host_in_lockstep_fails_and_the_first_goes_on(graph, bag):
    graph.listen(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless())
    answers = graph.listen(Vector3Stamped, "/normalized", lossless())
    graph.start("host", "lockstep_examples:VectorNormalizer", "--lockstep")
    words = (bag, "--window", "100", "--rtf", "0.2")
    first = graph.start("player", *words)
    graph.spin_until(lambda: answers)
    _, error = graph.finish(graph.start("player", *words), expected=3)
    assert error.endswith("is a second player or host running in this domain?\n")
    graph.finish(first)
    graph.spin_until(lambda: len(answers) == 300)
