"""Files behind URLs, by fsspec: range reads, listings, writing, and in sentences what goes wrong.

fsspec and the packages of its protocols (s3fs, gcsfs, aiohttp, …) are needed only once a URL is
opened.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from ..closing import Closable
from ..errors import BagError

if TYPE_CHECKING:
    from typing import BinaryIO

TIMEOUT_S = 30
_CONNECT_S = 10
_S3FS_TRIES = 5
_BLOCK = 1 << 16
_STEP = 1 << 22
_DENIED = (401, 403)
_ABSENT = (404, 410)
_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "memory"}
_WRITTEN = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")


def is_url(path: str) -> bool:
    """Whether a path names its protocol."""
    return "://" in path


def is_pattern(url: str) -> bool:
    """Whether a URL has a `*`; `?` begins a query."""
    return "*" in url


def shown(url: str) -> str:
    """A URL without the passwords and signatures that it may carry, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.scheme not in ("http", "https"):
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class UrlSource(Closable):
    """A file behind a URL; see source.Source.
    Small reads are answered from fsspec's cache of blocks.

    `ranged` is False if the server sends whole files only; then there is nothing but `parts`.
    """

    def __init__(self, url: str) -> None:
        self.name = shown(url)
        self.path: str | None = None
        self._files, self._path = _file_system(url)
        with _told(self.name):
            self._files.invalidate_cache()
            information = self._files.info(self._path)
            if information.get("type") == "directory":
                raise BagError(f"{self.name} is a folder without a bag; give a bag in it")
            size = information.get("size")
            self.ranged = size is not None and self._serves_ranges(information)
        self.size = int(size or 0)
        self._blocks = self._empty_cache()

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer only at the end; raises BagError."""
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        if length >= _BLOCK:
            return self._range(offset, offset + length)
        return bytes(self._blocks._fetch(offset, offset + length))

    def parts(self) -> Iterator[bytes]:
        """The whole file once, from its beginning to its end."""
        if self.ranged:
            for start in range(0, self.size, _STEP):
                yield self.read(start, _STEP)
            return
        with _told(self.name):
            stream = self._files.open(self._path, "rb", block_size=0)
        with stream:
            while True:
                with _told(self.name):
                    part = bytes(stream.read(_STEP))
                if not part:
                    return
                yield part

    def close(self) -> None:
        """Let go of what was read ahead; connections are fsspec's."""
        self._blocks = self._empty_cache()

    def _empty_cache(self) -> Any:
        # Of fsspec's caches this one may be asked by several threads, and keeps the end of a file
        # while its middle is read. Files that fsspec opens have it too,
        # but one position for all threads.
        return import_module("fsspec.caching").BlockCache(_BLOCK, self._range, self.size)

    def _range(self, start: int, end: int) -> bytes:
        end = min(end, self.size)  # the cache asks for whole blocks
        with _told(self.name):
            data = bytes(self._files.cat_file(self._path, start=start, end=end))
        if len(data) != end - start:
            raise BagError(
                f"{self.name} cannot be read: its server sent {len(data)} bytes for {end - start}; "
                "has it changed? open it again, or copy it here"
            )
        return data

    def _serves_ranges(self, information: dict[str, Any]) -> bool:
        if information.get("partial") is False:
            return False
        if urlsplit(self.name).scheme not in ("http", "https") or not information["size"]:
            return True
        # Servers do not say it reliably. Unlike cat_file,
        # this gives up before a whole file has come.
        stream: BinaryIO
        with self._files.open(self._path, "rb", block_size=1, cache_type="none") as stream:
            try:
                stream.seek(information["size"] - 1)
                return len(stream.read(1)) == 1
            except (ValueError, io.UnsupportedOperation):
                return False


def read_if_there(url: str, limit: int) -> bytes | None:
    """A small file, or None where there is none.

    Raises BagError if it is larger than `limit` bytes or unreadable.
    """
    files, path = _file_system(url)
    with _told(shown(url)):
        files.invalidate_cache()
        try:
            files.info(path)
        except FileNotFoundError as error:
            if _is_absent(error):
                return None
            raise
        with files.open(path, "rb", block_size=0) as stream:
            data = bytes(stream.read(limit + 1))
    if len(data) > limit:
        raise BagError(f"{shown(url)} is larger than {limit} bytes; it is not what it is named")
    return data


def listed(url: str) -> list[str]:
    """The names of what is in a folder, not in the folders below it; [] where there is none."""
    files, path = _file_system(url)
    start = path.rstrip("/") + "/"
    with _told(shown(url)):
        try:
            rows = [str(row) for row in files.ls(path, detail=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
    return [row[len(start) :] for row in rows if row.startswith(start)]


def matching(pattern: str) -> list[str]:
    """The URLs that a pattern with `*` stands for."""
    files, path = _file_system(pattern)
    with _told(shown(pattern)):
        return [str(files.unstrip_protocol(row)) for row in files.glob(path)]


def states(url: str) -> dict[str, str]:
    """All files below a folder, or that a pattern stands for: by URL, what is another text when a
    file is another one."""
    files, path = _file_system(url)
    with _told(shown(url)):
        rows = files.glob(path, detail=True) if is_pattern(url) else files.find(path, detail=True)
        return {
            str(files.unstrip_protocol(name)): _state(row)
            for name, row in rows.items()
            if row.get("type") != "directory"
        }


def _state(row: dict[str, Any]) -> str:
    known = (row.get(name) for name in ("size", "ETag", "etag", "LastModified", "mtime", "created"))
    return " ".join(str(value) for value in known if value is not None)


def download(url: str, target: Path) -> None:
    """Copy a file to here."""
    files, path = _file_system(url)
    with _told(shown(url)):
        files.get_file(path, str(target))


def upload(folder: Path, url: str) -> None:
    """Copy all that is in a folder to there; raises BagError, as all that writes does."""
    files, path = _file_system(url)
    with _told(shown(url), "written"):
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                place = f"{path.rstrip('/')}/{each.relative_to(folder)}"
                _make_folder(files, place)
                files.put_file(str(each), place)


def write(url: str, data: bytes) -> None:
    """Make a small file, or another one of what is there."""
    files, path = _file_system(url)
    with _told(shown(url), "written"):
        _make_folder(files, path)
        files.pipe_file(path, data)


def _make_folder(files: Any, path: str) -> None:
    """What a file needs that is to be written; where folders are only names, what would be made is
    a bucket, which somebody misspelt."""
    protocols = [files.protocol] if isinstance(files.protocol, str) else files.protocol
    if _WITHOUT_FOLDERS.isdisjoint(protocols):
        files.makedirs(path.rpartition("/")[0], exist_ok=True)


def remove(url: str) -> None:
    """Remove a folder with all that is in it, if it is there."""
    files, path = _file_system(url)
    with _told(shown(url), "written"):
        files.invalidate_cache()
        with suppress(FileNotFoundError):
            files.rm(path, recursive=True)


def files_in(url: str) -> dict[str, tuple[int, float]]:
    """The bytes of all files in a folder and the folders below it, and when they were written, in
    seconds since 1970; {} where there is none."""
    files, path = _file_system(url)
    start = path.rstrip("/") + "/"
    with _told(shown(url)):
        files.invalidate_cache()
        rows: dict[str, dict[str, Any]] = files.find(path, detail=True)
    return {
        name[len(start) :]: (int(row["size"] or 0), _written_s(row))
        for name, row in rows.items()
        if name.startswith(start)
    }


def file_system(url: str) -> Any:
    """The file system of fsspec that a URL is of."""
    return _file_system(url)[0]


def _written_s(row: dict[str, Any]) -> float:
    """When a file was written, which each file system has another name for; 0 if none is known."""
    when = next((row[name] for name in _WRITTEN if row.get(name) is not None), 0.0)
    if isinstance(when, str):
        when = datetime.fromisoformat(when.replace("Z", "+00:00"))
    return when.timestamp() if isinstance(when, datetime) else float(when)


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path there.

    Raises BagError if the protocol is unknown or not installed.
    """
    protocol = url.partition("://")[0].partition("::")[0]
    try:
        fsspec, config = import_module("fsspec"), import_module("fsspec.config")
    except ImportError as error:
        raise BagError(f"{shown(url)} needs the Python package fsspec; install it") from error
    with _told(shown(url)):
        options = _BOUNDS.get(protocol, dict)() | config.conf.get(protocol, {})
        found: tuple[Any, str] = fsspec.url_to_fs(url, **options)
    return found


def _http_bounds() -> dict[str, Any]:
    timeout = import_module("aiohttp").ClientTimeout(
        total=None, sock_connect=_CONNECT_S, sock_read=TIMEOUT_S
    )
    return {"client_kwargs": {"timeout": timeout}}


def _s3_bounds() -> dict[str, Any]:
    once_s = TIMEOUT_S / _S3FS_TRIES
    return {
        "config_kwargs": {
            "connect_timeout": once_s,
            "read_timeout": once_s,
            "retries": {"max_attempts": 0},
        }
    }


_BOUNDS: dict[str, Callable[[], dict[str, Any]]] = {
    "http": _http_bounds,
    "https": _http_bounds,
    "s3": _s3_bounds,
    "s3a": _s3_bounds,
}


@contextmanager
def _told(name: str, doing: str = "read") -> Iterator[None]:
    """Turns whatever fsspec and its file systems raise into a BagError, which says what of a file
    was to be done."""
    try:
        yield
    except BagError:
        raise
    except Exception as error:
        raise BagError(f"{name} {_reason(error, doing)}") from error


def _reason(error: BaseException, doing: str = "read") -> str:
    """What is wrong and what to do about it."""
    chain = _chain(error)
    kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
    status = next((number for link in chain if (number := getattr(link, "status", 0))), 0)
    for link in chain:
        if isinstance(link, ImportError):
            return f"needs a Python package that is not installed: {str(link).rstrip('.')}"
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        return (
            "has a protocol that is not known; "
            "give s3://, https:// or another one that fsspec knows"
        )
    if "NoCredentialsError" in kinds or "PartialCredentialsError" in kinds:
        return "needs credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE"
    if "PermissionError" in kinds or status in _DENIED:
        return f"may not be {doing} with these credentials; ask its owner or give others"
    if any("Timeout" in kind for kind in kinds):
        return f"did not answer within {TIMEOUT_S} s; check the network and try again"
    if kinds & {"ClientConnectionError", "ConnectionError", "EndpointConnectionError", "gaierror"}:
        return "cannot be reached; check the address and the network"
    if status in _ABSENT or ("FileNotFoundError" in kinds and not status):
        return "does not exist; check its spelling"
    if status:
        return f"cannot be {doing}: its server says {status}; try again later"
    text = next(iter(str(error).splitlines()), "")
    return f"cannot be {doing} ({type(error).__name__}: {text})"


def _is_absent(error: FileNotFoundError) -> bool:
    """Whether a file is not there, rather than its server, which fsspec's HTTP reports alike."""
    return "does not exist" in _reason(error)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__) is not None and cause not in chain:
        chain.append(cause)
    return chain
