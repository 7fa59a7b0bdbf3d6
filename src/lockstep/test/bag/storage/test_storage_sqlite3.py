import hashlib
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from lockstep.bag import Bag, BagError
from lockstep.bag.bag_files import bag_files
from lockstep.bag.source import open_source
from lockstep.bag.storage.sqlite3 import Sqlite3File
from made_bags import REAL_BAGS, rows_of, string_cdr, write_db3_strings
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

SCHEMA = """
CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
  serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL);
CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
  timestamp INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX timestamp_idx ON messages (timestamp ASC);
INSERT INTO topics VALUES
  (1, '/a', 'std_msgs/msg/String', 'cdr', ''), (2, '/b', 'no_such/msg/B', 'cdr', '');
"""
MESSAGES = [
    (("/a", "/b")[n % 3 == 0], 1000 + n * 10, b"\0\1\0\0%03d" % n + b"x" * (n % 50))
    for n in range(200)
]


def written(path, messages=MESSAGES, schema=SCHEMA, page_size=512):
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA page_size = {page_size}")
    database.executescript(schema)
    rows = [(("/a", "/b").index(topic) + 1, time, data) for topic, time, data in messages]
    database.executemany("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", rows)
    database.commit()
    database.close()
    return path


def opened(path):
    return Sqlite3File(open_source(path))


def copied(bag, folder, mode):
    """A bag as rosbags writes it with SQLite storage."""
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {
            topic.name: writer.add_connection(
                topic.name, topic.type, msgdef=topic.definition, rihs01=topic.type_hash or "-"
            )
            for topic in bag.topics.values()
        }
        for message in bag.messages():
            writer.write(connections[message.topic], message.log_time_ns, message.data)


@pytest.mark.parametrize("name", REAL_BAGS)
@pytest.mark.parametrize(
    "mode", [CompressionMode.NONE, CompressionMode.FILE, CompressionMode.MESSAGE], ids=str
)
def test_a_real_bag_is_the_same_in_sqlite(bags, tmp_path, name, mode):
    with Bag(bags / name) as original:
        copied(original, tmp_path / name, mode)
        [path], information = bag_files(tmp_path / name)
        assert information["message_count"] == original.count
        file = opened(path)
        assert file.problem is None
        assert rows_of(file) == [(m.topic, m.log_time_ns, m.data) for m in original.messages()]
        assert (file.start_ns, file.end_ns) == (original.start_ns, original.end_ns)
        for topic in file.topics.values():
            known = original.topics[topic.name]
            assert topic.count == known.count
            assert (topic.type, topic.definition) == (known.type, known.definition)


def test_topics_and_times_select_messages(tmp_path):
    file = opened(written(tmp_path / "x.db3"))
    assert {name: topic.count for name, topic in file.topics.items()} == {"/a": 133, "/b": 67}
    assert (file.start_ns, file.end_ns) == (1000, 2990)
    assert rows_of(file) == MESSAGES
    assert rows_of(file, topics=["/b"]) == [m for m in MESSAGES if m[0] == "/b"]
    assert rows_of(file, topics=[]) == rows_of(file, topics=["/c"]) == []
    assert rows_of(file, start_ns=1500, end_ns=1510) == [m for m in MESSAGES if m[1] == 1500]
    assert rows_of(file, start_ns=-(10**30), end_ns=10**30) == MESSAGES
    assert rows_of(file, topics=["/a"], start_ns=2000) == [
        m for m in MESSAGES if m[0] == "/a" and m[1] >= 2000
    ]


def test_messages_come_in_the_order_they_were_recorded_not_of_their_times(tmp_path):
    messages = [("/a", time, b"\0\1\0\0") for time in (5, 3, 3, 9, 0)]
    assert rows_of(opened(written(tmp_path / "x.db3", messages))) == messages


def test_an_empty_bag_has_no_times(tmp_path):
    file = opened(written(tmp_path / "x.db3", []))
    assert (rows_of(file), file.start_ns, file.end_ns, file.problem) == ([], None, None, None)


def test_old_schemas_are_read_with_the_installed_definitions(tmp_path):
    old = SCHEMA.replace(", offered_qos_profiles TEXT NOT NULL", "").replace("'cdr', ''", "'cdr'")
    old = old.partition("CREATE TABLE schema")[2].partition(";")[2]
    file = opened(written(tmp_path / "x.db3", schema=old))
    assert rows_of(file) == MESSAGES
    assert "string data" in file.topics["/a"].definition
    assert (file.topics["/b"].type, file.topics["/b"].definition) == ("no_such/msg/B", "")


@pytest.mark.parametrize("history", ["1", "keep_last"])
def test_recorded_qos_is_read_as_numbers_and_as_names(tmp_path, history):
    durability = {"1": "1", "keep_last": "transient_local"}[history]
    qos = f"- {{history: {history}, depth: 3, reliability: 1, durability: {durability}}}"
    schema = SCHEMA.replace("'cdr', ''", f"'cdr', '{qos}'", 1)
    [offered] = opened(written(tmp_path / "x.db3", schema=schema)).topics["/a"].qos
    assert (offered.history, offered.depth, offered.durability) == (
        "keep_last",
        3,
        "transient_local",
    )


def test_batches_are_some_megabytes(tmp_path):
    messages = [("/a", n, bytes(10_000)) for n in range(3000)]
    file = opened(written(tmp_path / "x.db3", messages, page_size=4096))
    tracemalloc.start()
    sizes = [len(batch.buffer) for batch in file.batches()]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(sizes) == 30_000_000
    assert max(sizes) <= 5 << 20
    assert most < 25 << 20


def test_reading_leaves_the_folder_as_it_was(tmp_path):
    path = written(tmp_path / "x.db3")
    path.chmod(0o444)
    rows_of(opened(path))
    assert os.listdir(tmp_path) == ["x.db3"]


RECORDER = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA journal_mode = WAL")
database.executescript(sys.argv[2])
for number in range(50):
    database.execute(
        "INSERT INTO messages (topic_id, timestamp, data) VALUES (1, ?, x'00010000')", (number,)
    )
    database.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_recorder_left_in_the_log_is_read_and_left_there(tmp_path):
    path = tmp_path / "x.db3"
    killed = subprocess.run([sys.executable, "-c", RECORDER, path, SCHEMA], check=False)
    assert killed.returncode == -signal.SIGKILL
    before = {f.name: hashlib.sha256(f.read_bytes()).digest() for f in tmp_path.iterdir()}
    assert (tmp_path / "x.db3-wal").stat().st_size
    file = opened(path)
    assert [row[1] for row in rows_of(file)] == list(range(50))
    assert file.problem is None
    assert before == {f.name: hashlib.sha256(f.read_bytes()).digest() for f in tmp_path.iterdir()}


def test_an_open_journal_is_told_and_never_played_back(tmp_path):
    path = written(tmp_path / "x.db3")
    (tmp_path / "x.db3-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    file = opened(path)
    assert "was not closed" in file.problem
    assert rows_of(file) == MESSAGES


def test_a_file_cut_off_anywhere_yields_what_is_whole_and_says_so(tmp_path):
    data = written(tmp_path / "x.db3").read_bytes()
    got = []
    for length in [*range(16, 1100, 97), *range(1100, len(data), 509), len(data) - 1]:
        (tmp_path / "cut.db3").write_bytes(data[:length])
        try:
            file = opened(tmp_path / "cut.db3")
        except BagError as error:
            assert "cut.db3" in str(error)
            assert length < 10 * 512  # not even the tables are described
            continue
        assert file.problem is not None and "cut off" in file.problem, length
        got = rows_of(file, strict=False)
        assert sum(topic.count for topic in file.topics.values()) == len(got)
        assert got == [message for message in MESSAGES if message in got]
        strict = []
        with pytest.raises(BagError, match="cut off"):
            for batch in file.batches():
                strict += batch.payloads()
        assert strict == [message[2] for message in got[: len(strict)]]
    assert len(got) > 100


def test_flipped_bytes_never_crash_or_hang(tmp_path):
    data = written(tmp_path / "x.db3", MESSAGES[:60]).read_bytes()
    whole = 0
    for position, bits in zip(range(0, len(data), 7), itertools.cycle((0x10, 0xFF)), strict=False):
        bad = bytearray(data)
        bad[position] ^= bits
        (tmp_path / "bad.db3").write_bytes(bad)
        try:
            file = opened(tmp_path / "bad.db3")
            counts = {name: topic.count for name, topic in file.topics.items()}
            got = rows_of(file)
        except BagError as error:
            assert "bad.db3" in str(error)
            continue
        # SQLite has no checksums: what stays is that no message is lost or made up unnoticed.
        lost = len(got) != 60 or sorted(counts.values()) != [20, 40]
        if lost and file.problem is None:
            assert position < 3 * 512 or counts != {"/a": 40, "/b": 20}, position
        whole += not lost
    assert whole


def test_a_damaged_page_costs_only_itself_when_not_strict(tmp_path):
    data = bytearray(written(tmp_path / "x.db3").read_bytes())
    page = data.find(b"\0\1\0\x00100") // 512 * 512
    data[page : page + 100] = b"\xff" * 100
    (tmp_path / "bad.db3").write_bytes(data)
    file = opened(tmp_path / "bad.db3")
    assert "damaged" in file.problem
    got = rows_of(file, strict=False)
    assert 180 < len(got) < 200
    assert got == [message for message in MESSAGES if message in got]
    with pytest.raises(BagError, match=r"bad\.db3 is damaged"):
        rows_of(file)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE messages SET data = 'text' WHERE id = 100",
        "UPDATE messages SET data = 12 WHERE id = 100",
        "UPDATE messages SET timestamp = 'yesterday' WHERE id = 100",
        "UPDATE messages SET timestamp = 1.5 WHERE id = 100",
        "UPDATE messages SET topic_id = 77 WHERE id = 100",
        "UPDATE messages SET topic_id = 'x' WHERE id = 100",
    ],
)
def test_rows_that_are_no_messages_are_told_after_those_before(tmp_path, change):
    path = written(tmp_path / "x.db3")
    database = sqlite3.connect(path)
    database.execute(change)
    database.commit()
    file = opened(path)
    assert "row 100 is no message" in file.problem
    assert sum(topic.count for topic in file.topics.values()) == 199
    got = []
    with pytest.raises(BagError, match="row 100 is no message"):
        for batch in file.batches():
            got += batch.payloads()
    assert got == [message[2] for message in MESSAGES[:99]]
    assert rows_of(file, strict=False) == MESSAGES[:99] + MESSAGES[100:]


@pytest.mark.parametrize(
    "trap",
    [
        (
            "CREATE VIEW messages AS SELECT 1 AS topic_id, 1 AS timestamp, "
            "randomblob(1000000000) AS data"
        ),
        "CREATE TABLE messages(topic_id, timestamp, data AS (zeroblob(1000000000)))",
        "CREATE VIRTUAL TABLE messages USING fts5(topic_id, timestamp, data)",
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER)",
        "CREATE TABLE messages(rowid TEXT, topic_id, timestamp, data)",
        "SELECT 1",
    ],
)
def test_what_only_looks_like_a_table_of_messages_is_refused(tmp_path, trap):
    database = sqlite3.connect(tmp_path / "x.db3")
    database.executescript(
        SCHEMA + f"DROP INDEX timestamp_idx; DROP TABLE messages; {trap}; PRAGMA user_version = 1"
    )
    database.close()
    with pytest.raises(BagError, match=r"x\.db3 has no table 'messages' of a bag"):
        opened(tmp_path / "x.db3")


def test_triggers_and_functions_of_a_database_are_not_run(tmp_path):
    path = written(tmp_path / "x.db3")
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE qos(x DEFAULT (load_extension('x')))")
    database.execute("CREATE INDEX trap ON messages (length(data))")
    database.commit()
    assert rows_of(opened(path)) == MESSAGES


def test_a_compressed_message_that_lies_about_its_size_costs_only_itself(bags, tmp_path):
    with Bag(bags / "husky_acceleration") as original:
        copied(original, tmp_path / "bag", CompressionMode.MESSAGE)
        messages = [(m.topic, m.log_time_ns, m.data) for m in original.messages()]
    [path], _ = bag_files(tmp_path / "bag")
    database = sqlite3.connect(path)
    bomb = bytes.fromhex("28b52ffd") + b"\xc0" + b"\xff" * 5 + bytes(6)
    database.execute("UPDATE messages SET data = ? WHERE id = 10", (bomb,))
    database.execute("UPDATE messages SET data = substr(data, 1, 20) WHERE id = 20")
    database.commit()
    file = opened(path)
    got = []
    with pytest.raises(BagError, match="cannot be decompressed"):
        for batch in file.batches():
            got += batch.payloads()
    assert got == [message[2] for message in messages[:9]]
    assert rows_of(file, strict=False) == messages[:9] + messages[10:19] + messages[20:]
    assert "cannot be decompressed" in file.problem


def test_sequence_numbers_and_publish_times_stand_in_for_what_is_not_recorded(tmp_path):
    for batch in opened(written(tmp_path / "x.db3")).batches():
        assert not batch.sequence.any()
        assert np.array_equal(batch.publish_time_ns, batch.log_time_ns)
        assert not batch.buffer.flags.writeable


def two_levels(path):
    """A file of 2000 messages whose table has interior pages, and its bytes."""
    rows = [("/a", number - 1000, string_cdr(b"%04d" % number)) for number in range(2000)]
    write_db3_strings(path, rows)
    return rows, bytearray(path.read_bytes())


def test_of_a_file_cut_off_all_messages_on_whole_pages_are_read(tmp_path):
    path = tmp_path / "x.db3"
    rows, data = two_levels(path)
    last = 0
    for pages in range(len(data) // 512 // 2, len(data) // 512, 20):
        path.write_bytes(data[: pages * 512 + 7])
        file = opened(path)
        assert "is cut off" in file.problem
        read = rows_of(file, strict=False)
        assert read == rows[: len(read)]
        assert file.topics["/a"].count == len(read) > last
        last = len(read)
    assert last > 1700


def test_a_flipped_bit_in_the_number_of_a_row_is_told_and_costs_no_message(tmp_path):
    path = tmp_path / "x.db3"
    rows, data = two_levels(path)
    place = data.index(string_cdr(b"1000"))
    row = data.rindex((1001 >> 7 | 0x80).to_bytes(1, "big") + bytes([1001 & 0x7F]), 0, place)
    for bit in (1, 2, 0x40):
        path.write_bytes(data[: row + 1] + bytes([data[row + 1] ^ bit]) + data[row + 2 :])
        file = opened(path)
        assert "is damaged" in file.problem
        assert rows_of(file, strict=False) == rows
        with pytest.raises(BagError, match="is damaged"):
            rows_of(file)


def test_times_before_1970_are_times(tmp_path):
    rows, _ = two_levels(tmp_path / "x.db3")
    file = opened(tmp_path / "x.db3")
    assert (file.problem, file.start_ns, file.end_ns) == (None, -1000, 999)
    assert rows_of(file) == rows
    assert rows_of(file, start_ns=-2, end_ns=1) == rows[998:1001]
