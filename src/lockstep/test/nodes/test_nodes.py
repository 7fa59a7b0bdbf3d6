"""Player and recorder as real processes on a real, isolated graph."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.component import stamp_ns, to_stamp
from lockstep.host.protocol import ACKNOWLEDGEMENT_TOPIC, STATUS_TOPIC
from lockstep.message.definitions import definition, type_hash
from lockstep.nodes.qos import lossless
from lockstep.nodes.recorder import status_qos
from nav_msgs.msg import Odometry
from observed_graph import MS, QUICK, vector
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from lockstep_interfaces.msg import Acknowledgement, RecorderStatus, Step
from lockstep_interfaces.srv import PlayNext, Seek, SetRate

VECTOR = "geometry_msgs/msg/Vector3Stamped"


RELIABLE = (OfferedQoS(),)


def vectors(folder: Path, times_ns, qos=RELIABLE) -> Path:
    with BagWriter(folder) as writer:
        writer.add_topic("/vector", VECTOR, definition(VECTOR), type_hash(VECTOR), qos)
        for index, time_ns in enumerate(times_ns):
            writer.write("/vector", vector(index, time_ns), time_ns)
    return folder


SECOND = 1_000_000_000


def test_the_player_loses_no_message_to_a_subscriber_that_is_there(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * MS for i in range(500)])
    received = graph.listen(Vector3Stamped, "/renamed")
    player = graph.start("player", bag, "--topic", "/vector:=/renamed", "--rtf", "2")
    graph.finish(player)
    graph.spin_until(lambda: len(received) == 500)
    assert [m.vector.x for m in received] == list(range(500))


def test_the_player_keeps_to_the_real_time_factor(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * 20 * MS for i in range(101)])  # 2 s
    arrivals = []
    graph.node.create_subscription(
        Vector3Stamped, "/vector", lambda m: arrivals.append(time.monotonic()), QUICK
    )
    graph.finish(graph.start("player", bag, "--rtf", "2"))
    graph.spin_until(lambda: len(arrivals) == 101)
    assert 0.9 < arrivals[-1] - arrivals[0] < 1.5


def test_clock_made_from_log_times_never_runs_ahead_of_the_messages(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * 50 * MS for i in range(21)])
    seen = []
    graph.node.create_subscription(Clock, "/clock", lambda m: seen.append(stamp_ns(m.clock)), QUICK)
    received = graph.listen(Vector3Stamped, "/vector")
    graph.finish(graph.start("player", bag))
    graph.spin_until(lambda: len(received) == 21 and seen and seen[-1] == 2 * SECOND)
    assert seen == sorted(seen)
    assert set(seen) >= {SECOND + i * 50 * MS for i in range(21)}
    assert len(seen) > 60, "it goes on between the messages"


def test_the_clock_of_a_bag_is_played_as_it_is(graph, bags):
    seen = []
    graph.node.create_subscription(Clock, "/clock", lambda m: seen.append(stamp_ns(m.clock)), QUICK)
    received = graph.listen(Odometry, "/odom")
    arguments = ("--topic", "/odom", "--clock", "bag", "--rtf", "10")
    graph.finish(graph.start("player", bags / "gazebo_diff_drive", *arguments))
    graph.spin_until(lambda: len(received) == 998)
    recorded = [
        int.from_bytes(m.data[4:8], "little") * SECOND + int.from_bytes(m.data[8:12], "little")
        for m in Bag(bags / "gazebo_diff_drive").messages(["/clock"])
    ]
    assert set(seen) <= set(recorded)
    assert seen == sorted(seen)
    assert len(set(seen)) > 1000  # /clock is keep_last, as everywhere: a slow listener gets fewer


def test_a_latched_topic_stays_latched(graph, tmp_path):
    latched = (OfferedQoS(depth=1, durability="transient_local"),)
    bag = vectors(tmp_path / "bag", [SECOND, 60 * SECOND], latched)
    player = graph.start("player", bag, "--no-wait", "--rtf", "1", "--start-offset", "1")
    graph.spin_until(lambda: graph.node.count_publishers("/vector") == 1)
    time.sleep(1.0)  # it has been sent long before we listen
    qos = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    received = graph.listen(Vector3Stamped, "/vector", qos)
    graph.spin_until(lambda: len(received) >= 1)
    assert received[0].vector.x == 0.0
    graph.interrupt(player)


def test_recorded_best_effort_is_offered_as_best_effort(graph, tmp_path):
    offered = (OfferedQoS(reliability="best_effort"),)
    bag = vectors(tmp_path / "bag", [SECOND, 30 * SECOND], offered)
    player = graph.start("player", bag, "--no-wait")
    graph.spin_until(lambda: graph.node.count_publishers("/vector") == 1)
    (info,) = graph.node.get_publishers_info_by_topic("/vector")
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    graph.interrupt(player)


def test_pause_step_rate_seek_and_resume(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * 100 * MS for i in range(100)])
    received = graph.listen(Vector3Stamped, "/vector")
    player = graph.start("player", bag, "--paused")
    name = "/lockstep_player"
    assert graph.call(PlayNext, f"{name}/play_next", count=3).success
    graph.spin_until(lambda: len(received) == 3)
    assert graph.call(Seek, f"{name}/seek", time=to_stamp(9 * SECOND)).success
    assert graph.call(PlayNext, f"{name}/play_next", count=1).success
    graph.spin_until(lambda: len(received) == 4)
    assert [m.vector.x for m in received] == [0, 1, 2, 80]
    assert graph.call(SetRate, f"{name}/set_rate", rate=10.0).success
    refused = graph.call(SetRate, f"{name}/set_rate", rate=-1.0)
    assert (refused.success, refused.message) == (
        False,
        "real-time factor -1 is not greater than 0",
    )
    assert graph.call(Trigger, f"{name}/resume").success
    graph.finish(player)
    graph.spin_until(lambda: len(received) == 23)
    assert [m.vector.x for m in received[3:]] == list(range(80, 100))


def test_a_player_whom_nobody_hears_says_so_and_fails(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND])
    player = graph.start("player", bag, "--start-timeout", "0.5")
    _, error = graph.finish(player, expected=3)
    assert error == (
        "error: no node subscribed to /vector (geometry_msgs/msg/Vector3Stamped) within 0.5 s\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["nowhere"],
            "nowhere does not exist; give a rosbag2 folder or a .mcap, .db3 or .bag file",
        ),
        (["BAG", "--topic", "/x"], "has no topic /x; it has /vector"),
        (["BAG", "--rtf", "0"], "real-time factor 0 is not greater than 0"),
        (["BAG", "--rtf", "inf"], "real-time factor inf needs a host in lockstep"),
        (["BAG", "--window", "1001"], "--window 1001 is not between 0 and 1000"),
        (["BAG", "--clock", "bag"], "has no /clock; use --clock times"),
        (["BAG", "--ros-args", "--bogus"], "--bogus"),
    ],
)
def test_a_player_that_cannot_start_says_why_in_a_sentence(graph, tmp_path, arguments, sentence):
    bag = vectors(tmp_path / "bag", [SECOND])
    player = graph.start("player", *[str(bag) if a == "BAG" else a for a in arguments])
    _, error = graph.finish(player, expected=2)
    assert sentence in error
    assert "Traceback" not in error


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
    steps = graph.node.create_publisher(Step, "/lockstep/step", lossless())
    inputs = graph.node.create_publisher(Vector3Stamped, "/vector", lossless())
    player = graph.listen(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless())
    recorder = graph.start(
        "recorder",
        tmp_path / "out",
        *("--topic", f"/normalized:{VECTOR}", "--lockstep", "--cause"),
    )
    graph.start("host", "lockstep_examples:VectorNormalizer", "--lockstep")
    graph.spin_until(lambda: bool(player) and player[-1].ready)
    for index in range(3):
        # The second step only tells the time.
        topic = "" if index == 1 else "/vector"
        steps.publish(Step(index=index, stamp=to_stamp(index * SECOND), topic=topic))
        if topic:
            inputs.publish(vector(index, index))
    graph.spin_until(lambda: player[-1].steps == 3)
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
