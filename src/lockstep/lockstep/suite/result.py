"""What came out of one case: plain values, which travel between processes and stay for years."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Literal

from ..errors import MATCH
from ..run.result import RunResult
from ..verify.field_results import FieldResult, field_results
from ..verify.verdict import Outcome, Verdict, findings, objections, outcome, remarks
from ..verify.versions import version_id
from .case import Case

Standing = Literal["match", "differs", "no verdict", "expected"]
STANDINGS: tuple[Standing, ...] = ("match", "expected", "no verdict", "differs")
"""How a case stands, best first: "expected" is a case that does not match, as was foretold."""


@dataclass(frozen=True)
class Result:
    """A row of the results. Times of callbacks are medians and 99th percentiles in ns; `hash` is a
    digest of all that the verdict rests on, empty where that is not known."""

    case: str
    group: str
    implementation: str
    verdict: Outcome
    sentence: str
    reference: str = ""
    bag: str | None = None
    parameters: str | None = None
    seed: str | None = None
    mode: str | None = None
    grade: str | None = None
    expected: str | None = None
    """Why it is known not to match, if that is so."""
    fields: tuple[FieldResult, ...] = ()
    samples: int = 0
    wrong: int = 0
    """Messages that were compared, and those that differ or have no partner."""
    reference_median_ns: float | None = None
    median_ns: float | None = None
    p99_ns: float | None = None
    speed_up: float | None = None
    reference_cpu_ns: float | None = None
    cpu_ns: float | None = None
    """Processor time for each message that was sent, with all that is around the callbacks."""
    reference_memory_bytes: int | None = None
    memory_bytes: int | None = None
    """The most that was resident at a time."""
    cpu_s: float = 0.0
    duration_s: float = 0.0
    begun_s: float = 0.0
    """When, in seconds since 1970."""
    hash: str = ""
    version: str = ""
    reference_version: str = ""
    """Which versions these were, as `lockstep history` calls them; empty where that is not known.
    """
    kept_reference: bool = False
    """Whether the run of the reference was one that another case had made."""
    remarks: tuple[str, ...] = ()
    folder: str = ""
    definition: str = ""
    commit: str | None = None
    machine: str = ""
    run: str = ""
    carried: bool = False
    """Whether it is the result of an earlier run of the suite, which nothing has changed since."""

    @property
    def standing(self) -> Standing:
        """The verdict in the light of what was expected."""
        return "expected" if self.expected and self.verdict != "match" else self.verdict

    @property
    def worst(self) -> float:
        """Of the messages that were compared, the share that is wrong."""
        return self.wrong / max(1, self.samples, self.wrong)


def without_verdict(case: Case, sentence: str) -> Result:
    """A case of which nobody knows anything."""
    return Result(verdict="no verdict", sentence=sentence, **_of_case(case))


def with_verdict(case: Case, verdict: Verdict, digest: str) -> Result:
    """The result that a verdict is."""
    name = case.implementation
    known = dict(
        reference=verdict.reference,
        hash=digest,
        remarks=tuple(remarks(verdict)),
        kept_reference=verdict.kept is not None,
        version=_version(verdict, name),
        reference_version=_version(verdict, verdict.reference),
        **_of_case(case),
    )
    if name not in verdict.comparisons:
        why = "; ".join(verdict.mismatched_contracts.get(name, ["contracts differ"]))
        return Result(verdict="differs", sentence=f"contract differs: {why}", **known)
    comparison = verdict.comparisons[name]
    reference, run = verdict.runs[verdict.reference], verdict.runs[name]
    judged = outcome(verdict, name)
    if judged == "match" and verdict.exit_code != MATCH:
        judged = "no verdict"  # whatever else is wrong with it, it must not be green
    return Result(
        verdict=judged,
        sentence=_sentence(verdict, name),
        grade=comparison.grade,
        fields=tuple(field_results(comparison)),
        samples=comparison.samples,
        wrong=sum(key.wrong for key in comparison.keys.values()),
        reference_median_ns=reference.median_ns,
        median_ns=run.median_ns,
        p99_ns=run.p99_ns,
        speed_up=reference.median_ns / run.median_ns
        if reference.median_ns and run.median_ns
        else None,
        reference_cpu_ns=reference.cpu_ns,
        cpu_ns=run.cpu_ns,
        reference_memory_bytes=_peak_bytes(reference),
        memory_bytes=_peak_bytes(run),
        **known,
    )


def _version(verdict: Verdict, name: str) -> str:
    found = verdict.fingerprints.get(name)
    return "" if found is None or name in verdict.stale else version_id(found.parts)


def _peak_bytes(run: RunResult) -> int | None:
    return None if run.resources is None else run.resources.peak_bytes


def _of_case(case: Case) -> dict[str, Any]:
    return {
        "case": case.name,
        "group": case.group,
        "implementation": case.implementation,
        "bag": case.bag_name,
        "parameters": case.parameters_name,
        "seed": None if case.seed is None else str(case.seed),
        "mode": case.mode,
        "definition": case.definition,
        "machine": platform.node(),
    }


def _sentence(verdict: Verdict, name: str) -> str:
    """The first thing to know."""
    if why := objections(verdict, name):
        return why[0]
    comparison = verdict.comparisons[name]
    if comparison.all_match:
        return f"{name} does what {verdict.reference} does: {comparison.grade}"
    for found in findings(verdict):
        if not found.is_match:
            return found.lines[0] if found.lines else found.sentence
    return comparison.grade


def expected_of(case: Case, result: Result, today: date) -> Result:
    """A result in the light of what is expected of its case today."""
    foretold = case.expected
    if foretold is None or result.verdict != foretold.verdict or today > foretold.until:
        return replace(result, expected=None)
    return replace(result, expected=f"{foretold.reason} (until {foretold.until})")


def as_data(result: Result) -> dict[str, Any]:
    """A result as plain values, for JSON."""
    return {**asdict(result), "standing": result.standing}


def from_data(data: Mapping[str, Any]) -> Result:
    """What `as_data` made; raises ValueError if it is none."""
    try:
        known = {one.name: data[one.name] for one in fields(Result)}
        known["fields"] = tuple(FieldResult(**one) for one in data["fields"])
        known["remarks"] = tuple(data["remarks"])
        return Result(**known)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no result of a case: {error}") from error
