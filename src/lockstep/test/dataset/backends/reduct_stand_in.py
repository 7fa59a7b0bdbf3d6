"""What ReductStore's client asks of a server, in memory, with faults that a real one cannot be
asked for: what breaks in the middle of an answer.

Format: the batch protocol of version 2, which reduct-py itself encodes and decodes here. It proves
what our backend does when connections break, and nothing about the server.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from reduct.batch.batch_v2 import RecordBatch, _parse_batched_headers, make_headers_v2

_AT_ONCE = 50
Stored = tuple[bytes, str, dict[str, str]]


class StandIn(ThreadingHTTPServer):
    """A server; `fault` is asked before ("before") and after ("after") each request of a kind
    ("write", "read", …) is carried out, and breaks the connection if it says so."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.buckets: dict[str, dict[str, dict[int, Stored]]] = {}
        self.queries: list[tuple[str, list[tuple[int, str]]]] = []
        self.fault: Callable[[str, str], bool] = lambda kind, when: False
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"reduct://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        name, *rest = urlsplit(self.path).path.split("/")[4:]
        kind = rest[0] if rest else "create"
        with self.server.lock:
            if self._breaks(kind, "before"):
                return
            if kind == "create":
                is_new = name not in self.server.buckets
                self.server.buckets.setdefault(name, {})
                self._answer(200 if is_new else 409)
            elif kind == "write":
                headers = self._write(self.server.buckets[name], body)
                if not self._breaks(kind, "after"):
                    self._answer(200, headers)
            else:
                self._answer(200, {}, json.dumps({"id": self._query(name, body)}).encode())

    def do_GET(self) -> None:
        _, _, _, *parts = urlsplit(self.path).path.split("/")
        with self.server.lock:
            if parts[0] == "io":
                self._read()
            elif parts[0] == "info":
                self._answer(200, {}, json.dumps(_INFO).encode())
            elif len(parts) > 2:
                self._one(self.server.buckets[parts[1]][unquote("/".join(parts[2:]))])
            elif parts[1] in self.server.buckets:
                self._answer(200, {}, json.dumps(_full(self.server.buckets, parts[1])).encode())
            else:
                self._answer(404, {"x-reduct-error": "no such bucket"})

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        del self.server.buckets[self.path.rsplit("/", 1)[1]]
        self._answer(200)

    def _write(self, bucket: dict[str, dict[int, Stored]], body: bytes) -> dict[str, str]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        entries = headers["x-reduct-entries"].split(",")
        answer = {key: headers[key] for key in ("x-reduct-entries", "x-reduct-start-ts")}
        found = _parse_batched_headers(headers)
        names = list(dict.fromkeys(one.entry for one in sorted(found, key=lambda one: one.entry)))
        offset = 0
        for one in sorted(found, key=lambda one: (names.index(one.entry), one.timestamp)):
            data = body[offset : offset + one.header.content_length]
            offset += len(data)
            entry = bucket.setdefault(one.entry, {})
            if one.timestamp in entry and not one.entry.endswith("$meta"):
                delta = one.timestamp - int(headers["x-reduct-start-ts"])
                number = [unquote(name) for name in entries].index(one.entry)
                answer[f"x-reduct-error-{number}-{delta}"] = "409,there is one"
            else:
                entry[one.timestamp] = data, one.header.content_type, dict(one.header.labels)
        return answer

    def _query(self, bucket: str, body: bytes) -> int:
        asked = json.loads(body)
        start, stop = asked.get("start") or 0, asked.get("stop") or 1 << 62
        found = [
            (time_us, entry)
            for entry in asked["entries"]
            for time_us in self.server.buckets[bucket].get(entry, {})
            if start <= time_us < stop
        ]
        self.server.queries.append((bucket, sorted(found)))
        return len(self.server.queries) - 1

    def _read(self) -> None:
        bucket, waiting = self.server.queries[int(self.headers["x-reduct-query-id"])]
        if not waiting:
            self._answer(204)
            return
        batch = RecordBatch()
        part = waiting[:_AT_ONCE]
        del waiting[:_AT_ONCE]
        found = [(entry, us, *self.server.buckets[bucket][entry][us]) for us, entry in part]
        for entry, time_us, data, kind, labels in found:
            batch.add(entry, time_us, data, content_type=kind, labels=labels)
        # In the order of time, and of entries within it, as the client reads them.
        body = b"" if self.command == "HEAD" else b"".join(data for _, _, data, _, _ in found)
        _, headers = make_headers_v2(batch)
        headers["x-reduct-last"] = str(not waiting).lower()
        self._answer(200, headers, body, cut=self.server.fault("read", "after"))

    def _one(self, entry: dict[int, Stored]) -> None:
        asked = parse_qs(urlsplit(self.path).query).get("ts", [str(max(entry))])[0]
        data, kind, labels = entry[int(asked)]
        headers = {f"x-reduct-label-{name}": value for name, value in labels.items()}
        self._answer(200, {**headers, "x-reduct-time": asked, "Content-Type": kind}, data)

    def _breaks(self, kind: str, when: str) -> bool:
        if not self.server.fault(kind, when):
            return False
        self.close_connection = True
        return True

    def _answer(
        self,
        status: int,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("x-reduct-api", "1.21")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut


_INFO = {
    "version": "1.21.0",
    "bucket_count": 0,
    "usage": 0,
    "uptime": 1,
    "oldest_record": 0,
    "latest_record": 0,
    "defaults": {"bucket": {}},
}


def _full(buckets: dict[str, dict[str, dict[int, Stored]]], name: str) -> dict[str, Any]:
    entries = [
        {
            "name": entry,
            "size": sum(len(data) for data, _, _ in records.values()),
            "block_count": 1,
            "record_count": len(records),
            "oldest_record": min(records, default=0),
            "latest_record": max(records, default=0),
        }
        for entry, records in buckets[name].items()
    ]
    numbers = dict.fromkeys(("entry_count", "size", "oldest_record", "latest_record"), 0)
    return {"info": {"name": name, **numbers}, "settings": {}, "entries": entries}


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A server that runs meanwhile."""
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
