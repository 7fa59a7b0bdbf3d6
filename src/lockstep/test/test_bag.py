import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.decode import Decoder
from lockstep.bag.definitions import definition, type_hash
from lockstep.bag.metadata import OfferedQoS
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader


def copy_of(source: Bag, folder: Path) -> Bag:
    with BagWriter(folder) as writer:
        for topic in source.topics.values():
            writer.add_topic(topic.name, topic.type, topic.definition, topic.type_hash, topic.qos)
        for message in source.messages():
            writer.write(message.topic, message.data, message.log_time_ns, message.publish_time_ns)
    return Bag(folder)


@pytest.mark.parametrize("name", ["gazebo_diff_drive", "office_scan_odom_tf", "spot_raw_stills"])
def test_a_copied_bag_holds_the_same_messages_in_the_same_order(bags, tmp_path, name):
    source = Bag(bags / name)
    copy = copy_of(source, tmp_path / "copy")
    assert list(copy.messages()) == list(source.messages())
    assert (copy.count, copy.start_ns, copy.end_ns) == (
        source.count,
        source.start_ns,
        source.end_ns,
    )
    assert {t.name: (t.type, t.count) for t in copy.topics.values()} == {
        t.name: (t.type, t.count) for t in source.topics.values()
    }


def test_another_library_reads_and_decodes_what_we_write(bags, tmp_path):
    source = Bag(bags / "husky_gps_imu_odom")
    copy_of(source, tmp_path / "copy")
    with AnyReader([tmp_path / "copy"]) as reader:
        seen = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
        qos = next(c for c in reader.connections if c.topic == "/imu/data").ext.offered_qos_profiles
    assert len(seen) == source.count
    assert qos[0].depth == source.topics["/imu/data"].qos[0].depth


def test_metadata_is_version_9_and_agrees_with_the_file(bags, tmp_path):
    source = Bag(bags / "gazebo_diff_drive")
    copy_of(source, tmp_path / "copy")
    information = yaml.safe_load((tmp_path / "copy/metadata.yaml").read_text())[
        "rosbag2_bagfile_information"
    ]
    assert information["version"] == 9
    assert information["message_count"] == source.count
    assert information["starting_time"]["nanoseconds_since_epoch"] == source.start_ns
    assert {
        t["topic_metadata"]["name"]: t["message_count"]
        for t in information["topics_with_message_count"]
    } == {t.name: t.count for t in source.topics.values()}
    recorded = yaml.safe_load((bags / "gazebo_diff_drive/metadata.yaml").read_text())[
        "rosbag2_bagfile_information"
    ]
    assert information.keys() == recorded.keys()


def test_a_bare_file_is_a_bag(bags):
    folder = bags / "gazebo_diff_drive"
    assert list(Bag(folder / "gazebo_diff_drive_0.mcap").messages()) == list(Bag(folder).messages())


def test_a_folder_without_metadata_is_a_bag(bags, tmp_path):
    shutil.copy(bags / "gazebo_diff_drive/gazebo_diff_drive_0.mcap", tmp_path)
    assert Bag(tmp_path).count == Bag(bags / "gazebo_diff_drive").count


def test_messages_of_chosen_topics_only(bags):
    bag = Bag(bags / "gazebo_diff_drive")
    assert {m.topic for m in bag.messages(["/imu", "/odom"])} == {"/imu", "/odom"}


def test_a_bag_cut_off_anywhere_yields_what_is_whole_and_says_so(bags, tmp_path):
    whole = bags / "gazebo_diff_drive/gazebo_diff_drive_0.mcap"
    messages = list(Bag(whole).messages())
    size = whole.stat().st_size
    for length in [8, 9, 50, 1000, size // 3, size // 2, size - 2000, size - 8, size - 1]:
        cut = tmp_path / f"{length}.mcap"
        cut.write_bytes(whole.read_bytes()[:length])
        bag = Bag(cut)
        assert bag.problem is not None and str(cut) in bag.problem
        got = []
        with pytest.raises(BagError, match="cut off"):
            got.extend(bag.messages())
        assert got == messages[: len(got)]
        assert bag.count == len(got)


def test_a_flipped_byte_is_noticed_or_harmless(tmp_path):
    with BagWriter(tmp_path / "small") as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        for number in range(20):
            writer.write("/x", b"\0\1\0\0\4\0\0\0%03d\0" % number, number * 1000)
    whole = tmp_path / "small/small_0.mcap"
    messages = list(Bag(whole).messages())
    for position in range(whole.stat().st_size):
        data = bytearray(whole.read_bytes())
        data[position] ^= 0x10
        (tmp_path / "bad.mcap").write_bytes(data)
        try:
            assert list(Bag(tmp_path / "bad.mcap").messages()) == messages, position
        except BagError as error:
            assert "bad.mcap" in str(error)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "does not exist"),
        (b"", "is not a bag"),
        (b"hello", "is not a bag"),
    ],
)
def test_what_is_no_bag_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "x.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BagError, match=sentence):
        Bag(path)


def test_a_folder_without_mcap_is_refused(tmp_path):
    with pytest.raises(BagError, match=r"holds no \.mcap file"):
        Bag(tmp_path)


@pytest.mark.parametrize("name", ["../../secret.mcap", "/etc/passwd", "gone.mcap"])
def test_metadata_cannot_lead_out_of_the_folder(bags, tmp_path, name):
    folder = tmp_path / "bag"
    shutil.copytree(bags / "gazebo_diff_drive", folder)
    text = (folder / "metadata.yaml").read_text()
    (folder / "metadata.yaml").write_text(text.replace("gazebo_diff_drive_0.mcap", name))
    with pytest.raises(BagError, match="not in the folder"):
        Bag(folder)


@pytest.mark.parametrize("text", ["[", "a: b", "", "!!python/object/apply:os.system ['true']"])
def test_metadata_that_is_none_is_refused(bags, tmp_path, text):
    folder = tmp_path / "bag"
    shutil.copytree(bags / "gazebo_diff_drive", folder)
    (folder / "metadata.yaml").write_text(text)
    with pytest.raises(BagError, match="is not rosbag2 metadata"):
        Bag(folder)


def test_a_missing_topic_error_lists_what_there_is(bags):
    with pytest.raises(BagError, match="has no topic /scan; it has /clock, /cmd_vel, /imu"):
        Bag(bags / "gazebo_diff_drive").topic("/scan")


def test_an_existing_folder_is_never_written_into(tmp_path):
    with pytest.raises(BagError, match="exists already"):
        BagWriter(tmp_path)


def test_an_empty_bag_is_a_bag(tmp_path):
    with BagWriter(tmp_path / "empty") as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
    bag = Bag(tmp_path / "empty")
    assert (bag.count, bag.problem, list(bag.messages())) == (0, None, [])


def test_every_chunk_holds_a_message_as_rosbag2_play_demands(tmp_path, monkeypatch):
    monkeypatch.setattr("lockstep.bag.writer._FLUSH_S", 0)
    type_name = "std_msgs/msg/Header"
    with BagWriter(tmp_path / "bag") as writer:
        for topic in ("/a", "/b"):
            writer.add_topic(topic, type_name, definition(type_name))
            writer.flush()
        writer.write("/a", b"\0\1\0\0", 1)
        writer.flush()
    with (tmp_path / "bag/bag_0.mcap").open("rb") as file:
        summary = make_reader(file).get_summary()
    assert [index.message_index_length > 0 for index in summary.chunk_indexes] == [True]
    assert Bag(tmp_path / "bag").topics.keys() == {"/a", "/b"}


def test_negative_steps_in_time_keep_the_order_of_writing(tmp_path):
    with BagWriter(tmp_path / "jump") as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        for time_ns in (30, 10, 20):
            writer.write("/x", b"\0\1\0\0\1\0\0\0\0", time_ns)
    bag = Bag(tmp_path / "jump")
    assert [m.log_time_ns for m in bag.messages()] == [30, 10, 20]
    assert (bag.start_ns, bag.end_ns) == (10, 30)


WRITE_FOREVER = """
import itertools, sys, time
from lockstep.bag import BagWriter
writer = BagWriter(sys.argv[1])
writer.add_topic("/x", "std_msgs/msg/String", "string data")
for number in itertools.count():
    writer.write("/x", b"\\0\\1\\0\\0\\1\\0\\0\\0\\0", time.time_ns())
    print(number, flush=True)
    time.sleep(0.01)
"""


def test_a_writer_killed_at_any_moment_loses_at_most_the_last_second(tmp_path):
    folder = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 150:
            os.kill(process.pid, signal.SIGKILL)
            killed_ns = time.time_ns()
            break
    process.wait()
    bag = Bag(folder)
    assert bag.problem is not None
    assert bag.count > 0
    assert killed_ns - bag.end_ns < 1_000_000_000


def test_embedded_definitions_are_those_that_ros2_bag_embeds(bags):
    for topic in Bag(bags / "gazebo_diff_drive").topics.values():
        if topic.type == "tf2_msgs/msg/TFMessage":
            continue  # comes only with a distro
        ours, recorded = definition(topic.type), topic.definition
        parts = [sorted(part.strip() for part in text.split("=" * 80)) for text in (ours, recorded)]
        assert parts[0] == parts[1]
        assert type_hash(topic.type) == topic.type_hash


def test_a_definition_that_is_not_installed_is_named():
    with pytest.raises(BagError, match="no definition of no_such_msgs/msg/X on AMENT_PREFIX_PATH"):
        definition("no_such_msgs/msg/X")


def test_decoding_needs_only_the_bag(bags):
    bag = Bag(bags / "office_scan_odom_tf")
    decoder = Decoder(bag.topic("/scan"))
    scan = decoder.decode(next(bag.messages(["/scan"])).data, 0)
    assert scan.ranges.shape == (len(scan.ranges),)
    assert {"header.stamp", "header.frame_id", "ranges", "angle_min"} <= set(decoder.fields())


def test_bytes_that_are_no_message_are_an_error_that_names_the_tick(bags):
    decoder = Decoder(Bag(bags / "office_scan_odom_tf").topic("/scan"))
    with pytest.raises(BagError, match="message 7 of /scan is no valid sensor_msgs/msg/LaserScan"):
        decoder.decode(b"\0\1\0\0\xff\xff\xff\xff\xff", 7)


def test_offered_qos_of_a_topic_is_read_back(tmp_path):
    latched = OfferedQoS(depth=1, durability="transient_local")
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/map", "std_msgs/msg/String", "string data", qos=(latched,))
    assert Bag(tmp_path / "b").topics["/map"].qos == (latched,)
