"""Records of what has been verified: which implementation, against what, since when.

A record is a JSON file beside its verify.yaml, `.lockstep/verified/<name>.json`, that is meant to
be committed. It holds digests of sources and binaries, of the dataset and the contract, and the
tolerances; running the same verification again leaves it as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..component import Contract
from ..errors import RunError, UsageError
from .fingerprints import dataset, fingerprint
from .model import Verification, load
from .plan import asked_contract

if TYPE_CHECKING:
    from .verdict import Verdict

VERSION = 1
_PLACE = Path(".lockstep", "verified")
_NOT_SEARCHED = {"build", "install", "log", ".git", ".venv", "node_modules"}
_SINCE = "since"
_ORIGIN = "verification.json"


@dataclass(frozen=True)
class Status:
    """One implementation of a record: `changes` says what is no longer as it was verified, a phrase
    each.

    `rebuilt` is whether only the binary is another one, made of the same sources.
    """

    file: Path
    implementation: str
    since: str
    changes: tuple[str, ...]
    rebuilt: bool

    @property
    def is_verified(self) -> bool:
        """Whether what is there now is what was verified."""
        return not self.changes


def record(file: Path, verification: Verification, verdict: Verdict) -> Path | None:
    """Keep what a verdict has shown; an implementation that differs loses its place in the record.

    Returns the record; None, and there is none any more, if nothing is verified. Raises UsageError
    if it cannot be written.
    """
    place = record_of(file)
    before = _read(place) if place.is_file() else {}
    against = _against(file, verification, verdict.contract)
    found = {}
    for name in verification.implementations:
        comparison = verdict.comparisons.get(name)
        if comparison is not None and comparison.all_match:
            entry = fingerprint(name, verification, file)
            old = before.get("implementations", {}).get(name, {})
            same = all(before.get(key) == value for key, value in against.items())
            same &= {key: value for key, value in old.items() if key != _SINCE} == entry
            found[name] = {_SINCE: old[_SINCE] if same else _now(), **entry}
    if not found:
        place.unlink(missing_ok=True)
        return None
    _write(place, {"version": VERSION, **against, "implementations": found})
    return place


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
    return file.parent / _PLACE / f"{file.stem}.json"


def records(folder: Path) -> Iterator[Path]:
    """The records below a folder."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_SEARCHED)
        if Path(place).parts[-2:] == _PLACE.parts:
            yield from (Path(place, name) for name in sorted(names) if name.endswith(".json"))


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
    common = _changed(data, _against(file, verification, contract))
    found = []
    for name, old in data["implementations"].items():
        if name not in verification.implementations:
            found.append(
                Status(file, name, old[_SINCE], ("it is not in the file any more",), False)
            )
            continue
        now = fingerprint(name, verification, file)
        changes = [*common, *_changed(old, now, leave_out=(_SINCE, "binary"))]
        rebuilt = old.get("binary") != now.get("binary")
        if rebuilt and "sources" not in old:
            changes.append("its binary")
        found.append(Status(file, name, old[_SINCE], tuple(changes), rebuilt))
    return found


def _against(file: Path, verification: Verification, contract: Contract) -> dict[str, Any]:
    """What implementations are verified against."""
    compare = verification.compare.model_dump(mode="json", exclude_defaults=True)
    return {
        "verify": file.name,
        "contract": hashlib.sha256(contract.to_json().encode()).hexdigest(),
        "dataset": dataset(verification, file),
        "compare": compare,
        "reference": {
            "name": verification.reference,
            **fingerprint(verification.reference, verification, file),
        },
    }


def _changed(
    old: dict[str, Any], now: dict[str, Any], leave_out: tuple[str, ...] = ()
) -> Iterator[str]:
    """What of `now` is not as in `old`, each as a phrase."""
    for key, value in now.items():
        before = old.get(key)
        if key in leave_out or value == before:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            if key == "reference":
                inner = [w for w in _changed(before, value, ("binary",))]
                yield from (f"the reference's {what.removeprefix('its ')}" for what in inner)
                continue
            names = sorted(n for n in value.keys() | before.keys() if value.get(n) != before.get(n))
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            yield f"its {key} ({shown})"
        else:
            yield f"its {key}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _read(place: Path) -> dict[str, Any]:
    try:
        data = json.loads(place.read_text("utf-8"))
        if data["version"] != VERSION:
            raise UsageError(
                f"{place} is of version {data['version']}, not {VERSION}; verify again"
            )
        if not all(_SINCE in entry for entry in data["implementations"].values()):
            raise KeyError(_SINCE)
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
