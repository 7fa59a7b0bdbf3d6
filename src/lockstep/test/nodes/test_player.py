"""The player as a real process on a real, isolated graph."""

import json
import math
import time

import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.component import stamp_ns, to_stamp
from lockstep.host.protocol import ACKNOWLEDGEMENT_TOPIC, STEPS_TOPIC
from lockstep.message.definitions import definition, type_hash
from lockstep.nodes.driving import service_type
from lockstep.nodes.qos import lossless
from nav_msgs.msg import Odometry
from observed_graph import MS, QUICK, vector
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from service_msgs.msg import ServiceEventInfo
from std_srvs.srv import SetBool

from lockstep_interfaces.msg import Acknowledgement, Steps

VECTOR = "geometry_msgs/msg/Vector3Stamped"
RELIABLE = (OfferedQoS(),)
SECOND = 1_000_000_000
NAME = "/lockstep_player"
ALL_THERE = "--wait-for-subscribers"


def vectors(folder, times_ns, qos=RELIABLE, topic="/vector", first=0):
    with BagWriter(folder) as writer:
        writer.add_topic(topic, VECTOR, definition(VECTOR), type_hash(VECTOR), qos)
        for index, time_ns in enumerate(times_ns, first):
            writer.write(topic, vector(index, time_ns), time_ns)
    return folder


def test_the_player_loses_no_message_to_a_subscriber_that_is_there(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * MS for i in range(500)])
    received = graph.listen(Vector3Stamped, "/renamed")
    player = graph.start("player", bag, "--topic", "/vector:=/renamed", "--rtf", "2", ALL_THERE)
    graph.finish(player)
    graph.spin_until(lambda: len(received) == 500)
    assert [m.vector.x for m in received] == list(range(500))


def test_the_player_keeps_to_the_real_time_factor(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * 20 * MS for i in range(101)])  # 2 s
    arrivals = []
    graph.node.create_subscription(
        Vector3Stamped, "/vector", lambda m: arrivals.append(time.monotonic()), QUICK
    )
    graph.finish(graph.start("player", bag, "--rtf", "2", ALL_THERE))
    graph.spin_until(lambda: len(arrivals) == 101)
    assert 0.9 < arrivals[-1] - arrivals[0] < 1.5


def test_a_thousand_topics_are_played_as_one_is(graph, tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        for number in range(1000):
            name = f"/vector{number}"
            writer.add_topic(name, VECTOR, definition(VECTOR), type_hash(VECTOR), RELIABLE)
        for number in range(2000):
            writer.write(f"/vector{number % 1000}", vector(number, SECOND), SECOND + number)
    out, _ = graph.finish(graph.start("player", tmp_path / "bag", "--no-wait"))
    assert out.startswith("played 2000 messages")


def test_at_rate_inf_a_subscriber_that_keeps_all_gets_all_and_others_are_warned(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [i * SECOND for i in range(1, 6001)])  # 100 minutes
    received = graph.listen(Vector3Stamped, "/vector", lossless())
    out, _ = graph.finish(graph.start("player", bag, "--rate", "inf", ALL_THERE))
    graph.spin_until(lambda: len(received) == 6000)
    assert [m.vector.x for m in received] == list(range(6000))
    assert "of inf" in out
    assert "what a full queue of a subscriber has dropped is not known" in out


@pytest.mark.parametrize(
    ("rate", "count", "period_ms", "together"),
    [("inf", 60, 10, [25, 25, 10]), ("1", 2, 3000, [1, 1])],
)
def test_steps_are_announced_together_but_none_waits_for_one_that_is_not_due(
    graph, tmp_path, rate, count, period_ms, together
):
    bag = vectors(tmp_path / "bag", [SECOND + i * period_ms * MS for i in range(count)])
    announced = graph.listen(Steps, STEPS_TOPIC, lossless())
    graph.listen(Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless())
    answers = graph.listen(Vector3Stamped, "/normalized", lossless())
    graph.start("host", "lockstep_examples:VectorNormalizer", "--lockstep")
    # The delay is for this graph's own subscriptions, which no player waits for.
    graph.finish(graph.start("player", bag, "--window", "100", "--rtf", rate, "--delay", "5"))
    graph.spin_until(lambda: len(answers) == sum(len(s.stamp) for s in announced) == count)
    assert [len(steps.stamp) for steps in announced] == together
    assert [steps.index for steps in announced] == [sum(together[:i]) for i in range(len(together))]


def test_clock_made_from_log_times_never_runs_ahead_of_the_messages(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * 50 * MS for i in range(21)])
    seen = []
    graph.node.create_subscription(Clock, "/clock", lambda m: seen.append(stamp_ns(m.clock)), QUICK)
    received = graph.listen(Vector3Stamped, "/vector")
    graph.finish(graph.start("player", bag, ALL_THERE))
    graph.spin_until(lambda: len(received) == 21 and seen and seen[-1] == 2 * SECOND)
    assert seen == sorted(seen)
    assert set(seen) >= {SECOND + i * 50 * MS for i in range(21)}
    assert len(seen) > 60, "it goes on between the messages"


def test_the_clock_of_a_bag_is_played_as_it_is(graph, bags, tmp_path):
    seen = []
    graph.node.create_subscription(Clock, "/clock", lambda m: seen.append(stamp_ns(m.clock)), QUICK)
    received = graph.listen(Odometry, "/odom")
    report = tmp_path / "report"
    arguments = ("--topic", "/odom", "--clock", "bag", "--rtf", "10", "--report", report, ALL_THERE)
    graph.finish(graph.start("player", bags / "gazebo_diff_drive", *arguments))
    graph.spin_until(lambda: len(received) == 998)
    recorded = [
        int.from_bytes(m.data[4:8], "little") * SECOND + int.from_bytes(m.data[8:12], "little")
        for m in Bag(bags / "gazebo_diff_drive").messages(["/clock"])
    ]
    assert set(seen) <= set(recorded)
    assert seen == sorted(seen)
    assert json.loads(report.read_text())["ticks"] == {"/clock": len(recorded)}
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


def driven(graph, name, **fields):
    """Call a service of the player, whose type is rosbag2's where that is installed."""
    return graph.call(service_type(name), f"{NAME}/{name}", **fields)


def test_pause_step_rate_seek_and_resume(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * 100 * MS for i in range(100)])
    received = graph.listen(Vector3Stamped, "/vector")
    player = graph.start("player", bag, "--start-paused", ALL_THERE)
    assert driven(graph, "is_paused").paused
    assert driven(graph, "play_next").success
    assert driven(graph, "burst", num_messages=2).actually_burst == 2
    graph.spin_until(lambda: len(received) == 3)
    assert driven(graph, "seek", time=to_stamp(9 * SECOND)).success
    assert driven(graph, "play_next").success
    graph.spin_until(lambda: len(received) == 4)
    assert [m.vector.x for m in received] == [0, 1, 2, 80]
    assert driven(graph, "set_rate", rate=10.0).success
    for rate, shown in ((-1.0, "-1"), (0.0, "0"), (math.nan, "nan")):
        refused = driven(graph, "set_rate", rate=rate)
        told = f"real-time factor {shown} is not greater than 0"
        assert (refused.success, getattr(refused, "message", told)) == (False, told)
    assert driven(graph, "get_rate").rate == 10.0
    driven(graph, "toggle_paused")
    graph.finish(player)
    graph.spin_until(lambda: len(received) == 23)
    assert [m.vector.x for m in received[3:]] == list(range(80, 100))


def test_what_is_asked_for_while_playing_is_refused_and_stop_ends_it(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND, 100 * SECOND])
    player = graph.start("player", bag)
    refused = driven(graph, "play_next")
    told = "pause before playing single messages"
    assert (refused.success, getattr(refused, "message", told)) == (False, told)
    assert driven(graph, "burst").actually_burst == 0
    driven(graph, "stop")
    graph.finish(player)


def test_a_paused_player_at_the_end_waits_for_more_and_tells_how_many_it_played(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND, 2 * SECOND, 3 * SECOND])
    received = graph.listen(Vector3Stamped, "/vector")
    player = graph.start("player", bag, "--start-paused", ALL_THERE)
    assert driven(graph, "burst").actually_burst == 3
    assert not driven(graph, "play_next").success
    assert driven(graph, "seek", time=to_stamp(3 * SECOND)).success
    driven(graph, "resume")
    graph.finish(player)
    graph.spin_until(lambda: len(received) == 4)
    assert [m.vector.x for m in received] == [0, 1, 2, 2]


def test_it_is_driven_as_rosbag2_is_where_its_services_are_installed(graph, tmp_path):
    services = pytest.importorskip("rosbag2_interfaces.srv")
    bag = vectors(tmp_path / "bag", [SECOND + i * SECOND for i in range(100)])
    name = "/rosbag2_player"
    player = graph.start("player", bag, "-p", "--ros-args", "-r", "__node:=rosbag2_player")
    assert graph.call(services.IsPaused, f"{name}/is_paused").paused
    assert graph.call(services.Burst, f"{name}/burst", num_messages=5).actually_burst == 5
    assert graph.call(services.PlayNext, f"{name}/play_next").success
    assert graph.call(services.SetRate, f"{name}/set_rate", rate=2.0).success
    assert graph.call(services.GetRate, f"{name}/get_rate").rate == 2.0
    graph.call(services.Resume, f"{name}/resume")
    graph.call(services.TogglePaused, f"{name}/toggle_paused")
    assert graph.call(services.Seek, f"{name}/seek", time=to_stamp(SECOND)).success
    graph.call(services.Stop, f"{name}/stop")
    graph.finish(player)


def test_two_bags_play_at_once_in_the_order_of_their_times(graph, tmp_path):
    even = vectors(tmp_path / "even", [SECOND + i * 20 * MS for i in range(20)])
    odd = vectors(tmp_path / "odd", [SECOND + (i * 20 + 10) * MS for i in range(20)], first=100)
    received = graph.listen(Vector3Stamped, "/vector")
    graph.finish(graph.start("player", even, odd, ALL_THERE))
    graph.spin_until(lambda: len(received) == 40)
    assert [m.vector.x for m in received] == [x for i in range(20) for x in (i, 100 + i)]


@pytest.mark.parametrize("time_goes", ["back", "on"])
def test_a_loop_lets_time_go_back_or_on_as_is_asked(graph, tmp_path, time_goes):
    bag = vectors(tmp_path / "bag", [SECOND, SECOND + 50 * MS])
    received = graph.listen(Vector3Stamped, "/vector")
    clock = graph.listen(Clock, "/clock")
    player = graph.start("player", bag, "--loop", "--loop-time", time_goes, ALL_THERE)
    graph.spin_until(lambda: len(received) >= 6 and clock)
    graph.interrupt(player)
    assert [m.vector.x for m in received[:6]] == [0, 1] * 3
    times = [stamp_ns(m.clock) for m in clock]
    assert (times == sorted(times)) is (time_goes == "on")


def test_clock_comes_at_most_at_the_rate_asked_for(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND + i * MS for i in range(2001)])  # 2 s at 1 kHz
    report = tmp_path / "report"
    graph.finish(graph.start("player", bag, "--clock", "50", "--report", report))
    assert 60 < json.loads(report.read_text())["ticks"]["/clock"] <= 102


def test_a_topic_that_nobody_listens_to_is_no_reason_to_wait(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND, SECOND + MS])
    out, error = graph.finish(graph.start("player", bag))
    assert out.startswith("played 2 messages at rate ")
    assert error == ""


def test_what_it_waits_for_is_told_after_a_second(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND])
    player = graph.start("player", bag, ALL_THERE, "--start-timeout", "1.2")
    _, error = graph.finish(player, expected=3)
    missing = "no node subscribed to /vector (geometry_msgs/msg/Vector3Stamped)"
    assert error == (f"note: waiting for 1.2 s at most: {missing}\nerror: {missing} within 1.2 s\n")


def test_a_subscriber_that_asks_for_what_was_recorded_gets_it(graph, tmp_path):
    offered = OfferedQoS(
        deadline_ns=SECOND,
        lifespan_ns=9 * SECOND,
        liveliness="manual_by_topic",
        liveliness_lease_duration_ns=5 * SECOND,
    )
    bag = vectors(tmp_path / "bag", [SECOND, SECOND + MS], (offered,))
    asked = QoSProfile(
        depth=10,
        deadline=Duration(seconds=1),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
        liveliness_lease_duration=Duration(seconds=5),
    )
    received = graph.listen(Vector3Stamped, "/vector", asked)
    graph.finish(graph.start("player", bag, ALL_THERE))
    graph.spin_until(lambda: len(received) == 2)


def test_overrides_of_qos_are_offered_instead(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND, 30 * SECOND])
    overrides = tmp_path / "qos.yaml"
    overrides.write_text("/vector: {reliability: best_effort, depth: 3}")
    player = graph.start("player", bag, "--qos-profile-overrides-path", overrides)
    graph.spin_until(lambda: graph.node.count_publishers("/vector") == 1)
    (info,) = graph.node.get_publishers_info_by_topic("/vector")
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    graph.interrupt(player)


def test_who_gets_nothing_for_its_qos_and_who_owns_clock_too_is_named(graph, tmp_path):
    offered = (OfferedQoS(reliability="best_effort"),)
    bag = vectors(tmp_path / "bag", [SECOND, 100 * SECOND], offered)
    graph.listen(Vector3Stamped, "/vector", QoSProfile(depth=1))
    graph.node.create_publisher(Clock, "/clock", 10)
    player = graph.start("player", bag)
    told = sorted(player.stderr.readline() for _ in range(2))
    graph.interrupt(player)
    assert told[0].startswith(
        "note: /observer gets nothing of /vector, because it asks for another QoS (Best effort pub"
    )
    assert told[1].startswith("note: /observer publishes /clock, too, so that time jumps")


@pytest.mark.parametrize("strict", [False, True])
def test_a_type_that_is_not_installed_is_left_out_or_refused(graph, tmp_path, strict):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/vector", VECTOR, definition(VECTOR), type_hash(VECTOR))
        writer.add_topic("/odd", "odd_msgs/msg/Odd", "int32 x")
        writer.write("/vector", vector(0, 0), SECOND)
        writer.write("/odd", bytes(8), SECOND)
    player = graph.start("player", tmp_path / "bag", *(["--strict"] if strict else []))
    _, error = graph.finish(player, expected=2 if strict else 0)
    refusal = (
        "message type odd_msgs/msg/Odd is not installed; build or source the package 'odd_msgs', "
        f"or write it from the bag: lockstep types {tmp_path / 'bag'} -o src\n"
    )
    assert error == ("error: " if strict else "note: /odd is not played: ") + refusal


def test_a_player_whom_nobody_hears_says_so_and_fails(graph, tmp_path):
    bag = vectors(tmp_path / "bag", [SECOND])
    player = graph.start("player", bag, ALL_THERE, "--start-timeout", "0.5")
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
        (["BAG", "--rtf", "-2"], "real-time factor -2 is not greater than 0"),
        (["BAG", "--window", "1001"], "--window 1001 is not between 0 and 1000"),
        (["BAG", "--rate", "nan"], "real-time factor nan is not greater than 0"),
        (["BAG", "--start-offset", "-1"], "argument --start-offset: -1 is negative or no number"),
        (["BAG", "--start-offset", "9"], "--start-offset 9 is beyond the end of the bag"),
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


def test_recorded_requests_are_asked_again(graph, tmp_path):
    """Of each request both sides recorded an event; only those of the service count."""
    event_type = "std_srvs/srv/SetBool_Event"
    asked = []

    def answer(request, response):
        asked.append(request.data)
        return response

    graph.node.create_service(SetBool, "/switch", answer)
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/switch/_service_event", event_type, "")
        for index, kind in enumerate(
            (ServiceEventInfo.REQUEST_SENT, ServiceEventInfo.REQUEST_RECEIVED) * 2
        ):
            event = SetBool.Event(request=[SetBool.Request(data=index > 1)])
            event.info.event_type = kind
            time_ns = SECOND + index * 100 * MS
            writer.write("/switch/_service_event", serialize_message(event), time_ns)
    arguments = ("--publish-service-requests", "--services", "/switch", ALL_THERE)
    graph.finish(graph.start("player", tmp_path / "bag", *arguments))
    graph.spin_until(lambda: len(asked) == 2)
    assert asked == [False, True]
