"""Two versions on the same cases of a suite, from the results that are kept: which is better,
where, and whether repeated runs tell."""

from __future__ import annotations

import statistics as plain
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from ..errors import DIFFERENT, FAILED, MATCH, UsageError
from ..verify.commit import EDITED
from .results import query
from .statistics import CONFIDENCE, FEWEST, LEAST, Estimate, mean, ratio

Better = Literal["A", "B", "neither", "unknown"]
MEASURES = {
    "median_ns": "median of a callback",
    "p99_ns": "99th percentile of a callback",
    "cpu_ns": "processor time for each message",
    "memory_bytes": "most memory",
}
"""What is measured of each run, by column; less is better."""
_SHORTEST = 4
_TOO_FEW = (
    f"ran less than {FEWEST} times with one of them on one machine, which tells nothing of speed; "
    "run the suite again"
)
_COLUMNS = (
    *("node", "implementation", "bag", "parameters", "seed", "mode"),
    *("verdict", "samples", "wrong", "fields", "machine", "version", "reference_version"),
    *MEASURES,
)
Row = Mapping[str, Any]
_Case = tuple[Any, ...]
_Pair = tuple[Sequence[Row], Sequence[Row]]


@dataclass(frozen=True)
class Measured:
    """How a measure of B is to that of A: `ratio` is B / A over the cases in which both ran often
    enough on one machine, None if there are none. `a` and `b` are medians over all runs."""

    node: str
    """Empty for all nodes together."""
    measure: str
    a: float | None
    b: float | None
    ratio: Estimate | None
    better: Better


@dataclass(frozen=True)
class FieldFound:
    """How often a field of a node differs with A and with B, over all cases, by their medians.

    `share` is by how much the share of messages that differ is larger with B: its mean over cases.
    """

    node: str
    topic: str
    field: str
    differing_a: float
    differing_b: float
    largest_a: float | None
    largest_b: float | None
    share: Estimate | None
    better: Better


@dataclass(frozen=True)
class Verdicts:
    """Of how many cases of a node each matches; `lost` are those of which only A has a verdict."""

    node: str
    cases: int
    matching_a: int
    matching_b: int
    lost: int
    better: Better


Found = Verdicts | FieldFound | Measured


@dataclass(frozen=True)
class Ab:
    """Two versions, of which only the cases that both have are compared."""

    a: str
    b: str
    cases: int
    runs: tuple[int, int]
    verdicts: tuple[Verdicts, ...]
    fields: tuple[FieldFound, ...]
    measures: tuple[Measured, ...]
    remarks: tuple[str, ...]

    @property
    def found(self) -> tuple[Found, ...]:
        """All that was compared."""
        return (*self.verdicts, *self.fields, *self.measures)

    @property
    def exit_code(self) -> int:
        """0 if B is worse nowhere, else 1; 3 if it has no verdict where A has one."""
        if any(one.better == "A" for one in self.found):
            return DIFFERENT
        return FAILED if any(one.lost for one in self.verdicts) else MATCH


def ab(folder: Path | str, a: str, b: str) -> Ab:
    """Compare two versions by the results in a folder.

    Each is an implementation, of which the newest version of each node counts, an id of `lockstep
    history`, a commit or a run; or `IMPLEMENTATION@` one of the latter. Raises UsageError where a
    name fits nothing or several, and where they have no case in common.
    """
    of_a, of_b = _rows(folder, a), _rows(folder, b)
    names = [{row["implementation"] for row in rows} for rows in (of_a, of_b)]
    pairs = _paired(of_a, of_b, by_name=not names[0].isdisjoint(names[1]))
    if not pairs:
        raise UsageError(f"{a} and {b} have no case in common; run one suite with both")
    by_node: dict[str, dict[_Case, _Pair]] = {}
    for case, pair in pairs.items():
        by_node.setdefault(case[0], {})[case] = pair
    tests = len(MEASURES) * (len(by_node) + 1)
    confidence = 1 - (1 - CONFIDENCE) / tests  # of all intervals at once
    return Ab(
        a,
        b,
        len(pairs),
        (len(of_a), len(of_b)),
        tuple(_verdicts(node, list(found.values())) for node, found in by_node.items()),
        tuple(
            one for node, found in by_node.items() for one in _fields(node, list(found.values()))
        ),
        tuple(
            _measured(node, measure, list(found.values()), confidence)
            for node, found in {"": pairs, **by_node}.items()
            for measure in MEASURES
        ),
        tuple(_remarks(list(pairs.values()))),
    )


def _rows(folder: Path | str, word: str) -> list[Row]:
    """The results that a word names, the oldest first."""
    name, _, which = word.rpartition("@")
    columns = ", ".join(_COLUMNS)
    if name:
        where, values = _named(folder, which, word)
        where, values = f"implementation = ? and {where}", [name, *values]
    elif query(folder, "select 1 from results where implementation = ? limit 1", [word])[1]:
        newest = "arg_max(version, begun) over (partition by node) = version"
        where, values = f"implementation = ? qualify {newest}", [word]
    else:
        where, values = _named(folder, word, word)
    sql = f"select {columns} from results where {where} order by begun"
    names, rows = query(folder, sql, values)
    if not rows:
        raise UsageError(f"there are no results of {word} in {folder}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _named(folder: Path | str, which: str, word: str) -> tuple[str, list[str]]:
    """A condition that holds for a version, a commit or a run."""
    for column in ("version", "commit", "run"):
        sql = f"select distinct {column} from results where starts_with({column}, ?)"
        found = [value for (value,) in query(folder, sql, [which.rstrip(EDITED)])[1]]
        edited = [value for value in found if value.endswith(EDITED)]
        unedited = [value for value in found if value not in edited]
        found = edited if which.endswith(EDITED) else unedited or edited
        if len(which) < _SHORTEST or not found:
            continue
        if len(found) > 1:
            raise UsageError(f"'{word}' may be {' or '.join(sorted(found)[:3])}; give more of it")
        return f"{column} = ?", found
    raise UsageError(
        f"'{word}' names no results in {folder}: neither an implementation nor the beginning of a "
        "version, a commit or a run; lockstep results 'select distinct implementation, version, "
        "commit, run from results' lists them"
    )


def _paired(a: Sequence[Row], b: Sequence[Row], *, by_name: bool) -> dict[_Case, _Pair]:
    """The results of the cases that both have, by case, of which the first is its node."""
    sides: tuple[dict[_Case, list[Row]], ...] = ({}, {})
    for rows, side in zip((a, b), sides, strict=True):
        for row in rows:
            ground = (row[name] for name in ("node", "bag", "parameters", "seed", "mode"))
            case = (*ground, row["implementation"] if by_name else None)
            side.setdefault(case, []).append(row)
    return {case: (rows, sides[1][case]) for case, rows in sides[0].items() if case in sides[1]}


def _verdicts(node: str, pairs: Sequence[_Pair]) -> Verdicts:
    """A case matches if it did in every run of it."""
    known = [pair for pair in pairs if all(map(_has_verdict, pair))]
    a, b = (sum(_matches(pair[side]) for pair in known) for side in (0, 1))
    lost = sum(_has_verdict(of_a) and not _has_verdict(of_b) for of_a, of_b in pairs)
    better: Better = "neither" if a == b else "A" if a > b else "B"
    return Verdicts(node, len(pairs), a, b, lost, better if known else "unknown")


def _has_verdict(rows: Sequence[Row]) -> bool:
    return all(row["verdict"] != "no verdict" for row in rows)


def _matches(rows: Sequence[Row]) -> bool:
    return all(row["verdict"] == "match" for row in rows)


def _fields(node: str, pairs: Sequence[_Pair]) -> Iterator[FieldFound]:
    judged = [
        pair for pair in pairs if all(row["samples"] for rows in pair for row in rows)
    ]  # neither without verdict nor of another contract
    names = {
        (one["topic"], one["field"]): None
        for pair in judged
        for rows in pair
        for row in rows
        for one in row["fields"]
    }
    for topic, field in names:
        a, b = (
            [[_found(row, topic, field) for row in pair[side]] for pair in judged]
            for side in (0, 1)
        )
        shares_a, shares_b = ([_shares(runs) for runs in side] for side in (a, b))
        differences = [
            plain.median(y) - plain.median(x) for x, y in zip(shares_a, shares_b, strict=True)
        ]
        share = mean(differences)
        yield FieldFound(
            node=node,
            topic=topic,
            field=field,
            differing_a=_differing(a),
            differing_b=_differing(b),
            largest_a=_largest(a),
            largest_b=_largest(b),
            share=share,
            better=_fewer(shares_a, shares_b, share),
        )


_Differing = tuple[int, int, float | None]


def _shares(runs: Sequence[_Differing]) -> list[float]:
    return [differing / samples for differing, samples, _ in runs]


def _differing(cases: Sequence[Sequence[_Differing]]) -> float:
    return sum(plain.median(differing for differing, _, _ in runs) for runs in cases)


def _largest(cases: Sequence[Sequence[_Differing]]) -> float | None:
    sizes = (size for runs in cases for _, _, size in runs if size is not None)
    return max(sizes, default=None)


def _found(row: Row, topic: str, field: str) -> _Differing:
    """In how many messages of how many a field differs, and by how much at most."""
    for one in row["fields"]:
        if (one["topic"], one["field"]) == (topic, field):
            return one["differing"], row["samples"], one["largest"]
    return 0, row["samples"], 0.0


def _fewer(
    a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], share: Estimate | None
) -> Better:
    """With which fewer messages differ: in every case in which repeated runs do not overlap, or in
    the mean over cases beyond doubt."""
    fewer_b = sum(max(y) < min(x) for x, y in zip(a, b, strict=True))
    fewer_a = sum(max(x) < min(y) for x, y in zip(a, b, strict=True))
    if bool(fewer_a) != bool(fewer_b):
        return "A" if fewer_a else "B"
    if not fewer_a:
        return "neither"
    if share is None or share.low <= 0 <= share.high:
        return "unknown"
    return "A" if share.low > 0 else "B"


def _measured(node: str, measure: str, pairs: Sequence[_Pair], confidence: float) -> Measured:
    a: list[list[float]] = []
    b: list[list[float]] = []
    for of_a, of_b in pairs:
        for machine in sorted({row["machine"] for row in of_a} & {row["machine"] for row in of_b}):
            values_a, values_b = (_values(rows, measure, machine) for rows in (of_a, of_b))
            if values_a and values_b:
                a.append(values_a)
                b.append(values_b)
    median_a, median_b = (plain.median(chain(*side)) if side else None for side in (a, b))
    times = ratio(a, b, confidence)
    return Measured(node, measure, median_a, median_b, times, _less(times))


def _values(rows: Sequence[Row], measure: str, machine: str) -> list[float]:
    found = (row[measure] for row in rows if row["machine"] == machine)
    return [float(one) for one in found if one is not None]


def _less(found: Estimate | None) -> Better:
    if found is None:
        return "unknown"
    if found.low > 1 + LEAST:
        return "A"
    return "B" if found.high < 1 / (1 + LEAST) else "neither"


def _remarks(pairs: Sequence[_Pair]) -> Iterator[str]:
    """What is to be known of the comparison."""
    tests: tuple[tuple[str, Callable[[_Pair], bool]], ...] = (
        (
            _TOO_FEW,
            lambda pair: not _often_enough(pair),
        ),
        (
            "were judged by another version of the reference",
            lambda pair: len({row["reference_version"] for rows in pair for row in rows}) > 1,
        ),
    )
    for told, holds in tests:
        if count := sum(map(holds, pairs)):
            yield f"{count} of {len(pairs)} cases {told}"


def _often_enough(pair: _Pair) -> bool:
    machines = {row["machine"] for row in pair[0]}
    counts = [
        [sum(row["machine"] == machine for row in rows) for rows in pair] for machine in machines
    ]
    return any(min(count) >= FEWEST for count in counts)
