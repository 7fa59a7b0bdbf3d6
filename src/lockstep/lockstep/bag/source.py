from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from . import metadata
from .errors import BagError


class Source(Protocol):
    name: str
    size: int

    def read(self, offset: int, length: int) -> bytes: ...
    def close(self) -> None: ...


class FileSource:
    def __init__(self, path: str) -> None:
        self.name = str(path)
        self._fd = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        os.close(self._fd)


def open_source(path: str) -> Source:
    return FileSource(path)


def bag_files(path: Any) -> tuple[list[str], dict[str, Any]]:
    path = Path(path)
    if not path.exists():
        raise BagError(f"{path} does not exist; give a rosbag2 folder or a .mcap file")
    if path.is_file():
        return [str(path)], {}
    information = metadata.read(path)
    names = information.get("relative_file_paths") or sorted(p.name for p in path.glob("*.mcap"))
    if not names:
        raise BagError(f"{path} holds no .mcap file; give a rosbag2 folder or a .mcap file")
    files = [path / str(name) for name in names]
    for file in files:
        if not file.resolve().is_relative_to(path.resolve()) or not file.is_file():
            raise BagError(
                f"{path}/{metadata.FILE_NAME} names {file.name}, which is not in the folder"
            )
    return [str(f) for f in files], information
