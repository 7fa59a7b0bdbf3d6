import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.bag.output import McapOutput
from lockstep.message.batch import Batch
from lockstep.message.definitions import definition
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from rosbags.highlevel import AnyReader

STRING = "std_msgs/msg/String"
SMALL = b"\0\1\0\0\1\0\0\0\0"


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


def test_an_existing_folder_is_never_written_into(tmp_path):
    with pytest.raises(BagError, match="exists already"):
        BagWriter(tmp_path)


def test_an_empty_bag_is_a_bag(tmp_path):
    with BagWriter(tmp_path / "empty") as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
    bag = Bag(tmp_path / "empty")
    assert (bag.count, bag.problem, list(bag.messages())) == (0, None, [])


def test_every_chunk_holds_a_message_as_rosbag2_play_demands(tmp_path, monkeypatch):
    monkeypatch.setattr("lockstep.bag.writer.FLUSH_S", 0)
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


def test_offered_qos_of_a_topic_is_read_back(tmp_path):
    latched = OfferedQoS(depth=1, durability="transient_local")
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/map", "std_msgs/msg/String", "string data", qos=(latched,))
    assert Bag(tmp_path / "b").topics["/map"].qos == (latched,)


def records(file: Path) -> list:
    """All records of a file by the mcap library, which checks checksums."""
    with file.open("rb") as stream:
        return list(StreamReader(stream, validate_crcs=True).records)


def messages(file: Path) -> list[tuple[int, int, int, int, bytes]]:
    return [
        (r.channel_id, r.sequence, r.log_time, r.publish_time, bytes(r.data))
        for r in records(file)
        if isinstance(r, Message)
    ]


def batch_of(payloads, topic, topics=("/a", "/b"), gap=31) -> Batch:
    """A batch whose payloads lie `gap` bytes apart, as they do in a chunk."""
    buffer = b"".join(b"\xff" * gap + payload for payload in payloads)
    length = np.array([len(payload) for payload in payloads], np.int64)
    times = np.arange(len(payloads), dtype=np.int64) * 1000
    return Batch(
        topics=topics,
        topic=np.array(topic, np.int64),
        log_time_ns=times + 5,
        publish_time_ns=times,
        sequence=np.arange(len(payloads), dtype=np.int64) + 70,
        buffer=np.frombuffer(buffer, np.uint8),
        offset=np.cumsum(length + gap) - length,
        length=length,
    )


PAYLOADS = {
    "equal": [bytes([i % 256]) * 20 for i in range(1000)],
    "few lengths": [bytes([i % 256]) * (20 + i % 3) for i in range(1000)],
    "all different": [bytes([i % 256]) * (i + 1) for i in range(1000)],
    "some empty": [b"x" * (i % 2) for i in range(1000)],
    "one": [b"abc"],
    "none": [],
}


@pytest.mark.parametrize("chunk_bytes", [1, 700, 1 << 20])
@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_batch_is_written_as_its_messages_one_by_one(tmp_path, kind, chunk_bytes):
    payloads = PAYLOADS[kind]
    batch = batch_of(payloads, [i % 3 % 2 for i in range(len(payloads))])
    with BagWriter(tmp_path / "batch", chunk_bytes=chunk_bytes) as writer:
        writer.add_topic("/b", STRING, "string data")
        writer.add_topic("/a", STRING, "string data")
        writer.write_batch(batch)
        assert sum(writer.counts.values()) == len(payloads)
    assert messages(tmp_path / "batch/batch_0.mcap") == [
        (2 - i % 3 % 2, i + 70, i * 1000 + 5, i * 1000, payload)
        for i, payload in enumerate(payloads)
    ]
    assert Bag(tmp_path / "batch").count == len(payloads)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_batch_of_one_topic_is_the_same_file_as_single_messages(tmp_path, kind):
    batch = batch_of(PAYLOADS[kind], [0] * len(PAYLOADS[kind]), ("/a",))
    batch = replace(batch, sequence=np.arange(len(batch)))
    with BagWriter(tmp_path / "batch" / "b.mcap", chunk_bytes=5000, timed=False) as writer:
        writer.add_topic("/a", STRING, "string data")
        writer.write_batch(batch)
    with BagWriter(tmp_path / "one" / "b.mcap", chunk_bytes=5000, timed=False) as writer:
        writer.add_topic("/a", STRING, "string data")
        for index, payload in enumerate(batch.payloads()):
            writer.write("/a", payload, index * 1000 + 5, index * 1000)
    one, every = (tmp_path / name / "b.mcap" for name in ("one", "batch"))
    assert one.read_bytes() == every.read_bytes()


def test_chunks_of_a_writer_that_is_not_timed_end_only_when_they_are_full(tmp_path, monkeypatch):
    monkeypatch.setattr("lockstep.bag.writer.FLUSH_S", 0)
    for timed, chunks in ((True, 3), (False, 1)):
        file = tmp_path / f"{timed}.mcap"
        with BagWriter(file, timed=timed) as writer:
            writer.add_topic("/x", STRING, "string data")
            for number in range(3):
                writer.write("/x", SMALL, number)
        with file.open("rb") as stream:
            assert len(make_reader(stream).get_summary().chunk_indexes) == chunks


def test_of_a_batch_only_topics_that_were_added_are_written(tmp_path):
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/b", STRING, "string data")
        writer.write_batch(batch_of([b"1", b"22", b"333", b"4444"], [0, 1, 0, 1]))
    assert [m.data for m in Bag(tmp_path / "b").messages()] == [b"22", b"4444"]


def test_equal_payloads_far_from_each_other_are_gathered(tmp_path):
    batch = batch_of(PAYLOADS["few lengths"], [0] * 1000).where(np.array([3, 999, 0, 600]))
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/a", STRING, "string data")
        writer.write_batch(batch)
    assert [m.data for m in Bag(tmp_path / "b").messages()] == [
        PAYLOADS["few lengths"][i] for i in (3, 999, 0, 600)
    ]


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
@pytest.mark.parametrize("as_list", [False, True])
def test_columns_are_written_as_messages_one_by_one(tmp_path, compression, as_list):
    data = np.arange(3000 * 16, dtype=np.int64).astype(np.uint8).reshape(3000, 16)
    rows = [row.tobytes() for row in data]
    times = np.arange(3000, dtype=np.int64)
    with BagWriter(tmp_path / "one", compression=compression, chunk_bytes=5000) as writer:
        writer.add_topic("/x", STRING, "string data")
        for row, time_ns in zip(rows, times.tolist(), strict=True):
            writer.write("/x", row, time_ns + 7, time_ns)
    with BagWriter(tmp_path / "all", compression=compression, chunk_bytes=5000) as writer:
        writer.add_topic("/x", STRING, "string data")
        writer.write_columns("/x", rows if as_list else data, times + 7, times)
    one, every = tmp_path / "one/one_0.mcap", tmp_path / "all/all_0.mcap"
    assert one.read_bytes() == every.read_bytes()
    assert messages(one)[-1] == (1, 2999, 3006, 2999, rows[-1])


def test_columns_that_do_not_fit_together_are_refused(tmp_path):
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/x", STRING, "string data")
        with pytest.raises(BagError, match="2 messages of /x come with \\(3,\\) log times"):
            writer.write_columns("/x", [b"1", b"2"], np.arange(3))
        with pytest.raises(BagError, match="give uint8 of shape"):
            writer.write_columns("/x", np.zeros((2, 2)), np.arange(2))
        with pytest.raises(BagError, match="before 1970"):
            writer.write_columns("/x", [b"1", b"2"], np.arange(2) - 1)
        with pytest.raises(BagError, match="topic /y was not added"):
            writer.write_columns("/y", [], np.arange(0))


def test_the_index_leads_other_libraries_to_every_message(tmp_path):
    with BagWriter(tmp_path / "b", chunk_bytes=300) as writer:
        for name in ("/a", "/b", "/silent"):
            writer.add_topic(name, STRING, "string data")
        for number in range(100):
            writer.write("/b" if number % 3 else "/a", SMALL, number)
    file = tmp_path / "b/b_0.mcap"
    with file.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        summary = reader.get_summary()
        times = {
            topic: [m.log_time for _, _, m in reader.iter_messages(topics=[topic])]
            for topic in ("/a", "/b", "/silent")
        }
    assert times["/silent"] == []
    assert sorted(times["/a"] + times["/b"]) == list(range(100))
    assert summary.statistics.message_count == 100
    assert summary.statistics.channel_message_counts == {
        1: len(times["/a"]),
        2: len(times["/b"]),
        3: 0,
    }
    assert len(summary.chunk_indexes) == summary.statistics.chunk_count > 5


def test_the_summary_can_be_read_group_by_group(tmp_path):
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/a", STRING, "string data")
        writer.write("/a", SMALL, 1)
    data = (tmp_path / "b/b_0.mcap").read_bytes()
    groups = {
        r.group_opcode: data[r.group_start]
        for r in records(tmp_path / "b/b_0.mcap")
        if type(r).__name__ == "SummaryOffset"
    }
    assert groups == {3: 3, 4: 4, 11: 11, 8: 8}


def test_one_type_name_may_have_two_definitions(tmp_path):
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/old", "my_msgs/msg/X", "int32 a")
        writer.add_topic("/new", "my_msgs/msg/X", "int64 a")
        writer.add_topic("/also_new", "my_msgs/msg/X", "int64 a")
        for topic in ("/old", "/new", "/also_new"):
            writer.write(topic, SMALL, 1)
    bag = Bag(tmp_path / "b")
    assert [t.definition for t in bag.topics.values()] == ["int32 a", "int64 a", "int64 a"]
    with (tmp_path / "b/b_0.mcap").open("rb") as stream:
        assert make_reader(stream).get_summary().statistics.schema_count == 2


def test_json_needs_no_schema(tmp_path):
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/plain", "", "", message_encoding="json")
        writer.add_topic("/typed", "X", "{}", encoding="jsonschema", message_encoding="json")
        writer.add_topic("/named", "my_msgs/msg/X", "", encoding="")
        writer.write("/plain", b"{}", 1)
    with (tmp_path / "b/b_0.mcap").open("rb") as stream:
        summary = make_reader(stream).get_summary()
    assert [c.schema_id for c in summary.channels.values()] == [0, 1, 2]
    assert [(s.name, s.encoding) for s in summary.schemas.values()] == [
        ("X", "jsonschema"),
        ("my_msgs/msg/X", ""),
    ]
    rows = yaml.safe_load((tmp_path / "b/metadata.yaml").read_text())[
        "rosbag2_bagfile_information"
    ]["topics_with_message_count"]
    assert [r["topic_metadata"]["serialization_format"] for r in rows] == ["json", "json", "cdr"]


def test_what_cannot_be_written_is_refused_in_a_sentence(tmp_path):
    with BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/x", STRING, "string data")
        with pytest.raises(BagError, match="topic /y was not added; call add_topic"):
            writer.write("/y", b"", 1)
        with pytest.raises(BagError, match="/x is declared twice"):
            writer.add_topic("/x", STRING, "string data")
        with pytest.raises(BagError, match="before 1970"):
            writer.write("/x", b"", -1)
        with (
            mmap.mmap(-1, 1 << 32) as vast,
            memoryview(vast) as view,
            pytest.raises(BagError, match="4294967296 bytes; 1040187392 are the most"),
        ):
            writer.write("/x", view, 1)
        writer.write("/x", bytearray(SMALL), 1)
    assert Bag(tmp_path / "b").count == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"compression": "zip"}, "compression 'zip' is not one of none, zstd, zstd_small, lz4"),
        ({"chunk_bytes": 0}, "0 bytes are no size of a chunk"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_made(tmp_path, options, sentence):
    with pytest.raises(BagError, match=sentence):
        BagWriter(tmp_path / "b", **options)
    assert not (tmp_path / "b").exists()


def test_a_path_that_ends_in_mcap_is_one_file(tmp_path):
    path = tmp_path / "new/b.mcap"
    with BagWriter(path) as writer:
        writer.add_topic("/x", STRING, "string data")
        writer.write("/x", SMALL, 1)
    assert [p.name for p in path.parent.iterdir()] == ["b.mcap"]
    assert Bag(path).count == 1
    with pytest.raises(BagError, match="exists already; choose another file"):
        BagWriter(path)


def test_a_message_larger_than_a_chunk_is_a_chunk(tmp_path):
    with BagWriter(tmp_path / "b", chunk_bytes=100) as writer:
        writer.add_topic("/x", STRING, "string data")
        for size in (10, 5000, 10, 10):
            writer.write("/x", b"\0" * size, size)
    assert [len(m.data) for m in Bag(tmp_path / "b").messages()] == [10, 5000, 10, 10]


def test_an_exception_in_the_with_statement_leaves_a_whole_bag(tmp_path):
    with pytest.raises(KeyboardInterrupt), BagWriter(tmp_path / "b") as writer:
        writer.add_topic("/x", STRING, "string data")
        writer.write("/x", SMALL, 1)
        raise KeyboardInterrupt
    bag = Bag(tmp_path / "b")
    assert (bag.problem, bag.count) == (None, 1)


WRITE_COLUMNS_FOREVER = """
import itertools, sys
import numpy as np
from lockstep.bag import BagWriter
noise = np.random.default_rng(0).integers(0, 255, (1000, 500), np.uint8)
writer = BagWriter(sys.argv[1])
writer.add_topic("/x", "std_msgs/msg/String", "string data")
for number in itertools.count():
    writer.write_columns("/x", noise, np.arange(1000) + 1000 * number)
    print(number, flush=True)
"""


def test_a_writer_killed_in_full_swing_leaves_all_but_the_last_chunks(tmp_path):
    folder = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_COLUMNS_FOREVER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        written = int(line)
        if written >= 60:
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    bag = Bag(folder)
    times = [m.log_time_ns for m in bag.messages(strict=False)]
    assert times == list(range(len(times)))
    assert len(times) > (written - 10) * 1000


FILL_THE_DISK = """
import resource, sys
from lockstep.bag import BagError, BagWriter
# the system's way to refuse more bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    with BagWriter(sys.argv[1], compression="none", chunk_bytes=10_000) as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        for number in range(10_000):
            writer.write("/x", bytes(1000), number)
except BagError as error:
    print(error, "after", number)
"""


def test_a_full_disk_is_an_error_and_leaves_what_was_written(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(tmp_path / "full")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith(f"cannot write {tmp_path / 'full/full_0.mcap'}: File too large")
    assert int(done.stdout.split()[-1]) < 400
    bag = Bag(tmp_path / "full")
    assert bag.problem is None, "the last chunks made room for the index"
    assert [m.log_time_ns for m in bag.messages()] == list(range(bag.count))
    assert bag.count >= 250
    assert yaml.safe_load((tmp_path / "full/metadata.yaml").read_text())


def test_a_full_disk_that_close_meets_is_an_error(tmp_path):
    code = FILL_THE_DISK.replace("300_000", "300").replace("10_000)", "1)")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "full")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "File too large after 0" in done.stdout


def test_a_split_bag_is_one_recording_of_several_files(tmp_path):
    with BagWriter(tmp_path / "bag", compression="none") as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        for number in range(30):
            if number in (10, 20):
                closed, opened = writer.split()
                assert (closed.name, opened.name) == (
                    f"bag_{number // 10 - 1}.mcap",
                    f"bag_{number // 10}.mcap",
                )
            if number == 15:
                writer.add_topic("/late", "std_msgs/msg/String", "string data")
            writer.write("/x" if number < 15 else "/late", bytes([number]), number)
    information = yaml.safe_load((tmp_path / "bag/metadata.yaml").read_text())
    files = information["rosbag2_bagfile_information"]["files"]
    assert [(f["path"], f["message_count"]) for f in files] == [
        ("bag_0.mcap", 10),
        ("bag_1.mcap", 10),
        ("bag_2.mcap", 10),
    ]
    assert files[1]["starting_time"]["nanoseconds_since_epoch"] == 10
    with Bag(tmp_path / "bag") as bag:
        assert bag.problem is None
        assert [m.data for m in bag.messages()] == [bytes([n]) for n in range(30)]
        assert {name: topic.count for name, topic in bag.topics.items()} == {"/x": 15, "/late": 15}
    with Bag(tmp_path / "bag/bag_1.mcap") as part:
        assert part.count == 10


def test_a_bare_file_cannot_be_split(tmp_path):
    with (
        BagWriter(tmp_path / "bag.mcap") as writer,
        pytest.raises(BagError, match=r"bag\.mcap is one file; give a folder"),
    ):
        writer.split()


def test_files_are_compressed_as_rosbag2_does(tmp_path):
    with BagWriter(tmp_path / "bag", compression="none", compress_files=True) as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        writer.write("/x", bytes(100_000), 1)
        writer.split()
        writer.write("/x", bytes(100_000), 2)
    names = sorted(path.name for path in (tmp_path / "bag").iterdir())
    assert names == ["bag_0.mcap.zstd", "bag_1.mcap.zstd", "metadata.yaml"]
    assert (tmp_path / "bag/bag_0.mcap.zstd").stat().st_size < 5_000
    text = (tmp_path / "bag/metadata.yaml").read_text()
    assert "compression_mode: FILE" in text and "compression_format: zstd" in text
    with Bag(tmp_path / "bag") as bag:
        assert [m.log_time_ns for m in bag.messages()] == [1, 2]


def test_a_cache_takes_what_a_slow_disk_does_not(tmp_path, monkeypatch):
    go = threading.Event()
    store = McapOutput.store
    monkeypatch.setattr(McapOutput, "store", lambda *a: (go.wait(30), store(*a)))
    with BagWriter(
        tmp_path / "bag", compression="none", chunk_bytes=1000, cache_bytes=100_000
    ) as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        for number in range(90):
            writer.write("/x", bytes(1000), number)
        assert 80_000 < writer.behind_bytes < 100_000
        go.set()
    assert Bag(tmp_path / "bag").count == 90
