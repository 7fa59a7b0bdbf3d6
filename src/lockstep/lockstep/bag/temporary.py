"""Whole files that are on this machine only while they are read:
what was downloaded or decompressed.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import suppress

from ..closing import Closable
from ..errors import BagError
from . import magic


class TemporarySource(Closable):
    """A source (source.Source) that holds what `parts` yield in a temporary file.

    The file has no name, so that nothing is left of it however the program ends; only SQLite needs
    one, which it keeps until the source is closed or gone.
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
            named = named or (self.size == 0 and part.startswith(magic.SQLITE3))
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


def _remove(descriptor: int, path: str) -> None:
    os.close(descriptor)
    with suppress(FileNotFoundError):
        os.unlink(path)


def _no_room(name: str, error: OSError) -> str:
    return (
        f"{name} cannot be unpacked to {tempfile.gettempdir()}: {error.strerror}; "
        "make room there or set TMPDIR to another folder"
    )
