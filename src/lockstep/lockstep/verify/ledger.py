"""Records of verdicts, green and red: which implementation, against what, since when.

A record is a JSON file beside its verify.yaml, `.lockstep/verified/<name>.json`, that is meant to
be committed. It holds digests of sources and binaries, of the dataset and the contract, and the
tolerances; running the same verification again leaves it as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from ..component import Contract
from ..errors import RunError, UsageError
from .beside import NOT_SEARCHED, all_kept, kept_beside
from .fingerprints import NOT_TRACKED, Fingerprint, dataset, difference, fingerprint
from .model import Verification, is_verify_file, load
from .plan import asked_contract
from .verdict import Verdict, known_outcome, rests_on
from .versions import register

VERSION = 2
_KEPT = ("verified", ".json")
_SINCE = "since"
_ORIGIN = "verification.json"


Verdicts = Literal["match", "differs", "never verified"]


@dataclass(frozen=True)
class Status:
    """One implementation of a record: `changes` says what is no longer as it was, a phrase each.

    `rebuilt` is whether only the binary is another one, made of the same sources. The verdict rests
    on only some of the steps, `rests_on` (how many, of how many), where both failed as declared. A
    file that was never verified has neither an implementation nor a time.
    """

    file: Path
    implementation: str
    verdict: Verdicts
    since: str
    changes: tuple[str, ...] = ()
    rebuilt: bool = False
    rests_on: tuple[int, int] | None = None

    @property
    def is_verified(self) -> bool:
        """Whether what is there now is what was verified."""
        return self.verdict == "match" and not self.changes


def record(file: Path, verification: Verification, verdict: Verdict) -> Path:
    """Keep what a verdict has shown of each implementation, whether it matches or not, and of each
    version of them.

    Returns the record. Raises UsageError if it cannot be written, or nothing is found on disk of
    what ran.
    """
    place = record_of(file)
    before = _read(place) if place.is_file() else {}
    for name in verification.implementations:
        if name not in verdict.fingerprints:
            raise UsageError(f"{name}: neither sources nor a program of it are found to record")
    reference = verdict.fingerprints[verification.reference]
    against = _against(file, verification, verdict.contract, reference)
    same_ground = all(before.get(key) == value for key, value in against.items())
    entries = before.get("implementations", {})
    found = {}
    for name in verification.implementations:
        if name == verification.reference:
            continue
        judged = known_outcome(verdict, name)
        old = entries.get(name, {})
        if judged is None:  # nothing was run, as the contract of another differs, or inputs lost
            if same_ground and old:
                found[name] = old
            continue
        entry = {"verdict": judged, **verdict.fingerprints[name].parts}
        if (rests := rests_on(verdict, name)) is not None:
            entry["rests_on"] = list(rests)
        same = same_ground and {k: v for k, v in old.items() if k != _SINCE} == entry
        found[name] = {_SINCE: old[_SINCE] if same else _now(), **entry}
    _write(place, {"version": VERSION, **against, "implementations": found})
    register(file, verification, verdict, against)
    return place


def on_disk(verification: Verification) -> dict[str, Fingerprint]:
    """What the implementations of a verify.yaml are now, by name; one that is not found is left
    out."""
    found = {}
    for name in verification.implementations:
        with suppress(UsageError):  # which is said when it is run or recorded
            found[name] = fingerprint(name, verification)
    return found


def stale(before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint]) -> dict[str, str]:
    """Why what ran is not what is on disk, a phrase by the name of the implementation.

    `before` and `after` are what was `on_disk` before and after the runs.
    """
    found = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            found[name] = "it changed while it ran; verify again"
        elif (why := new.stale or old.stale) is not None:
            found[name] = why
        elif changes := list(_changed(old.parts, new.parts)):
            found[name] = f"it changed while it ran: {', '.join(changes)}; verify again"
    return found


def remember(file: Path, folder: Path) -> None:
    """Keep in the folder of a run which verify.yaml it was of."""
    text = json.dumps({"file": str(file.resolve())}) + "\n"
    (folder / _ORIGIN).write_text(text, "utf-8")


def remembered(folder: Path) -> Path | None:
    """The verify.yaml of the run in a folder; None if that is not known."""
    try:
        return Path(json.loads((folder / _ORIGIN).read_text("utf-8"))["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def record_of(file: Path) -> Path:
    """Where the record of a verify.yaml stands."""
    return kept_beside(file, *_KEPT)


def records(folder: Path) -> Iterator[Path]:
    """The records below a folder."""
    return all_kept(folder, *_KEPT)


def status(place: Path) -> list[Status]:
    """Hold a record against what is there now; raises UsageError if it is no record or its
    verify.yaml is unreadable."""
    data = _read(place)
    file = place.parent.parent.parent / data["verify"]
    verification = load(file)
    try:
        contract = asked_contract(verification)
    except RunError as error:
        raise UsageError(f"{file}: {error}") from error
    reference = fingerprint(verification.reference, verification)
    against = _against(file, verification, contract, reference)
    common = [*_changed(data, against), *_doubts("the reference", reference)]
    found = []
    for name, old in data["implementations"].items():
        if name not in verification.implementations:
            gone = ("it is not in the file any more",)
            found.append(Status(file, name, old["verdict"], old[_SINCE], gone))
            continue
        now = fingerprint(name, verification)
        changes = [*common, *_changed(old, now.parts, leave_out=("binary", NOT_TRACKED))]
        changes += _doubts("it", now)
        rebuilt = old.get("binary") != now.parts.get("binary")
        if rebuilt and "sources" not in old:
            changes.append("its binary")
        rests = tuple(old["rests_on"]) if "rests_on" in old else None
        found.append(
            Status(file, name, old["verdict"], old[_SINCE], tuple(changes), rebuilt, rests)
        )
    return found


def _doubts(who: str, now: Fingerprint) -> Iterator[str]:
    """Why nobody knows whether what would run `now` is what is on disk, a phrase each."""
    if NOT_TRACKED in now.parts:
        yield f"what the command of {who} runs is not tracked"
    if now.stale is not None:
        yield f"{who} is not known to be built of its sources: {now.stale}"


def never_verified(folder: Path, leave_out: Collection[str] = ()) -> Iterator[Status]:
    """The verify files below a folder that no record speaks of.

    `leave_out` are patterns of paths below the folder, as those of fnmatch.
    """
    for file in _verify_files(folder):
        path = str(file.relative_to(folder))
        if not (record_of(file).is_file() or any(fnmatch(path, one) for one in leave_out)):
            yield Status(file, "", "never verified", "")


def _verify_files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in NOT_SEARCHED and not f.startswith("."))
        yield from (
            Path(place, name) for name in sorted(names) if is_verify_file(Path(place, name))
        )


def _against(
    file: Path, verification: Verification, contract: Contract, reference: Fingerprint
) -> dict[str, Any]:
    """What implementations are verified against."""
    compare = verification.compare.model_dump(mode="json", exclude_defaults=True)
    return {
        "verify": file.name,
        "contract": hashlib.sha256(contract.to_json().encode()).hexdigest(),
        "dataset": dataset(verification, file),
        "compare": compare,
        "reference": {"name": verification.reference, **reference.parts},
    }


def _changed(
    old: Mapping[str, Any], now: Mapping[str, Any], leave_out: tuple[str, ...] = ()
) -> Iterator[str]:
    """What of `now` is not as in `old`, each as a phrase."""
    for key, value in now.items():
        before = old.get(key)
        if key in leave_out or value == before:
            continue
        if key == "reference" and isinstance(before, dict):
            known = ("binary",) if "sources" in before else ()
            inner = list(_changed(before, value, (*known, NOT_TRACKED)))
            yield from (f"the reference's {what.removeprefix('its ')}" for what in inner)
        else:
            yield difference(key, before, value)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _read(place: Path) -> dict[str, Any]:
    try:
        data = json.loads(place.read_text("utf-8"))
        if data["version"] != VERSION:
            raise UsageError(
                f"{place} is of version {data['version']}, not {VERSION}; verify again"
            )
        for entry in data["implementations"].values():
            if entry["verdict"] not in ("match", "differs") or not str(entry[_SINCE]):
                raise ValueError(entry)
        str(data["verify"])
    except OSError as error:
        raise UsageError(f"cannot read {place}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{place} is no record of a verification; delete it and verify again"
        ) from error
    found: dict[str, Any] = data
    return found


def _write(place: Path, data: dict[str, Any]) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    part = place.with_suffix(f".{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(place)
    except OSError as error:
        raise UsageError(f"cannot record the verdict in {place}: {error.strerror}") from error
