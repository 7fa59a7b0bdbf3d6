"""Kept runs in a folder, which several machines may share.

An entry is a folder, and comes whole or not at all (rename). It is made by one process at a time
(flock), and was last used when the folder was changed last, by the clock of its file system: those
of machines may differ.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from ..component import Contract
from ..run.result import RunResult
from ..verify.kept import KeptRun
from .entries import DAY_S, ENTRY, entry_of, run_of


class FolderShelf:
    """As kept_runs.Shelf."""

    def __init__(self, folder: Path, most_bytes: int, most_days: float) -> None:
        self._folder, self._most_bytes, self._most_days = folder, most_bytes, most_days
        self._lock: IO[bytes] | None = None

    def reserve(self, key: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / f".{key}.lock").open("ab")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._lock = None

    def take(self, key: str, folder: Path) -> KeptRun | None:
        place = self._folder / key
        if not place.is_dir():
            return None
        run = run_of(
            lambda: (place / ENTRY).read_bytes(),
            key,
            folder,
            lambda name, target: _link(place / name, target),
        )
        os.utime(place)  # used just now
        return run

    def put(self, key: str, contract: Contract, result: RunResult) -> None:
        fresh = self._folder / f".{key}.{os.getpid()}"
        source = Path(result.bag).parent
        try:
            entry = entry_of(key, contract, result)
            fresh.mkdir()
            for name in entry["files"]:
                _link(source / name, fresh / name)
            (fresh / ENTRY).write_text(json.dumps(entry), "utf-8")
            os.rename(fresh, self._folder / key)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def remove(self, key: str) -> None:
        shutil.rmtree(self._folder / key)

    def evict(self, newest: str) -> None:
        known = []
        for place in self._folder.iterdir():
            if not place.name.startswith(".") and place.is_dir():
                with suppress(OSError, ValueError, KeyError):
                    size = json.loads((place / ENTRY).read_text("utf-8"))["bytes"]
                    known.append((place.stat().st_mtime, size, place))
        now_s = (self._folder / newest).stat().st_mtime
        total = sum(size for _, size, _ in known)
        for used_s, size, place in sorted(known):
            is_old = now_s - used_s > self._most_days * DAY_S
            is_due = place.name != newest and (is_old or total > self._most_bytes)
            if is_due and _remove(place):
                total -= size


def _remove(place: Path) -> bool:
    """Remove an entry that nobody is using just now."""
    lock_file = place.with_name(f".{place.name}.lock")
    with ExitStack() as stack:
        lock = stack.enter_context(lock_file.open("ab"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(place, ignore_errors=True)
    return True


def _link(source: Path, target: Path) -> None:
    """The same file at another place, which takes no room; a copy on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
