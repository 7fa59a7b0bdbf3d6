"""Whole files that are on this machine only while they are read: what was downloaded or decompressed."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import lz4.frame
import zstandard

from ..closing import Closable
from ..errors import BagError
from .compression import DAMAGE

if TYPE_CHECKING:
    from typing_extensions import Buffer

SQLITE_MAGIC = b"SQLite format 3\0"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LZ4_MAGIC = b"\x04\x22\x4d\x18"
COMPRESSED_MAGICS = (_ZSTD_MAGIC, _LZ4_MAGIC)
"""With which compressed files begin, and no bag."""
_BAG_MAGICS = (SQLITE_MAGIC, b"\x89MCAP0\r\n", b"#ROSBAG V")
_STEP = 1 << 20


class TemporarySource(Closable):
    """A source (source.Source) that holds what `parts` yield in a temporary file.

    The file has no name, so that nothing is left of it however the program ends; only SQLite needs one, which it
    keeps until the source is closed or gone.
    """

    def __init__(self, name: str, parts: Iterable[bytes]) -> None:
        self.name = name
        self.path: str | None = None
        self.size = 0
        try:
            self._descriptor, path = tempfile.mkstemp(prefix="lockstep-", suffix=".bag")
        except OSError as error:
            raise BagError(_no_room(name, error)) from error
        self._remove = weakref.finalize(self, _remove, self._descriptor, path)
        named = False
        for part in parts:
            named = named or (self.size == 0 and part.startswith(SQLITE_MAGIC))
            self._append(part)
        if named:
            self.path = path
        else:
            os.unlink(path)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer only at the end; raises BagError."""
        return read_at(self._descriptor, offset, length, self.size, self.name)

    def close(self) -> None:
        """Delete the file; a second time is harmless."""
        self._remove()

    def _append(self, part: bytes) -> None:
        view = memoryview(part)
        while view:
            try:
                written = os.write(self._descriptor, view)
            except OSError as error:
                raise BagError(_no_room(self.name, error)) from error
            self.size += written
            view = view[written:]


def read_at(descriptor: int, offset: int, length: int, size: int, name: str) -> bytes:
    """`length` bytes of an open file of `size` bytes, fewer only at its end; raises BagError."""
    length = min(length, size - offset)
    if length <= 0 or offset < 0:
        return b""
    try:
        data = os.pread(descriptor, length, offset)
        while len(data) < length:  # a read is of 2 GiB at most
            more = os.pread(descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
    except OSError as error:
        raise BagError(f"{name} cannot be read: {error.strerror}") from error
    return data


def decompressed(magic: bytes, parts: Iterable[bytes]) -> Iterator[bytes]:
    """What is in a compressed file that begins with `magic`, as far as it is whole.

    Where it is damaged, the end is left out, so that a bag in it is seen to be cut off. Of what is no bag only the
    beginning is unpacked: it may be an archive of any size.
    """
    stream = io.BufferedReader(_Stream(iter(parts)), _STEP)
    reader: Any = (
        zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
        if magic == _ZSTD_MAGIC
        else lz4.frame.LZ4FrameFile(stream)
    )
    held = b""  # all may have come when a checksum tells that it is wrong
    with suppress(*DAMAGE):
        while part := reader.read(_STEP):
            if not held and not part.startswith(_BAG_MAGICS):
                yield part
                return
            yield held
            held = part
        yield held


class _Stream(io.RawIOBase):
    """Parts as a file that can be read from its beginning to its end."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._part = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        while not self._part:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._part = memoryview(part)
        view = memoryview(buffer)
        size = min(len(view), len(self._part))
        view[:size] = self._part[:size]
        self._part = self._part[size:]
        return size


def _remove(descriptor: int, path: str) -> None:
    os.close(descriptor)
    with suppress(FileNotFoundError):
        os.unlink(path)


def _no_room(name: str, error: OSError) -> str:
    return (
        f"{name} cannot be unpacked to {tempfile.gettempdir()}: {error.strerror}; "
        "make room there or set TMPDIR to another folder"
    )
