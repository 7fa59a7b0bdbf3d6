"""A component in a container is the node that its own executable is."""

import re
import signal
from itertools import pairwise

import pytest
from composition_interfaces.srv import UnloadNode
from live_graph import LATCHED, call, wait_until
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParametersAtomically
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header, String

CONTAINERS = ["component_container", "component_container_mt", "component_container_isolated"]


def boolean(name, value):
    kind = ParameterType.PARAMETER_BOOL
    return Parameter(name=name, value=ParameterValue(type=kind, bool_value=value))


def double(name, value):
    kind = ParameterType.PARAMETER_DOUBLE
    return Parameter(name=name, value=ParameterValue(type=kind, double_value=value))


def string(name, value):
    kind = ParameterType.PARAMETER_STRING
    return Parameter(name=name, value=ParameterValue(type=kind, string_value=value))


SIM_TIME = boolean("use_sim_time", True)


class Outputs:
    """What a probe publishes."""

    def __init__(self, node, namespace=""):
        self.echoes, self.ticks = [], []
        node.create_subscription(String, f"{namespace}/echo", self.on_echo, LATCHED)
        node.create_subscription(Header, f"{namespace}/ticks", self.on_tick, 1000)
        wait_until(lambda: self.echoes, node)  # of on_start, latched

    def on_echo(self, msg):
        self.echoes.append(msg.data)

    def on_tick(self, msg):
        if msg.frame_id != "start":
            self.ticks.append((msg.frame_id, msg.stamp.sec * 10**9 + msg.stamp.nanosec))


def connected(node, message_type, topic):
    """A publisher that has been discovered."""
    publisher = node.create_publisher(message_type, topic, 10)
    wait_until(lambda: publisher.get_subscription_count() > 0, node)
    return publisher


class Simulation:
    """A /clock, and the means to know that all probes have heard it."""

    def __init__(self, node, probes, topics=("text",)):
        self.node = node
        self.probes = probes
        self.texts = [connected(node, String, topic) for topic in topics]
        self.clocks = connected(node, Clock, "/clock")
        wait_until(lambda: self.clocks.get_subscription_count() == len(probes), node)

    def set_time(self, seconds):
        time_ns = round(seconds * 1e9)
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(time_ns, 10**9)
        answer = f"what time at {time_ns} "

        # /clock is best effort, so it is repeated until all answer with the new time.
        def answered():
            self.clocks.publish(message)
            self.say("what time")
            return all(any(e.startswith(answer) for e in p.echoes) for p in self.probes)

        wait_until(answered, self.node)

    def say(self, text):
        for publisher in self.texts:
            publisher.publish(String(data=text))


@pytest.mark.parametrize("kind", CONTAINERS)
def test_it_does_what_its_own_executable_does(start, node, kind):
    container = start(kind)
    assert container.load(node_namespace="/contained", parameters=[SIM_TIME]).success
    start("--ros-args", "-r", "__ns:=/hosted", "-p", "use_sim_time:=true", host=True)
    probes = [Outputs(node, "/contained"), Outputs(node, "/hosted")]
    simulation = Simulation(node, probes, ["/contained/text", "/hosted/text"])
    simulation.set_time(100.0)
    simulation.set_time(100.045)
    for i in range(100):
        simulation.say(f"message {i}")
        wait_until(lambda i=i: all(f"message {i} " in p.echoes[-1] for p in probes), node)
    simulation.set_time(7.0)  # a bag that loops
    simulation.set_time(7.02)
    wait_until(lambda: all(len(p.ticks) >= 9 for p in probes), node)

    contained, hosted = probes
    assert contained.ticks == hosted.ticks
    assert [(name, ns // 1_000_000) for name, ns in contained.ticks] == [
        ("fast", 100_010),
        ("slow", 100_020),
        ("fast", 100_020),
        ("fast", 100_030),
        ("slow", 100_040),
        ("fast", 100_040),
        ("fast", 7_010),
        ("slow", 7_020),
        ("fast", 7_020),
    ]
    answers = [[e for e in p.echoes if not e.startswith("what time")] for p in probes]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 101


def test_timers_fire_on_system_time_each_at_its_own_due_time(start, node):
    start().load()
    probe = Outputs(node)
    wait_until(lambda: len(probe.ticks) >= 60, node)
    fast = [time_ns for name, time_ns in probe.ticks if name == "fast"]
    assert {b - a for a, b in pairwise(fast)} == {10_000_000}
    slow = [time_ns for name, time_ns in probe.ticks if name == "slow"]
    assert set(slow[1:-1]) < set(fast)
    assert abs(node.get_clock().now().nanoseconds - fast[-1]) < 5 * 10**9


def test_use_sim_time_can_be_switched_while_running(start, node):
    start().load()
    probe = Outputs(node)
    wait_until(lambda: len(probe.ticks) >= 3, node)

    def switch(value):
        request = {"parameters": [boolean("use_sim_time", value)]}
        assert call(
            node, SetParametersAtomically, "/probe/set_parameters_atomically", **request
        ).result.successful

    switch(True)
    simulation = Simulation(node, [probe])
    simulation.set_time(5.0)
    simulation.set_time(5.03)

    def simulated():
        """Ticks of system time may still be on their way."""
        return [ns // 1_000_000 for _, ns in probe.ticks if ns < 10**10]

    wait_until(lambda: len(simulated()) >= 4, node)
    assert simulated() == [5010, 5020, 5020, 5030]

    # Back to system time, decades later: the timers start again instead of catching up.
    switch(False)
    wait_until(lambda: simulation.clocks.get_subscription_count() == 0, node)
    probe.ticks.clear()
    wait_until(lambda: len(probe.ticks) >= 5, node)
    assert all(ns > 10**18 for _, ns in probe.ticks)


def test_parameters_are_given_described_checked_and_changed(start, node):
    container = start()
    assert container.load(parameters=[double("gain", 2.0)]).success
    probe = Outputs(node)
    assert probe.echoes == ["started with gain 2.000000"]

    request = {"names": ["whole", "share", "frame"]}
    whole, share, frame = call(
        node, DescribeParameters, "/probe/describe_parameters", **request
    ).descriptors
    assert whole.description == "a whole number"
    assert (share.floating_point_range[0].from_value, share.floating_point_range[0].to_value) == (
        0.0,
        1.0,
    )
    assert frame.read_only

    def set_parameters(*parameters):
        return call(
            node,
            SetParametersAtomically,
            "/probe/set_parameters_atomically",
            parameters=parameters,
        ).result

    assert set_parameters(double("gain", 3.0), double("share", 0.25)).successful
    wait_until(lambda: len(probe.echoes) > 1, node)
    assert probe.echoes[1:] == ["changed to gain 3.000000 and share 0.250000"]
    for parameter, reason in [
        (string("gain", "much"), "Wrong parameter type"),
        (double("share", float("nan")), "'share' must be from 0.0 to 1.0, not NaN"),
        (string("frame", "other"), "read-only"),
        (double("unknown", 1.0), "not declared"),
    ]:
        refused = set_parameters(parameter, double("gain", 4.0))
        assert not refused.successful
        assert reason in refused.reason
    connected(node, String, "text").publish(String(data="and now"))
    wait_until(lambda: "and now" in probe.echoes[-1], node)
    assert probe.echoes[-1].endswith("with gain 3.000000")


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        (string("gain", "much"), "parameter 'gain' has invalid type"),
        (double("share", 2.0), "share"),
        (string("name", "throw"), "on_start failed at 0.000000000 s: told to throw"),
    ],
)
def test_what_cannot_start_is_not_loaded_and_the_container_lives(start, node, parameter, sentence):
    container = start()
    answer = container.load(parameters=[parameter])
    assert not answer.success
    assert sentence in answer.error_message
    assert container.load().success
    assert Outputs(node).echoes


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize(
    ("text", "what"),
    [("throw", "told to throw"), ("throw a number", "an exception that is no std::exception")],
)
def test_exception_of_a_callback_ends_the_process_with_one_fatal_line(
    start, node, kind, text, what
):
    container = start(kind)
    assert container.load(node_name="renamed", parameters=[SIM_TIME]).success
    simulation = Simulation(node, [Outputs(node)])
    simulation.set_time(12.345)
    simulation.say(text)
    code, _, err = container.result()
    assert code == 3
    fatal = [line for line in err.splitlines() if "FATAL" in line]
    line = r"\[FATAL\] \[[0-9.]+\] \[renamed\]: renamed: on_text failed at 12\.345000000 s: "
    assert len(fatal) == 1
    assert re.fullmatch(line + what, fatal[0])
    assert "terminate" not in err


def test_log_lines_go_to_the_logger_of_the_node(start, node):
    container = start()
    container.load(node_name="renamed")
    connected(node, String, "text").publish(String(data="log"))
    container.wait_for("an error line")
    _, _, err = container.stop()
    lines = [line for line in err.splitlines() if "[renamed]" in line]
    assert [line.split("]")[0] + "]" for line in lines] == ["[INFO]", "[WARN]", "[ERROR]"]


def test_it_can_be_unloaded_and_loaded_again(start, node):
    container = start()
    unique_id = container.load().unique_id
    assert call(
        node, UnloadNode, "/ComponentManager/_container/unload_node", unique_id=unique_id
    ).success
    wait_until(lambda: "probe" not in node.get_node_names(), node)
    assert container.load().success
    assert Outputs(node).echoes == ["started with gain 0.500000"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_container_cleanly(start, node, number):
    container = start()
    container.load()
    Outputs(node)
    assert container.stop(number)[0] == 0
