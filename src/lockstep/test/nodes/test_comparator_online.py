"""The comparator online, on a real, isolated graph: its verdicts, what it
publishes, and that it holds nobody back.
"""

import os
import re
import signal
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PointStamped, Vector3, Vector3Stamped
from lockstep.compare import CompareError
from lockstep.component import stamp_ns
from lockstep.errors import UsageError
from lockstep.nodes.comparator_online import run_online
from observed_graph import MS, vector
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from lockstep_interfaces.msg import Difference

DEEP = QoSProfile(depth=1000)
PREFIXES = ("--online", "--a-prefix", "/node", "--b-prefix", "/shadow", "--topic", "vector")
QUICK = ("--period", "0.1")


class Topics:
    """A node's output and its shadow's, and what the comparator tells of them."""

    def __init__(self, graph, qos=DEEP, types=(Vector3Stamped, Vector3Stamped)):
        self.graph = graph
        self.a, self.b = (
            graph.node.create_publisher(of_type, f"/{name}/vector", qos)
            for of_type, name in zip(types, ("node", "shadow"), strict=True)
        )
        self.statuses, self.differences = [], []
        self.listening = [
            graph.node.create_subscription(
                DiagnosticArray, "/diagnostics", self.statuses.append, DEEP
            ),
            graph.node.create_subscription(
                Difference, "/lockstep/difference", self.differences.append, DEEP
            ),
        ]

    @property
    def status(self):
        (status,) = self.statuses[-1].status
        return status

    @property
    def values(self):
        return {entry.key: entry.value for entry in self.status.values} if self.statuses else {}

    def start(self, *arguments):
        process = self.graph.start("comparator", *arguments, *QUICK)
        self.graph.spin_until(
            lambda: (
                self.a.get_subscription_count()
                and self.b.get_subscription_count()
                and self.values.get("publishers a") == self.values.get("publishers b") == "1"
            )
        )
        return process

    def send(self, stamps, b=vector, a=vector):
        for stamp in stamps:
            self.a.publish(a(stamp, stamp * MS))
            self.b.publish(b(stamp, stamp * MS))

    def until(self, key, value):
        self.graph.spin_until(lambda: self.values.get(key) == str(value))

    def stop(self, process, expected, number=signal.SIGINT):
        process.send_signal(number)
        return self.graph.finish(process, expected)

    def close(self):
        for publisher in (self.a, self.b):
            self.graph.node.destroy_publisher(publisher)
        for subscription in self.listening:
            self.graph.node.destroy_subscription(subscription)


@pytest.fixture
def topics(graph):
    topics = Topics(graph)
    yield topics
    topics.close()


def test_equal_topics_are_ok_and_match(topics, tmp_path):
    process = topics.start(*PREFIXES, "-o", tmp_path / "out")
    topics.send(range(100))
    topics.until("aligned", 100)
    assert topics.status.level == DiagnosticStatus.OK
    assert topics.status.name == "lockstep_comparator: /vector"
    assert topics.status.hardware_id == "/node/vector against /shadow/vector"
    assert topics.status.message == "100 aligned, 0 differ, 100 with identical bytes"
    _, log = topics.stop(process, expected=0)
    assert "MATCH: /shadow does what /node does" in log
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["summary.txt"]
    assert "identical bytes in 100 messages" in (tmp_path / "out/summary.txt").read_text()
    assert not topics.differences


def test_a_planted_difference_is_an_error_a_message_and_exit_code_1(topics, tmp_path):
    def wrong(stamp, time_ns):
        return vector(stamp + (0.25 if stamp == 7 else 0.0), time_ns)

    process = topics.start(
        "--online", "--pair", "/node/vector:=/shadow/vector", "-o", tmp_path / "out"
    )
    topics.send(range(20), b=wrong)
    topics.graph.spin_until(lambda: topics.differences)
    (found,) = topics.differences
    assert (found.topic, found.tick_a, found.tick_b) == ("/node/vector", 7, 7)
    assert stamp_ns(found.time) == 7 * MS
    assert (found.fields, found.a, found.b) == (["vector.x"], ["7.0"], ["7.25"])
    assert list(found.errors) == [0.25]
    topics.until("aligned", 20)
    assert topics.status.level == DiagnosticStatus.ERROR
    assert topics.status.message.startswith("20 aligned, 1 differ, 19 with identical bytes; first")
    assert topics.values["worst field"] == "vector.x"
    _, log = topics.stop(process, expected=1, number=signal.SIGTERM)
    assert "DIFFERENT: /shadow/vector does not do what /node/vector does" in log
    assert "+vector.x: 7.25" in (tmp_path / "out/node__vector.diff").read_text()


def test_a_tolerance_makes_it_match_and_a_wrong_one_is_refused(topics):
    process = topics.start(*PREFIXES, "--tolerance", "vector.*=0.5")
    topics.send(range(10), b=lambda stamp, time_ns: vector(stamp + 0.1, time_ns))
    topics.until("aligned", 10)
    _, log = topics.stop(process, expected=0)
    assert "within tolerance in 10 messages" in log
    process = topics.graph.start("comparator", *PREFIXES, "--tolerance", "vektor=0.5")
    _, error = topics.graph.finish(process, expected=2)
    assert "tolerance 'vektor' matches no field" in error


def test_a_message_that_the_shadow_does_not_send_is_missing(topics):
    process = topics.start(*PREFIXES, "--patience", "0.3")
    topics.send(range(3))
    topics.a.publish(vector(3, 3 * MS))
    topics.send(range(4, 6))
    topics.until("missing", 1)
    topics.until("aligned", 5)
    assert topics.status.level == DiagnosticStatus.ERROR
    topics.stop(process, expected=1)


def test_a_queue_that_overflows_is_told_and_leaves_no_verdict(topics):
    process = topics.start(*PREFIXES, "--pending", "5", "--from-start")
    for stamp in range(50):
        topics.a.publish(vector(stamp, stamp * MS))
        time.sleep(0.002)
    topics.until("dropped", 45)
    topics.b.publish(vector(49, 49 * MS))  # not before: the last one would not have to wait for it
    topics.until("aligned", 1)
    assert topics.status.level == DiagnosticStatus.WARN
    assert "45 messages from /node were dropped" in topics.status.message
    _, error = topics.stop(process, expected=3)
    assert error.endswith("error: no verdict: of /vector, 45 messages from /node were dropped\n")


def test_a_comparator_that_stands_still_blocks_nobody_and_knows_what_it_missed(topics):
    process = topics.start(*PREFIXES, "--pending", "100")
    received = []
    other = topics.graph.node.create_subscription(
        Vector3Stamped, "/node/vector", received.append, QoSProfile(depth=10_000)
    )
    topics.graph.spin_until(lambda: topics.a.get_subscription_count() == 2)
    topics.send([0])
    topics.until("aligned", 1)
    os.kill(process.pid, signal.SIGSTOP)
    topics.send(range(1, 3000))
    topics.graph.spin_until(lambda: len(received) == 3000)
    os.kill(process.pid, signal.SIGCONT)
    # After the next heartbeat at the latest, of whichever side it hears first.
    topics.graph.spin_until(lambda: int(topics.values["dropped"]) > 0)
    assert [message.vector.x for message in received] == list(range(3000))
    _, error = topics.stop(process, expected=3)
    assert re.search("messages from /(node|shadow) were dropped", error)
    topics.graph.node.destroy_subscription(other)


def test_who_only_listens_changes_nothing_for_another_subscriber(topics):
    received = []
    other = topics.graph.node.create_subscription(
        Vector3Stamped, "/node/vector", received.append, DEEP
    )
    process = topics.start(*PREFIXES)
    topics.graph.spin_until(lambda: topics.a.get_subscription_count() == 2)
    for start in range(0, 1000, 100):
        topics.send(range(start, start + 100))
        topics.graph.spin_until(lambda: len(received) == start + 100)  # noqa: B023
    topics.until("aligned", 1000)
    topics.stop(process, expected=0)
    assert len(received) == 1000
    topics.graph.node.destroy_subscription(other)


@pytest.mark.parametrize(
    "qos",
    [
        QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT),
        QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    ],
    ids=["best effort", "latched"],
)
def test_it_adapts_to_what_the_publishers_offer(graph, qos):
    topics = Topics(graph, qos)
    latched = qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    if latched:
        topics.send(range(10))
    process = topics.start(*PREFIXES)
    if not latched:
        topics.send(range(10))
    topics.until("aligned", 10)
    topics.stop(process, expected=0)
    topics.close()


def test_silence_leaves_no_verdict(topics, tmp_path):
    process = topics.start(*PREFIXES, "-o", str(tmp_path / "out"))
    topics.a.publish(vector(0, 0))
    topics.graph.spin_until(lambda: topics.statuses and topics.values.get("received a") == "1")
    assert topics.status.level == DiagnosticStatus.WARN
    assert "nothing received yet from /shadow" in topics.status.message
    _, error = topics.stop(process, expected=3)
    assert error.endswith("error: no verdict: nothing was received on /vector from /shadow\n")
    assert "MATCH" not in error
    first, *_ = (tmp_path / "out/summary.txt").read_text().splitlines()
    assert first == "NO VERDICT: nothing was received on /vector from /shadow"


def test_topics_of_different_types_differ(graph):
    topics = Topics(graph, types=(Vector3Stamped, PointStamped))
    process = graph.start("comparator", *PREFIXES, *QUICK)
    graph.spin_until(lambda: topics.statuses and topics.status.level == DiagnosticStatus.ERROR)
    assert topics.status.message == (
        "type geometry_msgs/msg/Vector3Stamped against geometry_msgs/msg/PointStamped"
    )
    topics.stop(process, expected=1)
    topics.close()


def test_differences_are_published_at_a_limited_rate_but_all_counted(topics):
    process = topics.start(*PREFIXES, "--max-differences-hz", "3", "--duration", "4")
    topics.send(range(500), b=lambda stamp, time_ns: vector(-1.0, time_ns))
    topics.until("differing", 500)
    assert 1 <= len(topics.differences) <= 3 * 5
    topics.graph.finish(process, expected=1)


def test_a_type_without_header_is_aligned_by_time(graph):
    topics = Topics(graph, types=(Vector3, Vector3))
    process = topics.start(*PREFIXES, "--time-tolerance", "0.4", "--duration", "6")
    for x in range(4):
        topics.a.publish(Vector3(x=float(x)))
        topics.b.publish(Vector3(x=float(x)))
        time.sleep(0.2)
    topics.until("aligned", 4)
    assert topics.values["aligned by"] == "time"
    topics.stop(process, expected=0)
    topics.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--online"], "give what to compare: --topic with two prefixes, or --pair"),
        (
            ["--online", "--topic", "/x"],
            "give --a-prefix and --b-prefix, which differ, for --topic",
        ),
        (["--online", "--pair", "/x"], "--pair /x is not TOPIC:=OTHER_TOPIC"),
        (["--online", "--pair", "/x:=/x"], "--pair /x:=/x is not TOPIC:=OTHER_TOPIC"),
        (["--online", "--pair", "/x:=/y", "--pair", "/x:=/z"], "/x is given twice"),
        ([*PREFIXES, "--tolerance", "close"], "tolerance 'close' is not PATTERN=ABS"),
        ([*PREFIXES, "--patience", "0"], "0 is not greater than 0"),
        ([*PREFIXES, "--pending", "0"], "0 is less than 1"),
        ([*PREFIXES, "--time-tolerance", "-1"], "a time tolerance of -1 s makes no sense"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(capsys, arguments, sentence):
    with pytest.raises((UsageError, CompareError, SystemExit)) as raised:
        run_online(arguments, [])
    assert sentence in str(raised.value) or (
        raised.value.code == 2 and sentence in capsys.readouterr().err
    )


def test_a_name_that_is_none_is_told_in_a_sentence(graph):
    process = graph.start("comparator", "--online", "--pair", "/x:=/y z")
    _, error = graph.finish(process, expected=2)
    assert error.startswith("error: failed to resolve name: topic name must not contain")
    assert len(error.splitlines()) == 1
