"""The registry of implementations: each version that was verified, against what, and what came out.

Beside a verify.yaml, `.lockstep/versions/<name>.jsonl` has a line of JSON for each verdict on a
version, in the order in which they came; lines are only ever added, so that git can merge both
sides (`merge=union`). It is meant to be committed, as the records of the ledger are.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import UsageError
from .beside import all_kept, kept_beside
from .commit import commit_of
from .field_results import FieldResult, field_results
from .fingerprints import NOT_TRACKED, source_folder
from .verdict import Verdict, known_outcome

if TYPE_CHECKING:
    from ..run.result import RunResult
    from .model import Verification

_KEPT = ("versions", ".jsonl")
VERSION = 1
_DIGITS = 12
_DECLARED = re.compile(r"<version>\s*([\w.+-]+)\s*</version>")

Verdicts = Literal["match", "differs", "reference"]


@dataclass(frozen=True)
class Speed:
    """Times of a callback and processor time for each message in ns, most memory in bytes; of one
    run, so no speed to compare another with (`lockstep ab` has those of many)."""

    median_ns: float | None = None
    p99_ns: float | None = None
    cpu_ns: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Against:
    """What a version was verified against: the version of the reference, and digests."""

    reference: str
    version: str
    contract: str
    dataset: str
    compare: str


@dataclass(frozen=True)
class Version:
    """A version of an implementation and a verdict on it. `id` is the digest of what it consists
    of: sources, models and parameters, or the binary where there are no sources.

    `parent` is the version before it, `commit` that of its sources, with a + if they were edited.
    `against` is None of a reference, `declared` what its package calls its version.
    """

    id: str
    implementation: str
    component: str
    at: str
    verdict: Verdicts
    parts: Mapping[str, Any]
    parent: str | None = None
    commit: str | None = None
    declared: str | None = None
    against: Against | None = None
    grade: str | None = None
    samples: int = 0
    wrong: int = 0
    fields: tuple[FieldResult, ...] = ()
    speed: Speed = Speed()

    @property
    def finding(self) -> tuple[Any, ...]:
        """What another one has in common that tells nothing new."""
        return self.id, self.implementation, self.against, self.verdict


def version_id(parts: Mapping[str, Any]) -> str:
    """What a version is called that consists of these parts of a Fingerprint; empty where it is not
    known what runs."""
    if NOT_TRACKED in parts:
        return ""
    built = ("binary",) if "sources" in parts else ()  # building again makes no other version
    data = {key: value for key, value in parts.items() if key not in built}
    return _digest(data)[:_DIGITS]


def register(
    file: Path, verification: Verification, verdict: Verdict, ground: Mapping[str, Any]
) -> Path:
    """Add what a verdict has shown of each version of which that is not known yet.

    `verdict` is one on what is on disk, `ground` what it was judged against, as in a record of the
    ledger. Returns the file, which is left as it is if there is nothing new. Raises UsageError if
    it cannot be read or written.
    """
    place = versions_of(file)
    known = read_versions(place) if place.is_file() else []
    fresh = list(_fresh(known, file, verification, verdict, ground))
    if fresh:
        commit = commit_of(file.resolve().parent)
        _append(place, [replace(one, commit=commit) for one in fresh])
    return place


def versions_of(file: Path) -> Path:
    """Where the versions of the implementations of a verify.yaml stand."""
    return kept_beside(file, *_KEPT)


def registries(folder: Path) -> Iterator[Path]:
    """The files of versions below a folder."""
    return all_kept(folder, *_KEPT)


def read_versions(place: Path) -> list[Version]:
    """The versions in a file, in the order in which they came; raises UsageError that names the
    line where it is none."""
    found = []
    for number, line in enumerate(_lines(place), 1):
        if line.strip():
            try:
                found.append(_from_data(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise UsageError(
                    f"{place}:{number} is no version of an implementation; after a merge keep the "
                    "lines of both sides, else remove this one"
                ) from error
    return found


def _lines(place: Path) -> list[str]:
    """The lines of a file; one without its end was cut off when it was written, and is none."""
    try:
        return place.read_text("utf-8", "surrogateescape").split("\n")[:-1]
    except OSError as error:
        raise UsageError(f"cannot read {place}: {error.strerror}") from error


def _fresh(
    known: list[Version],
    file: Path,
    verification: Verification,
    verdict: Verdict,
    ground: Mapping[str, Any],
) -> Iterator[Version]:
    """What a verdict tells that is not known."""
    newest = {one.implementation: one for one in known}
    others = [name for name in verification.implementations if name != verdict.reference]
    for name in (verdict.reference, *others):
        parts = verdict.fingerprints[name].parts
        judged = _judged(verdict, name)
        if not (found := version_id(parts)) or judged is None:
            continue
        before = newest.get(name)
        parent = None
        if before is not None:
            parent = before.parent if before.id == found else before.id
        version = Version(
            id=found,
            implementation=name,
            component=verdict.contract.component,
            at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            parts=parts,
            parent=parent,
            declared=_declared(source_folder(verification.implementations[name], file.parent)),
            against=None if name == verdict.reference else _against(ground),
            speed=_speed(verdict.runs.get(name)),
            **judged,
        )
        if before is None or version.finding != before.finding:
            yield version


def _judged(verdict: Verdict, name: str) -> dict[str, Any] | None:
    """What is known of an implementation; None where nothing is."""
    if name == verdict.reference:
        return {"verdict": "reference"}
    if name in verdict.mismatched_contracts:
        return {"verdict": "differs", "grade": "contract"}
    judged = known_outcome(verdict, name)
    if judged is None:
        return None
    comparison = verdict.comparisons[name]
    return {
        "verdict": judged,
        "grade": comparison.grade,
        "samples": comparison.samples,
        "wrong": sum(key.wrong for key in comparison.keys.values()),
        "fields": tuple(field_results(comparison)),
    }


def _against(ground: Mapping[str, Any]) -> Against:
    reference = dict(ground["reference"])
    name = reference.pop("name")
    digests = (_digest(ground[key])[:_DIGITS] for key in ("contract", "dataset", "compare"))
    return Against(name, version_id(reference), *digests)


def _speed(run: RunResult | None) -> Speed:
    if run is None:
        return Speed()
    memory = None if run.resources is None else run.resources.peak_bytes
    return Speed(run.median_ns, run.p99_ns, run.cpu_ns, memory)


def _declared(folder: Path | None) -> str | None:
    """The version in the package.xml of sources."""
    for place in () if folder is None else (folder, folder.parent):
        manifest = place / "package.xml"
        if manifest.is_file():
            version = _DECLARED.search(manifest.read_text("utf-8", "replace"))
            return None if version is None else version[1]
    return None


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _append(place: Path, versions: list[Version]) -> None:
    lines = "".join(
        json.dumps({"version": VERSION, **asdict(one)}, ensure_ascii=False) + "\n"
        for one in versions
    )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a+b") as stream:
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)  # a line that was cut off
            stream.write(lines.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise UsageError(f"cannot register versions in {place}: {error.strerror}") from error


def _from_data(data: Any) -> Version:
    if data["version"] != VERSION:
        raise ValueError(data["version"])
    known = {one.name: data[one.name] for one in fields(Version)}
    known["fields"] = tuple(FieldResult(**one) for one in data["fields"])
    known["speed"] = Speed(**data["speed"])
    known["against"] = None if data["against"] is None else Against(**data["against"])
    found = Version(**known)
    if found.verdict not in ("match", "differs", "reference") or not found.id:
        raise ValueError(found)
    dict(found.parts)
    return found
