"""Whole files that are on this machine only while they are read:
what was downloaded or decompressed.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterable
from itertools import chain

from ..closing import Closable
from ..errors import BagError
from ..temporary_folder import TemporaryFolder
from . import magic


class TemporarySource(Closable):
    """A source (source.Source) that holds what `parts` yield in a temporary file.

    The file has no name, so that nothing is left of it however the program ends; only SQLite needs
    one, in a folder of its own.
    """

    def __init__(self, name: str, parts: Iterable[bytes]) -> None:
        self.name = name
        self.path: str | None = None
        self.size = 0
        waiting = iter(parts)
        first = next((part for part in waiting if part), b"")
        folder = None
        try:
            if first.startswith(magic.SQLITE3):
                folder = TemporaryFolder("lockstep-")
                self.path = str(folder.path / "unpacked.bag")
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            else:
                self._descriptor, path = tempfile.mkstemp(prefix="lockstep-", suffix=".bag")
                os.unlink(path)
        except OSError as error:
            raise BagError(_no_room(name, error)) from error
        self._remove = weakref.finalize(self, _remove, self._descriptor, folder)
        for part in chain([first], waiting):
            self._append(part)

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


def _remove(descriptor: int, folder: TemporaryFolder | None) -> None:
    os.close(descriptor)
    if folder is not None:
        folder.close()


def _no_room(name: str, error: OSError) -> str:
    return (
        f"{name} cannot be unpacked to {tempfile.gettempdir()}: {error.strerror}; "
        "make room there or set TMPDIR to another folder"
    )
