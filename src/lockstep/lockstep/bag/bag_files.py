"""Which files a bag has: what a path, a pattern or a URL names, on this machine or behind a URL."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ..errors import BagError
from . import metadata, url
from .source import GIVE, FileSource, location

_SUFFIXES = (".mcap", ".db3", ".bag", ".bag.active")
_COMPRESSED = re.compile(r"\.(zstd|zst|lz4)$")


def bag_files(path: str | os.PathLike[str]) -> tuple[list[str], dict[str, Any]]:
    """The files of a bag in their order, and what its metadata.yaml tells ({} without one).

    `path` is a folder (its metadata.yaml, else all files of a bag's suffix, bag_2 before bag_10),
    one file, or a pattern of them, on this machine or a URL. Raises BagError if it names no bag.
    """
    place = location(path)
    if url.is_url(place):
        if url.is_pattern(place):
            return _all_files(place, url.matching(place))
        return _files(place)
    if os.path.exists(place):
        return _files(place)
    if glob.has_magic(place):
        return _all_files(place, glob.glob(place, recursive=True))
    raise BagError(f"{place} does not exist; {GIVE}")


def files_in(folder: str | os.PathLike[str]) -> list[str]:
    """The files of a bag's suffix in a folder of this machine in their order,
    whatever its metadata.yaml says.
    """
    here = _Folder(os.fspath(folder))
    return [here.join(name) for name in here.bag_names()]


def stem(name: str) -> str:
    """The name of a bag's file or folder without the suffixes of its storage and compression."""
    plain = _COMPRESSED.sub("", name)
    suffix = next(filter(plain.endswith, _SUFFIXES), None)
    return plain.removesuffix(suffix) if suffix else name


def _all_files(pattern: str, found: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    """The files of all bags among what a pattern matches; what is no bag may be among it."""
    names: list[str] = []
    informations: list[dict[str, Any]] = []
    for path in sorted((path.rstrip("/") for path in found), key=_natural):
        if is_bag_name(path) or _folder(path).has_bag():
            files, information = _files(path)
            fresh = [file for file in files if file not in names]
            names += fresh
            informations.append(information if fresh == files else {})
    if not names:
        raise BagError(f"{url.shown(pattern)} matches no bag; {GIVE}")
    return names, metadata.joined(informations)


def _files(path: str) -> tuple[list[str], dict[str, Any]]:
    folder = _folder(path)
    if folder.is_file():
        return [path], {}
    text = folder.metadata()
    information = {} if text is None else metadata.parse(text, folder.shown(metadata.FILE_NAME))
    names = information.get("relative_file_paths") or folder.bag_names()
    if not names:
        raise BagError(f"{folder.shown()} holds no .mcap file, no .db3 and no .bag; {GIVE}")
    # Up to version 3 names were relative to the parent folder;
    # what was renamed or moved is found as well.
    inside = [PurePosixPath(name).name for name in names]
    for name in inside:
        if not folder.holds(name):
            raise BagError(
                f"{folder.shown(metadata.FILE_NAME)} names {name}, which is not in the folder; "
                f"copy it there, or delete {metadata.FILE_NAME} to read what is there"
            )
    return [folder.join(name) for name in inside], information


def is_bag_name(name: str) -> bool:
    """Whether a file is one of a bag, as far as its name tells."""
    return _COMPRESSED.sub("", name).endswith(_SUFFIXES)


def _is_in_folder(name: str) -> bool:
    return is_bag_name(name) and not name.startswith(".")  # macOS leaves a ._x.mcap beside x.mcap


def _natural(name: str) -> list[tuple[str, int]]:
    """Sorts bag_10 behind bag_9."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]


class _Folder:
    """What may be a folder on this machine."""

    def __init__(self, path: str) -> None:
        self._path = path

    def shown(self, name: str = "") -> str:
        return self.join(name) if name else self._path

    def join(self, name: str) -> str:
        return os.path.join(self._path, name)

    def is_file(self) -> bool:
        return not os.path.isdir(self._path)

    def holds(self, name: str) -> bool:
        file = Path(self._path, name)
        return file.is_file() and file.resolve().is_relative_to(Path(self._path).resolve())

    def has_bag(self) -> bool:
        return not self.is_file() and bool(self.holds(metadata.FILE_NAME) or self.bag_names())

    def bag_names(self) -> list[str]:
        try:
            names = [entry.name for entry in os.scandir(self._path) if entry.is_file()]
        except OSError as error:
            raise BagError(f"{self._path} cannot be read: {error.strerror}") from error
        return sorted(filter(_is_in_folder, names), key=_natural)

    def metadata(self) -> bytes | None:
        path = self.join(metadata.FILE_NAME)
        if not os.path.exists(path):
            return None
        with FileSource(path) as source:
            return source.read(0, metadata.LARGEST + 1)


class _UrlFolder:
    """What may be a folder behind a URL.

    Where a server lists nothing, only metadata.yaml tells what is in it.
    """

    def __init__(self, path: str) -> None:
        self._url = path.rstrip("/")
        self._names: list[str] | None = None

    def shown(self, name: str = "") -> str:
        return url.shown(self.join(name) if name else self._url)

    def join(self, name: str) -> str:
        return f"{self._url}/{name}"

    def is_file(self) -> bool:
        if is_bag_name(urlsplit(self._url).path) or urlsplit(self._url).query:
            return True
        return not self._there() and self.metadata() is None

    def holds(self, name: str) -> bool:
        return not self._there() or name in self._there()

    def has_bag(self) -> bool:
        return metadata.FILE_NAME in self._there() or bool(self.bag_names())

    def bag_names(self) -> list[str]:
        return sorted(filter(_is_in_folder, self._there()), key=_natural)

    def metadata(self) -> bytes | None:
        return url.read_if_there(self.join(metadata.FILE_NAME), metadata.LARGEST)

    def _there(self) -> list[str]:
        if self._names is None:
            self._names = url.listed(self._url)
        return self._names


def _folder(path: str) -> _Folder | _UrlFolder:
    return _UrlFolder(path) if url.is_url(path) else _Folder(path)
