"""Datasets in a bucket of a ReductStore server (1.18 or later), through its client `reduct-py`.

Each key is an entry: a topic without its leading slash. Each value is a record of CDR (or JSON)
with the labels `topic`, `type` and `serialization`; the entry's attachment `$ros` holds encoding,
schema, schema_name and topic, as ReductStore's own ROS tools write it. The server counts
microseconds, one record each; the exact times are the labels `log_time_ns` and `publish_time_ns`.
Place: `reduct://[token@]host:port/bucket` (`reducts://` for https), or an http(s) URL.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Collection, Coroutine, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ...bag import Topic
from ...errors import DatasetError
from ..form import Encoded, Form, encoded
from ..source import OnlyRecords, Record, Streamed
from ..stored_as import form_of, form_of_topic

if TYPE_CHECKING:
    from reduct import Bucket, Client

_ATTACHMENT = "$ros"
_BATCH_RECORDS, _BATCH_BYTES = 64, 4_000_000
_CONFLICT = 409
_TIMEOUT_S = 30.0
_LATER_US = 1_000  # so far may records of one microsecond move on to others that are free
T = TypeVar("T")


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
        self._waiting: list[Record] = []
        self._waiting_bytes = 0
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
            self._run(self._describe())
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
        self._waiting.append(Record(key, stamp_ns, publish_ns, data))
        self._waiting_bytes += len(data)
        if len(self._waiting) >= _BATCH_RECORDS or self._waiting_bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if waiting:
            self._run(self._write(waiting))

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
        stream = self._bucket.query(
            list(by_entry),
            start=None if start_ns is None else start_ns // 1000,
            stop=None if end_ns is None else end_ns // 1000 + _LATER_US,
        )
        while part := self._run(_take(stream, _BATCH_RECORDS)):
            for entry, labels, time_us, data in part:
                key = by_entry[entry]
                stamp_ns = int(labels.get("log_time_ns", time_us * 1000))
                publish_ns = int(labels.get("publish_time_ns", stamp_ns))
                if (start_ns is None or stamp_ns >= start_ns) and (
                    end_ns is None or stamp_ns < end_ns
                ):
                    yield Record(key, stamp_ns, publish_ns, Encoded(data, self._forms[key]))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the loop's thread do asynchronous work."""
        from aiohttp import ClientError
        from reduct import ReductError

        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (ReductError, ClientError, TimeoutError, asyncio.TimeoutError, OSError) as error:
            raise DatasetError(
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
                attached.get("schema_name", ""),
                attached.get("schema", ""),
                attached.get("schema_encoding", "jsonschema" if json_values else "ros2msg"),
                message_encoding=attached.get("encoding", "cdr"),
            )
            self._entries[topic.name] = entry.name
            self._forms[topic.name] = form_of_topic(topic)

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
        self._run(self._bucket.write_attachments(entry, {_ATTACHMENT: attachment}))
        self._entries[key] = entry
        self._forms[key] = replace(form, topic=replace(form.topic, name=key))

    async def _write(self, records: list[Record]) -> None:
        """Write records, those of a microsecond that is taken at the next one that is free."""
        from reduct import RecordBatch

        waiting = [(self._microsecond(record), record) for record in records]
        while waiting:
            batch, placed = RecordBatch(), {}
            for time_us, record in waiting:
                entry = self._entries[record.key]
                while (entry, time_us) in placed:
                    time_us += 1
                placed[entry, time_us] = record
                topic = self._forms[record.key].topic
                batch.add(
                    entry,
                    time_us,
                    record.value,
                    content_type=f"application/{topic.message_encoding}",
                    labels={
                        "topic": record.key,
                        "type": topic.type,
                        "serialization": topic.message_encoding,
                        "log_time_ns": str(record.stamp_ns),
                        "publish_time_ns": str(record.publish_ns),
                    },
                )
            waiting = []
            for entry, errors in (await self._bucket.write_record_batch(batch)).items():
                for time_us, error in sorted(errors.items()):
                    record = placed[entry, time_us]
                    if error.status_code != _CONFLICT or time_us >= _last_us(record):
                        raise error
                    waiting.append((time_us + 1, record))

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


async def _take(stream: Any, count: int) -> list[tuple[str, dict[str, str], int, bytes]]:
    """The next records of a query; none at its end."""
    taken = []
    async for record in stream:
        taken.append((record.entry, record.labels, record.timestamp, await record.read_all()))
        if len(taken) == count:
            break
    return taken


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
