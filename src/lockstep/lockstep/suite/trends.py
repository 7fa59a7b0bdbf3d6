"""A case of a suite over commits: its verdicts, each field that ever differed and what its runs
took, and where that has changed."""

from __future__ import annotations

import statistics as plain
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .ab import MEASURES
from .results import query
from .statistics import Estimate, change_points, median, ratio

_COLUMNS = ("begun", "run", "commit", "machine", "verdict", "samples", "fields", *MEASURES)
MOST_RUNS = 2000
"""Of more runs of a case only the newest are looked at."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Commit:
    """The runs of one commit, or one run where that is not known: when the first began (seconds
    since 1970), how many there are, and the worst verdict of them."""

    name: str
    begun_s: float
    runs: int
    verdict: str


@dataclass(frozen=True)
class Change:
    """From commit number `at` on a series is on another level: `times` as high as before, with the
    interval of a bootstrap where runs scatter."""

    at: int
    before: float
    after: float
    times: Estimate | None = None


@dataclass(frozen=True)
class Trend:
    """A series over commits, of which some may have no value. `is_measured` is whether it scatters
    from run to run, so that values are medians with intervals."""

    name: str
    unit: str
    is_measured: bool
    values: tuple[Estimate | None, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Trends:
    """The trends of one case, the oldest commit first.

    `turned_bad` are the numbers of the last commit at which it matched and of the first of those
    since, at which it does not; None if it matches, or never did.
    """

    case: str
    machine: str
    commits: tuple[Commit, ...]
    trends: tuple[Trend, ...]
    turned_bad: tuple[int, int] | None


def trends(folder: Path, case: str) -> Trends:
    """The trends of a case in the results of a folder; times are those on the machine that ran it
    most often. Raises UsageError where there is none of it."""
    columns = ", ".join(_COLUMNS)
    sql = f"select {columns} from results where name = ? order by begun desc limit {MOST_RUNS}"
    names, found = query(folder, sql, [case])
    if not found:
        raise UsageError(f"there are no results of {case} in {folder}")
    rows = [dict(zip(names, row, strict=True)) for row in reversed(found)]
    by_commit: dict[str, list[Row]] = {}
    for row in rows:
        by_commit.setdefault(row["commit"] or row["run"], []).append(row)
    commits = tuple(_commit(name, of_it) for name, of_it in by_commit.items())
    machine = Counter(row["machine"] for row in rows).most_common(1)[0][0]
    series = list(by_commit.values())
    return Trends(
        case,
        machine,
        commits,
        (*_fields(series), *_measures(series, machine)),
        _turned_bad([one.verdict for one in commits]),
    )


def _commit(name: str, rows: Sequence[Row]) -> Commit:
    verdicts = {row["verdict"] for row in rows}
    worst = next(v for v in ("differs", "no verdict", "match") if v in verdicts)
    return Commit(name, rows[0]["begun"].timestamp(), len(rows), worst)


def _turned_bad(verdicts: Sequence[str]) -> tuple[int, int] | None:
    known = [n for n, verdict in enumerate(verdicts) if verdict != "no verdict"]
    good = [n for n in known if verdicts[n] == "match"]
    if not good or good[-1] == known[-1]:
        return None
    return good[-1], next(n for n in known if n > good[-1])


def _fields(series: Sequence[Sequence[Row]]) -> Iterator[Trend]:
    """In how many messages each field differs, and by how much at most."""
    names = {
        (one["topic"], one["field"]): None
        for rows in series
        for row in rows
        for one in row["fields"] or ()
    }
    for topic, field in names:
        title = f"{topic} {field}"
        for what, unit, value in (
            ("messages that differ", "messages", _differing),
            ("largest error", "", _largest),
        ):
            values = [_of_field(rows, topic, field, value) for rows in series]
            yield Trend(f"{title}: {what}", unit, False, tuple(values), tuple(_steps(values)))


def _differing(found: Mapping[str, Any] | None) -> float | None:
    return 0.0 if found is None else found["differing"]


def _largest(found: Mapping[str, Any] | None) -> float | None:
    return 0.0 if found is None else found["largest"]


def _of_field(
    rows: Sequence[Row],
    topic: str,
    field: str,
    value: Callable[[Mapping[str, Any] | None], float | None],
) -> Estimate | None:
    """The median over the runs of a commit, and the least and the largest of them."""
    values = []
    for row in rows:
        if not row["samples"]:
            continue  # without verdict, or of another contract
        fields = row["fields"] or ()
        here = (one for one in fields if (one["topic"], one["field"]) == (topic, field))
        known = value(next(here, None))
        if known is not None:
            values.append(float(known))
    return Estimate(plain.median(values), min(values), max(values)) if values else None


def _steps(values: Sequence[Estimate | None]) -> Iterator[Change]:
    """Where runs of one commit and those of the commit before have no value in common."""
    before: Estimate | None = None
    for number, now in enumerate(values):
        if now is None:
            continue
        if before is not None and (now.low > before.high or now.high < before.low):
            yield Change(number, before.value, now.value)
        before = now


def _measures(series: Sequence[Sequence[Row]], machine: str) -> Iterator[Trend]:
    for measure, title in MEASURES.items():
        unit = "bytes" if measure == "memory_bytes" else "ns"
        by_commit = [
            [
                float(row[measure])
                for row in rows
                if row["machine"] == machine and row[measure] is not None
            ]
            for rows in series
        ]
        values = [median(of_it) if of_it else None for of_it in by_commit]
        if any(by_commit):
            yield Trend(title, unit, True, tuple(values), tuple(_levels(by_commit)))


def _levels(by_commit: Sequence[Sequence[float]]) -> Iterator[Change]:
    """Where runs, one after the other, are on another level."""
    runs = [value for of_it in by_commit for value in of_it]
    commit = [number for number, of_it in enumerate(by_commit) for _ in of_it]
    cuts = change_points(runs)
    for before, cut, after in zip([0, *cuts], cuts, [*cuts[1:], len(runs)], strict=False):
        old, new = runs[before:cut], runs[cut:after]
        times = ratio([old], [new])
        yield Change(commit[cut], plain.median(old), plain.median(new), times)
