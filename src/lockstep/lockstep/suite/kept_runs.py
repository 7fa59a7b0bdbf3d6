"""Runs of references that are kept for other cases of the same reference on the same inputs.

An entry is a folder that is named after a digest of all that its run rests on (ground.py). It holds
the bag of outputs, and `entry.json` with the contract, the result of the run, and the digest of
every file; so an entry that is damaged is found, and made anew. Entries come whole or not at all
(rename), are made by one process at a time (flock), and the least recently used ones go when there
are more bytes than allowed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter

from ..component import Contract
from ..errors import UsageError, unforeseen
from ..run.result import RunResult
from ..verify.fingerprints import Fingerprint, digest
from ..verify.kept import KeptRun
from ..verify.model import Verification
from .ground import digest_of_reference

MOST_BYTES = 10 * 10**9
MOST_DAYS = 30
_DAY_S = 86_400
_ENTRY = "entry.json"
_VERSION = 1
_RUN_RESULT = TypeAdapter(RunResult)


class KeptRuns:
    """The runs in a folder; of one case at a time. Use `of_a_case` in a with-statement."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES, most_days: float = MOST_DAYS):
        self._folder, self._most_bytes, self._most_days = folder, most_bytes, most_days
        self._lock: IO[bytes] | None = None
        self._key: str | None = None
        self.remarks: list[str] = []
        """What went wrong with keeping runs of this case, which changes no verdict."""

    @contextmanager
    def of_a_case(self) -> Iterator[KeptRuns]:
        """Until the end whoever needs a run that this case makes waits for it."""
        self.remarks = []
        try:
            yield self
        finally:
            self._let_go()

    def find(
        self, verification: Verification, parts: Mapping[str, Fingerprint], folder: Path
    ) -> KeptRun | None:
        """The run of the reference, with its files put into `folder`; None if there is none, which
        nobody else makes meanwhile."""
        self._key = digest_of_reference(verification, parts)
        if self._key is None:
            return None
        try:
            self._take_lock(self._key)
            return self._whole(self._key, folder)
        except OSError as error:
            self.remarks.append(f"runs cannot be kept in {self._folder}: {unforeseen(error)}")
            self._key = None
            return None

    def keep(
        self,
        verification: Verification,
        parts: Mapping[str, Fingerprint],
        contract: Contract,
        result: RunResult,
    ) -> None:
        """Keep a run that has just been made and was the same when it was made again; `parts` are
        what is on disk since then."""
        key = self._key
        if key is None or result.failure is not None or not isinstance(result.bag, Path):
            return
        if digest_of_reference(verification, parts) != key:
            return  # it changed while it ran
        fresh = self._folder / f".{key}.{os.getpid()}"
        try:
            self._write(fresh, key, contract, result)
            os.rename(fresh, self._folder / key)
            self._evict(key)
        except OSError as error:
            self.remarks.append(f"the run of {result.name} is not kept: {unforeseen(error)}")
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            self._let_go()

    def _take_lock(self, key: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / f".{key}.lock").open("ab")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._lock, self._key = None, None

    def _whole(self, key: str, folder: Path) -> KeptRun | None:
        """The entry, if it is there and undamaged; one that is damaged is removed."""
        place = self._folder / key
        if not place.is_dir():
            return None
        run = None
        with suppress(ValueError, KeyError, TypeError, UsageError, OSError):
            run = _read(place, key, folder)
        if run is None:
            self.remarks.append(f"a kept run was damaged and is made anew ({place.name[:12]}…)")
            shutil.rmtree(place)
            shutil.rmtree(folder, ignore_errors=True)
            return None
        os.utime(place)  # used just now
        self._let_go()
        return run

    def _write(self, fresh: Path, key: str, contract: Contract, result: RunResult) -> None:
        assert isinstance(result.bag, Path)
        source = result.bag.parent
        fresh.mkdir()
        files: dict[str, str] = {}
        total = 0
        for path in sorted(result.bag.rglob("*")):
            if path.is_file():
                name = str(path.relative_to(source))
                _link(path, fresh / name)
                files[name] = digest(path)
                total += path.stat().st_size
        run = replace(result, bag=result.bag.relative_to(source))
        entry = {
            "version": _VERSION,
            "key": key,
            "made_s": time.time(),
            "bytes": total,
            "files": files,
            "run": _RUN_RESULT.dump_python(run, mode="json"),
            "contract": contract.to_json(),
        }
        entry["digest"] = _digest_of(entry)
        (fresh / _ENTRY).write_text(json.dumps(entry), "utf-8")

    def _evict(self, newest: str) -> None:
        """Remove what is too old, and the least recently used while all are too large."""
        known = []
        for place in self._folder.iterdir():
            if not place.name.startswith(".") and place.is_dir():
                with suppress(OSError, ValueError, KeyError):
                    size = json.loads((place / _ENTRY).read_text("utf-8"))["bytes"]
                    known.append((place.stat().st_mtime, size, place))
        total = sum(size for _, size, _ in known)
        for used_s, size, place in sorted(known):
            is_old = time.time() - used_s > self._most_days * _DAY_S
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


def _read(place: Path, key: str, folder: Path) -> KeptRun | None:
    """An entry, with its files in `folder`; None if something is not as it was written."""
    entry = json.loads((place / _ENTRY).read_text("utf-8"))
    told = entry.pop("digest")
    if told != _digest_of(entry) or entry["key"] != key or entry["version"] != _VERSION:
        return None
    for name, expected in entry["files"].items():
        _link(place / name, folder / name)
        if digest(folder / name) != expected:
            return None
    run = _RUN_RESULT.validate_python(entry["run"])
    run = replace(run, bag=folder / run.bag)
    return KeptRun(Contract.from_json(entry["contract"]), run, made_s=float(entry["made_s"]))


def _digest_of(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _link(source: Path, target: Path) -> None:
    """The same file at another place, which takes no room; a copy on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
