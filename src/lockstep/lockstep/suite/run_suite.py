"""A run of a suite: which cases, on which workers, and what is kept of each."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from pathlib import Path

from ..bag.url import write
from ..errors import DIFFERENT, FAILED, MATCH, LockstepError
from ..verify.commit import commit_of
from ..verify.fingerprints import Fingerprint, fingerprint
from ..verify.plan import with_nodes
from .case import Case, verification_of
from .case_run import Place
from .ground import digest_of_case
from .journal import last_results, new_run, resumed_run
from .kept_runs import MOST_BYTES, MOST_DAYS
from .result import STANDINGS, Result, Standing, expected_of, without_verdict
from .results import RESULTS, write_rows
from .workers import Workers, workers

_PATIENCE_S = 0.5
_KEPT = "kept"
_DIED = (
    "the process that ran it died, and so did another; was it killed for want of memory? give it a "
    "limit of memory, or fewer --jobs"
)


@dataclass(frozen=True)
class Choice:
    """Which cases run: of the others the last result stands. All without any of these."""

    resume: bool = False
    """Go on with the last run that was not finished."""
    only_failed: bool = False
    """Those that did not match when they ran last, or never ran."""
    changed: bool = False
    """Those of which something has changed on disk since."""


@dataclass(frozen=True)
class Done:
    """What came out of a run of a suite, by case; `folder` is that of the run."""

    folder: Path
    results: tuple[Result, ...]

    @property
    def exit_code(self) -> int:
        """1 if a case differs, else 3 if of one nothing is known, else 0; what is expected does not
        count."""
        standings = {result.standing for result in self.results}
        if "differs" in standings:
            return DIFFERENT
        return FAILED if "no verdict" in standings else MATCH

    @property
    def counts(self) -> dict[Standing, int]:
        """How many cases stand how."""
        found = Counter(result.standing for result in self.results)
        return {standing: found[standing] for standing in STANDINGS}


_LookedAt = dict[tuple[Path, str, str | None], Fingerprint]
Watch = Callable[[Result, int, int], None]
"""Takes a result, how many cases are done, and how many there are."""


def run_suite(
    cases: Sequence[Case],
    place: Path,
    watch: Watch,
    *,
    root: Path,
    on: str | None = None,
    jobs: int | None = None,
    runtime_env: Path | None = None,
    store: str | None = None,
    choice: Choice = Choice(),
    keep_references: bool = True,
    kept_bytes: int = MOST_BYTES,
) -> Done:
    """Run cases of a suite whose folder is `root`, those of the highest priority first, into a new
    folder in `place`; `on` is a cluster, and `jobs` how many run at a time. What the cases write,
    the runs of references that are kept, and a copy of the results go to `store`, if it is given, a
    URL.

    Whatever ends it, Ctrl-C too, the results until then are kept. Raises UsageError where there is
    nothing to run them with, RunError where that is gone for long.
    """
    before = last_results(place) if choice.only_failed or choice.changed else {}
    with ExitStack() as stack:
        run = resumed_run(place) if choice.resume else new_run(place)
        journal = stack.enter_context(run)
        results: dict[str, Result] = {}
        looked_at: _LookedAt = {}
        for case in cases:
            ours = journal.results.get(case.name)
            if (old := _stands(choice, case, ours, before, looked_at)) is not None:
                results[case.name] = result = expected_of(case, old, _today())
                if result.carried:
                    journal.add(result)
                watch(result, len(results), len(cases))
        waiting = [case for case in cases if case.name not in results]
        ran: list[Result] = []
        # Also of a run that is interrupted:
        stack.callback(write_rows, place / RESULTS, ran, store and f"{store}/{RESULTS}")
        if waiting:
            here = _place(place, journal.folder, store, keep_references, kept_bytes)
            commit = commit_of(waiting[0].file.parent)
            pool = stack.enter_context(workers(on, jobs, here, root.resolve(), runtime_env))
            for case, found in _each(pool, waiting, journal.folder):
                result = expected_of(case, found, _today())
                result = replace(
                    result,
                    run=journal.folder.name,
                    folder=f"{here.store or journal.folder}/{case.folder_name}",
                    commit=commit,
                    begun_s=time.time() - found.duration_s,  # by one clock, whoever ran it
                )
                journal.add(result)
                ran.append(result)
                results[case.name] = result
                watch(result, len(results), len(cases))
        journal.finish()
    return Done(journal.folder, tuple(results.values()))


def _place(
    place: Path, folder: Path, store: str | None, keep_references: bool, kept_bytes: int
) -> Place:
    """Where the cases of a run run, for workers in whatever folder; raises BagError if a store
    cannot be written to."""
    kept: Path | str = place.resolve() / _KEPT
    if store is not None:
        kept, store = f"{store}/{_KEPT}", f"{store}/{folder.name}"
        write(f"{store}/begun", b"")
    return Place(folder.resolve(), store, kept if keep_references else None, kept_bytes, MOST_DAYS)


def _stands(
    choice: Choice,
    case: Case,
    ours: Result | None,
    before: Mapping[str, Result],
    looked_at: _LookedAt,
) -> Result | None:
    """The result of a case that need not run: of this run, if it is resumed, or of an earlier
    one."""
    if ours is not None:
        return ours if ours.definition == case.definition else None
    old = before.get(case.name)
    if old is None or old.definition != case.definition:
        return None
    if choice.only_failed and old.verdict != "match":
        return None
    if choice.changed and (not old.hash or old.hash != _digest(case, looked_at)):
        return None
    return replace(old, carried=True)


def _digest(case: Case, looked_at: _LookedAt) -> str:
    """What a verdict on a case would rest on now; what was looked at is not looked at again."""
    parts = {}
    try:
        verification = with_nodes(verification_of(case))
        for name in (verification.reference, case.implementation):
            key = case.file, name, case.parameters_name
            parts[name] = looked_at.get(key) or fingerprint(name, verification)
            looked_at[key] = parts[name]
    except LockstepError:  # which will be told when it runs
        return ""
    return digest_of_case(verification, case.implementation, parts)


def _each(pool: Workers, cases: Sequence[Case], folder: Path) -> Iterator[tuple[Case, Result]]:
    """Run cases; yields each with its result as it comes.

    A case whose process dies is run once more, by another.
    """
    waiting = list(cases)
    tried: set[str] = set()
    seen: set[Hashable] = set()
    while waiting or pool.running:
        while waiting:
            chosen = _next(waiting, pool.running, seen)
            if not pool.has_room_for(waiting[chosen]):
                break
            case = waiting.pop(chosen)
            shutil.rmtree(folder / case.folder_name, ignore_errors=True)  # of a run that was ended
            pool.start(case)
        for case, result in pool.ended(_PATIENCE_S):
            seen.add(case.ground)
            if result is not None:
                yield case, result
            elif case.name in tried:
                yield case, without_verdict(case, _DIED)
            else:
                tried.add(case.name)
                waiting.insert(0, case)


def _next(waiting: Sequence[Case], running: Sequence[Case], seen: Collection[Hashable]) -> int:
    """Which case to start: the first whose reference nobody is just running for the first time."""
    begun = {case.ground for case in running} - set(seen)
    return next((n for n, case in enumerate(waiting) if case.ground not in begun), 0)


def _today() -> date:
    return datetime.now(timezone.utc).date()
