"""One case, run in a process that keeps this library imported for the next one; whatever happens to
it, there is a result, and none reads as a match that is none."""

from __future__ import annotations

import faulthandler
import logging
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from ..bag.url import upload
from ..errors import Interrupted, LockstepError, unforeseen
from ..run.strays import adopt, end_adopted, end_with
from ..temporary_folder import TemporaryFolder
from ..verify.ledger import remember
from ..verify.plan import with_nodes
from ..verify.verify import verify
from .case import Case, verification_of
from .ground import digest_of_case
from .kept_runs import KeptRuns
from .result import Result, with_verdict, without_verdict
from .turns import turn

_OVERTIME_S = 60.0
"""After its time a case has so long to end what it has started."""


@dataclass(frozen=True)
class Place:
    """Where a suite runs: the folder of this run, a URL for what its cases write, if that is not to
    be in the folder, and where runs of references are kept, if they are."""

    folder: Path
    store: str | None
    kept: Path | str | None
    kept_bytes: int
    kept_days: float
    shares: int | None = None
    """Among how many cores the memory of a machine is shared; all that it has, if not given."""


class _Now:
    """What this process is doing."""

    interruptible = False
    warnings: list[str] | None = None


class _Collected(logging.Handler):
    """What is logged belongs to the case that runs."""

    def emit(self, record: logging.LogRecord) -> None:
        if _Now.warnings is not None:
            _Now.warnings.append(record.getMessage())


def prepare(parent: int) -> None:
    """What a process does once before its first case; it ends with its parent.

    Ctrl-C reaches it as well as whoever started it, who decides what follows. An empty handler
    rather than SIG_IGN, which the processes that it starts would inherit.
    """
    end_with(parent)
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGHUP, lambda number, frame: None)
    signal.signal(signal.SIGTERM, _interrupt)
    logging.getLogger().addHandler(_Collected(logging.WARNING))
    adopt()


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _Now.interruptible:
        _Now.interruptible = False  # once is enough; a second time must not disturb the end
        raise Interrupted


def run_case(case: Case, place: Place) -> Result:
    """Run a case into its folder; never raises."""
    start_s, cpu_s = time.perf_counter(), _cpu_s()
    _Now.warnings = []
    keeper = None if place.kept is None else KeptRuns(place.kept, place.kept_bytes, place.kept_days)
    memory_bytes = case.memory_bytes or _share_of_memory(case.cores, place.shares)
    late = threading.Event()
    try:
        with _interruptible(), turn(case.exclusive):
            start_s = time.perf_counter()  # waiting is no part of it
            with _limited_memory(memory_bytes), _limited_time(case.time_s, late):
                result = _verified(case, place, keeper)
    except LockstepError as error:
        result = without_verdict(case, str(error))
    except MemoryError:
        result = without_verdict(
            case, f"it needs more memory than a process may take here, {memory_bytes / 1e9:.3g} GB"
        )
    except Interrupted:
        why = f"it took longer than {case.time_s:g} s" if late.is_set() else "it was interrupted"
        result = without_verdict(case, why)
    except Exception as error:  # noqa: BLE001 - a case tells what is wrong, and others go on
        result = without_verdict(case, unforeseen(error))
    left = tuple(f"a run left {stray}" for stray in end_adopted() or ())
    warnings, _Now.warnings = tuple(_Now.warnings), None
    return replace(
        result,
        duration_s=time.perf_counter() - start_s,
        cpu_s=_cpu_s() - cpu_s,
        remarks=(*result.remarks, *(keeper.remarks if keeper else ()), *warnings, *left),
    )


def _verified(case: Case, place: Place, keeper: KeptRuns | None) -> Result:
    verification = with_nodes(verification_of(case))
    with ExitStack() as stack:
        folder = place.folder / case.folder_name
        if place.store is not None:
            own = stack.enter_context(TemporaryFolder("lockstep-case-"))
            folder = own.path / case.folder_name
        with nullcontext() if keeper is None else keeper.of_a_case():
            verdict = verify(verification, folder, runs_kept=keeper)
        remember(case.file, folder)
        if place.store is not None:
            upload(folder, f"{place.store}/{case.folder_name}")
        digest = digest_of_case(verification, case.implementation, verdict.fingerprints)
        return with_verdict(case, verdict, digest)


@contextmanager
def _limited_memory(most_bytes: int) -> Iterator[None]:
    """What this process, and each that it starts meanwhile, may take of memory of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        most_bytes = min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Meanwhile SIGTERM raises Interrupted."""
    _Now.interruptible = True
    try:
        yield
    finally:
        _Now.interruptible = False


@contextmanager
def _limited_time(most_s: float | None, late: threading.Event) -> Iterator[None]:
    """Raises Interrupted after some seconds; ends this process if that does not help."""

    def interrupt() -> None:
        late.set()
        os.kill(os.getpid(), signal.SIGTERM)

    timer = threading.Timer(most_s or 0.0, interrupt)
    timer.daemon = True
    try:
        if most_s is not None:
            timer.start()
            with open(os.devnull, "w") as nowhere:
                faulthandler.dump_traceback_later(most_s + _OVERTIME_S, exit=True, file=nowhere)
                yield
        else:
            yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def _share_of_memory(cores: int, of: int | None) -> int:
    """What each process of a case may take, unless the case says: a part of what there is on this
    machine, or for this container."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    of = of or len(os.sched_getaffinity(0))
    return total * min(cores, of) // of


def _cpu_s() -> float:
    """Of this process and of those that it has started and that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)
