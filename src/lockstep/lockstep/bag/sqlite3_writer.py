"""Writing rosbag2 bags with SQLite storage,
which rosbag2 before Iron wrote by default (rosbag2_storage_sqlite3).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..closing import Closable
from ..errors import BagError
from ..message.batch import Batch
from . import metadata
from .enclosed import Enclosed
from .output import compressed_file
from .topic import Topic, described_alike

_FAST = "PRAGMA synchronous = OFF;"
_RESILIENT = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
_TABLES = """
CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
CREATE TABLE metadata(
  id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL, metadata TEXT NOT NULL);
CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
  serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL,
  type_description_hash TEXT NOT NULL);
CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL,
  encoding TEXT NOT NULL, encoded_message_definition TEXT NOT NULL,
  type_description_hash TEXT NOT NULL);
CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
  timestamp INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX timestamp_idx ON messages (timestamp ASC);
INSERT INTO schema VALUES (4, 'jazzy');
"""


@dataclass
class _Topic:
    id: int
    type: str
    type_hash: str
    qos: tuple[metadata.OfferedQoS, ...]
    count: int = 0


class Sqlite3Writer(Closable):
    """Writes one bag, like BagWriter, from one thread at a time.

    SQLite storage keeps neither publish times nor sequence numbers. Every batch is a transaction:
    killed at any moment, or on a disk that fills up, the bag holds all batches before; if it is
    `resilient`, also where the machine loses power. `compress_files` with zstd, as a whole when
    they are ended; `compressed_messages` notes that the payloads are.
    """

    earliest_ns = -(1 << 63)

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        resilient: bool = False,
        compress_files: bool = False,
        compressed_messages: bool = False,
    ) -> None:
        self.path = Path(path)
        self._resilient = resilient
        self._compress_files = compress_files
        self._compressed_messages = compressed_messages
        self._topics: dict[str, _Topic] = {}
        self._definitions: dict[str, Topic] = {}
        self._ended: list[metadata.FileMetadata] = []
        self._counts: Counter[int] = Counter()
        """Messages in files that are ended, by topic."""
        self._origin = metadata.Origin()
        self._closed = False
        try:
            self.path.mkdir(parents=True)
        except FileExistsError as error:
            raise BagError(
                f"{self.path} exists already; choose another folder or delete it"
            ) from error
        except OSError as error:
            raise BagError(f"cannot create {self.path}: {error.strerror}") from error
        try:
            self._open(0)
        except sqlite3.Error as error:
            shutil.rmtree(self.path, ignore_errors=True)
            raise BagError(f"cannot create {self.path}: {error}") from error

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {name: topic.count for name, topic in self._topics.items()}

    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str = "",
        qos: tuple[metadata.OfferedQoS, ...] = (),
        *,
        encoding: str = "ros2msg",
        message_encoding: str = "cdr",
    ) -> None:
        """Declare a topic before its first message; see BagWriter."""
        known = encoding in ("ros2msg", "ros2idl")
        if message_encoding != "cdr" or not type_name or (definition and not known):
            raise BagError(
                f"{name} is no ROS topic ({message_encoding}, {encoding or 'no schema'}), "
                "which SQLite storage cannot hold; leave it out or write MCAP"
            )
        described = Topic(name, type_name, definition, encoding if known else "", type_hash)
        first = self._definitions.get(type_name)
        if first is not None and not described_alike(first, described):
            raise BagError(
                f"{name} is recorded with another definition of {type_name} than other topics, "
                "which SQLite storage cannot hold; leave it out or write MCAP"
            )
        is_new = bool(known and (first is None or not first.encoding))
        topic = _Topic(len(self._topics) + 1, type_name, type_hash, tuple(qos))
        try:
            with self._database:
                if is_new:
                    self._describe_type(described)
                self._describe_topic(name, topic)
        except sqlite3.Error as error:
            raise self._unwritten(error) from error
        if first is None or is_new:
            self._definitions[type_name] = described
        self._topics[name] = topic

    def write_batch(self, batch: Batch) -> None:
        """Append the messages of a batch whose topics were added, with their log times."""
        topics = [self._topics.get(name) for name in batch.topics]
        rows = zip(batch.topic.tolist(), batch.log_time_ns.tolist(), batch.payloads(), strict=True)
        chosen = (
            (topic.id, time_ns, data) for index, time_ns, data in rows if (topic := topics[index])
        )
        try:
            with self._database:
                self._database.executemany("INSERT INTO messages VALUES (NULL, ?, ?, ?)", chosen)
        except (sqlite3.Error, OverflowError) as error:
            raise self._unwritten(error) from error
        for index in batch.topic.tolist():
            if topic := topics[index]:
                topic.count += 1

    def write_rows(self, rows: Iterable[tuple[str, int, bytes]]) -> None:
        """Append messages, each a topic that was added, its log time in ns and its payload."""
        topics = self._topics
        found = ((topics[name].id, time_ns, data) for name, time_ns, data in rows)
        try:
            with self._database:
                self._database.executemany("INSERT INTO messages VALUES (NULL, ?, ?, ?)", found)
        except (sqlite3.Error, OverflowError) as error:
            raise self._unwritten(error) from error

    def split(self) -> None:
        """End the file and go on in a new one."""
        self._end_file()
        try:
            self._open(len(self._ended))
            with self._database:
                for described in self._definitions.values():
                    if described.encoding:
                        self._describe_type(described)
                for name, topic in self._topics.items():
                    self._describe_topic(name, topic)
        except sqlite3.Error as error:
            raise self._unwritten(error) from error

    def describe(self, origin: metadata.Origin) -> str:
        """Note the origin of what is written; see BagWriter."""
        self._origin = origin
        try:
            with self._database:
                distro = origin.ros_distro or metadata.DISTRO
                self._database.execute("UPDATE schema SET ros_distro = ?", (distro,))
        except sqlite3.Error as error:
            raise self._unwritten(error) from error
        return ""

    def enclose(self, enclosed: Enclosed) -> bool:
        """Add what is no message: SQLite storage can hold nothing of it."""
        return False

    def close(self) -> None:
        """Write metadata.yaml; a second time is harmless."""
        if self._closed:
            return
        self._closed = True
        try:
            self._end_file()
        finally:
            for topic in self._topics.values():
                topic.count = self._counts[topic.id]
            rows = [
                metadata.TopicMetadata(name, topic.type, topic.count, topic.type_hash, topic.qos)
                for name, topic in self._topics.items()
            ]
            compression = metadata.Compression()
            if self._compress_files:
                compression = metadata.Compression("zstd", "FILE")
            elif self._compressed_messages:
                compression = metadata.Compression("zstd", "MESSAGE")
            information = metadata.information_of(
                self._ended, rows, "sqlite3", self._origin, compression
            )
            try:
                metadata.write(self.path, information)
            except OSError as error:
                raise self._unwritten(error) from error

    def _open(self, number: int) -> None:
        self._file = self.path / f"{self.path.name}_{number}.db3"
        self._database = sqlite3.connect(self._file, check_same_thread=False)
        self._database.executescript((_RESILIENT if self._resilient else _FAST) + _TABLES)
        if self._origin.ros_distro:
            self._database.execute("UPDATE schema SET ros_distro = ?", (self._origin.ros_distro,))

    def _end_file(self) -> None:
        """Count what it holds and close it: what an interruption came between, or what a full disk
        has undone, was not counted as it was."""
        try:
            counts = dict(
                self._database.execute("SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id")
            )
            span = self._database.execute("SELECT MIN(timestamp), MAX(timestamp) FROM messages")
            start_ns, end_ns = span.fetchone()
            self._database.close()
        except sqlite3.Error as error:
            raise self._unwritten(error) from error
        path = compressed_file(self._file) if self._compress_files else self._file
        self._counts.update(counts)
        self._ended.append(
            metadata.FileMetadata(path.name, start_ns or 0, end_ns or 0, sum(counts.values()))
        )

    def _describe_type(self, described: Topic) -> None:
        self._database.execute(
            "INSERT INTO message_definitions VALUES (NULL, ?, ?, ?, ?)",
            (described.type, described.encoding, described.definition, described.type_hash),
        )

    def _describe_topic(self, name: str, topic: _Topic) -> None:
        self._database.execute(
            "INSERT INTO topics VALUES (?, ?, ?, 'cdr', ?, ?)",
            (topic.id, name, topic.type, metadata.qos_yaml(topic.qos), topic.type_hash),
        )

    def _unwritten(self, error: Exception) -> BagError:
        what = error.strerror if isinstance(error, OSError) else error
        return BagError(f"cannot write {self.path}: {what}")
