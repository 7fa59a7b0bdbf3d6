"""Bags that tests make of dicts, texts and real bags, and what is read back of them."""

from __future__ import annotations

import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lockstep.bag import Bag, BagWriter
from lockstep.bag.enclosed import enclosed
from lockstep.bag.mcap_format import HEAD
from lockstep.bag.metadata import Origin
from lockstep.bag.output import record
from lockstep.cdr.codec import codec
from mcap.opcode import Opcode
from mcap.records import Attachment, Metadata
from rosbags.rosbag1 import Writer as Rosbag1Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

STRING, STRING_DEFINITION = "std_msgs/msg/String", "string data"
ROS1_HEADER = "uint32 seq\ntime stamp\nstring frame_id\n"
# Recordings in bags/, of different sizes and kinds of messages.
REAL_BAGS = (
    "gazebo_diff_drive",
    "husky_gps_imu_odom",
    "office_scan_odom_tf",
    "sick_scan_cloud_radar",
    "spot_raw_stills",
)
# Every kind of field; `plain_mixed` is a message of it.
MIXED = f"""\
float64 x
float32 small
int64 count
uint8 level
bool on
string name
float64[] ranges
float32[2] pair
int32[<=3] few
string[] words
pkg/Point[] points
geometry_msgs/Quaternion orientation
builtin_interfaces/Time stamp
builtin_interfaces/Duration age
{"=" * 80}
MSG: pkg/Point
float64 x
float64[] inner
{"=" * 80}
MSG: geometry_msgs/Quaternion
float64 x
float64 y
float64 z
float64 w
{"=" * 80}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
{"=" * 80}
MSG: builtin_interfaces/Duration
int32 sec
uint32 nanosec
"""
KILLED = """
import itertools, os, signal, sys, time
from lockstep.bag import BagWriter
import lockstep.bag.writer
lockstep.bag.writer.FLUSH_S = 0.1
writer = BagWriter(sys.argv[1])
writer.add_topic("/a", "std_msgs/msg/String", "string data")
start = time.monotonic()
for number in itertools.count():
    writer.write("/a", b"\\0\\1\\0\\0\\6\\0\\0\\0%05d\\0" % number, number)
    time.sleep(1e-4)
    if number > 500 and time.monotonic() - start > 0.25:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def string_cdr(text: bytes) -> bytes:
    """A std_msgs/msg/String as CDR."""
    return b"\0\1\0\0" + struct.pack("<I", len(text) + 1) + text + b"\0"


def plain_mixed(**changed: Any) -> dict[str, Any]:
    """A message of type MIXED, whose fields are 0 or empty but for those given."""
    return {
        "x": 0.0, "small": 0.0, "count": 0, "level": 0, "on": False, "name": "", "ranges": [],
        "pair": [0, 0], "few": [], "words": [], "points": [],
        "orientation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0},
        "stamp": {"sec": 0, "nanosec": 0}, "age": {"sec": 0, "nanosec": 0},
        **changed,
    }  # fmt: skip


def write_annotated(folder: Path) -> Path:
    """A bag of w0, w1, w2 on /a at 0, 1 and 2 s that holds more: an attachment, a metadata record,
    custom data and another distribution.
    """
    with BagWriter(folder) as writer:
        writer.add_topic("/a", STRING, STRING_DEFINITION)
        for number in range(3):
            writer.write("/a", string_cdr(b"w%d" % number), number * 10**9)
        for opcode, kept in (
            (Opcode.ATTACHMENT, Attachment(7, 8, "calib.yaml", "text/yaml", b"fx: 500\n")),
            (Opcode.METADATA, Metadata("episode", {"task": "pick"})),
        ):
            writer.enclose(enclosed(opcode, record(kept)[HEAD.size :]))
        writer.describe(Origin({"vehicle": "truck 7"}, "rolling"))
    return folder


def write_payloads(
    path: Path,
    type_name: str,
    definition: str,
    payloads: Iterable[tuple[int, bytes]],
    *,
    topic: str = "/x",
    **options: Any,
) -> Path:
    """A bag of one topic: (time in ns, CDR) of each message; gives its path."""
    with BagWriter(path, **options) as writer:
        writer.add_topic(topic, type_name, definition)
        for time_ns, payload in payloads:
            writer.write(topic, payload, time_ns)
    return path


def write_messages(
    path: Path,
    type_name: str,
    definition: str,
    messages: Iterable[Any],
    *,
    topic: str = "/x",
    period_ns: int = 1_000_000,
    **options: Any,
) -> Path:
    """A bag of one topic: messages of a type, `period_ns` apart from 0 on; gives its path."""
    encode = codec(type_name, definition).encode
    payloads = ((tick * period_ns, encode(message)) for tick, message in enumerate(messages))
    return write_payloads(path, type_name, definition, payloads, topic=topic, **options)


def write_changed(
    path: Path,
    bag: Bag,
    topic: str,
    change: Callable[[int, Any], object],
    *,
    later_ns: int = 0,
    end_ns: int | None = None,
) -> Path:
    """A bag of one topic of another, each of whose messages `change(tick, message)` may change."""
    about, kind = bag.topics[topic], bag.codec(topic)
    with BagWriter(path) as writer:
        writer.add_topic(topic, about.type, about.definition, about.type_hash)
        for tick, message in enumerate(bag.messages([topic], end_ns=end_ns)):
            value = kind.decode(message.data)
            change(tick, value)
            writer.write(topic, kind.encode(value), message.log_time_ns + later_ns)
    return path


def write_rosbag1(path: Path, bag: Bag, compression: Any = None) -> Path:
    """A real bag as rosbags writes it for ROS 1."""
    types: dict[str, Any] = {}
    for topic in bag.topics.values():
        types |= get_types_from_msg(topic.definition, topic.type)
    header = get_types_from_msg(ROS1_HEADER, "std_msgs/msg/Header")
    ros1, ros2 = get_typestore(Stores.EMPTY), get_typestore(Stores.EMPTY)
    ros1.register(types | header)
    ros2.register(types)
    writer = Rosbag1Writer(path)
    if compression:
        writer.set_compression(compression)
    with writer:
        connections = {
            topic.name: writer.add_connection(
                topic.name, topic.type, typestore=ros1, latching=int(topic.name == "/tf_static")
            )
            for topic in bag.topics.values()
        }
        for message in bag.messages():
            raw = ros2.cdr_to_ros1(message.data, bag.topics[message.topic].type)
            writer.write(connections[message.topic], message.log_time_ns, raw)
    return path


def write_rosbag1_strings(
    path: Path,
    messages: Iterable[tuple[str, int, bytes]],
    compression: Any = None,
    chunk_bytes: int = 300,
    definition: str = STRING_DEFINITION,
) -> Path:
    """A bag of ROS 1 of strings (topic, time, text) on /a and /b."""
    store = get_typestore(Stores.ROS1_NOETIC)
    writer = Rosbag1Writer(path)
    writer.chunk_threshold = chunk_bytes
    if compression:
        writer.set_compression(compression)
    with writer:
        connections = {
            name: writer.add_connection(
                name, STRING, msgdef=definition, md5sum="*", typestore=store
            )
            for name in ("/a", "/b")
        }
        for topic, time_ns, text in messages:
            writer.write(connections[topic], time_ns, struct.pack("<I", len(text)) + text)
    return path


def write_db3_strings(path: Path, messages: Iterable[tuple[str, int, bytes]]) -> Path:
    """A SQLite file of strings (topic, time, CDR), on the topics that they name."""
    rows = list(messages)
    topics = sorted({topic for topic, _, _ in rows})
    database = sqlite3.connect(path)
    database.executescript(
        """PRAGMA page_size = 512;
        CREATE TABLE topics(
          id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT);
        CREATE TABLE messages(
          id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);"""
    )
    database.executemany(
        "INSERT INTO topics VALUES (?, ?, ?, 'cdr')",
        [(number, topic, STRING) for number, topic in enumerate(topics, 1)],
    )
    database.executemany(
        "INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)",
        [(topics.index(topic) + 1, time_ns, payload) for topic, time_ns, payload in rows],
    )
    database.commit()
    database.close()
    return path


def write_until_killed(folder: Path) -> Path:
    """The bag of a writer that is killed, after more than a hundred messages have
    reached the disk.
    """
    killed = subprocess.run([sys.executable, "-c", KILLED, folder], check=False)
    assert killed.returncode == -signal.SIGKILL
    return folder


def rows_of(file: Any, **selection: Any) -> list[tuple[str, int, bytes]]:
    """All that a storage reads: topic, log time and payload of each message."""
    return [
        (batch.topics[index], time_ns, payload)
        for batch in file.batches(**selection)
        for index, time_ns, payload in zip(
            batch.topic, batch.log_time_ns.tolist(), batch.payloads(), strict=True
        )
    ]
