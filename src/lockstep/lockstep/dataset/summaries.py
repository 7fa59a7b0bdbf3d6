"""What each of many bags holds, without opening them again: summaries, which are kept in the user's
cache and hold as long as the files of a bag stay as they are."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..bag import Bag, BagError
from ..bag.bag_files import is_bag_name
from ..bag.metadata import FILE_NAME
from ..bag.url import is_url, states
from ..errors import DatasetError

_VERSION = 1
_AT_ONCE = 16
_FOLDER = "summaries"


@dataclass(frozen=True)
class Summary:
    """A bag: its topics with their types and how many messages they have, the first and the last
    log time in ns, and its labels (the custom data of metadata.yaml).

    `problem` is what is wrong with a bag that is not whole, whose counts need not be right. `state`
    is that of its files.
    """

    path: str
    state: str
    types: Mapping[str, str]
    counts: Mapping[str, int]
    start_ns: int
    end_ns: int
    labels: Mapping[str, str]
    problem: str | None = None


def summaries(place: str) -> list[Summary]:
    """The bags below a folder, or that a pattern names, here or behind a URL, by path.

    A folder with metadata.yaml is one bag; of others each file of a bag's suffix is one, as are
    those in the folders below it. A bag that cannot be opened is a warning. Raises DatasetError
    where there is none.
    """
    found = _below(place)
    kept = _kept(place)
    known = {path: kept[path] for path, state in found.items() if _is_known(kept, path, state)}
    missing = [path for path in found if path not in known]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        made = pool.map(lambda path: _made(path, found[path]), missing)
        for path, summary in zip(missing, made, strict=True):
            if isinstance(summary, BagError):
                warnings.warn(f"left out: {summary}", stacklevel=3)
            else:
                known[path] = summary
    if missing:
        _keep(place, known.values())
    if not known:
        raise DatasetError(f"there is no bag below {place}; give a folder of bags, or a pattern")
    return [known[path] for path in sorted(known)]


def _is_known(kept: Mapping[str, Summary], path: str, state: str) -> bool:
    return path in kept and kept[path].state == state


def _below(place: str) -> dict[str, str]:
    """The bags, with the states of their files."""
    if is_url(place):
        try:
            return _grouped(states(place))
        except BagError as error:
            raise DatasetError(str(error)) from error
    matched = sorted(glob.glob(place, recursive=True)) if glob.has_magic(place) else [place]
    files: dict[str, str] = {}
    for path in matched:
        files |= _of_files([path]) if os.path.isfile(path) else _of_files(_walked(path))
    return _grouped(files)


def _walked(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(place, name) for name in names if not name.startswith("."))


def _of_files(paths: Iterable[str]) -> dict[str, str]:
    found = {}
    for path in paths:
        if is_bag_name(path) or os.path.basename(path) == FILE_NAME:
            with suppress(OSError):  # it has gone meanwhile
                known = os.stat(path)
                found[path] = f"{known.st_size} {known.st_mtime_ns}"
    return found


def _grouped(files: Mapping[str, str]) -> dict[str, str]:
    """Files with their states as bags with theirs."""
    folders = {os.path.dirname(path) for path in files if os.path.basename(path) == FILE_NAME}
    bags: dict[str, list[str]] = {}
    for path, state in sorted(files.items()):
        folder = os.path.dirname(path)
        if folder in folders:
            bags.setdefault(folder, []).append(f"{os.path.basename(path)} {state}")
        elif is_bag_name(path):
            bags[path] = [state]
    return {path: "; ".join(parts) for path, parts in bags.items()}


def _made(path: str, state: str) -> Summary | BagError:
    """A summary, for which the bag is opened."""
    try:
        with Bag(path) as bag:
            return Summary(
                path,
                state,
                {name: topic.type for name, topic in bag.topics.items()},
                {name: topic.count for name, topic in bag.topics.items()},
                bag.start_ns,
                bag.end_ns,
                dict(bag.origin.custom_data),
                bag.problem,
            )
    except BagError as error:
        return error


def _file(place: str) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    where = place if is_url(place) else os.path.abspath(place)
    name = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return Path(root, "lockstep", _FOLDER, f"{name}.json")


def _kept(place: str) -> dict[str, Summary]:
    """What is in the cache; nothing of a file that is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        data: Any = json.loads(_file(place).read_text("utf-8"))
        if data["version"] == _VERSION:
            return {one["path"]: Summary(**one) for one in data["summaries"]}
    return {}


def _keep(place: str, found: Iterable[Summary]) -> None:
    """Keep summaries; where that cannot be, they are made again next time."""
    file = _file(place)
    part = file.with_suffix(f".{os.getpid()}.part")
    data = {"version": _VERSION, "summaries": [asdict(one) for one in found]}
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(data), "utf-8")
        part.replace(file)
