"""SQLite files of rosbag2 (https://github.com/ros2/rosbag2, rosbag2_storage_sqlite3),
of all its schema versions.

Messages come in the order of their row numbers, which is the order they were recorded in. The
database is opened read-only and never trusted: no views, no types that differ from rosbag2's, no
rows out of order.
"""

from __future__ import annotations

import operator
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from ...closing import Closable
from ...errors import BagError
from ...message.batch import Batch
from ...message.definitions import definition
from ...temporary_folder import TemporaryFolder
from ..enclosed import Enclosed
from ..message_compression import plain
from ..metadata import Origin, embedded_origin, joined_origins, parse_qos
from ..source import Source, parts
from ..temporary import TemporarySource
from ..topic import Topic, place
from .sqlite3_leaves import rows_of_leaves

_Rows = list[tuple[Any, ...]]  # row numbers, topics, times, payloads; all (n,)
_Report = Callable[[str], None]
_DAMAGE = (sqlite3.Error, UnicodeDecodeError, MemoryError)
"""What Python raises for damaged databases.

The second where the name of something in it is none.
"""
_MOST_BYTES = 4 << 20
_MOST_ROWS = 1 << 10
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1
_LENGTH = "iif(typeof(data) = 'blob', length(data), NULL)"
_TYPE = re.compile(r"[a-zA-Z]\w*/(msg|srv|action)/[a-zA-Z]\w*")


class Sqlite3File(Closable):
    """One .db3 file; see storage.BagFile."""

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._source = source
        self._whole, self._path = _whole_file(source)
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self.problem: str | None = None
        self.topics: dict[str, Topic] = {}
        """Topics by name."""
        self._names: tuple[str, ...] = ()
        self._cut_off = False
        self._from_leaves = False
        self._largest = 1
        try:
            with closing(self._connect()) as database:
                self._describe(database)
        except _DAMAGE as error:
            raise BagError(
                f"{self._name} cannot be read as a bag ({_told(error)}); copy it again"
            ) from error
        if _exists(source.path, "-journal"):
            self._keep(
                f"{self._name} was not closed: the messages that its recorder wrote last may be "
                "missing; open and close it with 'ros2 bag reindex' on a copy"
            )
        self._count()

    def close(self) -> None:
        """See storage.BagFile."""
        self._whole.close()
        self._source.close()

    def enclosed(self) -> Iterator[Enclosed]:
        """See storage.BagFile; this storage holds nothing but messages."""
        return iter(())

    def origin(self) -> Origin:
        """See storage.BagFile."""
        with closing(self._connect()) as database, suppress(*_DAMAGE):
            return _origin(database)
        return Origin()

    def batches(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Batch]:
        """See storage.BagFile."""
        conditions, values = [], []
        if topics is not None:
            chosen = [
                number for number, index in self._index.items() if self._names[index] in topics
            ]
            if not chosen:
                return
            conditions.append(f"topic_id IN ({', '.join('?' * len(chosen))})")
            values += chosen
        if start_ns is not None:
            conditions.append("timestamp >= ?")
            values.append(max(_FIRST, min(start_ns, _LAST)))
        if end_ns is not None:
            conditions.append("timestamp < ?")
            values.append(max(_FIRST, min(end_ns, _LAST)))

        def report(what: str) -> None:
            if strict:
                raise BagError(self._sentence(what))
            self._keep(self._sentence(what))

        try:
            if self._from_leaves and not strict:
                yield from plain(self._leaves(topics, start_ns, end_ns), report)
                return
            rows = self._rows("data", conditions, values, report)
            batches = (
                self._batch(sound) for some in rows for sound in self._sound(some, bytes, report)
            )
            yield from plain(batches, report)
        except _DAMAGE as error:
            raise BagError(self._sentence(_told(error))) from error

    # opening

    def _connect(self) -> sqlite3.Connection:
        """The database, as far as its file is there."""
        database = sqlite3.connect(
            f"file:{quote(self._path)}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        database.text_factory = lambda text: text.decode("utf-8", "replace")
        for setting in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
            database.execute(f"PRAGMA {setting}")
        try:
            database.execute("SELECT 1 FROM sqlite_master").fetchone()
        except _DAMAGE:
            self._cut_off = True
            # Lets SQLite open a file that lacks pages; nothing can be written.
            database.execute("PRAGMA writable_schema = ON")
        return database

    def _describe(self, database: sqlite3.Connection) -> None:
        in_order = {table: _columns(database, table) for table in _TABLES}
        columns = {table: set(names) for table, names in in_order.items()}
        self._columns_in_order = in_order["messages"]
        for table, needed in _TABLES.items():
            odd = needed - columns[table] or "rowid" in columns[table]
            if odd and table != "message_definitions":
                if self._cut_off:
                    raise BagError(self._sentence("cut off"))
                raise BagError(
                    f"{self._name} has no table '{table}' of a bag; give another file, "
                    "or record it again"
                )
        definitions = _definitions(database) if columns["message_definitions"] else {}
        wanted = ("id", "name", "type", "serialization_format", *_LATER_COLUMNS)
        selected = ", ".join(name if name in columns["topics"] else "''" for name in wanted)
        numbers: dict[int, int] = {}
        for row in database.execute(f"SELECT {selected} FROM topics ORDER BY id"):
            number, topic = row[0], _topic(row[1:], definitions)
            name = place(self.topics, topic).name
            numbers[number] = list(self.topics).index(name)
        self._index = numbers
        self._names = tuple(self.topics)

    def _count(self) -> None:
        """Walk all rows once: nothing in the file that tells their number can be relied on."""
        lost: list[str] = []
        seen = _Seen(len(self._names))
        for rows in self._rows(_LENGTH, [], [], lost.append):
            for _, topics, times, lengths in self._sound(rows, int, lost.append):
                seen.add(list(map(self._index.__getitem__, topics)), times)
                self._largest = max(self._largest, *lengths)
        if not lost and (indexed := self._indexed()) not in (None, seen.count):
            lost.append(f"its index has {indexed} messages, its table {seen.count}")
        if lost or self._cut_off:
            whole = _Seen(len(self._names))
            for batch in self._leaves(None, None, None):
                whole.add(batch.topic.tolist(), batch.log_time_ns.tolist())
            if whole.count > seen.count:  # the tree that leads to them is damaged
                self._from_leaves, seen = True, whole
        self.start_ns, self.end_ns = seen.start_ns, seen.end_ns
        for topic, count in zip(self.topics.values(), seen.by_topic.tolist(), strict=False):
            topic.count = count
        if self._cut_off:
            lost.insert(0, "cut off")
        if lost:
            self._keep(self._sentence(lost[0]))

    # rows

    def _indexed(self) -> int | None:
        """How many messages the index of the table has, which SQLite counts itself; None if it
        cannot.
        """
        with closing(self._connect()) as database, suppress(*_DAMAGE):
            return int(database.execute("SELECT COUNT(*) FROM messages").fetchone()[0])
        return None

    def _leaves(
        self, topics: Collection[str] | None, start_ns: int | None, end_ns: int | None
    ) -> Iterator[Batch]:
        """The messages that are whole on any leaf page, in the order of the pages."""
        order = [_KINDS.get(name, "") for name in self._columns_in_order]
        place = [self._columns_in_order.index(name) for name in ("topic_id", "timestamp", "data")]
        gathered: list[tuple[Any, ...]] = []
        size = 0
        with open(self._path, "rb") as file:
            for number, row in rows_of_leaves(file, order):
                topic_id, time_ns, data = (row[index] for index in place)
                index = self._index.get(topic_id)
                if (
                    index is None
                    or (topics is not None and self._names[index] not in topics)
                    or (start_ns is not None and time_ns < start_ns)
                    or (end_ns is not None and time_ns >= end_ns)
                ):
                    continue
                gathered.append((number, topic_id, time_ns, data))
                size += len(data)
                if size >= _MOST_BYTES or len(gathered) >= _MOST_ROWS:
                    yield self._batch(list(zip(*gathered, strict=True)))
                    gathered, size = [], 0
        if gathered:
            yield self._batch(list(zip(*gathered, strict=True)))

    def _rows(
        self, payload: str, conditions: list[str], values: list[int], report: _Report
    ) -> Iterator[_Rows]:
        where = " AND ".join(["rowid >= ?", *conditions])
        query = (
            f"SELECT rowid, topic_id, timestamp, {payload} FROM messages NOT INDEXED "
            f"WHERE {where} ORDER BY rowid"
        )
        at_once = max(1, min(_MOST_ROWS, _MOST_BYTES // self._largest))
        with closing(self._connect()) as database:
            yield from _pages(database, query, values, at_once, report)

    def _sound(self, rows: _Rows, payload: type, report: _Report) -> Iterator[_Rows]:
        """The rows that hold what messages hold; `report` is told of others."""
        if self._is_sound(rows, payload):
            yield rows
            return
        sound: list[tuple[Any, ...]] = []
        for row in zip(*rows, strict=True):
            if self._is_sound([(value,) for value in row], payload):
                sound.append(row)
                continue
            if sound:
                yield list(zip(*sound, strict=True))
            sound = []
            report(f"row {row[0]} is no message of a topic")
        if sound:
            yield list(zip(*sound, strict=True))

    def _is_sound(self, rows: _Rows, payload: type) -> bool:
        _, topics, times, payloads = rows
        return (
            set(map(type, times)) == {int}
            and set(map(type, payloads)) == {payload}
            and self._index.keys() >= set(topics)
        )

    def _batch(self, rows: _Rows) -> Batch:
        _, topics, times, payloads = rows
        count = len(times)
        length = np.fromiter(map(len, payloads), np.int64, count)
        time_ns = np.fromiter(times, np.int64, count)
        return Batch(
            topics=self._names,
            topic=np.fromiter(map(self._index.__getitem__, topics), np.int64, count),
            log_time_ns=time_ns,
            publish_time_ns=time_ns,  # is not recorded
            sequence=np.zeros(count, np.int64),
            buffer=np.frombuffer(b"".join(payloads), np.uint8),
            offset=np.cumsum(length) - length,
            length=length,
        )

    # damage

    def _sentence(self, what: str) -> str:
        if self._cut_off:
            return (
                f"{self._name} is cut off: it lacks pages of its database; "
                "record or copy it again, or run 'lockstep recover'"
            )
        return (
            f"{self._name} is damaged: {what}; record or copy it again, or run 'lockstep recover'"
        )

    def _keep(self, problem: str) -> None:
        self.problem = self.problem or problem


def _told(error: Exception) -> str:
    return "a size in it cannot be" if isinstance(error, MemoryError) else str(error)


_TABLES = {
    "topics": {"id", "name", "type", "serialization_format"},
    "messages": {"topic_id", "timestamp", "data"},
    "message_definitions": {"topic_type", "encoding", "encoded_message_definition"},
}
_KINDS = {"id": "n", "topic_id": "i", "timestamp": "i", "data": "b"}
"""The kinds of the columns of messages; see sqlite3_leaves."""
_LATER_COLUMNS = ("offered_qos_profiles", "type_description_hash")


@dataclass
class _Seen:
    """What was met of `topics` topics, messages of which are counted."""

    topics: int
    start_ns: int | None = None
    end_ns: int | None = None

    def __post_init__(self) -> None:
        self.by_topic = np.zeros(self.topics + 1, np.int64)

    @property
    def count(self) -> int:
        return int(self.by_topic.sum())

    def add(self, topics: Sequence[int], times_ns: Sequence[int]) -> None:
        self.by_topic += np.bincount(topics, minlength=len(self.by_topic))
        first, last = min(times_ns), max(times_ns)
        self.start_ns = first if self.start_ns is None else min(self.start_ns, first)
        self.end_ns = last if self.end_ns is None else max(self.end_ns, last)


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    """The columns that a table stores; none of a view, a virtual table or one that is not there."""
    real = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? AND rootpage > 0"
    if database.execute(real, (table,)).fetchone() is None:
        return []
    return [str(row[1]).lower() for row in database.execute(f"PRAGMA table_info({table})")]


def _definitions(database: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Encoding and definition by type."""
    rows = database.execute(
        "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions ORDER "
        "BY rowid DESC"
    )
    return {str(name): (str(encoding), str(text)) for name, encoding, text in rows}


def _origin(database: sqlite3.Connection) -> Origin:
    """What the tables that rosbag2 has since Iron tell of the recording as a whole."""
    origins = []
    if "metadata" in _columns(database, "metadata"):
        texts = database.execute("SELECT metadata FROM metadata ORDER BY rowid DESC LIMIT 1")
        origins += [embedded_origin(str(text)) for (text,) in texts]
    if "ros_distro" in _columns(database, "schema"):
        distros = database.execute("SELECT ros_distro FROM schema ORDER BY rowid DESC LIMIT 1")
        origins += [Origin(ros_distro=str(distro)) for (distro,) in distros]
    return joined_origins(origins)


def _topic(row: tuple[Any, ...], definitions: dict[str, tuple[str, str]]) -> Topic:
    name, type_name, serialization_format, qos, type_hash = map(str, row)
    encoding, text = definitions.get(type_name, ("", ""))
    if encoding not in ("ros2msg", "ros2idl") and not text and _TYPE.fullmatch(type_name):
        # before Iron they were not recorded
        encoding, text = _installed(type_name)
    try:
        offered = parse_qos(qos)
    except ValueError:
        offered = ()  # advice, not data: the defaults serve
    return Topic(
        name, type_name, text, encoding, type_hash, offered, message_encoding=serialization_format
    )


def _installed(type_name: str) -> tuple[str, str]:
    try:
        return "ros2msg", definition(type_name)
    except BagError:
        return "", ""  # raw messages can be read all the same


def _pages(
    database: sqlite3.Connection, query: str, values: list[int], at_once: int, report: _Report
) -> Iterator[_Rows]:
    """The rows of a query, some at once.

    `report` is told of damage, and reading goes on behind it.
    """
    limited = f"{query} LIMIT ?"  # without, Python looks at the row behind before it gives one
    start: int | None = _FIRST
    count = at_once
    while start is not None and start <= _LAST:
        try:
            rows = database.execute(limited, (start, *values, count)).fetchall()
            if not rows:
                return
            columns = list(zip(*rows, strict=True))
            numbers = columns[0]
            if numbers[0] >= start and all(map(operator.lt, numbers, numbers[1:])):
                start = numbers[-1] + 1
                yield columns
                continue
            ordered = _ordered(start, numbers)
            if ordered:
                start = numbers[ordered - 1] + 1
                yield [column[:ordered] for column in columns]
            report("rows are out of order")  # read from there on, they would seem to be in order
            if ordered:
                continue
            damage = ""
        except _DAMAGE as error:
            damage = _told(error)
        if count > 1:  # those before the damaged one are lost with it
            count = 1
            continue
        if damage:
            report(damage)
        start, count = _behind(database, limited, values, start), at_once


def _ordered(start: int, numbers: Sequence[int]) -> int:
    """How many row numbers are in order, from `start` on."""
    count = 0
    for number in numbers:
        if number < start:
            break
        start, count = number + 1, count + 1
    return count


def _behind(
    database: sqlite3.Connection, limited: str, values: list[int], damaged: int
) -> int | None:
    """The first row number behind a damaged one from which on reading is possible again;
    None if there is none.
    """

    def readable(start: int) -> bool:
        try:
            database.execute(limited, (start, *values, 1)).fetchone()
        except _DAMAGE:
            return False
        return True

    step = 1
    while not readable(min(damaged + step, _LAST)):
        if damaged + step >= _LAST:
            return None
        step *= 2
    bad, good = damaged + step // 2, min(damaged + step, _LAST)
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if readable(middle) else (middle, good)
    return good


def _whole_file(source: Source) -> tuple[Source | TemporaryFolder, str]:
    """What keeps the file where SQLite can open it, until it is closed, and where that is."""
    path = source.path
    if path is not None and _exists(path, "-wal"):
        return _with_log(path)
    page_size = int.from_bytes(source.read(16, 2), "big")
    page_size = 1 << 16 if page_size == 1 else page_size
    beyond = source.size % page_size if page_size >= 512 else 0
    if path is not None and not beyond:
        return source, os.path.abspath(path)
    # SQLite would take what is missing of the last page for zeros.
    copy = TemporarySource(source.name, parts(source, source.size - beyond))
    if copy.path is None:
        raise BagError(f"{source.name} holds no whole page of a database; copy it again")
    return copy, copy.path


def _with_log(path: str) -> tuple[TemporaryFolder, str]:
    """A copy with the messages that a killed recorder left in its write-ahead log,
    which SQLite merges on closing.
    """
    folder = TemporaryFolder("lockstep-")
    copy = str(folder.path / "bag.db3")
    try:
        for suffix in ("", "-wal"):
            shutil.copyfile(path + suffix, copy + suffix)
        with closing(sqlite3.connect(copy)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except OSError as error:
        raise BagError(
            f"{path} cannot be copied to {tempfile.gettempdir()} to be read with its log: "
            f"{error.strerror}; make room there or set TMPDIR to another folder"
        ) from error
    except _DAMAGE as error:
        raise BagError(
            f"{path} cannot be read with its log ({_told(error)}); copy both again"
        ) from error
    return folder, copy


def _exists(path: str | None, suffix: str) -> bool:
    """Whether a file with something in it lies beside another."""
    companion = f"{path}{suffix}"
    return path is not None and os.path.isfile(companion) and os.path.getsize(companion) > 0
