import shutil

import numpy as np
import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.message.definitions import definition, type_hash
from made_bags import string_cdr


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
            writer.write("/x", string_cdr(b"%03d" % number), number * 1000)
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
        (b"", "is empty: its recorder was killed before it wrote anything"),
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
    codec = bag.codec("/scan")
    scan = codec.decode(next(bag.messages(["/scan"])).data)
    assert scan.ranges.shape == (len(scan.ranges),)
    assert {"header.stamp", "header.frame_id", "ranges", "angle_min"} <= set(codec.fields())


def test_columns_are_what_the_messages_hold(bags):
    with Bag(bags / "husky_gps_imu_odom") as bag:
        decode = bag.codec("/imu/data").decode
        messages = [decode(message.data) for message in bag.messages(["/imu/data"])]
        paths = ["angular_velocity.z", "header.stamp", "orientation_covariance", "header.frame_id"]
        columns = bag.columns("/imu/data", paths)
        parts = list(bag.stream_columns("/imu/data", paths))
    assert columns["angular_velocity.z"].tolist() == [m.angular_velocity.z for m in messages]
    stamps = [m.header.stamp.sec * 1_000_000_000 + m.header.stamp.nanosec for m in messages]
    assert columns["header.stamp"].tolist() == stamps
    covariances = np.stack([m.orientation_covariance for m in messages])
    assert np.array_equal(columns["orientation_covariance"], covariances)
    assert columns["header.frame_id"].tolist() == [m.header.frame_id for m in messages]
    for path in paths:
        assert np.array_equal(np.concatenate([part[path] for part in parts]), columns[path])


def test_times_are_chosen_by_name_and_relative_to_a_start(bags):
    bag = Bag(bags / "gazebo_diff_drive")
    messages = list(bag.messages(["/imu"]))
    assert bag.times("/imu").tolist() == [message.log_time_ns for message in messages]
    published = [message.publish_time_ns for message in messages]
    assert bag.times("/imu", "publish").tolist() == published
    stamps = bag.columns("/imu", ["header.stamp"])["header.stamp"]
    assert bag.times("/imu", "header", relative_to=10).tolist() == (stamps - 10).tolist()
    with pytest.raises(BagError, match=r"'header.stamp' is not in geometry_msgs/msg/Twist"):
        bag.times("/cmd_vel", "header")


def test_columns_of_a_topic_without_messages_are_empty(tmp_path):
    with BagWriter(tmp_path / "empty") as writer:
        writer.add_topic("/x", "pkg/msg/X", "float32 a\nfloat64[3] b\nstring c\n")
    columns = Bag(tmp_path / "empty").columns("/x", ["a", "b", "c"])
    assert {path: (c.dtype, c.shape) for path, c in columns.items()} == {
        "a": (np.float32, (0,)),
        "b": (np.float64, (0, 3)),
        "c": (object, (0,)),
    }


def test_columns_of_a_part_are_those_of_its_messages(bags):
    bag = Bag(bags / "husky_gps_imu_odom")
    start, end = bag.start_ns + 10**9, bag.start_ns + 2 * 10**9
    part = bag.columns("/imu/data", ["angular_velocity.z"], start_ns=start, end_ns=end)
    times = bag.times("/imu/data")
    whole = bag.columns("/imu/data", ["angular_velocity.z"])["angular_velocity.z"]
    assert np.array_equal(part["angular_velocity.z"], whole[(times >= start) & (times < end)])
    assert 0 < len(part["angular_velocity.z"]) < len(whole)


def test_bytes_that_are_no_message_are_an_error_that_names_the_tick(bags, tmp_path):
    topic = Bag(bags / "office_scan_odom_tf").topic("/scan")
    good = next(Bag(bags / "office_scan_odom_tf").messages(["/scan"])).data
    with BagWriter(tmp_path / "odd") as writer:
        writer.add_topic("/scan", topic.type, topic.definition)
        for data in (good, good, b"\0\1\0\0\xff\xff\xff\xff\xff"):
            writer.write("/scan", data, 1)
    with pytest.raises(BagError, match="message 2 of /scan is no valid sensor_msgs/msg/LaserScan"):
        Bag(tmp_path / "odd").columns("/scan", ["angle_min"])


@pytest.mark.parametrize(
    ("encoding", "message_encoding", "sentence"),
    [
        ("protobuf", "cdr", "/x cannot be decoded: pkg/msg/X is described as 'protobuf'"),
        ("jsonschema", "json", "/x holds messages in 'json'; only CDR"),
    ],
)
def test_what_cannot_be_decoded_is_named(tmp_path, encoding, message_encoding, sentence):
    with BagWriter(tmp_path / "odd") as writer:
        writer.add_topic(
            "/x", "pkg/msg/X", "{}", encoding=encoding, message_encoding=message_encoding
        )
    with pytest.raises(BagError, match=sentence):
        Bag(tmp_path / "odd").codec("/x")


VARIABLE = f"""\
float64[] a
bool[2] b
pkg/Y[] ys
builtin_interfaces/Time[] times
{"=" * 80}
MSG: pkg/Y
float32 v
{"=" * 80}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""


@pytest.mark.parametrize("length", [lambda _: 0, lambda _: 2, lambda n: n // 90, lambda n: n % 2])
def test_columns_hold_what_messages_do_whether_lengths_change_or_not(tmp_path, length):
    codec = Codec("pkg/msg/X", VARIABLE)
    counts = [length(number) for number in range(200)]
    with BagWriter(tmp_path / "bag", chunk_bytes=2000) as writer:
        writer.add_topic("/x", "pkg/msg/X", VARIABLE)
        for number, k in enumerate(counts):
            y, time = {"v": number}, {"sec": number, "nanosec": 1}
            message = {"a": [number] * k, "b": [True, k == 0], "ys": [y] * k, "times": [time] * k}
            writer.write("/x", codec.encode(message), number)
    columns = Bag(tmp_path / "bag").columns("/x", ["a", "b", "ys[].v", "times", "times[].sec"])
    equal = len(set(counts)) == 1
    assert columns["a"].shape == ((200, counts[0]) if equal else (200,))
    assert (columns["a"].dtype == np.float64) == equal
    for number, k in enumerate(counts):
        assert columns["a"][number].tolist() == [number] * k
        assert columns["b"][number].tolist() == [True, k == 0]
        assert columns["ys[].v"][number].tolist() == [number] * k
        assert columns["times"][number].tolist() == [number * 1_000_000_000 + 1] * k
        assert columns["times[].sec"][number].tolist() == [number] * k


def test_a_wrong_count_in_the_index_takes_no_memory(tmp_path):
    with BagWriter(tmp_path / "small.mcap", compression="none") as writer:
        writer.add_topic("/x", "pkg/msg/X", "float64[1000] a")
        writer.write("/x", bytes((0, 1, 0, 0)) + bytes(8000), 1)
    bag = Bag(tmp_path / "small.mcap")
    bag.topics["/x"].count = 1 << 50
    columns = bag.columns("/x", ["a"], strict=False)
    assert columns["a"].shape == (1, 1000)
    assert columns["a"].base is None or columns["a"].base.nbytes < 1 << 20
