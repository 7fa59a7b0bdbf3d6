"""Whatever a bag says of itself: all of its messages, or a sentence that names the file."""

import itertools
import shutil
import sqlite3

import pytest
import yaml
from judged_bags import (
    CHANNELS,
    MAGIC,
    MESSAGES,
    STRING,
    chunk_of,
    judge,
    mcap_bag,
    message,
    opened,
    read,
    write_db3,
)
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.output import record
from made_bags import string_cdr
from mcap.records import (
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    MessageIndex,
    Schema,
)
from rosbags.rosbag1 import Writer as Rosbag1Writer
from rosbags.typesys import Stores, get_typestore

# MCAP files that contradict themselves


def test_statistics_that_count_too_many_or_too_few_are_told(tmp_path):
    chunks = [[*CHANNELS, message(1, 5), message(1, 6)]]
    for counts in ({1: 1}, {1: 3}, {}):
        got, told = judge(opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks, counts)))
        assert len(got) == 2
        assert f"/a has 2 messages where its index counts {counts.get(1, 0)}" in told


def test_statistics_that_lie_about_times_lose_nothing(tmp_path):
    chunks = [[*CHANNELS, message(1, 5)], [message(1, 6)]]
    for span in ((0, 0), (7, 3), (2**64 - 1, 2**64 - 1)):
        path = opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks, span=span))
        got, told = judge(path)
        assert ([m.log_time_ns for m in got], told) == ([5, 6], None)
        assert len(list(Bag(path).messages(start_ns=6))) == 1


def test_a_topic_that_the_summary_leaves_out_is_told_and_its_messages_are_there(tmp_path):
    other = Channel(id=2, topic="/b", message_encoding="cdr", schema_id=1, metadata={})
    data = mcap_bag(CHANNELS, [[*CHANNELS, other, message(1, 5), message(2, 6)]], statistics={1: 1})
    data = data.replace(b"\2\0\0\0\0\0\0\0\0\0", b"\1\0\0\0\0\0\0\0\0\0")
    got, told = judge(opened(tmp_path / "x.mcap", data))
    assert [m.topic for m in got] == ["/a", "/b"]
    assert "/b has 1 messages where its index counts 0" in told


def test_overlapping_and_repeated_chunks_in_the_index_are_not_believed(tmp_path):
    chunks = [[*CHANNELS, message(1, 5)], [message(1, 6)]]
    whole_bag = mcap_bag(CHANNELS, chunks)
    start = whole_bag.index(b"\x06", 20)
    lengths = [len(record(chunk_of(records))) for records in chunks]

    def row(offset, length):
        return ChunkIndex(
            chunk_length=length,
            chunk_start_offset=offset,
            compression="",
            compressed_size=0,
            message_end_time=9,
            message_index_length=0,
            message_index_offsets={},
            message_start_time=0,
            uncompressed_size=0,
        )

    for rows in (
        [row(start, lengths[0]), row(start, lengths[0])],
        [row(start, sum(lengths)), row(start + lengths[0], lengths[1])],
        [row(start + 3, lengths[0])],
        [row(2**63, lengths[0])],
        [row(start, 2**63)],
    ):
        data = mcap_bag(CHANNELS, chunks, indexes=rows)
        got, told = judge(opened(tmp_path / "x.mcap", data))
        assert told or [m.log_time_ns for m in got] == [5, 6]
        with Bag(tmp_path / "x.mcap") as bag:
            assert len(list(bag.messages(strict=False))) == 2 or bag.problem


def test_a_message_index_that_points_nowhere_or_at_other_records_is_not_believed(tmp_path):
    records = [*CHANNELS, message(1, 5), message(1, 6)]
    starts = [sum(len(record(r)) for r in records[:n]) for n in range(len(records))]
    for offsets in ([0, 1], [starts[2]], [2**63, starts[3]], [starts[0], starts[1]], [10**6]):
        index = record(MessageIndex(channel_id=1, records=[(5, offset) for offset in offsets]))
        stored = record(chunk_of(records)) + index
        data = MAGIC + record(Header("ros2", "x")) + stored + record(DataEnd(0))
        got, told = read(opened(tmp_path / "x.mcap", data + record(Footer(0, 0, 0)) + MAGIC))
        assert ([m.log_time_ns for m in got], told) == ([5, 6], None)


def test_a_channel_number_that_is_used_twice_is_told(tmp_path):
    again = Channel(id=1, topic="/b", message_encoding="cdr", schema_id=1, metadata={})
    chunks = [[*CHANNELS, message(1, 5)], [again, message(1, 6)], [message(1, 7)]]
    for summary in ([*CHANNELS], [CHANNELS[0], again], [*CHANNELS, again]):
        path = opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks, summary=summary))
        _, told = judge(path)
        assert "channel 1 is defined in two ways" in told
        saved = [m.log_time_ns for m in Bag(path).messages(strict=False)]
        assert saved == ([6, 7] if summary == [CHANNELS[0], again] else [5, 7])


def test_a_schema_number_that_is_used_twice_is_told(tmp_path):
    again = Schema(id=1, name="a/msg/B", encoding="ros2msg", data=b"int32 b")
    other = Channel(id=2, topic="/b", message_encoding="cdr", schema_id=1, metadata={})
    chunks = [[*CHANNELS, message(1, 5)], [again, other, message(2, 6)]]
    _, told = judge(opened(tmp_path / "x.mcap", mcap_bag([*CHANNELS, other], chunks)))
    assert "schema 1 is defined in two ways" in told


@pytest.mark.parametrize("schema_id", [0, 7])
def test_messages_without_a_schema_are_there_and_cannot_be_decoded_in_a_sentence(
    tmp_path, schema_id
):
    bare = Channel(id=1, topic="/a", message_encoding="cdr", schema_id=schema_id, metadata={})
    path = opened(tmp_path / "x.mcap", mcap_bag([bare], [[bare, message(1, 5)]]))
    got, told = judge(path)
    assert (len(got), told) == (1, None)
    with pytest.raises(BagError, match="/a cannot be decoded"):
        Bag(path).codec("/a")


def test_the_summary_may_list_channels_before_schemas(tmp_path):
    chunks = [[*CHANNELS, message(1, 5)]]
    path = opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks, summary=CHANNELS[::-1]))
    assert judge(path)[1] is None
    assert Bag(path).topic("/a").type == STRING


def test_a_message_of_no_channel_costs_only_itself(tmp_path):
    chunks = [[*CHANNELS, message(1, 5), message(9, 6), message(1, 7)]]
    path = opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks, statistics={1: 3}))
    got, told = judge(path)
    assert [m.log_time_ns for m in got] == [5]
    assert "a message has no channel (number 9)" in told
    assert [m.log_time_ns for m in Bag(path).messages(strict=False)] == [5, 7]


def test_times_from_1970_to_2262_are_read_and_later_ones_told(tmp_path):
    times = [0, 1, 2**63 - 1]
    chunks = [[*CHANNELS, *(message(1, time_ns) for time_ns in times)]]
    path = opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks))
    got, told = judge(path)
    assert ([m.log_time_ns for m in got], told) == (times, None)
    with Bag(path) as bag:
        assert (bag.start_ns, bag.end_ns) == (0, 2**63 - 1)
        assert [m.log_time_ns for m in bag.messages(start_ns=2)] == [2**63 - 1]
        assert [m.log_time_ns for m in bag.messages(end_ns=2**64)] == times
    for late in (message(1, 2**63), message(1, 2**64 - 1), message(1, 3, publish_ns=2**63)):
        chunks = [[*CHANNELS, message(1, 2), late, message(1, 4)]]
        path = opened(tmp_path / "x.mcap", mcap_bag(CHANNELS, chunks))
        got, told = judge(path)
        assert [m.log_time_ns for m in got] == [2]
        assert "a time beyond the year 2262" in told
        assert [m.log_time_ns for m in Bag(path).messages(strict=False)] == [2, 4]


def test_extreme_times_of_the_other_storages_are_read(tmp_path):
    write_db3(tmp_path / "x.db3")
    with sqlite3.connect(tmp_path / "x.db3") as database:
        database.execute("UPDATE messages SET timestamp = 0 WHERE id = 1")
        database.execute("UPDATE messages SET timestamp = ? WHERE id = 2", (2**63 - 1,))
    got, told = judge(tmp_path / "x.db3")
    assert ([m.log_time_ns for m in got[:2]], told) == ([0, 2**63 - 1], None)
    store = get_typestore(Stores.ROS1_NOETIC)
    last = (2**32 - 1) * 10**9 + 999_999_999
    with Rosbag1Writer(tmp_path / "x.bag") as writer:
        connection = writer.add_connection("/a", STRING, typestore=store)
        for time_ns in (0, last):
            writer.write(connection, time_ns, b"\1\0\0\0x")
    got, told = judge(tmp_path / "x.bag")
    assert ([m.log_time_ns for m in got], told) == ([0, last], None)


# odd but whole


def test_messages_of_no_bytes_are_messages(tmp_path):
    with BagWriter(tmp_path / "mcap") as writer:
        writer.add_topic("/a", STRING, "string data")
        for time_ns in (1, 1, 2):
            writer.write("/a", b"", time_ns)
    write_db3(tmp_path / "x.db3")
    with sqlite3.connect(tmp_path / "x.db3") as database:
        database.execute("UPDATE messages SET data = x''")
    for path, count in ((tmp_path / "mcap", 3), (tmp_path / "x.db3", len(MESSAGES))):
        with Bag(path) as bag:
            assert [m.data for m in bag.messages()] == [b""] * count
            with pytest.raises(BagError, match="message 0 of /a begins with nothing"):
                bag.columns("/a", ["data"])


def test_times_that_repeat_or_run_backwards_across_chunks_select_the_same_messages(tmp_path):
    times = [5, 9, 9, 3, 3, 0, 12, 3]
    with BagWriter(tmp_path / "bag", chunk_bytes=1) as writer:
        writer.add_topic("/a", STRING, "string data")
        for time_ns in times:
            writer.write("/a", string_cdr(b"x"), time_ns)
    with Bag(tmp_path / "bag") as bag:
        assert (bag.start_ns, bag.end_ns) == (0, 12)
        assert [m.log_time_ns for m in bag.messages()] == times
        for start, end in itertools.combinations(range(14), 2):
            chosen = [m.log_time_ns for m in bag.messages(start_ns=start, end_ns=end)]
            assert chosen == [time_ns for time_ns in times if start <= time_ns < end]


def test_foreign_files_in_a_folder_are_no_part_of_the_bag(tmp_path):
    folder = tmp_path / "bag"
    with BagWriter(folder) as writer:
        writer.add_topic("/a", STRING, "string data")
        writer.write("/a", string_cdr(b"x"), 1)
    (folder / "metadata.yaml").unlink()
    for name in ("README", "notes.txt", "bag_1.mcap.tmp", "._bag_0.mcap", ".hidden.db3", "x.yaml"):
        (folder / name).write_text("foreign")
    (folder / "sub.mcap").mkdir()
    (folder / "more").mkdir()
    shutil.copy(folder / "bag_0.mcap", folder / "more/bag_0.mcap")
    with Bag(folder) as bag:
        assert (bag.count, bag.problem) == (1, None)


@pytest.mark.parametrize(
    "content", [MAGIC, MAGIC + record(Header("", ""))], ids=["magic", "header"]
)
def test_a_file_with_nothing_but_its_beginning_is_cut_off(tmp_path, content):
    got, told = judge(opened(tmp_path / "x.mcap", content))
    assert got == []
    assert "x.mcap is cut off" in told


def test_one_topic_of_two_types_in_two_files_is_told_by_whoever_decodes_it(tmp_path):
    for number, (name, text_) in enumerate(((STRING, "string data"), ("a/msg/B", "int32 b"))):
        with BagWriter(tmp_path / f"x_{number}.mcap") as writer:
            writer.add_topic("/a", name, text_)
            writer.write("/a", string_cdr(b"x"), number)
    with Bag(tmp_path) as bag:
        assert len(list(bag.messages())) == 2
        with pytest.raises(BagError, match="/a is recorded both as std_msgs/msg/String and as a"):
            bag.codec("/a")


# metadata.yaml


def folder_with(tmp_path, change):
    """A bag of three messages whose metadata.yaml was changed."""
    folder = tmp_path / "bag"
    with BagWriter(folder) as writer:
        writer.add_topic("/a", STRING, "string data")
        for time_ns in range(3):
            writer.write("/a", string_cdr(b"x"), time_ns)
    path = folder / "metadata.yaml"
    data = yaml.safe_load(path.read_text())
    change(data["rosbag2_bagfile_information"])
    path.write_text(yaml.safe_dump(data))
    return folder


@pytest.mark.parametrize("count", [0, 2, 4, -1, 2**70])
def test_metadata_that_counts_other_messages_is_told(tmp_path, count):
    def change(information):
        information["topics_with_message_count"][0]["message_count"] = count

    got, told = read(folder_with(tmp_path, change))
    assert len(got) == 3
    assert f"metadata.yaml counts {count} messages of /a, its files hold 3" in told


def test_metadata_that_knows_more_topics_is_told(tmp_path):
    def change(information):
        rows = information["topics_with_message_count"]
        rows.append({"topic_metadata": {"name": "/gone"}, "message_count": 2})

    _, told = read(folder_with(tmp_path, change))
    assert "metadata.yaml counts 2 messages of /gone, its files hold 0" in told


@pytest.mark.parametrize("rows", [None, []])
def test_metadata_that_knows_fewer_topics_loses_none(tmp_path, rows):
    def change(information):
        information["topics_with_message_count"] = rows
        information["message_count"] = 0
        information["duration"] = "forever"

    got, told = read(folder_with(tmp_path, change))
    assert (len(got), told) == (3, None)


@pytest.mark.parametrize(
    ("name", "count"), [("/a", 1.5), ("/a", float("inf")), ("/a", "3"), (["/a"], 3), ({}, 3)]
)
def test_metadata_whose_rows_are_none_is_refused(tmp_path, name, count):
    def change(information):
        information["topics_with_message_count"] = [
            {"topic_metadata": {"name": name}, "message_count": count}
        ]

    folder = folder_with(tmp_path, change)
    for path in (folder, f"{tmp_path}/*"):
        with pytest.raises(BagError, match=r"metadata\.yaml is not rosbag2 metadata"):
            Bag(path)


@pytest.mark.parametrize("link", ["[*{0}, *{0}, *{0}, *{0}]", "{{<<: [*{0}, *{0}, *{0}, *{0}]}}"])
def test_metadata_whose_aliases_multiply_is_refused_at_once(tmp_path, link):
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{n}: &a{n} {link.format(f'a{n - 1}')}" for n in range(1, 40)]
    folder = folder_with(tmp_path, lambda information: None)
    (folder / "metadata.yaml").write_text("\n".join(lines))
    with pytest.raises(BagError, match=r"metadata\.yaml is not rosbag2 metadata"):
        Bag(folder)
