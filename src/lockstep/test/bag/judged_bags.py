"""Small bags of every kind, MCAP files that say anything, and how what is read is judged."""

import zlib
from collections import Counter

from lockstep.bag import Bag, BagError
from lockstep.bag.output import record
from lockstep.bag.survey import survey
from made_bags import string_cdr, write_db3_strings, write_rosbag1_strings
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    Schema,
    Statistics,
)
from mcap.records import Message as Recorded
from mcap.writer import CompressionType, IndexType, Writer
from rosbags.rosbag1 import Writer as Rosbag1Writer

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
