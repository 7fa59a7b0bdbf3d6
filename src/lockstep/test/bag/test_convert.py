"""Whatever a bag is converted from and to, its messages, times,
types and QoS stay what they are.
"""

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys

import pytest
import yaml
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.convert import copy, copy_rest, declare, new_bag, select
from lockstep.bag.metadata import OfferedQoS, Origin
from lockstep.bag.sorting import batches_by_time
from lockstep.bag.sqlite3_writer import Sqlite3Writer
from lockstep.bag.survey import survey
from lockstep.run.timeline import Timeline
from made_bags import string_cdr, write_rosbag1
from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter
from rosbags.highlevel import AnyReader
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer

STRING = "std_msgs/msg/String"
FOREVER = QosTime(9223372036, 854775807)


@pytest.fixture(scope="module")
def original(bags):
    """A real bag with a latched topic."""
    with Bag(bags / "office_scan_odom_tf") as bag:
        yield bag


def rows(bag):
    return [(m.topic, m.log_time_ns, m.data) for m in bag.messages()]


def as_mcap(bag, folder):
    with BagWriter(folder / "bag") as writer:
        copy(bag, writer)
    return folder / "bag"


def as_bare_mcap(bag, folder):
    return as_mcap(bag, folder) / "bag_0.mcap"


def as_glob(bag, folder):
    return f"{as_mcap(bag, folder)}/*.mcap"


def as_sqlite3(bag, folder, mode=CompressionMode.NONE):
    """As rosbags writes it."""
    writer = Writer(folder / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic in bag.topics.values():
            qos = [
                Qos(
                    QosHistory.KEEP_LAST,
                    offered.depth,
                    QosReliability[offered.reliability.upper()],
                    QosDurability[offered.durability.upper()],
                    FOREVER,
                    FOREVER,
                    QosLiveliness.AUTOMATIC,
                    FOREVER,
                    avoid_ros_namespace_conventions=False,
                )
                for offered in topic.qos
            ]
            connections[topic.name] = writer.add_connection(
                topic.name,
                topic.type,
                msgdef=topic.definition,
                rihs01=topic.type_hash or "-",
                offered_qos_profiles=qos,
            )
        for message in bag.messages():
            writer.write(connections[message.topic], message.log_time_ns, message.data)
    return folder / "bag"


def as_split_sqlite3(bag, folder):
    """Three files without metadata.yaml, one of them compressed."""
    there = as_sqlite3(bag, folder)
    (there / "metadata.yaml").unlink()
    with sqlite3.connect(there / "bag.db3") as database:
        (count,) = database.execute("SELECT COUNT(*) FROM messages").fetchone()
    parts = [(0, count // 3), (count // 3, 2 * count // 3), (2 * count // 3, count)]
    for number, (first, last) in enumerate(parts, start=9):
        part = shutil.copy(there / "bag.db3", there / f"bag_{number}.db3")
        database = sqlite3.connect(part)
        database.execute("DELETE FROM messages WHERE id <= ? OR id > ?", (first, last))
        database.commit()
        database.close()
    (there / "bag.db3").unlink()
    return there


def as_rosbag1(bag, folder):
    return write_rosbag1(folder / "x.bag", bag)


SOURCES = {
    "mcap": as_mcap,
    "bare mcap": as_bare_mcap,
    "glob": as_glob,
    "sqlite3": as_sqlite3,
    "bare sqlite3": lambda bag, folder: as_sqlite3(bag, folder) / "bag.db3",
    "compressed file": lambda bag, folder: as_sqlite3(bag, folder, CompressionMode.FILE),
    "compressed messages": lambda bag, folder: as_sqlite3(bag, folder, CompressionMode.MESSAGE),
    "split sqlite3": as_split_sqlite3,
    "rosbag1": as_rosbag1,
}
TARGETS = {
    "mcap": lambda folder: BagWriter(folder / "out"),
    "bare mcap": lambda folder: BagWriter(folder / "out.mcap"),
    "sqlite3": lambda folder: Sqlite3Writer(folder / "out"),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_bag_is_converted_to_every_storage_without_a_change(
    original, tmp_path, source, target
):
    with Bag(SOURCES[source](original, tmp_path)) as bag:
        expected = rows(bag)
        assert len(expected) == original.count
        assert [row[:2] for row in expected] == [row[:2] for row in rows(original)]
        writer = TARGETS[target](tmp_path)
        with new_bag(writer):
            assert copy(bag, writer) == original.count
        with Bag(writer.path) as made:
            assert made.problem is None
            assert rows(made) == expected
            for topic in made.topics.values():
                known = bag.topics[topic.name]
                assert (topic.type, topic.definition) == (known.type, known.definition)
                assert (topic.count, topic.qos) == (known.count, known.qos)
            [qos] = made.topics["/tf_static"].qos
            assert qos.durability == "transient_local"
    if target == "bare mcap":
        with writer.path.open("rb") as stream:
            read = make_reader(stream).iter_messages(log_time_order=False)
            assert [(c.topic, m.log_time, m.data) for _, c, m in read] == expected
        return
    with Reader(writer.path) as reader:
        found = [(c.topic, time_ns, bytes(data)) for c, time_ns, data in reader.messages()]
        latched = next(c for c in reader.connections if c.topic == "/tf_static")
        assert latched.ext.offered_qos_profiles[0].durability == QosDurability.TRANSIENT_LOCAL
        assert {c.topic: c.msgcount for c in reader.connections} == {
            topic.name: topic.count for topic in original.topics.values()
        }
    assert sorted(found) == sorted(expected)


def test_another_library_decodes_what_was_converted_to_sqlite(original, tmp_path):
    with new_bag(writer := Sqlite3Writer(tmp_path / "out")):
        copy(original, writer)
    with AnyReader([tmp_path / "out"]) as reader:
        connection = next(c for c in reader.connections if c.topic == "/scan")
        _, _, raw = next(reader.messages([connection]))
        theirs = reader.deserialize(raw, connection.msgtype)
    ours = original.codec("/scan").decode(next(original.messages(["/scan"])).data)
    assert theirs.ranges.tolist() == ours.ranges.tolist()


def test_publish_times_and_sequence_numbers_are_kept_in_mcap(original, tmp_path):
    with new_bag(writer := BagWriter(tmp_path / "out", compression="lz4", chunk_bytes=5000)):
        copy(original, writer)
    with Bag(tmp_path / "out") as made:
        assert list(made.messages()) == list(original.messages())
        before, after = (
            [number for batch in bag.batches() for number in batch.sequence.tolist()]
            for bag in (original, made)
        )
    assert before == after


def test_topics_are_chosen_left_out_and_renamed(original, tmp_path):
    selection = select(original, {"/scan": "/front/scan", "/odom": "/odom"}, frozenset({"/odom"}))
    with new_bag(writer := BagWriter(tmp_path / "out")):
        copy(original, writer, selection)
    with Bag(tmp_path / "out") as made:
        assert list(made.topics) == ["/front/scan"]
        expected = [m._replace(topic="/front/scan") for m in original.messages(["/scan"])]
        assert list(made.messages()) == expected
    with new_bag(writer := BagWriter(tmp_path / "swapped")):
        copy(original, writer, select(original, {"/scan": "/odom", "/odom": "/scan"}))
    with Bag(tmp_path / "swapped") as made:
        assert made.topics["/odom"].type == "sensor_msgs/msg/LaserScan"
        assert made.count == original.topics["/scan"].count + original.topics["/odom"].count
    with new_bag(writer := Sqlite3Writer(tmp_path / "without")):
        copy(original, writer, select(original, exclude=frozenset({"/scan"})))
    with Bag(tmp_path / "without") as made:
        assert rows(made) == [row for row in rows(original) if row[0] != "/scan"]


def test_a_range_of_times_begins_inclusively_and_ends_exclusively(original, tmp_path):
    times = [m.log_time_ns for m in original.messages()]
    start, end = times[100] - original.start_ns, times[900] - original.start_ns
    with new_bag(writer := BagWriter(tmp_path / "out")):
        copy(original, writer, select(original, start_s=start / 1e9, end_s=end / 1e9))
    with Bag(tmp_path / "out") as made:
        assert [m.log_time_ns for m in made.messages()] == [
            time for time in times if times[100] <= time < times[900]
        ]
    with new_bag(writer := BagWriter(tmp_path / "none")):
        copy(original, writer, select(original, start_s=10**6))
    with Bag(tmp_path / "none") as made:
        assert (made.count, made.problem, len(made.topics)) == (0, None, 4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"topics": {"/x": "/x"}}, "has no topic /x; it has /odom, /scan, /tf, /tf_static"),
        ({"exclude": frozenset({"/x"})}, "has no topic /x"),
        (
            {"topics": {"/tf": "/a", "/tf_static": "/a"}},
            "/tf and /tf_static would both be named /a",
        ),
        ({"topics": {"/tf": "/scan", "/scan": "/scan"}}, "would both be named /scan"),
        ({"topics": {"/tf": "/tf"}, "exclude": frozenset({"/tf"})}, "is left to copy"),
        ({"start_s": float("nan")}, "nan s is no time in a bag"),
        ({"end_s": float("inf")}, "inf s is no time in a bag"),
        ({"start_s": 5.0, "end_s": 5.0}, "nothing lies between 5 s and 5 s"),
        ({"end_s": -1.0}, "nothing lies between 0 s and -1 s"),
    ],
)
def test_what_cannot_be_selected_is_refused_in_a_sentence(original, options, sentence):
    with pytest.raises(BagError, match=sentence):
        select(original, **options)


def small_bag(path, topics=("/a",), count=100, **options):
    with BagWriter(path, chunk_bytes=200) as writer:
        for name in topics:
            writer.add_topic(name, STRING, "string data", **options)
        for number in range(count):
            for name in topics:
                writer.write(name, b"\0\1\0\0\4\0\0\0%03d\0" % number, number)
    return path


def damaged(path):
    """A bag whose middle is damaged."""
    file = small_bag(path) / f"{path.name}_0.mcap"
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)
    return path


@pytest.mark.parametrize("make", [BagWriter, Sqlite3Writer])
def test_damage_is_an_error_that_tells_how_many_messages_were_copied_before(tmp_path, make):
    with Bag(damaged(tmp_path / "bag")) as bag:
        writer = make(tmp_path / "out")
        with pytest.raises(BagError, match="is damaged") as told, new_bag(writer):
            copy(bag, writer)
        there = list(Bag(tmp_path / "out").messages())
        assert 0 < len(there) < 100
        assert f"; {tmp_path}/out holds the {len(there)} messages before that" in str(told.value)
        assert there == list(bag.messages(strict=False))[: len(there)]


@pytest.mark.parametrize("make", [BagWriter, Sqlite3Writer])
def test_leniently_all_that_is_whole_is_copied(tmp_path, make):
    with Bag(damaged(tmp_path / "bag")) as bag:
        with new_bag(writer := make(tmp_path / "out")):
            count = copy(bag, writer, strict=False)
        assert 90 < count < 100
        assert "is damaged" in bag.problem
        assert rows(Bag(tmp_path / "out")) == [
            (m.topic, m.log_time_ns, m.data) for m in bag.messages(strict=False)
        ]


@pytest.mark.parametrize("name", ["out", "out.mcap"])
def test_an_error_before_the_first_message_leaves_nothing_behind(tmp_path, name):
    writer = BagWriter(tmp_path / name)
    with pytest.raises(BagError, match=r"^no luck; nothing was copied$"), new_bag(writer):
        raise BagError("no luck")
    assert os.listdir(tmp_path) == []


def test_another_exception_leaves_a_whole_bag(tmp_path):
    with Bag(small_bag(tmp_path / "bag")) as bag:
        for writer in (BagWriter(tmp_path / "a"), Sqlite3Writer(tmp_path / "b")):
            with pytest.raises(KeyboardInterrupt), new_bag(writer):
                copy(bag, writer)
                raise KeyboardInterrupt
            assert Bag(writer.path).problem is None
            assert Bag(writer.path).count == 100


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"encoding": "jsonschema", "message_encoding": "json"},
            r"no ROS topic \(json, jsonschema\)",
        ),
        ({"encoding": "protobuf"}, r"/a is no ROS topic \(cdr, protobuf\)"),
    ],
)
def test_what_sqlite_cannot_hold_is_refused_and_leaves_nothing_behind(tmp_path, options, sentence):
    with Bag(small_bag(tmp_path / "bag", **options)) as bag:
        writer = Sqlite3Writer(tmp_path / "out")
        with pytest.raises(BagError, match=sentence), new_bag(writer):
            copy(bag, writer)
        assert not (tmp_path / "out").exists()
        with new_bag(writer := BagWriter(tmp_path / "out")):
            assert copy(bag, writer) == 100


def test_one_type_of_two_definitions_is_refused_by_sqlite_alone(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        for name, text in (("/a", "string data"), ("/b", "string data\nint32 more")):
            writer.add_topic(name, "pkg/msg/X", text)
            writer.write(name, b"\0\1\0\0", 1)
    with Bag(tmp_path / "bag") as bag:
        writer = Sqlite3Writer(tmp_path / "out")
        with pytest.raises(BagError, match="another definition of pkg/msg/X"), new_bag(writer):
            copy(bag, writer)
        with new_bag(writer := BagWriter(tmp_path / "out")):
            assert copy(bag, writer) == 2


def test_types_without_a_definition_are_held_by_sqlite(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/a", "old_msgs/msg/X", "", encoding="")
        writer.write("/a", b"\0\1\0\0", 1)
    with Bag(tmp_path / "bag") as bag, new_bag(writer := Sqlite3Writer(tmp_path / "out")):
        copy(bag, writer)
    with Bag(tmp_path / "out") as made:
        assert (made.topics["/a"].type, made.count) == ("old_msgs/msg/X", 1)


def in_files(folder, *described):
    """A file for each (type, definition), with one message of it on /a."""
    for number, (name, text) in enumerate(described):
        with BagWriter(folder / f"x_{number}.mcap") as writer:
            writer.add_topic("/a", name, text, encoding="ros2msg" if text else "")
            writer.write("/a", string_cdr(b"%d" % number), number)
    return f"{folder}/*.mcap"


def test_topics_that_are_recorded_with_two_types_are_taken_apart(tmp_path):
    files = in_files(tmp_path, (STRING, "string data"), ("a/msg/B", "int32 b"), ("a/msg/B", ""))
    with Bag(files) as bag:
        with pytest.raises(BagError, match="'lockstep convert', which gives the latter the name"):
            bag.codec("/a")
        with new_bag(writer := BagWriter(tmp_path / "out")):
            assert copy(bag, writer) == 3
        chosen = select(bag, {"/a (a/msg/B)": "/b"})
        with new_bag(writer := BagWriter(tmp_path / "b")):
            assert copy(bag, writer, chosen) == 2
    with Bag(tmp_path / "out") as out:
        assert out.codec("/a").fields() == {"data": "string"}
        assert out.codec("/a (a/msg/B)").fields() == {"b": "int32"}
        assert out.problem is None
        assert [m.topic for m in out.messages()] == ["/a", "/a (a/msg/B)", "/a (a/msg/B)"]


@pytest.mark.parametrize(
    "other",
    [
        "string data  # in capitals",
        "\n# Text\n\n  string   data\r\n",
        'string data "none"',
        "uint8 NOTHING=0\nstring data\n\n",
    ],
    ids=["comment", "white space", "default", "constant"],
)
def test_definitions_with_the_same_fields_are_one(tmp_path, other):
    with Bag(in_files(tmp_path, (STRING, "string data"), (STRING, other))) as bag:
        assert (bag.codec("/a").type, bag.topics["/a"].clash) == (STRING, "")
        for sink in (BagWriter(tmp_path / "mcap"), Sqlite3Writer(tmp_path / "db3")):
            with new_bag(sink):
                copy(bag, sink)
            assert rows(Bag(sink.path)) == rows(bag)


def test_definitions_of_other_fields_or_values_are_two(tmp_path):
    for number, (one, other) in enumerate(
        [
            ("string data", "string text"),
            ("float64 x\nfloat64 y", "float64 y\nfloat64 x"),
            ("# lockstep value: int\nint64 data", "# lockstep value: scalar <i8\nint64 data"),
        ]
    ):
        (folder := tmp_path / str(number)).mkdir()
        with Bag(in_files(folder, ("a/msg/X", one), ("a/msg/X", other))) as bag:
            assert "/a is recorded with two definitions of a/msg/X" in bag.topics["/a"].clash
            assert [*bag.topics] == ["/a", "/a (a/msg/X)"]


@pytest.mark.parametrize("sink", [BagWriter, Sqlite3Writer])
def test_a_type_without_fields_stays_one(tmp_path, sink):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/a", "shop_msgs/msg/Trigger", "")
        writer.write("/a", b"\0\1\0\0\0", 1)
    with Bag(tmp_path / "bag") as bag, new_bag(writer := sink(tmp_path / "out")):
        copy(bag, writer)
    with Bag(tmp_path / "out") as out:
        assert out.codec("/a").fields() == {}


def test_two_topics_whose_definitions_differ_in_a_comment_are_held_by_sqlite(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        for name, text in (("/a", "string data"), ("/b", "string data  # b")):
            writer.add_topic(name, "pkg/msg/X", text)
            writer.write(name, b"\0\1\0\0", 1)
    with Bag(tmp_path / "bag") as bag, new_bag(writer := Sqlite3Writer(tmp_path / "out")):
        assert copy(bag, writer) == 2


@pytest.mark.parametrize("name", ["50% #1?x=y", "mit Ümläut", "a.db3"])
def test_the_folder_of_a_sqlite_bag_may_have_any_name(tmp_path, name):
    with Bag(small_bag(tmp_path / "bag")) as bag:
        with new_bag(writer := Sqlite3Writer(tmp_path / name)):
            copy(bag, writer)
        assert sorted(os.listdir(tmp_path)) == sorted(["bag", name])
        assert sorted(os.listdir(tmp_path / name)) == sorted([f"{name}_0.db3", "metadata.yaml"])
        assert rows(Bag(tmp_path / name)) == rows(bag)


def test_a_sqlite_bag_that_exists_or_cannot_be_made_is_told(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    for path, sentence in (
        ("there", "there exists already; choose another folder or delete it"),
        ("file", "file exists already"),
        ("file/x", "cannot create .*file/x: Not a directory"),
        ("x" * 300, "cannot create .*: File name too long"),
    ):
        with pytest.raises(BagError, match=sentence):
            Sqlite3Writer(tmp_path / path)
    assert sorted(os.listdir(tmp_path)) == ["file", "there"]


KILLED = """
import os, signal, sys
from lockstep.bag import Bag
from lockstep.bag.sqlite3_writer import Sqlite3Writer
from lockstep.bag.survey import survey
writer = Sqlite3Writer(sys.argv[2])
writer.add_topic("/a", "std_msgs/msg/String", "string data")
for number, batch in enumerate(Bag(sys.argv[1]).batches()):
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    writer.write_batch(batch)
"""


def test_a_sqlite_bag_whose_writer_is_killed_holds_all_batches_before(tmp_path):
    small_bag(tmp_path / "bag")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "bag", tmp_path / "out"], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with Bag(tmp_path / "bag") as bag, Bag(tmp_path / "out") as out:
        before = sum(len(batch) for _, batch in zip(range(5), bag.batches(), strict=False))
        assert out.count == before
        assert rows(out) == rows(bag)[:before]


def test_a_message_that_the_index_leaves_out_is_copied_leniently(tmp_path):
    file = small_bag(tmp_path / "bag", ("/a", "/b"), 3) / "bag_0.mcap"
    data = file.read_bytes()
    counts = struct.pack(
        "<IHQHQ", 20, 1, 3, 2, 3
    )  # in the statistics: three messages of each channel
    assert counts in data
    data = data.replace(counts, struct.pack("<IHQHQ", 20, 1, 6, 2, 0))
    file.write_bytes(data[:-12] + bytes(4) + data[-8:])  # no checksum of the summary
    with Bag(file) as bag:
        with new_bag(writer := BagWriter(tmp_path / "out")):
            assert copy(bag, writer, strict=False) == 6
        assert "where its index counts" in bag.problem


def with_enclosed(path):
    """A file of three strings with an attachment and two metadata records, as mcap writes it."""
    with path.open("wb") as stream:
        writer = McapWriter(stream, chunk_size=1)
        writer.start("ros2", "test")
        writer.add_metadata("rosbag2", {"serialized_metadata": "of this file alone"})
        schema = writer.register_schema(STRING, "ros2msg", b"string data")
        channel = writer.register_channel("/a", "cdr", schema)
        for number in range(3):
            writer.add_message(channel, number, string_cdr(b"x"), number)
            if number == 1:
                writer.add_attachment(7, 8, "calib.yaml", "text/yaml", b"fx: 500\n")
                writer.add_metadata("episode", {"task": "pick"})
        writer.finish()
    return path


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "cut off"])
def test_attachments_and_metadata_records_are_kept_or_named(tmp_path, indexed):
    path = with_enclosed(tmp_path / "x.mcap")
    if not indexed:
        path.write_bytes(path.read_bytes()[:-100])
    with Bag(path) as bag:
        with new_bag(writer := BagWriter(tmp_path / "out")):
            copy(bag, writer, strict=indexed)
            assert copy_rest(bag, writer) == ""
        with new_bag(sink := Sqlite3Writer(tmp_path / "db3")):
            copy(bag, sink, strict=indexed)
            assert copy_rest(bag, sink) == (
                "left out, as the target cannot hold it: the attachment 'calib.yaml', "
                "the metadata record 'episode'"
            )
    with (tmp_path / "out/out_0.mcap").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        [attachment] = reader.iter_attachments()
        assert (attachment.create_time, attachment.log_time, attachment.name) == (
            7,
            8,
            "calib.yaml",
        )
        assert (attachment.media_type, attachment.data) == ("text/yaml", b"fx: 500\n")
        assert [(m.name, m.metadata) for m in reader.iter_metadata()] == [
            ("episode", {"task": "pick"})
        ]
        statistics = reader.get_summary().statistics
        assert (statistics.attachment_count, statistics.metadata_count) == (1, 1)


TIMED = OfferedQoS(
    "keep_last", 3, "best_effort", "volatile", 10**8, 10**9, "manual_by_topic", 2 * 10**9, True
)


def timed(folder):
    with BagWriter(folder) as writer:
        writer.add_topic("/a", STRING, "string data", qos=(TIMED,))
        writer.write("/a", string_cdr(b"x"), 0)
        writer.describe(Origin({"vehicle": "truck 7"}, "rolling"))
    return folder


@pytest.mark.parametrize("sink", [BagWriter, Sqlite3Writer])
def test_deadlines_custom_data_and_the_distribution_are_kept(tmp_path, sink):
    with Bag(timed(tmp_path / "bag")) as bag, new_bag(writer := sink(tmp_path / "out")):
        copy(bag, writer)
        assert copy_rest(bag, writer) == ""
    with Bag(tmp_path / "out") as out:
        assert out.topics["/a"].qos == (TIMED,)
        assert out.origin == Origin({"vehicle": "truck 7"}, "rolling")


def test_a_bare_file_keeps_custom_data_and_the_distribution_as_rosbag2_does(tmp_path):
    bare = tmp_path / "o.mcap"
    with Bag(timed(tmp_path / "bag")) as bag, new_bag(writer := BagWriter(bare)):
        copy(bag, writer)
        assert copy_rest(bag, writer) == ""
    with bare.open("rb") as stream:
        [record] = make_reader(stream, validate_crcs=True).iter_metadata()
    repeated = yaml.safe_load(record.metadata["serialized_metadata"])
    assert (record.name, repeated["ros_distro"], repeated["version"]) == ("rosbag2", "rolling", 9)
    assert (repeated["message_count"], repeated["custom_data"]) == (1, {"vehicle": "truck 7"})
    with Bag(bare) as out:
        assert out.origin == Origin({"vehicle": "truck 7"}, "rolling")
        assert list(out.enclosed()) == []
        with new_bag(writer := BagWriter(tmp_path / "again")):
            copy(out, writer)
            copy_rest(out, writer)
    with Bag(tmp_path / "again") as again:
        assert again.origin == Origin({"vehicle": "truck 7"}, "rolling")


@pytest.mark.parametrize(
    ("told", "distro"),
    [
        ({"ROS_DISTRO": "iron"}, "iron"),
        ({"serialized_metadata": "- no"}, ""),
        ({"serialized_metadata": "{"}, ""),
        ({"serialized_metadata": "a: [\0"}, ""),
        ({}, ""),
    ],
)
def test_what_a_file_repeats_of_its_metadata_is_advice(tmp_path, told, distro):
    with (tmp_path / "x.mcap").open("wb") as stream:
        writer = McapWriter(stream)
        writer.start("ros2", "test")
        writer.add_metadata("rosbag2", told)
        writer.finish()
    with Bag(tmp_path / "x.mcap") as bag:
        assert bag.origin == Origin({}, distro)


def test_a_bare_database_tells_the_distribution(tmp_path):
    with Bag(timed(tmp_path / "bag")) as bag, new_bag(writer := Sqlite3Writer(tmp_path / "out")):
        copy(bag, writer)
        copy_rest(bag, writer)
    with Bag(tmp_path / "out/out_0.db3") as bare:
        assert bare.origin == Origin({}, "rolling")
    database = sqlite3.connect(tmp_path / "out/out_0.db3")
    repeated = yaml.safe_dump({"custom_data": {"vehicle": "truck 7"}, "ros_distro": "iron"})
    database.execute("INSERT INTO metadata VALUES (1, 9, ?)", (repeated,))
    database.commit()
    with Bag(tmp_path / "out/out_0.db3") as bare:
        assert bare.origin == Origin({"vehicle": "truck 7"}, "iron")


def test_a_schema_that_is_no_text_is_copied_byte_by_byte(tmp_path):
    schema = bytes(range(256))
    with (tmp_path / "x.mcap").open("wb") as stream:
        writer = McapWriter(stream)
        writer.start("", "test")
        number = writer.register_schema("a.B", "protobuf", schema)
        writer.add_message(writer.register_channel("/a", "protobuf", number), 0, b"\x08\x01", 0)
        writer.finish()
    with Bag(tmp_path / "x.mcap") as bag, new_bag(writer := BagWriter(tmp_path / "out.mcap")):
        copy(bag, writer)
    with (tmp_path / "out.mcap").open("rb") as stream:
        [(made, channel, _)] = make_reader(stream).iter_messages()
    assert (made.data, made.encoding, channel.message_encoding) == (schema, "protobuf", "protobuf")


@pytest.mark.parametrize("most_bytes", [1, 100, 1 << 20])
def test_messages_are_copied_in_order_of_time_on_request(tmp_path, most_bytes):
    with BagWriter(tmp_path / "bag", chunk_bytes=200) as writer:
        for name in ("/a", "/b"):
            writer.add_topic(name, STRING, "string data")
            for number in range(20):
                writer.write(name, string_cdr(b"%s%d" % (name.encode(), number)), number * 10**9)
    with Bag(tmp_path / "bag") as bag:
        topics = ["/a", "/b"]
        with pytest.raises(BagError, match="'lockstep convert --sort' puts them in order"):
            list(Timeline(bag, topics).events())
        with new_bag(writer := BagWriter(tmp_path / "out")):
            assert copy(bag, writer, by_time=True) == 40
        expected = sorted(rows(bag), key=lambda row: row[1])
        few = batches_by_time(bag, most_bytes=most_bytes)
        assert [row for batch in few for row in rows_of_batch(batch)] == expected
    with Bag(tmp_path / "out") as out:
        assert rows(out) == expected
        assert [event.data for event in Timeline(out, topics).events()] == [e[2] for e in expected]


@pytest.mark.parametrize("most_bytes", [1, 300, 1 << 20])
@pytest.mark.parametrize("topics", [None, ["/imu"]])
def test_epochs_of_a_simulation_stay_one_after_the_other_when_sorted(
    bags, tmp_path, most_bytes, topics
):
    names = ["/clock", "/imu"]
    with Bag(bags / "gazebo_diff_drive") as bag, BagWriter(tmp_path / "bag") as writer:
        for name in names:
            declare(writer, bag.topics[name], name)
        part = [m for m in bag.messages(names, end_ns=200_000_000)]
        for m in [*part, *part]:
            writer.write(m.topic, m.data, m.log_time_ns)
    in_order = sorted(part, key=lambda m: m.log_time_ns)
    expected = [
        (m.topic, m.log_time_ns, m.data) for m in in_order * 2 if m.topic in (topics or names)
    ]
    with Bag(tmp_path / "bag") as bag:
        batches = batches_by_time(bag, topics, most_bytes=most_bytes)
        assert [row for batch in batches for row in rows_of_batch(batch)] == expected
        later = batches_by_time(bag, topics, start_ns=100_000_000, most_bytes=most_bytes)
        rest = [row for row in expected if row[1] >= 100_000_000]
        assert [row for batch in later for row in rows_of_batch(batch)] == rest


def rows_of_batch(batch):
    names = map(batch.topics.__getitem__, batch.topic.tolist())
    return list(zip(names, batch.log_time_ns.tolist(), batch.payloads(), strict=True))


def test_progress_ends_at_the_number_of_messages(original, tmp_path):
    told = []
    with new_bag(writer := BagWriter(tmp_path / "out")):
        copy(original, writer, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (original.count, original.count)


def test_offered_qos_of_every_kind_is_kept_by_sqlite(tmp_path):
    offered = (
        OfferedQoS("keep_all", 1, "best_effort", "volatile"),
        OfferedQoS("keep_last", 7, "reliable", "transient_local"),
    )
    with Bag(small_bag(tmp_path / "bag", qos=offered)) as bag:
        with new_bag(writer := Sqlite3Writer(tmp_path / "out")):
            copy(bag, writer)
        assert Bag(tmp_path / "out").topics["/a"].qos == bag.topics["/a"].qos == offered


def split_bag(folder, firsts_s):
    """A folder of one file each, of two strings on /a one second apart, from these times on."""
    folder.mkdir()
    for number, first_s in enumerate(firsts_s):
        with BagWriter(folder / f"run_{number}.mcap") as writer:
            writer.add_topic("/a", STRING, "string data")
            for second in (first_s, first_s + 1):
                writer.write("/a", string_cdr(b"t%d" % second), second * 10**9)
    return folder


def test_files_in_wrong_order_are_refused_with_advice_that_works(tmp_path):
    wall_s = 1_700_000_000
    path = split_bag(tmp_path / "bag", [wall_s + at for at in (5, 3, 10, 0)])
    with Bag(path) as bag:
        with pytest.raises(BagError, match=r"run_1\.mcap was .* 'lockstep convert --sort' puts"):
            list(Timeline(bag, ["/a"]).events())
        [problem] = survey(bag).problems
        assert problem.endswith("before it; 'lockstep convert --sort' puts them in order")
        with new_bag(writer := BagWriter(tmp_path / "sorted")):
            copy(bag, writer, by_time=True)
    with Bag(tmp_path / "sorted") as bag:
        played = [event.data for event in Timeline(bag, ["/a"]).events()]
        assert survey(bag).problems == []
    assert played == [string_cdr(b"t%d" % (wall_s + at)) for at in (0, 1, 3, 4, 5, 6, 10, 11)]


@pytest.mark.parametrize("firsts_s", [[5, 0], [10**9 + 5, 10**9 + 6], [10**9 + 5, 0]])
def test_files_of_a_simulation_that_was_reset_are_played_as_they_are(tmp_path, firsts_s):
    with Bag(split_bag(tmp_path / "bag", firsts_s)) as bag:
        played = [event.data for event in Timeline(bag, ["/a"]).events()]
    assert played == [string_cdr(b"t%d" % (at + i)) for at in firsts_s for i in (0, 1)]
