import contextlib
import itertools
import struct
from dataclasses import dataclass

import numpy as np
import pytest
from lockstep.bag import BagError
from lockstep.bag.storage.mcap import McapFile
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType, Writer

MESSAGES = [
    (("/a", "/b")[n % 3 == 0], 1000 + n * 10, 1001 + n * 10, b"\0\1\0\0%03d" % n + b"x" * (n % 5))
    for n in range(200)
]


@dataclass
class Held:
    """A file that is held in memory."""

    data: bytes
    name: str = "held.mcap"

    @property
    def size(self):
        return len(self.data)

    def read(self, offset, length):
        self.most = max(getattr(self, "most", 0), length)
        return self.data[offset : offset + length]

    def close(self):
        pass


def written(path, messages=MESSAGES, **options):
    with path.open("wb") as stream:
        writer = Writer(stream, **({"chunk_size": 512} | options))
        writer.start("ros2", "test")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        channels = {}
        for number, (topic, log_ns, publish_ns, data) in enumerate(messages):
            if topic not in channels:
                channels[topic] = writer.register_channel(topic, "cdr", schema)
            writer.add_message(channels[topic], log_ns, data, publish_ns, number)
        writer.finish()
    return path.read_bytes()


def read(file, **selection):
    found = []
    for batch in file.batches(**selection):
        topics = [batch.topics[index] for index in batch.topic]
        found += zip(
            topics, batch.log_time_ns, batch.publish_time_ns, batch.payloads(), strict=True
        )
    return found


CHUNKED = [
    dict(zip(("compression", "index_types", "use_summary_offsets"), values, strict=True))
    for values in itertools.product(
        CompressionType,
        (IndexType.ALL, IndexType.NONE, IndexType.CHUNK, IndexType.MESSAGE),
        (True, False),
    )
]
OTHERS = [
    {"use_chunking": False},
    {"use_statistics": False},
    {"repeat_channels": False},
    {"repeat_schemas": False},
    {"enable_crcs": False},
    {"enable_data_crcs": True},
    {"use_chunking": False, "enable_data_crcs": True},
    {"use_chunking": False, "use_statistics": False, "repeat_channels": False},
    {"chunk_size": 10**6},
]


@pytest.mark.parametrize("options", CHUNKED + OTHERS, ids=str)
def test_every_kind_of_mcap_file_yields_all_messages_in_order(tmp_path, options):
    file = McapFile(Held(written(tmp_path / "x.mcap", **options)))
    assert file.problem is None
    assert read(file) == MESSAGES
    assert {n: t.count for n, t in file.topics.items()} == {"/a": 133, "/b": 67}
    assert (file.start_ns, file.end_ns) == (1000, 2990)
    assert np.concatenate([b.sequence for b in file.batches()]).tolist() == list(range(200))


@pytest.mark.parametrize("options", [{}, *OTHERS], ids=str)
def test_topics_and_times_select_messages(tmp_path, options):
    file = McapFile(Held(written(tmp_path / "x.mcap", **options)))
    assert read(file, topics=["/b"]) == [m for m in MESSAGES if m[0] == "/b"]
    assert read(file, topics=[]) == []
    assert read(file, start_ns=1500, end_ns=1510) == [m for m in MESSAGES if m[1] == 1500]
    assert read(file, topics=["/a"], start_ns=2000) == [
        m for m in MESSAGES if m[0] == "/a" and m[1] >= 2000
    ]


def test_the_index_spares_reading_what_is_not_wanted(tmp_path):
    messages = [("/a" if n < 1000 else "/b", n, n, bytes(1000)) for n in range(2000)]
    data = written(
        tmp_path / "x.mcap", messages, compression=CompressionType.NONE, chunk_size=10_000
    )

    class Counting(Held):
        total = 0

        def read(self, offset, length):
            found = super().read(offset, length)
            self.total += len(found)
            return found

    source = Counting(data)
    assert len(read(McapFile(source), topics=["/b"])) == 1000
    assert source.total < 0.65 * len(data), source.total / len(data)
    source = Counting(data)
    assert len(read(McapFile(source), start_ns=500, end_ns=510)) == 10
    assert source.total < 0.1 * len(data)


@pytest.mark.parametrize(
    "options",
    [
        {"compression": CompressionType.NONE},
        {"compression": CompressionType.ZSTD},
        {"compression": CompressionType.LZ4},
        {"use_chunking": False},
        {"index_types": IndexType.NONE},
    ],
    ids=str,
)
def test_a_file_cut_off_at_any_byte_yields_all_that_is_whole(tmp_path, options):
    data = written(tmp_path / "x.mcap", MESSAGES[:25], chunk_size=300, **options)
    plain = options.get("compression") == CompressionType.NONE or "use_chunking" in options
    for length in range(8, len(data)):
        file = McapFile(Held(data[:length]))
        assert file.problem is not None, length
        got = read(file, strict=False)
        assert got == MESSAGES[: len(got)], length
        assert sum(topic.count for topic in file.topics.values()) == len(got)
        if plain:  # a message is saved as soon as its last byte is there
            there = sum(
                data.find(message[3]) + len(message[3]) <= length for message in MESSAGES[:25]
            )
            assert len(got) == there, length


def test_any_flipped_byte_is_noticed_or_harmless(tmp_path):
    data = written(tmp_path / "x.mcap", MESSAGES[:20], chunk_size=300)
    messages = MESSAGES[:20]
    counts = {"/a": 13, "/b": 7}
    for position, bit in zip(range(len(data)), itertools.cycle((0x01, 0x10, 0x80)), strict=False):
        bad = bytearray(data)
        bad[position] ^= bit
        try:
            file = McapFile(Held(bytes(bad)))
            got = read(file)
        except BagError as error:
            assert "held.mcap" in str(error)
            continue
        # Sequence numbers and the order of a library's own index do not matter to anybody.
        there = {name: topic.count for name, topic in file.topics.items() if topic.count}
        assert got == messages or there != counts or file.problem, (position, bit)


def test_a_damaged_chunk_costs_only_itself_when_not_strict(tmp_path):
    data = bytearray(written(tmp_path / "x.mcap", compression=CompressionType.NONE))
    data[data.find(b"\0\1\0\x00100") + 5] ^= 1
    file = McapFile(Held(bytes(data)))
    with pytest.raises(BagError, match="does not agree with its checksum"):
        read(file)
    got = read(file, strict=False)
    assert set(got) < set(MESSAGES)
    assert len(MESSAGES) - 20 < len(got) < len(MESSAGES)
    assert file.problem is not None and "checksum" in file.problem


def index_at(data):
    return data.index(b"\x07", data.index(b"\x06"))


def test_an_index_that_leaves_messages_out_or_invents_some_is_not_believed(tmp_path):
    path = tmp_path / "x.mcap"
    data = written(path, MESSAGES[:40], chunk_size=10**6, compression=CompressionType.NONE)
    with path.open("rb") as stream:
        chunk = make_reader(stream).get_summary().chunk_indexes[0]
    start = chunk.chunk_start_offset + chunk.chunk_length
    for position in range(start, start + chunk.message_index_length):
        for value in (0, 1, 0xFF):
            bad = bytearray(data)
            bad[position] = value
            assert read(McapFile(Held(bytes(bad)))) == MESSAGES[:40], position


def test_claimed_sizes_are_not_believed(tmp_path):
    data = written(tmp_path / "x.mcap", MESSAGES[:5], compression=CompressionType.ZSTD)
    chunk = data.index(b"\x06", 100)
    for size in (2**29, 2**31, 2**63, 2**64 - 1):
        bad = bytearray(data)
        bad[chunk + 25 : chunk + 33] = struct.pack("<Q", size)
        with pytest.raises(BagError, match="damaged"):
            read(McapFile(Held(bytes(bad))))
    for position in range(len(data) - 8):
        bad = bytearray(data)
        bad[position : position + 8] = b"\xff" * 8
        source = Held(bytes(bad))
        with contextlib.suppress(BagError):
            read(McapFile(source))
        assert getattr(source, "most", 0) <= len(data) + 2**18


def test_an_unknown_compression_is_named(tmp_path):
    data = written(tmp_path / "x.mcap", MESSAGES[:5]).replace(b"\4\0\0\0zstd", b"\4\0\0\0brot")
    with pytest.raises(BagError, match="compression 'brot' is not known"):
        read(McapFile(Held(data)))


def test_a_topic_described_in_two_ways_is_told(tmp_path):
    with (tmp_path / "x.mcap").open("wb") as stream:
        writer = Writer(stream)
        writer.start("ros2", "test")
        for name, text in (("std_msgs/msg/String", b"string data"), ("a/msg/B", b"int32 b")):
            schema = writer.register_schema(name, "ros2msg", text)
            writer.add_message(writer.register_channel("/x", "cdr", schema), 0, b"\0\1\0\0", 0)
        writer.finish()
    file = McapFile(Held((tmp_path / "x.mcap").read_bytes()))
    assert "recorded both as std_msgs/msg/String and as a/msg/B" in file.topics["/x"].clash
    assert len(read(file)) == 2


def test_messages_of_different_lengths_and_channels_in_one_chunk_keep_their_order(tmp_path):
    rng = np.random.default_rng(0)
    messages = [
        (f"/{rng.integers(5)}", int(rng.integers(1000)), n, bytes(rng.integers(0, 40)) + b"%d" % n)
        for n in range(500)
    ]
    data = written(tmp_path / "x.mcap", messages, chunk_size=4000)
    assert read(McapFile(Held(data))) == messages
