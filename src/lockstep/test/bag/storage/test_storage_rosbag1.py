import bz2
import contextlib
import itertools
import struct

import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.convert import copy, new_bag
from lockstep.bag.recover import recover
from lockstep.bag.source import open_source
from lockstep.bag.storage.rosbag1 import Rosbag1File
from lockstep.cdr.codec import Codec
from made_bags import (
    REAL_BAGS,
    ROS1_HEADER,
    rows_of,
    string_cdr,
    write_rosbag1,
    write_rosbag1_strings,
)
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

COMPRESSIONS = [None, *Writer.CompressionFormat]
STRINGS = [
    (("/a", "/b")[n % 3 == 0], 1_000_000_000 + n, b"%03d" % n + b"x" * (n % 5)) for n in range(100)
]


def opened(path):
    return Rosbag1File(open_source(path))


PLAIN = [(topic, time_ns, string_cdr(text)) for topic, time_ns, text in STRINGS]


@pytest.mark.parametrize("name", REAL_BAGS)
def test_a_real_bag_is_the_same_in_ros1(bags, tmp_path, name):
    with Bag(bags / name) as original:
        file = opened(write_rosbag1(tmp_path / "x.bag", original, Writer.CompressionFormat.LZ4))
        assert file.problem is None
        assert (file.start_ns, file.end_ns) == (original.start_ns, original.end_ns)
        messages = list(original.messages())
        got = rows_of(file)
        assert [row[:2] for row in got] == [(m.topic, m.log_time_ns) for m in messages]
        for topic in original.topics.values():
            ours = file.topics[topic.name]
            assert (ours.type, ours.encoding, ours.count) == (topic.type, "ros2msg", topic.count)
            if topic.name == "/tf_static":
                assert [qos.durability for qos in ours.qos] == ["transient_local"]
            codecs = [Codec(t.type, t.definition, t.encoding) for t in (topic, ours)]
            assert codecs[0].fields() == codecs[1].fields()
        for (topic, _, data), message in zip(got, messages, strict=True):
            # ROS 2 may pad the end to four bytes.
            assert data == message.data[: len(data)], topic
            assert len(message.data) - len(data) < 4


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_every_compression_yields_all_messages_in_order(tmp_path, compression):
    file = opened(write_rosbag1_strings(tmp_path / "x.bag", STRINGS, compression=compression))
    assert file.problem is None
    assert rows_of(file) == PLAIN
    assert {name: topic.count for name, topic in file.topics.items()} == {"/a": 66, "/b": 34}
    assert (file.start_ns, file.end_ns) == (1_000_000_000, 1_000_000_099)


def test_topics_and_times_select_messages(tmp_path):
    file = opened(write_rosbag1_strings(tmp_path / "x.bag", STRINGS))
    assert rows_of(file, topics=["/b"]) == [m for m in PLAIN if m[0] == "/b"]
    assert rows_of(file, topics=[]) == []
    assert rows_of(file, start_ns=1_000_000_050, end_ns=1_000_000_052) == PLAIN[50:52]
    assert rows_of(file, topics=["/a"], start_ns=1_000_000_090) == [
        m for m in PLAIN[90:] if m[0] == "/a"
    ]


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_a_file_cut_off_anywhere_yields_all_that_is_whole(tmp_path, compression):
    data = write_rosbag1_strings(tmp_path / "x.bag", STRINGS[:30], compression).read_bytes()
    first = data.index(b"op=\x05") - 10
    for length in [13, 14, 100, 4000, *range(first, len(data), 3), len(data) - 1]:
        (tmp_path / "cut.bag").write_bytes(data[:length])
        file = opened(tmp_path / "cut.bag")
        assert "cut off" in file.problem, length
        got = rows_of(file, strict=False)
        assert got == PLAIN[: len(got)]
        assert sum(topic.count for topic in file.topics.values()) == len(got)
        if compression is None:  # a message is saved as soon as its last byte is there
            there = sum(data.find(text) + len(text) <= length for _, _, text in STRINGS[:30])
            assert len(got) == there, length
        strict = []
        with contextlib.suppress(BagError):
            for batch in file.batches():
                strict += batch.payloads()
        assert strict == [message[2] for message in got[: len(strict)]]


def test_an_active_bag_with_an_open_chunk_is_read(tmp_path):
    data = bytearray(
        write_rosbag1_strings(tmp_path / "x.bag", STRINGS[:20], chunk_bytes=10**6).read_bytes()
    )
    position = data.index(b"index_pos=") + 10
    data[position : position + 8] = bytes(8)
    chunk = data.index(b"op=\x05")
    start = data.index(b"size=", chunk) + 9
    size = struct.unpack_from("<I", data, start)[0]
    data[start : start + 4] = bytes(4)  # the recorder writes the sizes when it closes the chunk
    data[start - 4 : start] = bytes(4)
    (tmp_path / "x.bag.active").write_bytes(data[: start + 4 + size - 10])
    file = opened(tmp_path / "x.bag.active")
    assert "rosbag reindex" in file.problem or "cut off" in file.problem
    assert rows_of(file, strict=False) == PLAIN[:19]


def test_any_flipped_byte_is_told_or_changes_only_what_has_no_checksum(tmp_path):
    data = write_rosbag1_strings(tmp_path / "x.bag", STRINGS[:20]).read_bytes()
    padding = data.index(b" " * 50), data.index(b"op=\x05") - 10
    for position, bit in itertools.product(range(0, len(data), 3), (0x01, 0x80)):
        if padding[0] < position < padding[1] - 4:
            continue
        bad = bytearray(data)
        bad[position] ^= bit
        (tmp_path / "bad.bag").write_bytes(bad)
        try:
            file = opened(tmp_path / "bad.bag")
            counts = sum(topic.count for topic in file.topics.values())
            got = rows_of(file)
        except BagError as error:
            assert "bad.bag" in str(error)
            continue
        assert len(got) == 20 or file.problem or counts != len(got), position


def test_claimed_sizes_are_not_believed(tmp_path):
    data = write_rosbag1_strings(
        tmp_path / "x.bag", STRINGS[:20], Writer.CompressionFormat.BZ2
    ).read_bytes()
    size = data.index(b"size=") + 5
    for claimed in (0, 10, 2**30, 2**32 - 1):
        bad = bytearray(data)
        bad[size : size + 4] = struct.pack("<I", claimed)
        (tmp_path / "bad.bag").write_bytes(bad)
        file = opened(tmp_path / "bad.bag")
        assert len(rows_of(file, strict=False)) < 20
        if claimed:
            with pytest.raises(BagError, match="damaged"):
                rows_of(file)


def test_a_bomb_in_a_chunk_is_not_unpacked(tmp_path):
    data = write_rosbag1_strings(
        tmp_path / "x.bag", STRINGS[:20], Writer.CompressionFormat.BZ2, 10**6
    ).read_bytes()
    start = data.index(b"BZh")
    bomb = bz2.compress(bytes(50_000_000))
    bad = data[: start - 4] + struct.pack("<I", len(bomb)) + bomb
    (tmp_path / "bad.bag").write_bytes(bad)
    file = opened(tmp_path / "bad.bag")
    assert rows_of(file, strict=False) == []


def test_a_length_in_a_message_that_cannot_be_is_told_at_once(tmp_path):
    store = get_typestore(Stores.ROS1_NOETIC)
    with Writer(tmp_path / "x.bag") as writer:
        connection = writer.add_connection("/a", "geometry_msgs/msg/PoseArray", typestore=store)
        head = struct.pack("<IIII", 0, 0, 0, 0)
        writer.write(connection, 0, head + struct.pack("<I", 0))
        writer.write(connection, 1, head + b"\xff\xff\xff\xff")
    file = opened(tmp_path / "x.bag")
    with pytest.raises(BagError, match="a message of /a is none of its type"):
        rows_of(file)
    assert len(rows_of(file, strict=False)) == 1


@pytest.mark.parametrize(
    "definition",
    [
        "no definition at all!",
        "std_msgs/String[3000000000] data",
        "std_msgs/Unknown x",
        "std_msgs/A a\n" + "=" * 80 + "\nMSG: std_msgs/A\nstd_msgs/A a",
    ],
)
def test_messages_of_unreadable_definitions_can_still_be_copied(tmp_path, definition):
    file = opened(write_rosbag1_strings(tmp_path / "x.bag", STRINGS, definition=definition))
    topic = file.topics["/a"]
    assert (topic.encoding, topic.message_encoding) == ("ros1msg", "ros1")
    assert topic.definition == definition
    assert rows_of(file)[0] == ("/b", 1_000_000_000, struct.pack("<I", 3) + b"000")


def test_types_of_ros1_become_those_of_ros2(tmp_path):
    definition = (
        "Header header\nduration wait\nchar c\nEmpty nothing\nint8 x\n"
        + "=" * 80
        + f"\nMSG: std_msgs/Header\n{ROS1_HEADER}"
        + "=" * 80
        + "\nMSG: my/Empty\n"
    )
    types = get_types_from_msg(definition, "my/msg/Thing")
    store = get_typestore(Stores.EMPTY)
    store.register(types)
    with Writer(tmp_path / "x.bag") as writer:
        connection = writer.add_connection("/a", "my/msg/Thing", msgdef=definition, md5sum="*")
        writer.write(connection, 0, struct.pack("<IIII1siiBb", 9, 5, 6, 1, b"f", 7, 8, 65, -1))
    file = opened(tmp_path / "x.bag")
    assert "seq" not in file.topics["/a"].definition
    [(_, _, data)] = rows_of(file)
    assert data[4:] == struct.pack("<iII2sxxiIBxb", 5, 6, 2, b"f\0", 7, 8, 65, -1)


def test_the_old_tf_message_is_the_new_one(tmp_path):
    store = get_typestore(Stores.ROS1_NOETIC)
    transform, _ = store.generate_msgdef("geometry_msgs/msg/TransformStamped")
    definition = (
        "geometry_msgs/TransformStamped[] transforms\n"
        + "=" * 80
        + f"\nMSG: geometry_msgs/TransformStamped\n{transform}"
    )
    with Writer(tmp_path / "x.bag") as writer:
        connection = writer.add_connection("/tf", "tf/msg/tfMessage", msgdef=definition, md5sum="*")
        writer.write(connection, 0, bytes(4))
    assert opened(tmp_path / "x.bag").topics["/tf"].type == "tf2_msgs/msg/TFMessage"


def with_definition(path, name, definition, payloads, md5sum="*"):
    """A bag of one topic, /x, as a recorder with such a definition leaves it."""
    with Writer(path) as writer:
        connection = writer.add_connection("/x", name, msgdef=definition, md5sum=md5sum)
        for number, data in enumerate(payloads):
            writer.write(connection, number, data)
    return path


TEMPERATURE = "Header header\nfloat64 temperature\nfloat64 variance\n"
TEMPERATURE_MD5 = "ff71b307acdbe7c871a5a6d7ed359100"
TEMPERATURES = [struct.pack("<4I1sdd", n, 5, 6, 1, b"f", n + 0.5, 0.25) for n in range(3)]


@pytest.mark.parametrize("definition", ["\n", TEMPERATURE], ids=["empty", "without its parts"])
@pytest.mark.parametrize("storage", ["bag", "mcap"])
def test_what_a_definition_lacks_is_that_of_noetic(tmp_path, definition, storage):
    path = tmp_path / f"x.{storage}"
    if storage == "bag":
        with_definition(
            path, "sensor_msgs/msg/Temperature", definition, TEMPERATURES, TEMPERATURE_MD5
        )
    else:
        write_ros1_in_mcap(path, definition, {"md5sum": TEMPERATURE_MD5})
    with Bag(path) as bag:
        columns = bag.columns("/x", ["temperature", "header.stamp"])
    assert columns["temperature"].tolist() == [0.5, 1.5, 2.5]
    assert columns["header.stamp"].tolist() == [5_000_000_006] * 3


def write_ros1_in_mcap(path, definition, metadata):
    with path.open("wb") as stream:
        writer = McapWriter(stream)
        writer.start("ros1", "test")
        schema = writer.register_schema("sensor_msgs/Temperature", "ros1msg", definition.encode())
        channel = writer.register_channel("/x", "ros1", schema, metadata)
        for number, data in enumerate(TEMPERATURES):
            writer.add_message(channel, number, data, number)
        writer.finish()


def test_messages_of_ros1_in_mcap_are_those_of_ros2(tmp_path):
    whole = TEMPERATURE + "=" * 80 + f"\nMSG: std_msgs/Header\n{ROS1_HEADER}"
    write_ros1_in_mcap(tmp_path / "x.mcap", whole, {})
    with Bag(tmp_path / "x.mcap") as bag:
        assert bag.topics["/x"].type == "sensor_msgs/msg/Temperature"
        assert bag.columns("/x", ["temperature"])["temperature"].tolist() == [0.5, 1.5, 2.5]
        with new_bag(writer := BagWriter(tmp_path / "out")):
            assert copy(bag, writer) == 3
        assert rows_of(Bag(tmp_path / "out")) == rows_of(bag)


@pytest.mark.parametrize(
    ("definition", "md5sum", "cause"),
    [
        ("\n", "1" * 32, "it is empty, and no type of Noetic has its checksum 1111"),
        (TEMPERATURE, "1" * 32, "it lacks std_msgs/Header, which is none that Noetic has"),
        ("shop_msgs/Crate c", "*", "it lacks shop_msgs/Crate"),
        ("no definition at all!", "*", "it lacks shop_msgs/no"),
    ],
)
def test_the_cause_is_named_where_a_definition_cannot_be_read(tmp_path, definition, md5sum, cause):
    path = with_definition(tmp_path / "x.bag", "shop_msgs/msg/T", definition, [b"\0"], md5sum)
    with Bag(path) as bag, pytest.raises(BagError) as caught:
        bag.codec("/x")
    assert str(caught.value) == (
        f"/x cannot be decoded: its definition of shop_msgs/T cannot be read: {cause}"
        + ("1" * 28 if "1111" in cause else "")
    )


def test_an_empty_definition_is_a_type_without_fields_if_its_checksum_says_so(tmp_path):
    nothing = "d41d8cd98f00b204e9800998ecf8427e"
    path = with_definition(tmp_path / "x.bag", "my/msg/Trigger", "\n", [b"", b""], nothing)
    with Bag(path) as bag:
        assert bag.codec("/x").fields() == {}
        assert [bag.codec("/x").decode(m.data) for m in bag.messages()] != []


def test_bytes_behind_a_message_are_passed_over_as_roscpp_and_rospy_do(tmp_path):
    payloads = [struct.pack("<f", 0.0), struct.pack("<fB", 0.5, 7), struct.pack("<fQ", 1.0, 7)]
    path = with_definition(tmp_path / "x.bag", "std_msgs/msg/Float32", "float32 data", payloads)
    with Bag(path) as bag:
        assert bag.columns("/x", ["data"])["data"].tolist() == [0.0, 0.5, 1.0]
    recovery = recover(path, tmp_path / "saved")
    assert (recovery.counts, recovery.lost) == ({"/x": 3}, ())


@pytest.mark.parametrize(
    ("definition", "field"),
    [("uint8 idle=0\nuint8 kRun=3\nuint8 mode", "mode"), ("uint8 mode=3\nuint8 MODE", "MODE")],
)
def test_constants_and_fields_may_have_any_case(tmp_path, definition, field):
    path = with_definition(tmp_path / "x.bag", "my/msg/K", definition, [b"\0", b"\1", b"\2"])
    with Bag(path) as bag:
        assert bag.columns("/x", [field])[field].tolist() == [0, 1, 2]
        constants = bag.codec("/x").schema.root.constants
        assert constants in ({"idle": 0, "kRun": 3}, {"mode": 3})


def test_other_versions_are_refused_in_a_sentence(tmp_path):
    (tmp_path / "x.bag").write_bytes(b"#ROSBAG V1.2\n" + bytes(100))
    with pytest.raises(BagError, match=r"x\.bag is no ROS 1 bag of version 2\.0"):
        opened(tmp_path / "x.bag")
