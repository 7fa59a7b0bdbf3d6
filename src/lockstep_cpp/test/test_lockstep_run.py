"""In lockstep mode a host consumes its inputs in the order of the steps and loses nothing."""

import re
import signal
import time

import pytest
import rclpy
from builtin_interfaces.msg import Time
from live_graph import call, wait_until
from lockstep.host.protocol import resolved
from lockstep.run.live import remaps_of_own_topics
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header, String

from lockstep_interfaces.msg import Acknowledgement, Steps

LOSSLESS = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_ALL,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


def stamp(time_ns):
    sec, nanosec = divmod(time_ns, 10**9)
    return Time(sec=sec, nanosec=nanosec)


def nanoseconds(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


class Run:
    """A player and a recorder."""

    def __init__(self):
        rclpy.init()
        self.player = rclpy.create_node("player")
        self.recorder = rclpy.create_node("recorder")
        self.client = rclpy.create_node("client")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.player)
        self.executor.add_node(self.recorder)
        self.acks = []
        self.recorded = []  # (topic, message), in the order of arrival per topic
        self.next_index = 0
        self.steps = self.player.create_publisher(Steps, "/lockstep/steps", LOSSLESS)
        self.texts = self.player.create_publisher(String, "/text", LOSSLESS)
        self.headers = self.player.create_publisher(Header, "/sensor/header", LOSSLESS)
        self.player.create_subscription(
            Acknowledgement, "/lockstep/acknowledgement", self.acks.append, LOSSLESS
        )

    def record(self, state="/probe/state"):
        node = self.recorder
        node.create_subscription(
            Acknowledgement, "/lockstep/acknowledgement", lambda ack: None, LOSSLESS
        )
        node.create_subscription(
            String, "/echo", lambda msg: self.recorded.append(("/echo", msg)), LATCHED
        )
        node.create_subscription(
            String, state, lambda msg: self.recorded.append((state, msg)), LOSSLESS
        )
        self.ticks_subscription = node.create_subscription(
            Header, "/ticks", lambda msg: self.recorded.append(("/ticks", msg)), LOSSLESS
        )

    def wait_until_ready(self):
        wait_until(lambda: self.acks and self.acks[-1].ready, self.executor)
        self.acks.clear()

    def step(self, time_ns, topic=""):
        self.announce((time_ns, topic))

    def announce(self, *steps):
        """Several steps in one message; each is its time in ns and its topic."""
        topics = sorted({topic for _, topic in steps if topic})
        self.steps.publish(
            Steps(
                index=self.next_index,
                topics=topics,
                topic=[topics.index(topic) if topic else len(topics) for _, topic in steps],
                stamp=[stamp(time_ns) for time_ns, _ in steps],
            )
        )
        self.next_index += len(steps)

    def consumed(self):
        return self.acks[-1].steps if self.acks else 0

    def wait_for(self, steps, messages):
        wait_until(
            lambda: self.consumed() == steps and len(self.recorded) >= messages, self.executor
        )

    def echoes(self):
        return [msg.data for topic, msg in self.recorded if topic == "/echo"]

    def ticks(self):
        return [
            (msg.frame_id, nanoseconds(msg.stamp))
            for topic, msg in self.recorded
            if topic == "/ticks"
        ]

    def close(self):
        for node in [self.player, self.recorder, self.client]:
            node.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def run():
    run = Run()
    yield run
    run.close()


def test_host_is_ready_only_when_player_and_recorder_are_there(start, run):
    start("--lockstep", "--ros-args", "-r", "__ns:=/robot", "-r", "text:=/text")
    wait_until(lambda: len(run.acks) >= 3, run.executor)
    assert not any(ack.ready for ack in run.acks)
    assert run.acks[0].node == "/robot/probe"
    assert run.acks[0].topics == ["/robot/echo", "/robot/ticks", "/robot/probe/state"]
    assert run.acks[0].steps == 0

    run.recorder.create_subscription(
        Acknowledgement, "/lockstep/acknowledgement", lambda ack: None, LOSSLESS
    )
    run.recorder.create_subscription(String, "/robot/echo", print, LATCHED)
    run.recorder.create_subscription(Header, "/robot/ticks", print, LOSSLESS)
    run.recorder.create_subscription(String, "/robot/probe/state", print, LOSSLESS)
    run.acks.clear()
    wait_until(lambda: len(run.acks) >= 10, run.executor)
    assert not run.acks[-1].ready  # the header has no publisher yet
    run.player.create_publisher(Header, "/robot/sensor/header", LOSSLESS)
    run.wait_until_ready()


def test_messages_are_consumed_in_the_order_of_the_steps(start, run):
    start("--lockstep")
    run.record()
    run.wait_until_ready()
    # All messages are there before the first step, and in another order than that of the steps.
    for i in range(100):
        run.headers.publish(Header(frame_id=f"header {i}"))
    for i in range(100):
        run.texts.publish(String(data=f"text {i}"))
    for i in range(100):
        if i % 2:  # one by one is as good as together
            run.step(10 + i, "/text")
            run.step(10 + i, "/sensor/header")
            run.step(10 + i, "/unknown")
        else:
            run.announce(*((10 + i, topic) for topic in ("/text", "/sensor/header", "/unknown")))
    run.wait_for(steps=300, messages=202)
    expected = ["started with gain 0.500000"]
    for i in range(100):
        expected += [f"text {i} at {10 + i} with gain 0.500000", f"header {i} at {10 + i}"]
    assert run.echoes() == expected
    assert sum(len(ack.duration_ns) for ack in run.acks) == 200
    assert all(b.steps - a.steps <= 64 for a, b in zip(run.acks, run.acks[1:], strict=False))


def test_acknowledgements_list_what_was_published_when_and_for_which_step(start, run):
    start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.texts.publish(String(data="a"))
    run.step(10**9)
    run.step(10**9 + 25_000_000, "/text")
    run.step(10**9 + 30_000_000)
    run.wait_for(steps=3, messages=7)
    topics = run.acks[0].topics
    published = [
        (topics[topic], nanoseconds(stamp), step)
        for ack in run.acks
        for topic, stamp, step in zip(
            ack.published_topic, ack.published_stamp, ack.published_step, strict=True
        )
    ]
    assert published == [
        ("/echo", 0, 0),  # by on_start
        ("/ticks", 0, 0),
        ("/ticks", 10**9 + 10_000_000, 1),
        ("/ticks", 10**9 + 20_000_000, 1),
        ("/ticks", 10**9 + 20_000_000, 1),
        ("/echo", 10**9 + 25_000_000, 1),
        ("/ticks", 10**9 + 30_000_000, 2),
    ]
    assert run.ticks() == [
        ("start", 0),
        ("fast", 10**9 + 10_000_000),
        ("slow", 10**9 + 20_000_000),
        ("fast", 10**9 + 20_000_000),
        ("fast", 10**9 + 30_000_000),
    ]


def test_parameters_set_before_the_first_step_are_no_change_and_later_ones_are(start, run):
    start("--lockstep")
    run.record()
    run.wait_until_ready()

    def set_gain(value):
        gain = Parameter(
            name="gain",
            value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value),
        )
        response = call(run.client, SetParameters, "/probe/set_parameters", parameters=[gain])
        assert response.results[0].successful

    set_gain(2.0)
    run.step(10)
    run.wait_for(steps=1, messages=2)
    set_gain(3.0)
    run.step(20)
    run.wait_for(steps=2, messages=3)
    assert run.echoes() == [
        "started with gain 2.000000",
        "changed to gain 3.000000 and share 0.500000",
    ]
    # It was published between two steps: at the time of the first, and told with the second.
    published = [
        (nanoseconds(stamp), step)
        for ack in run.acks
        for stamp, step in zip(ack.published_stamp, ack.published_step, strict=True)
    ]
    assert published[2:] == [(10, 1)]


def test_services_are_answered_while_a_message_is_awaited(start, run):
    start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.step(10, "/text")
    response = call(run.client, GetParameters, "/probe/get_parameters", names=["gain"])
    assert response.values[0].double_value == 0.5
    assert run.consumed() == 0
    run.texts.publish(String(data="late"))
    run.wait_for(steps=1, messages=3)
    assert run.echoes()[-1] == "late at 10 with gain 0.500000"


def test_each_step_is_acknowledged_when_the_player_waits_for_it(start, run):
    start("--lockstep")
    run.record()
    run.wait_until_ready()
    for i in range(50):
        run.step(10 + i, "/text")
        run.texts.publish(String(data=str(i)))
        wait_until(lambda expected=i + 1: run.consumed() == expected, run.executor)
    answers = [ack.steps for ack in run.acks if ack.steps]  # 0: still saying that it is ready
    assert answers == list(range(1, 51))


def test_missing_step_ends_the_run(start, run):
    host = start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.step(2 * 10**9)
    run.next_index = 2
    run.step(3 * 10**9)
    code, out, err = host.result()
    assert (code, out) == (3, "")
    assert re.fullmatch(
        r"\[FATAL\] \[[0-9.]+\] \[probe\]: probe: lockstep failed at 2\.000000000 s: "
        r"step 1 should have come, but step 2 came\n",
        err,
    )


def test_exception_of_a_callback_ends_the_run(start, run):
    host = start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.texts.publish(String(data="throw"))
    run.step(12_345_000_000, "/text")
    code, _, err = host.result()
    assert code == 3
    assert re.search(r"probe: on_text failed at 12\.345000000 s: .*told to throw", err)


def test_slow_recorder_loses_nothing(start, run):
    start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.texts.publish(String(data="burst"))  # more than both histories can hold
    run.step(10, "/text")
    time.sleep(1.0)

    def recorded_all():
        # Directly, for an executor is slow.
        while taken := run.ticks_subscription.handle.take_message(Header, False):
            run.recorded.append(("/ticks", taken[0]))
        return run.consumed() == 1 and len(run.recorded) >= 10_503

    wait_until(recorded_all, run.executor, timeout_s=100)
    assert [frame_id for frame_id, _ in run.ticks()[1:]] == [str(i) for i in range(10_500)]


def test_steps_name_topics_after_remapping(start, run):
    start("--lockstep", "--ros-args", "-r", "text:=/chat", "-r", "sensor/header:=/sensor/header")
    chats = run.player.create_publisher(String, "/chat", LOSSLESS)
    run.record()
    run.wait_until_ready()
    chats.publish(String(data="hello"))
    run.step(10, "/text")
    run.step(11, "/chat")
    run.wait_for(steps=2, messages=3)
    assert run.echoes()[-1] == "hello at 11 with gain 0.500000"


def test_time_is_that_of_the_steps_whatever_the_clock(start, run):
    start("--lockstep", "--ros-args", "-p", "use_sim_time:=true")
    run.record()
    run.wait_until_ready()
    clocks = run.player.create_publisher(Clock, "/clock", 10)
    wait_until(lambda: clocks.get_subscription_count() > 0, run.executor)
    run.texts.publish(String(data="a"))
    run.step(10, "/text")
    run.wait_for(steps=1, messages=3)
    clocks.publish(Clock(clock=stamp(10**12)))
    for enabled in (False, True):
        value = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=enabled)
        parameter = Parameter(name="use_sim_time", value=value)
        call(run.client, SetParameters, "/probe/set_parameters", parameters=[parameter])
    run.texts.publish(String(data="b"))
    run.step(15_000_010, "/text")
    run.wait_for(steps=2, messages=5)
    assert run.echoes()[-1] == "b at 15000010 with gain 0.500000"
    assert run.ticks() == [("start", 0), ("fast", 10_000_010)]


def test_it_stops_cleanly_while_nobody_takes_its_messages(start, run):
    host = start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.texts.publish(String(data="burst"))
    run.step(10, "/text")
    time.sleep(2.0)
    assert host.stop(signal.SIGTERM) == (0, "", "")


def test_what_a_destructor_publishes_is_refused_because_nobody_records_it(start, run):
    host = start("--lockstep")
    run.record()
    run.wait_until_ready()
    run.texts.publish(String(data="farewell"))
    run.step(10, "/text")
    wait_until(lambda: run.consumed() == 1, run.executor)
    code, _, err = host.stop()
    assert code == 3
    assert "output 'echo' was published after the end of the run" in err


def test_an_output_of_the_nodes_own_is_where_the_harness_wants_it(start, run):
    start(
        "--lockstep",
        "--ros-args",
        *remaps_of_own_topics(["~/state"]),
        "-r",
        "__ns:=/robot",
        "-r",
        "text:=/text",
        "-r",
        "sensor/header:=/sensor/header",
        "-r",
        "echo:=/echo",
        "-r",
        "ticks:=/ticks",
    )
    run.record(state=resolved("~/state"))
    run.wait_until_ready()
    run.texts.publish(String(data="state"))
    run.step(10, "/text")
    wait_until(lambda: "/node/state" in dict(run.recorded), run.executor)
    assert dict(run.recorded)["/node/state"] == String(data="state")


def test_it_stops_cleanly_at_any_time(start, run):
    announcing = start("--lockstep")
    wait_until(lambda: run.acks, run.executor)
    assert announcing.stop() == (0, "", "")

    waiting = start("--lockstep")
    run.acks.clear()
    run.record()
    run.wait_until_ready()
    run.step(10, "/text")
    time.sleep(0.1)
    assert waiting.stop() == (0, "", "")
