"""Whatever was done to a bag: all of its messages, or a sentence that names the file.
Never a crash, never silence.
"""

import functools
import itertools
import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import zlib
from collections import Counter

import lz4.frame
import pytest
import yaml
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.output import record
from lockstep.bag.source import open_source
from lockstep.bag.survey import survey
from made_bags import string_cdr, write_db3_strings, write_rosbag1_strings
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    MessageIndex,
    Schema,
    Statistics,
)
from mcap.records import Message as Recorded
from mcap.writer import CompressionType, IndexType, Writer
from rosbags.rosbag1 import Writer as Rosbag1Writer
from rosbags.typesys import Stores, get_typestore

STRING = "std_msgs/msg/String"
MAGIC = b"\x89MCAP0\r\n"


def text(number):
    return b"%03d" % number + b"x" * (number % 7)


MESSAGES = [(("/a", "/b")[n % 3 == 0], 1000 + n, text(n)) for n in range(15)]


def write_mcap(path, **options):
    with path.open("wb") as stream:
        writer = Writer(stream, **({"chunk_size": 200} | options))
        writer.start("ros2", "test")
        schema = writer.register_schema(STRING, "ros2msg", b"string data")
        channels = {name: writer.register_channel(name, "cdr", schema) for name in ("/a", "/b")}
        for topic, time_ns, data in MESSAGES:
            writer.add_message(channels[topic], time_ns, string_cdr(data), time_ns)
        writer.finish()


def write_db3(path):
    write_db3_strings(path, [(topic, time, string_cdr(data)) for topic, time, data in MESSAGES])


def write_bag(path, compression=None):
    write_rosbag1_strings(path, MESSAGES, compression, chunk_bytes=200)


NO_SUMMARY = {
    "index_types": IndexType.NONE,
    "use_statistics": False,
    "repeat_channels": False,
    "repeat_schemas": False,
    "use_summary_offsets": False,
}
PLAIN = {"compression": CompressionType.NONE, "enable_crcs": False}
KINDS = {
    "zstd.mcap": write_mcap,
    "lz4.mcap": lambda path: write_mcap(path, compression=CompressionType.LZ4),
    "no_summary.mcap": lambda path: write_mcap(path, **NO_SUMMARY),
    "no_checksums.mcap": lambda path: write_mcap(path, **PLAIN),
    "unchunked.mcap": lambda path: write_mcap(path, use_chunking=False),
    "x.db3": write_db3,
    "x.bag": write_bag,
    "lz4.bag": lambda path: write_bag(path, Rosbag1Writer.CompressionFormat.LZ4),
}
CHECKED = ("zstd.mcap", "lz4.mcap", "no_summary.mcap")
"""Kinds with checksums over all messages."""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small bag of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("small")
    for name, write in KINDS.items():
        write(folder / name)
    return {name: (folder / name).read_bytes() for name in KINDS}


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """What Bag yields of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    found = {}
    for name, data in small.items():
        (folder / name).write_bytes(data)
        found[name] = read(folder / name)
        assert found[name][1] is None
        assert [(m.topic, m.log_time_ns, m.data) for m in found[name][0]] == [
            (topic, time_ns, string_cdr(data)) for topic, time_ns, data in MESSAGES
        ]
    return {name: messages for name, (messages, _) in found.items()}


def read(path):
    """All messages before the first damage, and the sentence that tells what is wrong."""
    got = []
    try:
        with Bag(path) as bag:
            got.extend(bag.messages())
            return got, bag.problem
    except BagError as error:
        return got, str(error)


def judge(path):
    """Read a bag in every way; gives what `read` gives, once it is sure that the rule is kept."""
    got, told = read(path)
    if told is not None:
        assert path.name in told
        assert "\n" not in told
    try:
        bag = Bag(path)
    except BagError:
        assert got == []
        return got, told
    with bag:
        list(bag.messages(strict=False))
        saved = list(bag.messages(strict=False))
        assert Counter(got) <= Counter(saved)
        counts = Counter(message.topic for message in saved)
        counted = {topic.name: topic.count for topic in bag.topics.values() if topic.count}
        assert counts == counted or bag.problem
        assert survey(bag).topics.keys() == bag.topics.keys()
        for topic in bag.topics:
            try:
                columns = bag.columns(topic, ["data"], strict=False)
                assert len(columns["data"]) == counts[topic] or not bag.topics[topic].count
            except BagError as error:
                assert "\n" not in str(error)
    return got, told


# cut off


@pytest.mark.parametrize("kind", ["zstd.mcap", "no_summary.mcap", "unchunked.mcap", "lz4.bag"])
def test_a_bag_cut_off_at_any_byte_yields_a_prefix_and_says_so(small, whole, tmp_path, kind):
    path = tmp_path / kind
    most = 0
    padding = range(100, 4090) if kind.endswith(".bag") else ()
    for length in [n for n in range(len(small[kind])) if n not in padding]:
        path.write_bytes(small[kind][:length])
        got, told = read(path)
        assert told is not None and kind in told, length
        assert got == whole[kind][: len(got)], length
        assert len(got) >= most, length
        most = len(got)
    assert most >= len(MESSAGES) - 1


def test_a_database_cut_off_anywhere_yields_messages_that_were_in_it_and_says_so(
    small, whole, tmp_path
):
    data, path = small["x.db3"], tmp_path / "x.db3"
    ends = {*range(0, 100, 9), *range(0, len(data), 512)}
    for length in sorted(ends | {end + 1 for end in ends} | {len(data) - 1}):
        path.write_bytes(data[:length])
        got, told = judge(path)
        assert told is not None and "x.db3" in told, length
        assert set(got) <= set(whole["x.db3"]), length


# changed bytes


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "x.db3"])
def test_a_flipped_byte_is_told_wherever_checksums_are_and_never_loses_a_message_silently(
    small, whole, tmp_path, kind
):
    path, rng = tmp_path / kind, random.Random(0)
    step = 1 if kind in ("zstd.mcap", "no_summary.mcap") else 3
    for position in range(0, len(small[kind]), step):
        bad = bytearray(small[kind])
        bad[position] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        got, told = read(path)
        assert told or len(got) == len(MESSAGES), position
        if kind in CHECKED:
            assert told or got == whole[kind], position


def test_nonsense_over_any_part_of_a_bag_without_summary_are_told(small, whole, tmp_path):
    path, data = tmp_path / "x.mcap", small["no_summary.mcap"]
    for start, length in itertools.product(range(8, len(data), 5), (1, 4, 30)):
        for value in (b"\0", b"\x7f"):
            bad = data[:start] + value * length + data[start + length :]
            path.write_bytes(bad[: len(data)])
            got, told = read(path)
            assert told or got == whole["no_summary.mcap"], (start, length)


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_is_told_or_loses_nothing(small, whole, tmp_path, kind):
    data = small[kind]
    place = st.integers(0, len(data) - 1)
    piece = st.builds(lambda start, size: data[start : start + size], place, st.integers(1, 64))
    noise = st.binary(min_size=1, max_size=16)
    change = st.tuples(place, st.integers(0, 64), piece | noise | st.just(b""))

    @settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(change, min_size=1, max_size=4))
    def check(changes):
        bad = data
        for start, removed, inserted in changes:
            bad = bad[:start] + inserted + bad[start + removed :]
        path = tmp_path / kind
        path.write_bytes(bad)
        got, told = judge(path)
        if kind in CHECKED:
            assert told or got == whole[kind]

    check()


# sizes that cannot be


def bomb_mcap(path, compression, stored, size):
    """A bag of one chunk, as small as its bomb."""
    chunk = Chunk(
        compression=compression,
        data=stored,
        message_end_time=1,
        message_start_time=0,
        uncompressed_crc=0,
        uncompressed_size=size,
    )
    path.write_bytes(MAGIC + record(Header("ros2", "x")) + record(chunk))


@functools.cache
def zeros(size, announce=True):
    """Zeros as zstd has them, some thousand times smaller."""
    compressor = zstandard.ZstdCompressor(
        write_content_size=announce, compression_params=None, level=1
    ).compressobj(size=size if announce else -1)
    block = bytes(1 << 24)
    parts = [
        compressor.compress(block[: min(len(block), size - start)])
        for start in range(0, size, len(block))
    ]
    return b"".join(parts) + compressor.flush()


def claimed(data, at, width, value):
    return data[:at] + value.to_bytes(width, "little") + data[at + width :]


@pytest.fixture
def liars(small, tmp_path):
    """Small files that claim to hold, or do hold, gigabytes."""
    folder = tmp_path / "liars"
    folder.mkdir()
    bomb_mcap(folder / "true_bomb.mcap", "zstd", zeros(1 << 30), 1 << 30)
    bomb_mcap(folder / "bomb_of_no_size.mcap", "zstd", zeros(1 << 30, announce=False), 100)
    bomb_mcap(folder / "larger_bomb.mcap", "zstd", zeros(1 << 30, announce=False), 1 << 30)
    bomb_mcap(folder / "lz4_bomb.mcap", "lz4", lz4.frame.compress(bytes(1 << 28)), 100)
    bomb_mcap(folder / "cut_bomb.mcap", "zstd", zeros(1 << 30, announce=False), 1 << 30)
    cut = (folder / "cut_bomb.mcap").read_bytes()
    (folder / "cut_bomb.mcap").write_bytes(cut[:-10])
    chunk = small["zstd.mcap"].index(b"\x06", 30)
    for value in (2**31, 2**40, 2**63, 2**64 - 1):
        for name, at in (("record", 1), ("chunk", 9 + 16), ("stored", 9 + 32 + 4)):
            data = claimed(small["zstd.mcap"], chunk + at, 8, value)
            (folder / f"{name}_{value}.mcap").write_bytes(data)
    plain = small["unchunked.mcap"]
    for value in (2**31 - 1, 2**32 - 1):
        for name, word in (("type", STRING.encode()), ("definition", b"string data")):
            data = claimed(plain, plain.index(word) - 4, 4, value)
            (folder / f"{name}_{value}.mcap").write_bytes(data)
        data = claimed(small["x.bag"], small["x.bag"].index(b"size=") + 5, 4, value)
        (folder / f"chunk_{value}.bag").write_bytes(data)
        data = claimed(small["x.bag"], small["x.bag"].index(b"conn_count=") + 11, 4, value)
        (folder / f"connections_{value}.bag").write_bytes(data)
    many = mcap_bag(CHANNELS, [], statistics={1: 2**60})
    (folder / "statistics.mcap").write_bytes(many)
    last = len(small["x.bag"]) - 4  # the count of a connection in the last chunk
    (folder / "counts.bag").write_bytes(claimed(small["x.bag"], last, 4, 2**32 - 1))
    write_db3(folder / "message_bomb.db3")
    with sqlite3.connect(folder / "message_bomb.db3") as database:
        database.execute("UPDATE messages SET data = ? WHERE id = 10", (zeros(1 << 30)[:-10],))
    return folder


READ_WITH_LITTLE = """
import contextlib, json, resource, sys
from lockstep.bag import Bag, BagError
resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))
told = {}
for path in sys.argv[1:]:
    try:
        with Bag(path) as bag:
            for topic in bag.topics:
                with contextlib.suppress(BagError):
                    bag.columns(topic, ["data"])
            sum(1 for _ in bag.messages(strict=False))
            told[path] = bag.problem
    except BagError as error:
        told[path] = str(error)
print(json.dumps(told))
"""


def test_small_files_that_claim_or_hold_gigabytes_are_told_within_little_memory(liars):
    files = sorted(str(path) for path in liars.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", READ_WITH_LITTLE, *files],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    for path, told in json.loads(done.stdout).items():
        assert told is not None, path
        assert os.path.basename(path) in told
        assert "\n" not in told


def test_of_a_compressed_file_that_is_no_bag_only_the_beginning_is_unpacked(tmp_path):
    for name, data in (
        ("x.mcap.zstd", zeros(1 << 32)),
        ("x.mcap.lz4", lz4.frame.compress(bytes(1 << 26))),
    ):
        (tmp_path / name).write_bytes(data)
        assert open_source(tmp_path / name).size <= 1 << 20
        with pytest.raises(BagError, match=f"{name} is not a bag"):
            Bag(tmp_path / name)


def test_a_tail_of_zeros_as_a_crashed_machine_leaves_it_is_passed_over_at_once(
    small, whole, tmp_path
):
    data = small["no_summary.mcap"]
    path = tmp_path / "x.mcap"
    with path.open("wb") as stream:
        stream.write(data[: data.rindex(b"\x0f" + struct.pack("<Q", 4))])
        stream.truncate(1 << 33)
    got, told = read(path)
    assert "no record at byte" in told
    assert got == whole["no_summary.mcap"]
    with Bag(path) as bag:
        assert list(bag.messages(strict=False)) == whole["no_summary.mcap"]


# MCAP files that contradict themselves


CHANNELS = [
    Schema(id=1, name=STRING, encoding="ros2msg", data=b"string data"),
    Channel(id=1, topic="/a", message_encoding="cdr", schema_id=1, metadata={}),
]


def message(channel, time_ns, data=b"hello", publish_ns=None):
    publish_ns = time_ns if publish_ns is None else publish_ns
    return Recorded(
        channel_id=channel,
        log_time=time_ns,
        publish_time=publish_ns,
        sequence=0,
        data=string_cdr(data),
    )


def chunk_of(records):
    data = b"".join(map(record, records))
    times = [item.log_time for item in records if isinstance(item, Recorded)]
    return Chunk(
        compression="",
        data=data,
        message_start_time=min(times, default=0),
        message_end_time=max(times, default=0),
        uncompressed_crc=zlib.crc32(data),
        uncompressed_size=len(data),
    )


def mcap_bag(described, chunks, statistics=None, span=None, summary=None, indexes=None):
    """An MCAP file of chunks (lists of records); what its end says of it can be anything."""
    data = MAGIC + record(Header("ros2", "x"))
    rows, times, counts = [], [], Counter()
    for records in chunks:
        chunk, start = chunk_of(records), len(data)
        stored = record(chunk)
        channels = {item.channel_id for item in records if isinstance(item, Recorded)}
        rows.append(
            ChunkIndex(
                chunk_length=len(stored),
                chunk_start_offset=start,
                compression="",
                compressed_size=len(chunk.data),
                message_end_time=chunk.message_end_time,
                message_index_length=0,
                message_index_offsets=dict.fromkeys(channels, 0),
                message_start_time=chunk.message_start_time,
                uncompressed_size=len(chunk.data),
            )
        )
        times += [item.log_time for item in records if isinstance(item, Recorded)]
        counts.update(item.channel_id for item in records if isinstance(item, Recorded))
        data += stored
    data += record(DataEnd(0))
    start = len(data)
    statistics = counts if statistics is None else statistics
    first, last = span or (min(times, default=0), max(times, default=0))
    count = Statistics(
        attachment_count=0,
        channel_count=1,
        channel_message_counts=dict(statistics),
        chunk_count=len(chunks),
        message_count=sum(statistics.values()),
        message_start_time=first,
        message_end_time=last,
        metadata_count=0,
        schema_count=1,
    )
    for item in (*(described if summary is None else summary), *(indexes or rows), count):
        data += record(item)
    return data + record(Footer(start, 0, 0)) + MAGIC


def opened(path, data):
    path.write_bytes(data)
    return path


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
