"""Recorder as real processes on a real, isolated graph."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag
from lockstep.component import to_stamp
from lockstep.host.protocol import ACKNOWLEDGEMENT_TOPIC, STATUS_TOPIC, STEPS_TOPIC
from lockstep.message.definitions import definition
from lockstep.nodes.qos import lossless
from lockstep.nodes.recorder import status_qos
from observed_graph import QUICK, vector
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from lockstep_interfaces.msg import Acknowledgement, RecorderStatus, Steps

VECTOR = "geometry_msgs/msg/Vector3Stamped"


SECOND = 1_000_000_000


def test_the_recorder_records_what_is_published_as_it_is_published(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    recorder = graph.start("recorder", tmp_path / "out", "--topic", "/vector")
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    sent = [vector(i, i) for i in range(200)]
    for data in sent:
        publisher.publish(data)
    started = time.time_ns()
    _, error = graph.interrupt(recorder)
    assert "the ends of /vector cannot be proven complete" in error
    bag = Bag(tmp_path / "out")
    messages = list(bag.messages())
    assert [m.data for m in messages] == sent
    assert abs(bag.start_ns - started) < 30 * SECOND, "log times are the recorder's clock"
    assert all(m.publish_time_ns <= m.log_time_ns for m in messages)
    assert bag.topics["/vector"].definition == definition(VECTOR)


def test_without_topics_the_recorder_records_all(graph, tmp_path):
    publishers = [
        graph.node.create_publisher(Vector3Stamped, "/vector", QUICK),
        graph.node.create_publisher(Clock, "/other", QUICK),
    ]
    recorder = graph.start("recorder", tmp_path / "out")
    graph.spin_until(lambda: all(p.get_subscription_count() == 1 for p in publishers))
    publishers[0].publish(vector(1, 1))
    publishers[1].publish(Clock())
    graph.interrupt(recorder)
    counts = {t.name: t.count for t in Bag(tmp_path / "out").topics.values()}
    assert counts.items() >= {"/vector": 1, "/other": 1}.items()


@pytest.mark.parametrize("sim_time", ["false", "true"])
def test_the_recorder_records_the_clock_like_any_topic(graph, tmp_path, sim_time):
    clock = graph.node.create_publisher(Clock, "/clock", lossless())
    report = tmp_path / "report.json"
    ros = ("--ros-args", "-p", f"use_sim_time:={sim_time}")
    recorder = graph.start("recorder", tmp_path / "out", "--report", report, *ros)
    expected = 1 if sim_time == "false" else 2
    graph.spin_until(lambda: clock.get_subscription_count() == expected)
    for index in range(200):
        clock.publish(Clock(clock=to_stamp(index * SECOND)))
        graph.executor.spin_once(timeout_sec=0.002)
    graph.interrupt(recorder)
    seconds = [
        int.from_bytes(m.data[4:8], "little") for m in Bag(tmp_path / "out").messages(["/clock"])
    ]
    assert seconds == list(range(200))
    assert json.loads(report.read_text())["recorded"]["/clock"] == 200


def test_two_publishers_of_a_topic_are_no_loss(graph, tmp_path):
    early, late = (graph.node.create_publisher(Vector3Stamped, "/vector", QUICK) for _ in range(2))
    for index in range(50):
        early.publish(vector(index, index))
    recorder = graph.start("recorder", tmp_path / "out", "--topic", "/vector")
    graph.spin_until(lambda: early.get_subscription_count() == late.get_subscription_count() == 1)
    for index in range(20):
        for publisher in (early, late):
            publisher.publish(vector(index, index))
            graph.executor.spin_once(timeout_sec=0.002)
    graph.interrupt(recorder)
    assert Bag(tmp_path / "out").topics["/vector"].count == 40


def test_the_recorder_adapts_to_best_effort_and_latched_publishers(graph, tmp_path):
    sensor = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    graph.node.create_publisher(Vector3Stamped, "/latched", latched).publish(vector(7, 7))
    publisher = graph.node.create_publisher(Vector3Stamped, "/sensor", sensor)
    recorder = graph.start(
        "recorder", tmp_path / "out", "--topic", "/sensor", "--topic", "/latched"
    )
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    graph.spin_until(lambda: graph.node.count_subscribers("/latched") == 1)
    publisher.publish(vector(1, 1))
    graph.interrupt(recorder)
    bag = Bag(tmp_path / "out")
    assert {m.topic: m.data for m in bag.messages()} == {
        "/latched": vector(7, 7),
        "/sensor": vector(1, 1),
    }
    assert bag.topics["/latched"].qos[0].durability == "transient_local"
    assert bag.topics["/sensor"].qos[0].reliability == "best_effort"


def test_a_recorder_on_simulation_time_logs_simulation_time(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    clock = graph.node.create_publisher(Clock, "/clock", QUICK)
    arguments = ("--topic", "/vector", "--ros-args", "-p", "use_sim_time:=true")
    recorder = graph.start("recorder", tmp_path / "out", *arguments)
    graph.spin_until(
        lambda: publisher.get_subscription_count() == 1 and clock.get_subscription_count() == 1
    )
    for _ in range(20):
        clock.publish(Clock(clock=to_stamp(42 * SECOND)))
        graph.executor.spin_once(timeout_sec=0.05)
    publisher.publish(vector(1, 1))
    graph.interrupt(recorder)
    (message,) = Bag(tmp_path / "out").messages()
    assert message.log_time_ns == 42 * SECOND
    assert abs(message.publish_time_ns - time.time_ns()) < 60 * SECOND


def test_the_recorder_reports_messages_that_a_full_queue_overwrote(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QoSProfile(depth=1))
    report = tmp_path / "report.json"
    # At the latest a heartbeat tells what was missed, and the next one comes within 3 s.
    arguments = ("--topic", "/vector", "--report", report, "--quiet", "8")
    recorder = graph.start("recorder", tmp_path / "out", *arguments)
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(vector(0, 0))
    status = graph.listen(RecorderStatus, STATUS_TOPIC, status_qos())
    graph.spin_until(lambda: bool(status) and list(status[-1].counts) == [1])
    os.kill(recorder.pid, signal.SIGSTOP)
    for index in range(20_000):
        publisher.publish(vector(index, index))
    os.kill(recorder.pid, signal.SIGCONT)
    recorder.send_signal(signal.SIGINT)
    _, error = graph.finish(recorder, expected=3)
    assert "messages of /vector were lost on the way to the recorder" in error
    result = json.loads(report.read_text())
    assert result["missing"]["/vector"] > 0
    assert result["recorded"]["/vector"] + result["missing"]["/vector"] <= 20_001


@pytest.mark.parametrize(("at_most", "count"), [((), 2), (("--quiet-at-most", "9"), 3)])
def test_the_recorder_waits_as_long_as_messages_were_apart(graph, tmp_path, at_most, count):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", 10)
    arguments = ("--topic", "/vector", "--quiet", "0.1", *at_most)
    recorder = graph.start("recorder", tmp_path / "out", *arguments)
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(vector(0, 0))
    time.sleep(1.5)
    publisher.publish(vector(1, 1))
    time.sleep(0.5)
    recorder.send_signal(signal.SIGINT)
    time.sleep(1.0)  # less than twice the gap
    publisher.publish(vector(2, 2))
    graph.finish(recorder)
    assert len(list(Bag(tmp_path / "out").messages())) == count


def test_beside_a_host_the_recorder_keeps_which_step_each_message_answers(graph, tmp_path):
    steps = graph.node.create_publisher(Steps, STEPS_TOPIC, lossless())
    inputs = graph.node.create_publisher(Vector3Stamped, "/vector", lossless())
    player = graph.listen(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless())
    status = graph.listen(RecorderStatus, STATUS_TOPIC, status_qos())
    recorder = graph.start(
        "recorder",
        tmp_path / "out",
        *("--topic", f"/normalized:{VECTOR}", "--lockstep", "--cause"),
    )
    graph.start("host", "lockstep_examples:VectorNormalizer", "--lockstep")
    graph.spin_until(lambda: bool(player) and player[-1].ready)
    # The second step only tells the time.
    stamps = [to_stamp(index * SECOND) for index in range(3)]
    steps.publish(Steps(index=0, topics=["/vector"], topic=[0, 1, 0], stamp=stamps))
    for index in (0, 2):
        inputs.publish(vector(index, index))
    # As a player does, which lets nobody end the recorder before.
    graph.spin_until(lambda: player[-1].steps == 3 and bool(status))
    graph.spin_until(lambda: list(status[-1].counts) == [2])
    graph.interrupt(recorder)
    bag = Bag(tmp_path / "out")
    told = bag.columns(ACKNOWLEDGEMENT_TOPIC, ["published_step", "published_topic"])
    assert np.concatenate(list(told["published_step"])).tolist() == [0, 2]
    assert np.concatenate(list(told["published_topic"])).tolist() == [0, 0]
    assert bag.topics["/normalized"].count == 2
    assert bag.start_ns == 0 and bag.end_ns == 2 * SECOND


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{}", "--topic", "/x:no_such_msgs/msg/X", "--lockstep"], "is not installed"),
        (["{}", "--topic", "/x", "--lockstep"], "give the type of /x as /x:TYPE"),
        (["{}", "--topic", "/x", "--cause"], "--cause needs --lockstep"),
        (["/proc/nowhere"], "cannot create /proc/nowhere"),
        (["."], ". exists already; choose another folder"),
    ],
)
def test_a_recorder_that_cannot_start_says_why(graph, tmp_path, arguments, sentence):
    recorder = graph.start("recorder", *[a.format(tmp_path / "out") for a in arguments])
    _, error = graph.finish(recorder, expected=2)
    assert sentence in error
    assert "Traceback" not in error


def test_the_host_of_any_component_has_a_help():
    words = [sys.executable, "-m", "lockstep.nodes.host", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: host MODULE:CLASS [--help]")
