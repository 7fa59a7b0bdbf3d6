"""The runs of a suite in its folder: each has a folder of its own, with a line of JSON for each
case that is done, so that whatever ends a run, what is done is kept."""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from ..errors import RunError, UsageError
from .result import Result, as_data, from_data

LINES = "cases.jsonl"
_FINISHED = "finished"
_LOCK = "lock"


class Journal:
    """A run of a suite; `folder` is its own, and its name is the run's."""

    def __init__(self, folder: Path) -> None:
        """Takes up the run of a folder that is there."""
        self.folder = folder
        self.results = {result.case: result for result in _read(folder)}
        text = _text(folder)
        self._lines: IO[str] = (folder / LINES).open("a", encoding="utf-8")
        if text and not text.endswith("\n"):  # the last line was cut off
            self._lines.write("\n")

    def add(self, result: Result) -> None:
        """Keep a result; it is on disk when this returns. Raises RunError where it cannot be."""
        self.results[result.case] = result
        try:
            self._lines.write(json.dumps(as_data(result)) + "\n")
            self._lines.flush()
            os.fsync(self._lines.fileno())
        except OSError as error:
            raise RunError(
                f"results cannot be kept in {self.folder}: {error.strerror}; make room, and go on "
                "with --resume"
            ) from error

    def finish(self) -> None:
        """All cases are done."""
        (self.folder / _FINISHED).touch()

    def close(self) -> None:
        with suppress(OSError):  # of a line that could not be written
            self._lines.close()


@contextmanager
def new_run(place: Path) -> Iterator[Journal]:
    """A new run of a suite whose runs are in a folder.

    Runs are numbered, as a clock may be set back; those that begin at once differ in the end of
    their names.
    """
    last = max((int(folder.name.partition("-")[0]) for folder in _runs(place)), default=0)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    with _opened(place, f"{last + 1:06}-{stamp}-{uuid.uuid4().hex[:6]}") as journal:
        yield journal


@contextmanager
def resumed_run(place: Path) -> Iterator[Journal]:
    """The last run that was not finished, and that nobody goes on with; raises UsageError if there
    is none."""
    with ExitStack() as stack:
        for folder in reversed(_runs(place)):
            if not (folder / _FINISHED).exists():
                with suppress(BlockingIOError):
                    journal = stack.enter_context(_opened(place, folder.name))
                    break
        else:
            raise UsageError(f"no run in {place} is unfinished; leave out --resume to begin one")
        yield journal


def last_results(place: Path) -> dict[str, Result]:
    """The newest result of each case, of all runs in a folder."""
    return {result.case: result for folder in _runs(place) for result in _read(folder)}


@contextmanager
def _opened(place: Path, name: str) -> Iterator[Journal]:
    folder = place / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("ab")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        journal = Journal(folder)
        try:
            yield journal
        finally:
            journal.close()


def _runs(place: Path) -> list[Path]:
    """The folders of runs, the oldest first."""
    return sorted(path.parent for path in place.glob(f"[0-9]*-*/{LINES}"))


def _read(folder: Path) -> Iterator[Result]:
    """The results of a run; of a line that was cut off nothing is known."""
    for line in _text(folder).splitlines():
        with suppress(ValueError):
            yield from_data(json.loads(line))


def _text(folder: Path) -> str:
    try:
        return (folder / LINES).read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
