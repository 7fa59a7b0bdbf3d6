"""Serves the runs in a folder to browsers of this machine: it reads and never writes.

What it serves may come from bags and from anybody's folder: reports run their own scripts in an
origin of their own (sandbox), everything else is text or a picture, and a page of another site gets
nothing (Host must be this machine; Cross-Origin-Resource-Policy).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import LockstepError, UsageError
from .found import Found, cut

HOST = "127.0.0.1"
_PAGE = {
    "/": ("view.html", "text/html; charset=utf-8"),
    "/view.js": ("view.js", "text/javascript; charset=utf-8"),
    "/view.css": ("view.css", "text/css; charset=utf-8"),
}
_FILES = {
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".diff": "text/plain; charset=utf-8",
    ".log": "text/plain; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
}
"""What is served of a run's folder; bags are not."""
_OWN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_THEIRS = "sandbox allow-scripts"


class Viewer(ThreadingHTTPServer):
    """A server for a folder on a port of this machine, 0 for any that is free."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        """Raises UsageError if there is no such folder, or the port is not to be had."""
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; give one that holds runs, such as runs")
        self.folder = folder.resolve()
        self.found = Found(self.folder)
        self.lock = Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(
                f"port {port} cannot be served: {why}; choose another with --port"
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"

    def is_called(self, host: str | None) -> bool:
        """Whether a Host header is a name of this machine: another one is that of a site whose name
        leads here."""
        return host in {f"{name}:{self.server_port}" for name in (HOST, "localhost")}


class _Handler(BaseHTTPRequestHandler):
    server: Viewer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "lockstep", ""

    def do_GET(self) -> None:
        """Serve the page, the list of runs, or a file of a run."""
        asked = urlsplit(self.path)
        path = unquote(asked.path)
        if not self.server.is_called(self.headers.get("Host")):
            self._send(HTTPStatus.FORBIDDEN, b"not this machine\n")
        elif path in _PAGE:
            name, kind = _PAGE[path]
            data = (resources.files(__package__) / "templates" / name).read_bytes()
            self._send(HTTPStatus.OK, data, kind, _OWN)
        elif path == "/runs.json":
            with self.server.lock:
                data = json.dumps(self.server.found.as_data()).encode()
            self._send(HTTPStatus.OK, data, "application/json", _OWN)
        elif path in ("/trends.json", "/changes.json"):
            self._send_over_time(path, dict(parse_qsl(asked.query)))
        elif (file := self._file(path)) is not None:
            self._send(HTTPStatus.OK, file.read_bytes(), _FILES[file.suffix], _THEIRS)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"there is no such file\n")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """As http.server, but silent: a page asks every other second."""

    def _send_over_time(self, path: str, asked: Mapping[str, str]) -> None:
        """Results of a suite over time, or the sentence that says why there are none."""
        from .over_time import changes_of, trends_of  # with scipy, which few pages need

        folder, suite = self.server.folder, asked.get("suite", "")
        try:
            if path == "/trends.json":
                found = trends_of(folder, suite, asked.get("case", ""))
            else:
                found = changes_of(folder, suite)
        except (LockstepError, OSError) as error:
            found = {"error": cut(str(error))}
        self._send(HTTPStatus.OK, json.dumps(found).encode(), "application/json", _OWN)

    def _file(self, path: str) -> Path | None:
        """A file of a run, which really lies in the folder."""
        if not path.startswith("/run/") or "\0" in path:
            return None
        try:
            file = (self.server.folder / path.removeprefix("/run/").lstrip("/")).resolve()
        except (OSError, RuntimeError):  # names too long, links in a circle
            return None
        is_inside = file.is_relative_to(self.server.folder)
        return file if is_inside and file.suffix in _FILES and file.is_file() else None

    def _send(
        self,
        status: HTTPStatus,
        data: bytes,
        kind: str = "text/plain; charset=utf-8",
        policy: str = _THEIRS,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
