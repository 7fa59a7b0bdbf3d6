"""Datasets in a bucket of a ReductStore server (1.18 or later), through its client `reduct-py`.

Each key is an entry: a topic without its leading slash. Each value is a record of CDR (or JSON)
with the labels `topic`, `type` and `serialization`; the entry's attachment `$ros` holds encoding,
schema, schema_name and topic, as reduct-bridge and reductstore_agent, ReductStore's own agents for
ROS, write and read it. The server counts
microseconds, one record each; the exact times are the labels `log_time_ns` and `publish_time_ns`.
What is appended is held until the server has acknowledged it, and is written again where a
connection breaks; what it had taken before is known by its labels and bytes.
Place: `reduct://[token@]host:port/bucket` (`reducts://` for https), or an http(s) URL.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import numpy as np

from ...bag import Topic
from ...errors import DatasetError
from ...message.arrays import Int64s
from ..form import Encoded, Form, encoded
from ..source import OnlyRecords, Record, Streamed
from ..stored_as import form_of, form_of_topic

if TYPE_CHECKING:
    from reduct import Bucket, Client

_ATTACHMENT = "$ros"
_BATCH_RECORDS, _BATCH_BYTES = 64, 4_000_000
_CONFLICT = 409
_TIMEOUT_S = 30.0
_TRIES, _FIRST_PAUSE_S = 6, 0.1
"""So often something is tried, with pauses that double: three seconds in all."""
_PASSING = (-1, 408, 429, 500, 502, 503, 504)
"""Statuses that need not be there again: -1 is that of the client, which did not connect."""
_LATER_US = 1_000  # so far may records of one microsecond move on to others that are free
T = TypeVar("T")


class _Broken(DatasetError):
    """A connection broke, or the server has no time: what may go well when it is tried again."""


class ReductStoreBackend(OnlyRecords, Streamed):
    """One bucket. `writable` makes it if it is not there, else it is only read."""

    def __init__(self, url: str, writable: bool) -> None:
        self.url, self._writable = url, writable
        self._open()

    def _open(self) -> None:
        self._pid = os.getpid()
        self._forms: dict[str, Form] = {}
        self._entries: dict[str, str] = {}
        self._newest_us: dict[str, int] = {}
        self._waiting: list[tuple[int, Record]] = []  # with microseconds, as they are not taken yet
        self._waiting_bytes = 0
        self._unsure = 0  # how many of the first of these the server may have taken
        self._closed = False
        address, token, name = _place(self.url)
        try:
            import reduct
        except ImportError as error:
            raise DatasetError(
                "the reductstore backend needs the client of ReductStore; install reduct-py"
            ) from error
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="reductstore", daemon=True).start()
        self._client: Client = reduct.Client(address, api_token=token, timeout=_TIMEOUT_S)
        self._run(self._client.__aenter__())
        try:
            self._bucket: Bucket = self._run(self._connect(name))
            self._run_again(self._describe)
        except BaseException:
            self.close()
            raise

    def __getstate__(self) -> dict[str, Any]:
        self.flush()
        return {"url": self.url}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.url, self._writable = state["url"], False
        self._open()

    def append(self, key: str, value: Any, stamp_ns: int, publish_ns: int) -> None:
        if not self._writable:
            raise DatasetError(f"{self.url} is only read; save the dataset to a new place first")
        form = self._forms.get(key)
        if form is None:
            form = form_of(value)
            self._add(key, form)
        data = encoded(form, value, key)
        record = Record(key, stamp_ns, publish_ns, data)
        self._waiting.append((self._microsecond(record), record))
        self._waiting_bytes += len(data)
        if len(self._waiting) >= _BATCH_RECORDS or self._waiting_bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        while self._waiting:
            self._run_again(self._write_some)
        self._waiting_bytes = 0

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            self._run(self._client.__aexit__(None, None, None))
            self._loop.call_soon_threadsafe(self._loop.stop)

    def names(self) -> list[str]:
        return list(self._entries)

    def topic(self, key: str) -> Topic | None:
        return self._forms[key].topic

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        if self._pid != os.getpid():
            self._open()
        self.flush()
        by_entry = {
            entry: key for key, entry in self._entries.items() if keys is None or key in keys
        }
        if not by_entry:
            return
        for entry, labels, time_us, data in self._found(list(by_entry), start_ns, end_ns):
            key = by_entry[entry]
            stamp_ns, publish_ns = _exact(labels, time_us)
            if (start_ns is None or stamp_ns >= start_ns) and (end_ns is None or stamp_ns < end_ns):
                yield Record(key, stamp_ns, publish_ns, Encoded(data, self._forms[key]))

    def stamps(self, key: str) -> Int64s:
        return self._times(key)[:, 0]

    def publish_times(self, key: str) -> Int64s:
        return self._times(key)[:, 1]

    def _times(self, key: str) -> Int64s:
        """The log and the publish time of each record of a key, (n, 2); no data is read for it."""
        if self._pid != os.getpid():
            self._open()
        self.flush()
        found = self._found([self._entries[key]], None, None, head=True)
        times = [_exact(labels, time_us) for _, labels, time_us, _ in found]
        return np.array(times, np.int64).reshape(-1, 2)

    def _found(
        self, entries: list[str], start_ns: int | None, end_ns: int | None, *, head: bool = False
    ) -> Iterator[_Row]:
        """Records of entries, some at a time; where a connection breaks, it goes on behind the last
        one of each."""
        last_us: dict[str, int] = {}
        tries = 0
        while True:
            begun_us = [last_us.get(entry) for entry in entries]
            known = [time_us for time_us in begun_us if time_us is not None]
            start_us = min(known) if len(known) == len(entries) else start_ns and start_ns // 1000
            stop_us = None if end_ns is None else end_ns // 1000 + _LATER_US
            stream = self._bucket.query(entries, start=start_us, stop=stop_us, head=head)
            try:
                while part := self._run(_take(stream, _BATCH_RECORDS, head=head)):
                    tries = 0
                    for row in part:
                        if row.time_us > last_us.get(row.entry, -1):
                            last_us[row.entry] = row.time_us
                            yield row
                return
            except _Broken:
                tries += 1
                if tries == _TRIES:
                    raise
                time.sleep(_pause_s(tries))

    def _run_again(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The same as `_run`, tried again where a connection breaks."""
        for tries in range(1, _TRIES):
            with suppress(_Broken):
                return self._run(work())
            time.sleep(_pause_s(tries))
        return self._run(work())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the loop's thread do asynchronous work."""
        from aiohttp import ClientError
        from reduct import ReductError

        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (ReductError, ClientError, TimeoutError, asyncio.TimeoutError, OSError) as error:
            passes = not isinstance(error, ReductError) or error.status_code in _PASSING
            raise (_Broken if passes else DatasetError)(
                f"the ReductStore server of {_without_token(self.url)} says: "
                f"{error or type(error).__name__}"
            ) from error

    async def _connect(self, name: str) -> Bucket:
        if self._writable:
            return await self._client.create_bucket(name, exist_ok=True)
        return await self._client.get_bucket(name)

    async def _describe(self) -> None:
        """Which entries hold messages, and of which types."""
        for entry in await self._bucket.get_entry_list():
            if entry.name.endswith("/$meta"):
                continue
            attached = (await self._bucket.read_attachments(entry.name)).get(_ATTACHMENT)
            if attached is None:
                continue
            json_values = attached.get("encoding") == "json"
            topic = Topic(
                attached.get("topic", entry.name),
                attached.get("schema_name") or await self._type_of(entry.name),
                attached.get("schema", ""),
                attached.get("schema_encoding", "jsonschema" if json_values else "ros2msg"),
                message_encoding=attached.get("encoding", "cdr"),
            )
            self._entries[topic.name] = entry.name
            self._forms[topic.name] = form_of_topic(topic)

    async def _type_of(self, entry: str) -> str:
        """The type that the newest record of an entry tells, as reductstore_agent writes it."""
        async with self._bucket.read(entry, head=True) as found:
            return str(found.labels.get("type", ""))

    def _add(self, key: str, form: Form) -> None:
        entry = re.sub(r"[^\w/-]", "_", key.strip("/"), flags=re.ASCII) or "_"
        if entry in self._entries.values():
            raise DatasetError(
                f"key {key} would be the same entry of ReductStore as another; rename it"
            )
        attachment = {
            "encoding": form.topic.message_encoding,
            "schema": form.topic.definition,
            "schema_name": form.topic.type,
            "schema_encoding": form.topic.encoding,
            "topic": key,
        }
        self._run_again(lambda: self._bucket.write_attachments(entry, {_ATTACHMENT: attachment}))
        self._entries[key] = entry
        self._forms[key] = replace(form, topic=replace(form.topic, name=key))

    async def _write_some(self) -> None:
        """Write the first records that wait; those of a microsecond that is taken wait for the next
        one that is free."""
        from reduct import RecordBatch

        batch, placed = RecordBatch(), {}
        count = len(self._waiting[:_BATCH_RECORDS])
        for time_us, record in self._waiting[:count]:
            entry = self._entries[record.key]
            while (entry, time_us) in placed:
                time_us += 1
            placed[entry, time_us] = record
            encoding = self._forms[record.key].topic.message_encoding
            batch.add(
                entry,
                time_us,
                record.value,
                content_type=f"application/{encoding}",
                labels=self._labels(record),
            )
        try:
            refused = await self._bucket.write_record_batch(batch)
        except BaseException:
            self._unsure = count
            raise
        again = []
        for entry, errors in refused.items():
            for time_us, error in sorted(errors.items()):
                record = placed[entry, time_us]
                if error.status_code != _CONFLICT or time_us >= _last_us(record):
                    raise error
                if not (self._unsure and await self._is_there(entry, time_us, record)):
                    again.append((time_us + 1, record))
        self._waiting[:count] = again
        self._unsure = len(again) if self._unsure else 0

    async def _is_there(self, entry: str, time_us: int, record: Record) -> bool:
        """Whether the server has a record, which it took when nobody heard of it any more."""
        async with self._bucket.read(entry, time_us) as found:
            labels = {name: found.labels.get(name) for name in self._labels(record)}
            return labels == self._labels(record) and await found.read_all() == record.value

    def _labels(self, record: Record) -> dict[str, str]:
        topic = self._forms[record.key].topic
        return {
            "topic": record.key,
            "type": topic.type,
            "serialization": topic.message_encoding,
            "log_time_ns": str(record.stamp_ns),
            "publish_time_ns": str(record.publish_ns),
        }

    def _microsecond(self, record: Record) -> int:
        """Where to write a record, so that those of one time stay in order."""
        time_us = record.stamp_ns // 1000
        newest_us = self._newest_us.get(record.key, -1)
        if time_us <= newest_us < _last_us(record):
            time_us = newest_us + 1
        self._newest_us[record.key] = time_us
        return time_us


def _last_us(record: Record) -> int:
    return record.stamp_ns // 1000 + _LATER_US


class _Row(NamedTuple):
    """A record as the server has it."""

    entry: str
    labels: dict[str, str]
    time_us: int
    data: bytes


async def _take(stream: Any, count: int, *, head: bool) -> list[_Row]:
    """The next records of a query, without data if only the `head` is asked for; none at its
    end."""
    taken = []
    async for record in stream:
        data = b"" if head else await record.read_all()
        taken.append(_Row(record.entry, record.labels, record.timestamp, data))
        if len(taken) == count:
            break
    return taken


def _exact(labels: dict[str, str], time_us: int) -> tuple[int, int]:
    """The log and the publish time of a record in ns."""
    stamp_ns = int(labels.get("log_time_ns", time_us * 1000))
    return stamp_ns, int(labels.get("publish_time_ns", stamp_ns))


def _pause_s(tries: int) -> float:
    return _FIRST_PAUSE_S * (1 << (tries - 1))


def _place(url: str) -> tuple[str, str | None, str]:
    """Address, token and bucket of a URL."""
    parts = urlsplit(url)
    scheme = {"reduct": "http", "reducts": "https"}.get(parts.scheme, parts.scheme)
    bucket = parts.path.strip("/")
    if scheme not in ("http", "https") or not parts.hostname or not bucket:
        raise DatasetError(
            f"{_without_token(url)} is no place in ReductStore; write reduct://host:port/bucket"
        )
    host = parts.netloc.rpartition("@")[2]
    return f"{scheme}://{host}", parts.username, bucket


def _without_token(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)
