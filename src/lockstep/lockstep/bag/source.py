"""What bags are read from: local files and URLs by ranges, and what is compressed as a whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ..closing import Closable
from ..errors import BagError
from . import magic, url
from .compression import decompressed
from .temporary import TemporarySource, read_at

_STEP = 1 << 22
GIVE = "give a rosbag2 folder or a .mcap, .db3 or .bag file"


class Source(Protocol):
    """An open file that is read by ranges, also from several threads.

    `name` is for messages, `size` is in bytes; `path` is where the whole file is on this machine,
    None if nowhere.
    """

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def path(self) -> str | None: ...
    def read(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer only at the end; raises BagError."""

    def close(self) -> None: ...


class FileSource(Closable):
    """A local file. It is read, not mapped: pages of a map would count as memory,
    and a file that shrinks would kill.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        self.path: str | None = path
        try:
            # A pipe without a writer would block.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise BagError(f"{path} cannot be read: {error.strerror}") from error
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise BagError(f"{path} is no file; {GIVE}")

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer only at the end; raises BagError."""
        return read_at(self._descriptor, offset, length, self.size, self.name)

    def close(self) -> None:
        """Close the file; a second time is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def open_source(name: str | os.PathLike[str]) -> Source:
    """Open a local file or URL.

    What is compressed as a whole, or served only as a whole, is unpacked for the time. Raises
    BagError if it is not there, unreadable, or finds no room.
    """
    place = location(name)
    source: FileSource | url.UrlSource | TemporarySource
    if url.is_url(place):
        source = url.UrlSource(place)
        if not source.ranged:
            source = TemporarySource(source.name, source.parts())
    else:
        source = FileSource(place)
    try:
        start = source.read(0, 4)
        if start not in magic.COMPRESSED:
            return source
        plain = TemporarySource(source.name, decompressed(start, parts(source)))
    except BaseException:
        source.close()
        raise
    source.close()
    return plain


def parts(source: Source, size: int | None = None) -> Iterator[bytes]:
    """A source from its beginning to its end, or its first `size` bytes."""
    end = source.size if size is None else size
    for start in range(0, end, _STEP):
        yield source.read(start, min(_STEP, end - start))


def location(path: str | os.PathLike[str]) -> str:
    """A path or URL; file:// is a path."""
    text = os.fspath(path)
    if not text.startswith("file://"):
        return text
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise BagError(f"{text} is not on this machine; give file:/// and the whole path")
    return unquote(parts.path)
