"""A component's executable is an ordinary ROS 2 node."""

import json
import re
import signal
import time
from itertools import pairwise

import pytest
import rclpy
from live_graph import LATCHED, Inbox, call, connect, wait_until
from rcl_interfaces.msg import Log, Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import (
    SetParameters,
)
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_system_default
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header, String
from type_description_interfaces.srv import GetTypeDescription


def clock(seconds):
    message = Clock()
    message.clock.sec, message.clock.nanosec = divmod(round(seconds * 1e9), 1_000_000_000)
    return message


class Simulation:
    """A /clock, and the means to know that the host has heard it."""

    def __init__(self, node):
        self.node = node
        self.clocks = node.create_publisher(Clock, "/clock", 10)
        self.texts = node.create_publisher(String, "text", 10)
        self.echoes = Inbox(node, String, "echo", LATCHED)
        connect(node, self.clocks)
        connect(node, self.texts)

    def set_time(self, seconds):
        # /clock is best effort, so it is repeated until the host answers with the new time.
        answer = f"what time at {round(seconds * 1e9)} "

        def answered():
            self.clocks.publish(clock(seconds))
            self.texts.publish(String(data="what time"))
            return any(echo.data.startswith(answer) for echo in self.echoes)

        wait_until(answered, self.node)


# --- command line ---------------------------------------------------------------------------------


def test_contract_is_json_as_python_writes_it(start):
    code, out, err = start("--contract").result()
    assert (code, err) == (0, "")
    contract = json.loads(out)
    assert out == json.dumps(contract, indent=2, ensure_ascii=False) + "\n"
    assert contract["component"] == "Probe"
    assert [port["topic"] for port in contract["inputs"]] == ["text", "sensor/header"]
    assert [port["topic"] for port in contract["outputs"]] == ["echo", "ticks", "~/state"]
    assert [timer["name"] for timer in contract["timers"]] == ["slow", "fast"]
    assert {p["name"]: p["default"] for p in contract["parameters"]} == {
        "flag": False,
        "whole": 3,
        "gain": 0.5,
        "name": "probe",
        "lists.flags": [True, False],
        "lists.wholes": [1, 2],
        "lists.gains": [0.5, 2.0],
        "lists.names": ["a", "b"],
        "share": 0.5,
        "size": 10,
        "weights": [0.5],
        "frame": "base",
    }
    assert {p["name"]: (p["minimum"], p["maximum"]) for p in contract["parameters"][8:]} == {
        "share": (0.0, 1.0),
        "size": (1, None),
        "weights": (0.0, None),
        "frame": (None, None),
    }
    assert [p["name"] for p in contract["parameters"] if p["read_only"]] == ["frame"]


def test_contract_has_the_hashes_that_the_graph_tells(start, node):
    contract = json.loads(start("--contract").result()[1])
    start()
    ports = [*contract["inputs"], *contract["outputs"]]
    endpoints = {
        "text": node.get_subscriptions_info_by_topic,
        "sensor/header": node.get_subscriptions_info_by_topic,
        "echo": node.get_publishers_info_by_topic,
        "ticks": node.get_publishers_info_by_topic,
        "~/state": node.get_publishers_info_by_topic,
    }
    for port in ports:
        look, topic = endpoints[port["topic"]], f"/{port['topic'].replace('~', 'probe')}"
        wait_until(lambda look=look, topic=topic: look(topic), node)
        assert port["type_hash"] == str(look(topic)[0].topic_type_hash)


def test_help_says_how_to_use_it(start):
    code, out, err = start("--help").result()
    assert (code, err) == (0, "")
    assert "--contract" in out
    assert "--lockstep" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--unknown"], "unknown argument '--unknown'"),
        (["file.bag"], "unknown argument 'file.bag'"),
        (["--ros-args", "--unknown"], "unknown ROS argument '--unknown'"),
        (["--ros-args", "-r", "nothing"], "Couldn't parse remap rule"),
        (["--ros-args", "--params-file", "no-such-file"], "no-such-file"),
        (["--ros-args", "-r", "__node:=not-a-name"], "not-a-name"),
        (["--ros-args", "-p", "gain:=1"], "'gain' must be of type double, not integer"),
        (["--ros-args", "-p", "whole:=1.0"], "'whole' must be of type integer, not double"),
        (["--ros-args", "-p", "gain:=[]"], "'gain' must be of type double, not no value"),
        (["--ros-args", "-p", "use_sim_time:=1"], "'use_sim_time' must be of type bool"),
        (["--ros-args", "-p", "use_sim_time:=[]"], "'use_sim_time' must be of type bool"),
        (["--ros-args", "-p", "lists.names:=[1]"], "must be of type string_array, not integer_ar"),
        (["--ros-args", "-p", "share:=2.0"], "'share' must be from 0.0 to 1.0, not 2.0"),
        (["--ros-args", "-p", "share:=.nan"], "'share' must be from 0.0 to 1.0, not NaN"),
        (["--ros-args", "-p", "size:=0"], "'size' must be at least 1, not 0"),
        (
            ["--ros-args", "-p", "weights:=[1.0, -1.5]"],
            "'weights' must be at least 0.0 in every element, not -1.5",
        ),
        (["--ros-args", "-e", "nowhere"], "Enclave name is not valid"),
    ],
)
def test_bad_arguments_end_it_with_one_sentence(start, arguments, sentence):
    code, out, err = start(*arguments).result()
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.startswith("probe: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(start, node, signal_number):
    host = start()
    wait_until(lambda: "probe" in node.get_node_names(), node)
    assert host.stop(signal_number) == (0, "", "")


def test_ctrl_c_that_comes_twice_ends_it_cleanly(start, node):
    """From the terminal and from `ros2 launch`, which would call another end a death."""
    host = start()
    wait_until(lambda: "probe" in node.get_node_names(), node)
    while host.process.poll() is None:  # at every moment of its end
        host.process.send_signal(signal.SIGINT)
        time.sleep(0.005)
    assert host.result() == (0, "", "")


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_another_signal_later_ends_one_that_hangs(start, node, signal_number):
    host = start()
    wait_until(lambda: "probe" in node.get_node_names(), node)
    publisher = node.create_publisher(String, "text", 10)
    connect(node, publisher)
    publisher.publish(String(data="hang"))
    host.wait_for("hanging")
    host.process.send_signal(signal.SIGINT)
    time.sleep(1.1)
    assert host.stop(signal_number)[0] == 128 + signal_number


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("throw", r"told to throw|RuntimeError: told to throw \(.*/probe\.py:\d+\)"),
        ("throw a number", r"an exception that is no std::exception|SystemExit: 42 \(.*\)"),
    ],
)
def test_exception_of_a_callback_ends_it_with_one_fatal_line(start, node, text, what):
    host = start("--ros-args", "-r", "__node:=renamed", "-p", "use_sim_time:=true")
    simulation = Simulation(node)
    simulation.set_time(12.345)
    simulation.texts.publish(String(data=text))
    code, out, err = host.result()
    assert (code, out) == (3, "")
    line = r"\[FATAL\] \[[0-9.]+\] \[renamed\]: renamed: on_text failed at 12\.345000000 s: "
    assert re.fullmatch(f"{line}({what})\n", err)


def test_exception_of_on_start_ends_it_with_one_fatal_line(start):
    code, out, err = start("--ros-args", "-p", "name:=throw").result()
    assert (code, out) == (3, "")
    what = r"(RuntimeError: )?told to throw( \(.*/probe\.py:\d+\))?"
    line = r"\[FATAL\] \[[0-9.]+\] \[probe\]: probe: on_start failed at 0\.000000000 s: "
    assert re.fullmatch(f"{line}{what}\n", err)


# --- graph ----------------------------------------------------------------------------------------


def test_node_looks_like_one_of_rclpy(start, node):
    start("--ros-args", "-r", "__ns:=/robot", "-r", "__node:=twin")
    plain = rclpy.create_node("plain", namespace="/robot")
    plain.create_subscription(String, "text", print, 10)
    plain.create_subscription(Header, "sensor/header", print, 10)
    plain.create_publisher(String, "echo", 10)
    plain.create_publisher(Header, "ticks", 10)
    plain.create_publisher(String, "~/state", 10)

    def look(name):
        rename = [
            sorted((topic.replace(name, "NODE"), types) for topic, types in names_and_types)
            for names_and_types in (
                node.get_publisher_names_and_types_by_node(name, "/robot"),
                node.get_subscriber_names_and_types_by_node(name, "/robot"),
                node.get_service_names_and_types_by_node(name, "/robot"),
                node.get_client_names_and_types_by_node(name, "/robot"),
            )
        ]
        return rename

    try:
        names = node.get_node_names
        wait_until(lambda: "twin" in names() and "plain" in names(), node)
        wait_until(lambda: look("twin") == look("plain"), node)
        for topic in ("/rosout", "/parameter_events"):
            qos = {
                info.node_name: info.qos_profile
                for info in node.get_publishers_info_by_topic(topic)
            }
            assert qos["twin"] == qos["plain"]
    finally:
        plain.destroy_node()


def test_ports_have_the_declared_qos(start, node):
    start("--ros-args", "-r", "sensor/header:=/imu/header")
    topics = ["/text", "/imu/header", "/echo", "/ticks"]
    found = {}

    def look():
        for topic in topics:
            infos = [
                *node.get_subscriptions_info_by_topic(topic),
                *node.get_publishers_info_by_topic(topic),
            ]
            if infos:
                found[topic] = infos[0].qos_profile
        return len(found) == len(topics)

    wait_until(look, node)
    reliable, best_effort = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
    assert [found[topic].reliability for topic in topics] == [
        reliable,
        best_effort,
        reliable,
        reliable,
    ]
    volatile, latched = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL
    assert [found[topic].durability for topic in topics] == [volatile, volatile, latched, volatile]


def test_messages_go_through_remapped_topics(start, node):
    start("--ros-args", "-r", "text:=/chat/in", "-r", "echo:=/chat/out")
    texts = node.create_publisher(String, "/chat/in", 10)
    echoes = Inbox(node, String, "/chat/out", LATCHED)
    connect(node, texts)
    wait_until(lambda: echoes, node)
    for i in range(5):
        texts.publish(String(data=f"message {i}"))
    wait_until(lambda: len(echoes) == 6, node)
    assert echoes[0].data == "started with gain 0.500000"
    assert [echo.data[:9] for echo in echoes[1:]] == [f"message {i}" for i in range(5)]


@pytest.mark.parametrize(
    ("arguments", "topics"),
    [
        (["-r", "__ns:=/robot"], ["/robot/text", "/robot/sensor/header", "/robot/echo"]),
        (["-r", "probe:text:=heard"], ["/heard", "/sensor/header", "/echo"]),
        (["-r", "other:text:=heard"], ["/text", "/sensor/header", "/echo"]),
        (
            ["-r", "__ns:=/robot", "-r", "__node:=twin", "-r", "text:=~/text"],
            ["/robot/twin/text", "/robot/sensor/header", "/robot/echo"],
        ),
        (["-r", "__ns:=/robot", "-r", "/robot/text:=/text"], ["/text", "/robot/sensor/header"]),
        (["-r", "__ns:=/robot", "-r", "__node:=twin"], ["/robot/twin/state"]),
        (["-r", "__ns:=/robot", "-r", "~/state:=state"], ["/robot/state"]),
    ],
)
def test_topics_are_remapped_and_in_the_namespace(start, node, arguments, topics):
    start("--ros-args", *arguments)
    wait_until(
        lambda: all(
            node.get_subscriptions_info_by_topic(topic) or node.get_publishers_info_by_topic(topic)
            for topic in topics
        ),
        node,
    )


def test_a_latched_output_reaches_who_comes_late(start, node):
    host = start("--ros-args", "-p", "use_sim_time:=true")
    wait_until(lambda: node.count_publishers("/echo") == 1, node)
    texts = node.create_publisher(String, "text", 10)
    connect(node, texts)
    for i in range(8):
        texts.publish(String(data=f"message {i}"))
    echoes = Inbox(node, String, "echo", LATCHED)
    wait_until(lambda: any("message 7" in echo.data for echo in echoes), node)
    late = Inbox(node, String, "echo", LATCHED)  # of whose messages the last five are kept
    wait_until(lambda: len(late) >= 5, node)
    assert [echo.data[:9] for echo in late] == [f"message {i}" for i in range(3, 8)]
    assert host.stop() == (0, "", "")


def test_log_lines_go_to_rosout_by_level(start, node):
    start("--ros-args", "--log-level", "probe:=debug", "--log-level", "WARN")
    logs = Inbox(
        node, Log, "/rosout", QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    )
    texts = node.create_publisher(String, "text", 10)
    connect(node, texts)
    texts.publish(String(data="log"))
    wait_until(lambda: any(log.level == 40 for log in logs), node)
    assert [(log.name, log.level, log.msg) for log in logs if log.name == "probe"] == [
        ("probe", 10, "a debug line"),
        ("probe", 20, "an info line"),
        ("probe", 30, "a warning line"),
        ("probe", 40, "an error line"),
    ]


def test_a_destructor_and_an_exit_handler_may_log_when_the_node_is_gone(start, node):
    host = start()
    echoes = Inbox(node, String, "echo", LATCHED)
    texts = node.create_publisher(String, "text", 10)
    connect(node, texts)
    texts.publish(String(data="farewell"))
    wait_until(lambda: echoes and echoes[-1].data.startswith("farewell at"), node)
    code, out, err = host.stop()
    assert (code, out) == (0, "")
    lines = [re.sub(r"^\[INFO\] \[[0-9.]+\] ", "", line) for line in err.splitlines()]
    assert sorted(lines) == ["[probe]: a line at exit", "[probe]: the last line"]


def test_type_description_service_knows_the_types_of_the_ports(start, node):
    start()
    wait_until(lambda: node.get_publishers_info_by_topic("/ticks"), node)
    type_hash = str(node.get_publishers_info_by_topic("/ticks")[0].topic_type_hash)
    response = call(
        node,
        GetTypeDescription,
        "/probe/get_type_description",
        type_name="std_msgs/msg/Header",
        type_hash=type_hash,
    )
    assert response.successful, response.failure_reason
    assert response.type_description.type_description.type_name == "std_msgs/msg/Header"


def test_type_description_service_can_be_left_out(start, node):
    start("--ros-args", "-p", "start_type_description_service:=false")
    wait_until(lambda: "probe" in node.get_node_names(), node)
    wait_until(lambda: len(node.get_service_names_and_types_by_node("probe", "/")) == 6, node)


# --- time -----------------------------------------------------------------------------------------


def test_system_time_is_the_time_without_use_sim_time(start, node):
    start()
    ticks = Inbox(node, Header, "ticks", 1000)
    wait_until(lambda: len(ticks) >= 10, node)
    stamps = [(t.frame_id, t.stamp.sec * 10**9 + t.stamp.nanosec) for t in ticks]
    fast = [stamp for frame_id, stamp in stamps if frame_id == "fast"]
    # A slow observer may miss some, but each comes at its time.
    assert {(b - a) % 10_000_000 for a, b in pairwise(fast)} == {0}
    assert fast == sorted(set(fast))
    now = node.get_clock().now().nanoseconds
    assert abs(now - fast[-1]) < 5 * 10**9


def test_timers_fire_on_simulated_time_without_skipping(start, node):
    start("--ros-args", "-p", "use_sim_time:=true")
    ticks = Inbox(node, Header, "ticks", 1000)
    wait_until(lambda: node.count_publishers("/ticks") == 1, node)
    simulation = Simulation(node)
    simulation.set_time(100.0)
    assert [tick.frame_id for tick in ticks if tick.frame_id != "start"] == []
    simulation.set_time(100.045)
    wait_until(lambda: len([t for t in ticks if t.frame_id != "start"]) >= 6, node)
    fired = [
        (t.frame_id, t.stamp.sec * 1000 + t.stamp.nanosec // 1_000_000)
        for t in ticks
        if t.frame_id != "start"
    ]
    assert fired == [
        ("fast", 100_010),
        ("slow", 100_020),
        ("fast", 100_020),
        ("fast", 100_030),
        ("slow", 100_040),
        ("fast", 100_040),
    ]


def test_use_sim_time_can_be_switched_while_running(start, node):
    start()
    ticks = Inbox(node, Header, "ticks", 1000)
    wait_until(lambda: len(ticks) >= 3, node)

    def switch(value):
        on = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
        parameter = Parameter(name="use_sim_time", value=on)
        response = call(node, SetParameters, "/probe/set_parameters", parameters=[parameter])
        assert response.results[0].successful

    def simulated():
        return [tick.stamp.sec < 1_000_000_000 for tick in ticks if tick.frame_id != "start"]

    switch(True)
    simulation = Simulation(node)
    simulation.set_time(5.0)
    simulation.set_time(5.03)
    wait_until(lambda: sum(simulated()) >= 4, node)

    # Back to system time, decades later: the timers start again instead of catching up.
    switch(False)
    wait_until(lambda: simulated()[-5:] == [False] * 5, node)
    changes = [b for a, b in pairwise(simulated()) if a != b]
    assert changes == [True, False]
    assert sum(simulated()) == 4


def test_best_effort_publishers_reach_best_effort_inputs(start, node):
    start("--ros-args", "-p", "use_sim_time:=true")
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    headers = node.create_publisher(Header, "sensor/header", qos)
    echoes = Inbox(node, String, "echo", qos_profile_system_default)
    wait_until(lambda: node.count_publishers("/echo") == 1, node)
    connect(node, headers)
    wait_until(
        lambda: (
            headers.publish(Header(frame_id="imu")) or any("imu at 0" in e.data for e in echoes)
        ),
        node,
    )
