"""The recorder as a process on a real, isolated graph: beside nodes that know nothing of it."""

import time
from collections import Counter

import yaml
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag, BagWriter
from lockstep.bag.clock import clock_times
from lockstep.component import to_stamp
from lockstep.host.protocol import ACKNOWLEDGEMENT_TOPIC
from lockstep.message.definitions import definition, type_hash
from lockstep.nodes.driving import service_type
from lockstep.nodes.qos import lossless
from observed_graph import QUICK, vector
from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_system_default,
)
from rclpy.serialization import serialize_message
from rclpy.service_introspection import ServiceIntrospectionState
from rosgraph_msgs.msg import Clock
from std_msgs.msg import UInt8MultiArray
from std_srvs.srv import Trigger
from stranger import small_disk

from lockstep_interfaces.msg import Acknowledgement

MS = 1_000_000
SECOND = 1_000 * MS


def xs(folder):
    """What vectors of a bag hold, in its order."""
    with Bag(folder) as bag:
        return [int(x) for x in bag.columns("/vector", ["vector.x"])["vector.x"]]


def driven(graph, name):
    kind = service_type(name)
    return graph.call(kind, f"/lockstep_recorder/{name}")


def arrived(graph, publisher):
    """Wait until the recorder has what was sent."""
    graph.spin_until(lambda: publisher.wait_for_all_acked(Duration(seconds=1)))
    time.sleep(0.3)  # it takes what the middleware has acknowledged


def test_the_whole_offered_qos_is_recorded(graph, tmp_path):
    offered = QoSProfile(
        depth=10,
        deadline=Duration(seconds=2),
        lifespan=Duration(seconds=3),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
        liveliness_lease_duration=Duration(seconds=4),
    )
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", offered)
    recorder = graph.start("recorder", tmp_path / "out", "--topics", "/vector")
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(vector(1, 1))
    graph.interrupt(recorder)
    (qos,) = Bag(tmp_path / "out").topics["/vector"].qos
    assert (qos.deadline_ns, qos.lifespan_ns) == (2 * SECOND, 3 * SECOND)
    assert (qos.liveliness, qos.liveliness_lease_duration_ns) == ("manual_by_topic", 4 * SECOND)


def test_what_a_host_in_lockstep_published_is_recorded_at_the_times_that_it_tells(graph, tmp_path):
    count = 730  # more than the recorder takes at once, and told of in two parts
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", lossless())
    tells = graph.node.create_publisher(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless())
    topic = "/vector:geometry_msgs/msg/Vector3Stamped"
    recorder = graph.start("recorder", tmp_path / "out", "--lockstep", "--topic", topic)
    graph.spin_until(lambda: publisher.get_subscription_count() and tells.get_subscription_count())
    for index in range(count):
        publisher.publish(vector(index, 1))
    for steps, part in ((1, range(700)), (2, range(700, count))):
        message = Acknowledgement(node="/host", steps=steps, topics=["/vector"])
        message.published_topic = [0] * len(part)
        message.published_step = [steps] * len(part)
        message.published_stamp = [to_stamp(SECOND + index) for index in part]
        tells.publish(message)
    arrived(graph, tells)
    graph.interrupt(recorder)
    assert xs(tmp_path / "out") == list(range(count))
    with Bag(tmp_path / "out") as bag:
        assert bag.times("/vector").tolist() == [SECOND + index for index in range(count)]


def test_a_later_publisher_that_offers_less_is_heard_and_nothing_comes_twice(graph, tmp_path):
    reliable = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    recorder = graph.start("recorder", tmp_path / "out", "--topics", "/vector")
    graph.spin_until(lambda: reliable.get_subscription_count() == 1)
    for index in range(10):
        reliable.publish(vector(index, index))
    sensor = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
    late = graph.node.create_publisher(Vector3Stamped, "/vector", sensor)
    index = 10
    while late.get_subscription_count() == 0:
        reliable.publish(vector(index, index))
        index += 1
        graph.executor.spin_once(timeout_sec=0.01)
    late.publish(vector(1000, 1000))
    for last in range(index, index + 50):
        reliable.publish(vector(last, last))
        graph.executor.spin_once(timeout_sec=0.03)
    graph.interrupt(recorder)
    assert sorted(xs(tmp_path / "out")) == [*range(last + 1), 1000]


def test_services_pause_split_and_stop_a_recording(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    recorder = graph.start(
        "recorder",
        tmp_path / "out",
        "--topics",
        "/vector",
        "--start-paused",
        "--custom-data",
        "a=b",
    )
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)

    def publish(*numbers):
        for number in numbers:
            publisher.publish(vector(number, number))
        arrived(graph, publisher)

    publish(1, 2)
    driven(graph, "resume")
    publish(3, 4)
    driven(graph, "split_bagfile")
    publish(5)
    driven(graph, "pause")
    answer = driven(graph, "is_paused")
    assert getattr(answer, "paused", True) and getattr(answer, "message", "paused") == "paused"
    publish(6)
    driven(graph, "toggle_paused")
    publish(7)
    driven(graph, "stop")
    graph.finish(recorder)
    assert xs(tmp_path / "out") == [3, 4, 5, 7]
    text = (tmp_path / "out/metadata.yaml").read_text()
    information = yaml.safe_load(text)["rosbag2_bagfile_information"]
    assert [file["message_count"] for file in information["files"]] == [2, 2]
    assert information["custom_data"] == {"a": "b"}


def test_a_snapshot_is_written_when_it_is_asked_for(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    cache = ("--max-cache-size", str(3 * len(vector(0, 0))))
    recorder = graph.start(
        "recorder", tmp_path / "out", "--topics", "/vector", "--snapshot-mode", *cache
    )
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    for index in range(10):
        publisher.publish(vector(index, index))
    arrived(graph, publisher)
    assert driven(graph, "snapshot").success
    publisher.publish(vector(10, 10))
    arrived(graph, publisher)
    graph.interrupt(recorder)
    assert xs(tmp_path / "out") == [7, 8, 9]


def test_what_services_are_asked_and_answer_is_recorded(graph, tmp_path):
    service = graph.node.create_service(Trigger, "/work", lambda _, answer: answer)
    service.configure_introspection(
        graph.node.get_clock(), qos_profile_system_default, ServiceIntrospectionState.CONTENTS
    )
    recorder = graph.start("recorder", tmp_path / "out", "--services", "/work")
    graph.spin_until(lambda: graph.node.count_subscribers("/work/_service_event") == 1)
    graph.call(Trigger, "/work")
    time.sleep(0.3)
    graph.interrupt(recorder)
    with Bag(tmp_path / "out") as bag:
        topic = bag.topics["/work/_service_event"]
        assert (topic.type, topic.count) == ("std_srvs/srv/Trigger_Event", 2)
        assert topic.type_hash.startswith("RIHS01_") and "SRV: std_srvs/srv/Trigger" in (
            topic.definition
        )


def test_with_simulated_time_nothing_is_recorded_before_the_first_clock(graph, tmp_path):
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", latched)
    clock = graph.node.create_publisher(Clock, "/clock", QUICK)
    publisher.publish(vector(1, 1))
    arguments = ("--topics", "/vector", "--use-sim-time")
    recorder = graph.start("recorder", tmp_path / "out", *arguments)
    graph.spin_until(lambda: clock.get_subscription_count() == 1)
    time.sleep(0.5)
    assert publisher.get_subscription_count() == 0
    while publisher.get_subscription_count() == 0:
        clock.publish(Clock(clock=to_stamp(42 * SECOND)))
        graph.executor.spin_once(timeout_sec=0.05)
    arrived(graph, publisher)
    graph.interrupt(recorder)
    assert [m.log_time_ns for m in Bag(tmp_path / "out").messages()] == [42 * SECOND]


def test_a_world_that_stands_still_at_its_beginning_is_heard_but_not_recorded(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    clock = graph.node.create_publisher(Clock, "/clock", QUICK)
    recorder = graph.start("recorder", tmp_path / "out", "--use-sim-time", "--topics", "/vector")
    graph.spin_until(
        lambda: clock.get_subscription_count() == publisher.get_subscription_count() == 1
    )
    for _ in range(3):
        clock.publish(Clock())
        publisher.publish(vector(1, 1))
    arrived(graph, publisher)
    clock.publish(Clock(clock=to_stamp(5 * SECOND)))
    arrived(graph, clock)
    publisher.publish(vector(2, 2))
    arrived(graph, publisher)
    graph.interrupt(recorder)
    messages = list(Bag(tmp_path / "out").messages())
    assert [message.log_time_ns for message in messages] == [5 * SECOND]


def test_a_clock_that_jumps_back_begins_an_epoch_and_nothing_is_lost(graph, tmp_path):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    clock = graph.node.create_publisher(Clock, "/clock", QUICK)
    recorder = graph.start("recorder", tmp_path / "out", "--use-sim-time", "--all-topics")
    graph.spin_until(
        lambda: clock.get_subscription_count() >= 2 and publisher.get_subscription_count() == 1
    )
    for now_s in (5, 6, 1, 2):
        clock.publish(Clock(clock=to_stamp(now_s * SECOND)))
        arrived(graph, clock)
        publisher.publish(vector(now_s, now_s * SECOND))
        arrived(graph, publisher)
    graph.interrupt(recorder)
    assert sorted(xs(tmp_path / "out")) == [1, 2, 5, 6]
    with Bag(tmp_path / "out") as bag:
        assert {m.log_time_ns // SECOND for m in bag.messages(["/vector"])} == {1, 2, 5, 6}
        times = clock_times(bag)
    assert times is not None and times.epochs == 2


def test_a_file_of_overrides_says_what_is_asked_for(graph, tmp_path):
    overrides = tmp_path / "qos.yaml"
    overrides.write_text("/vector: {reliability: best_effort, depth: 7}")
    graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    arguments = ("--qos-profile-overrides-path", overrides, "--all-topics")
    recorder = graph.start("recorder", tmp_path / "out", *arguments)
    graph.spin_until(lambda: graph.node.count_subscribers("/vector") == 1)
    (info,) = graph.node.get_subscriptions_info_by_topic("/vector")
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    graph.interrupt(recorder)


def test_five_hundred_topics_are_recorded_and_services_go_on_answering(graph, tmp_path):
    publishers = [
        graph.node.create_publisher(Vector3Stamped, f"/vector{number}", QUICK)
        for number in range(500)
    ]
    recorder = graph.start("recorder", tmp_path / "out", "--all-topics")
    graph.spin_until(lambda: all(p.get_subscription_count() for p in publishers), limit_s=120)
    driven(graph, "is_paused")
    for number, publisher in enumerate(publishers):
        publisher.publish(vector(number, number))
    arrived(graph, publishers[-1])
    graph.interrupt(recorder)
    with Bag(tmp_path / "out") as bag:
        recorded = Counter(message.topic for message in bag.messages())
    assert [recorded[f"/vector{number}"] for number in range(500)] == [1] * 500


def test_a_disk_that_fills_up_ends_the_recording_with_a_whole_bag(graph, tmp_path):
    publisher = graph.node.create_publisher(UInt8MultiArray, "/blob", QUICK)
    with small_disk(tmp_path / "disk", "size=4m") as disk:
        recorder = graph.start(
            *("recorder", disk / "out", "--topics", "/blob"),
            *("--storage-preset-profile", "fastwrite"),
        )
        graph.spin_until(lambda: publisher.get_subscription_count() == 1)
        message = UInt8MultiArray(data=bytes(100_000))
        while recorder.poll() is None:
            publisher.publish(message)
            graph.executor.spin_once(timeout_sec=0.01)
        _, error = graph.finish(recorder, expected=3)
        with Bag(disk / "out") as bag:
            assert bag.problem is None and bag.count > 20
            assert error.splitlines()[-1] == (
                f"error: cannot write {disk}/out/out_0.mcap: No space left on device; "
                f"{disk}/out holds the {bag.count} messages before that"
            )


def test_a_message_of_50_mb_is_recorded(graph, tmp_path):
    publisher = graph.node.create_publisher(UInt8MultiArray, "/blob", QoSProfile(depth=2))
    recorder = graph.start("recorder", tmp_path / "out", "--topics", "/blob")
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(UInt8MultiArray(data=bytes(50_000_000)))
    arrived(graph, publisher)
    graph.interrupt(recorder)
    (message,) = Bag(tmp_path / "out").messages()
    assert len(message.data) > 50_000_000


def test_what_nobody_publishes_is_named_at_the_end(graph, tmp_path):
    recorder = graph.start("recorder", tmp_path / "out", "--topics", "/nowhere")
    graph.spin_until((tmp_path / "out").exists)
    time.sleep(0.5)
    _, error = graph.interrupt(recorder)
    assert error == "nobody published /nowhere\n"


def test_messages_of_50_mb_are_played_and_recorded(graph, tmp_path):
    kind = "std_msgs/msg/UInt8MultiArray"
    sent = [serialize_message(UInt8MultiArray(data=bytes([n]) * 50_000_000)) for n in (1, 2)]
    with BagWriter(tmp_path / "in", compression="lz4") as writer:
        writer.add_topic("/large", kind, definition(kind), type_hash(kind))
        for number, data in enumerate(sent):
            writer.write("/large", data, SECOND + number * 100 * MS)
    topic = ("--topics", f"/large:{kind}")
    recorder = graph.start("recorder", tmp_path / "out", *topic, "--until-gone")
    graph.finish(graph.start("player", tmp_path / "in", "--wait-for-subscribers"))
    graph.finish(recorder)
    with Bag(tmp_path / "out") as bag:
        assert [message.data for message in bag.messages()] == sent
