"""A case on a worker of a cluster, which has this library, and the files of the suite at the same
place or in its working folder.

What crosses between the machines is text and bytes, so that two versions of this library can tell
each other that they are two. The case runs in a process of its own, which the next one has too: a
worker may run it in any of its threads, and must outlive whatever it does.
"""

from __future__ import annotations

import pickle
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from os import getpid
from pathlib import Path
from typing import Literal

from ..bag.url import is_url
from ..errors import UsageError
from ..verify.fingerprints import digest
from ..version import __version__
from .case import Case
from .case_run import Place, prepare, run_case
from .ground import own_digest
from .journal import LINES
from .result import Result

Answer = tuple[Literal["unfit", "lost", "done"], bytes]
"""That a worker is not fit to run cases, and why; that the process of the case died; its
result."""

_PROGRAM = "from lockstep.suite.elsewhere import serve; serve()"
_PERIOD_S = 0.5
_GRACE_S = 10.0
"""So long a case that nobody wants any more has to end its processes."""
_own = threading.local()


@dataclass(frozen=True)
class Job:
    """A case as it travels; `root` is the folder of the suite where it was started, and
    `file_digest` that of its verify file there."""

    case: Case
    place: Place
    root: Path
    file_digest: str


def packed(case: Case, place: Place, root: Path) -> bytes:
    """A case for `answer`."""
    known = _digest_of_file(case.file, case.file.stat().st_mtime_ns)
    return pickle.dumps(Job(case, place, root, known))


def result_of(given: Answer) -> Result | None:
    """What was answered; None if the process of the case died.

    Raises UsageError if the worker is not fit to run cases.
    """
    kind, data = given
    if kind == "unfit":
        raise UsageError(data.decode())
    if kind == "lost":
        return None
    result: Result = pickle.loads(data)
    return result


@lru_cache(maxsize=1)
def tool() -> str:
    """What runs cases here, in words."""
    python = ".".join(map(str, sys.version_info[:2]))
    return f"lockstep {__version__} ({own_digest()[:12]}) on Python {python}"


def answer(asked_by: str, job: bytes, is_wanted: Callable[[], bool] = lambda: True) -> Answer:
    """Run a case here, for somebody whose `tool` it is too, as long as it is wanted."""
    if asked_by != tool():
        told = f"{platform.node()} has {tool()}, and not {asked_by}; give all workers the same"
        return "unfit", told.encode()
    process = getattr(_own, "process", None)
    if process is None or process.has_ended:
        process = _own.process = _Process()
    return process.run(job, is_wanted)


class _Process:
    """Runs one case after the other, and ends with the thread that has made it."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            words = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(getpid())]
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def run(self, job: bytes, is_wanted: Callable[[], bool]) -> Answer:
        try:
            self._connection.send_bytes(job)
            while not self._connection.poll(_PERIOD_S):
                if not is_wanted():
                    self._end()
                    return "lost", b""
            answered: Answer = pickle.loads(self._connection.recv_bytes())
            return answered
        except (EOFError, OSError):
            self._end()
            return "lost", b""
        except BaseException:  # whatever cancels it
            self._end()
            raise

    def _end(self) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        self._process.kill()
        self._process.wait()
        self._connection.close()


def serve() -> None:
    """The process that runs cases: its arguments are a socket, and its parent."""
    connection, parent = Connection(int(sys.argv[1])), int(sys.argv[2])
    prepare(parent)
    while True:
        try:
            job = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(pickle.dumps(_run(pickle.loads(job))))


def _run(job: Job) -> Answer:
    case = replace(job.case, file=_here(job.case.file, job.root))
    if case.bag is not None and not is_url(case.bag):
        case = replace(case, bag=str(_here(Path(case.bag), job.root)))
    if (why := _unfit(job, case)) is not None:
        return "unfit", f"{platform.node()} {why}".encode()
    result = run_case(case, job.place)
    if result.verdict == "no verdict":
        result = replace(result, sentence=f"{result.sentence} (on {result.machine})")
    return "done", pickle.dumps(replace(result, definition=job.case.definition))


def _here(path: Path, root: Path) -> Path:
    """Where a file of the suite is on this machine."""
    if path.exists() or not path.is_relative_to(root):
        return path
    return Path.cwd() / path.relative_to(root)


def _unfit(job: Job, case: Case) -> str | None:
    """Why cases cannot be run here, if that is so."""
    if not case.file.is_file():
        return (
            f"has no {job.case.file}; start it with the workspace of the suite at the same place, "
            "or in the folder that the suite's is here"
        )
    if digest(case.file) != job.file_digest:
        return f"has another {case.file.name} than there is here; give it the workspace of now"
    if job.place.store is None and not (job.place.folder / LINES).is_file():
        return (
            f"does not see {job.place.folder}; give --store with a URL that all workers reach, or "
            "--output with a folder that all have"
        )
    return None


@lru_cache(maxsize=4096)
def _digest_of_file(file: Path, mtime_ns: int) -> str:
    return digest(file)
