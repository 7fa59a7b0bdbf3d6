"""Lockstep beside the real rosbag2: each opens, plays and converts what the other has written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.message.definitions import definition, type_hash
from lockstep.nodes.recording.destination import Destination, Storing
from lockstep.run.domain import isolated_domain
from lockstep.verify.model import load
from lockstep.verify.verify import verify
from verifications import Write

pytestmark = pytest.mark.skipif(
    not find_spec("ros2bag"),
    reason="ros2 bag comes with a ROS 2 distro; there is no ros2bag here",
)
VECTOR = "geometry_msgs/msg/Vector3Stamped"
EVENT = "std_srvs/srv/Trigger_Event"
SECOND = 1_000_000_000
COUNT = 200
LIMITED = OfferedQoS(
    depth=7,
    reliability="best_effort",
    durability="transient_local",
    deadline_ns=SECOND // 2,
    lifespan_ns=2 * SECOND,
    liveliness="manual_by_topic",
    liveliness_lease_duration_ns=3 * SECOND,
)
STORING = {
    "mcap": {},
    "mcap_lz4": {"compression": "lz4"},
    "mcap_split": {"max_file_s": 1},
    "mcap_files": {"compress_files": True, "compression": "none", "max_file_s": 1},
    "mcap_messages": {"compress_messages": True, "compression": "none"},
    "sqlite3": {"storage": "sqlite3"},
    "sqlite3_resilient": {"storage": "sqlite3", "resilient": True},
    "sqlite3_split": {"storage": "sqlite3", "max_file_s": 1},
    "sqlite3_files": {"storage": "sqlite3", "compress_files": True, "max_file_s": 1},
    "sqlite3_messages": {"storage": "sqlite3", "compress_messages": True},
}


def cdr(number: int) -> bytes:
    """A Vector3Stamped whose stamp and x are a number."""
    from geometry_msgs.msg import Vector3Stamped
    from rclpy.serialization import serialize_message

    message = Vector3Stamped()
    message.header.stamp.sec, message.vector.x = number, float(number)
    data: bytes = serialize_message(message)
    return data


def ours(folder: Path, storing: dict[str, object]) -> Path:
    """A bag as our recorder writes it: two topics with other QoS, and one without messages."""
    with closing(Destination(folder, Storing(**storing))) as made:  # type: ignore[arg-type]
        described = definition(VECTOR), type_hash(VECTOR)
        made.add_topic("/reliable", VECTOR, *described, (OfferedQoS(),))
        made.add_topic("/limited", VECTOR, *described, (LIMITED,))
        made.add_topic("/silent", "std_msgs/msg/String", *_described("std_msgs/msg/String"), ())
        for number in range(COUNT):
            topic = ("/reliable", "/limited")[number % 2]
            time_ns = 5 * SECOND + number * SECOND // 50
            made.put(topic, cdr(number), time_ns, time_ns)
    return folder


def _described(type_name: str) -> tuple[str, str]:
    return definition(type_name), type_hash(type_name)


def ros2_bag(*words: object, **options: object) -> str:
    """What `ros2 bag …` prints, whose exit code is 0."""
    done = subprocess.run(
        ["ros2", "bag", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )
    printed: str = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "ERROR" not in printed, printed
    return printed


def held(folder: Path) -> list[tuple[str, int, bytes]]:
    """All messages of a bag."""
    with Bag(folder) as bag:
        assert bag.problem is None
        return [(m.topic, m.log_time_ns, m.data) for m in bag.messages()]


def converted(source: Path, target: Path, **options: object) -> Path:
    """A bag that `ros2 bag convert` made of another."""
    config = target.with_suffix(".yaml")
    output = {"uri": str(target), "all_topics": True, **options}
    config.write_text(yaml.safe_dump({"output_bags": [output]}), "utf-8")
    ros2_bag("convert", "-i", source, "-o", config)
    return target


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A domain of the test's own, which is that of all that it starts."""
    with isolated_domain() as environment:
        for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE"):
            monkeypatch.setenv(name, environment[name])
        yield environment


@contextmanager
def running(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A process that is interrupted in the end, and ends well."""
    process = subprocess.Popen(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0, printed
    finally:
        process.kill()


def node(name: str, *words: object) -> list[object]:
    """The command line of one of our nodes."""
    return [sys.executable, "-m", f"lockstep.nodes.{name}", *words]


@pytest.mark.parametrize("name", STORING)
def test_ros2_bag_reads_all_that_our_recorder_has_written(tmp_path: Path, name: str) -> None:
    bag = ours(tmp_path / "bag", STORING[name])
    info = ros2_bag("info", bag)
    assert f"Messages:          {COUNT}" in info
    assert "Topic: /limited | Type: geometry_msgs/msg/Vector3Stamped | Count: 100" in info
    again = converted(bag, tmp_path / "again", storage_id="mcap")
    assert held(again) == held(bag)
    with Bag(bag) as before, Bag(again) as after:
        assert {t.name: t.type for t in after.topics.values()} == {
            t.name: t.type for t in before.topics.values()
        }
        assert after.topics["/limited"].qos == (LIMITED,)
        assert after.topics["/reliable"].definition == before.topics["/reliable"].definition


@pytest.mark.parametrize("name", ["mcap_split", "mcap_lz4", "sqlite3", "sqlite3_split"])
def test_ros2_bag_indexes_anew_what_our_recorder_has_written(tmp_path: Path, name: str) -> None:
    bag = ours(tmp_path / "bag", STORING[name])
    before = held(bag)
    (bag / "metadata.yaml").unlink()
    storage = "sqlite3" if name.startswith("sqlite3") else "mcap"
    ros2_bag("reindex", "-s", storage, bag)
    assert held(bag) == before
    with Bag(bag) as indexed:
        assert indexed.topics["/limited"].qos == (LIMITED,)
        assert indexed.topics["/limited"].type_hash == type_hash(VECTOR)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_ros2_bag_reads_what_lockstep_convert_has_written(tmp_path: Path, storage: str) -> None:
    bag = ours(tmp_path / "bag", {})
    target = tmp_path / "converted"
    command = [sys.executable, "-m", "lockstep.cli.main", "convert", bag, target]
    subprocess.run([*map(str, command), "--storage", storage], check=True)
    assert f"Storage id:        {storage}" in ros2_bag("info", target)
    assert held(converted(target, tmp_path / "again")) == held(bag)


def test_ros2_bag_reads_what_a_dataset_has_saved(tmp_path: Path) -> None:
    from lockstep import Dataset

    bag = ours(tmp_path / "bag", {})
    Dataset.load(bag).save(tmp_path / "saved")
    ros2_bag("info", tmp_path / "saved")
    assert sorted(held(converted(tmp_path / "saved", tmp_path / "again"))) == sorted(held(bag))


@pytest.mark.parametrize("name", STORING)
def test_ros2_bag_plays_what_our_recorder_has_written(
    tmp_path: Path, graph: dict[str, str], name: str
) -> None:
    bag = ours(tmp_path / "bag", STORING[name])
    out = tmp_path / "out"
    topics = (f"/reliable:{VECTOR}", f"/limited:{VECTOR}")
    recorder = node("recorder", out, "--topics", *topics, "--until-gone")
    with running(*recorder) as process:
        time.sleep(3)
        ros2_bag("play", bag, "--delay", 2, "--rate", 2, "--disable-keyboard-controls")
        process.wait(30)
    for topic in ("/reliable", "/limited"):  # whose first messages no player holds back
        sent = [data for name, _, data in held(bag) if name == topic]
        got = [data for name, _, data in held(out) if name == topic]
        assert got
        assert got == sent[-len(got) :]


PUBLISHER = """
import time
import rclpy
from geometry_msgs.msg import Vector3Stamped
from rclpy.service_introspection import ServiceIntrospectionState
from rclpy.qos import QoSProfile, qos_profile_system_default
from std_srvs.srv import Trigger
rclpy.init()
node = rclpy.create_node("driver")
service = node.create_service(Trigger, "/trigger", lambda request, response: response)
service.configure_introspection(
    node.get_clock(), qos_profile_system_default, ServiceIntrospectionState.CONTENTS
)
client = node.create_client(Trigger, "/trigger")
publisher = node.create_publisher(Vector3Stamped, "/vector", QoSProfile(depth=1000))
events = "/trigger/_service_event"
while not (publisher.get_subscription_count() and node.count_subscribers(events)):
    time.sleep(0.01)
client.wait_for_service()
time.sleep(2)
message = Vector3Stamped()
for number in range(200):
    message.header.stamp.sec = number
    message.vector.x = float(number)
    publisher.publish(message)
    time.sleep(0.01)
answer = None
while answer is None or not answer.done():  # an answer may be lost while the two still meet
    answer = client.call_async(Trigger.Request())
    rclpy.spin_until_future_complete(node, answer, timeout_sec=3)
publisher.wait_for_all_acked()
time.sleep(1)
"""
RECORDING = {
    "mcap": ("-s", "mcap"),
    "mcap_split": ("-s", "mcap", "--max-bag-duration", 1),
    "mcap_messages": ("-s", "mcap", "--compression-mode", "message"),
    "mcap_files": ("-s", "mcap", "--compression-mode", "file", "--max-bag-duration", 1),
    "sqlite3": ("-s", "sqlite3"),
    "sqlite3_split": ("-s", "sqlite3", "--max-bag-duration", 1),
    "sqlite3_messages": ("-s", "sqlite3", "--compression-mode", "message"),
    "sqlite3_files": ("-s", "sqlite3", "--compression-mode", "file", "--max-bag-duration", 1),
}


@pytest.mark.parametrize("name", RECORDING)
def test_what_ros2_bag_has_recorded_is_read_and_played(
    tmp_path: Path, graph: dict[str, str], name: str
) -> None:
    options = list(RECORDING[name])
    if "--compression-mode" in options:
        options += ["--compression-format", "zstd"]
    bag, out = tmp_path / "bag", tmp_path / "out"
    # With --topics it looks no further when it has met as many topics and services as those.
    wanted = ("--regex", "^/vector$", "--services", "/trigger")
    recorder = ("ros2", "bag", "record", "-o", bag, *wanted, "--disable-keyboard-controls")
    with running(*recorder, *options):
        subprocess.run([sys.executable, "-c", PUBLISHER], check=True, timeout=120)
    with Bag(bag) as read:
        assert read.problem is None
        assert read.topics["/vector"].count == 200
        assert read.topics["/trigger/_service_event"].count >= 2
        assert read.topics["/vector"].type_hash == type_hash(VECTOR)
        columns = read.columns("/vector", ["vector.x"])
        assert columns["vector.x"].tolist() == list(range(200))
    again = node("recorder", out, "--topics", f"/vector:{VECTOR}", "--until-gone")
    with running(*again) as process:
        player = node("player", bag, "--rate", 5, "--wait-for-subscribers", "any")
        subprocess.run(list(map(str, player)), check=True, timeout=60)
        process.wait(30)
    with Bag(out) as played:
        assert played.columns("/vector", ["vector.x"])["vector.x"].tolist() == list(range(200))


def test_ros2_bag_play_is_the_player_of_a_verification(
    tmp_path: Path, graph: dict[str, str], write_verification: Write
) -> None:
    bag = tmp_path / "drive"
    with BagWriter(bag) as writer:
        writer.add_topic("/vector", VECTOR, *_described(VECTOR), (OfferedQoS(),))
        for number in range(1, COUNT):
            writer.write("/vector", cdr(number), SECOND + number * SECOND // 100)
    inputs = {"player": "external", "topics": {"vector": "/vector"}}
    file = write_verification(inputs=inputs, run={"mode": "direct"})
    play = ("ros2", "bag", "play", bag, "--delay", 8, "--disable-keyboard-controls")
    with running(*play):
        verdict = verify(load(file), tmp_path / "out")
    assert verdict.exit_code == 0
    assert verdict.arrived is not None
    assert verdict.arrived.counts == {"/vector": COUNT - 1}
