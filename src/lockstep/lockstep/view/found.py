"""What verifications and suites have left in a folder, as data for a page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..verify.progress_file import FILE_NAME, how_far

MOST_RUNS = 5000
_RESULT, _LINES = "result.json", "cases.jsonl"
_SENTENCE = 300
_MOST_BYTES = 1 << 26


@dataclass(frozen=True)
class _Known:
    state: tuple[int, int]
    data: dict[str, Any]


class Found:
    """The runs below a folder; a file is read again only when it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, _Known] = {}

    def as_data(self) -> dict[str, Any]:
        """Runs, the newest first, and suites; of more than 5000 runs the newest, and how many are
        left out."""
        runs, suites = [], []
        for place, names in _places(self._folder):
            path = place.relative_to(self._folder).as_posix()
            if _LINES in names:
                suites.append({"path": path, **self._of(place / _LINES, self._suite)})
            elif _RESULT in names:
                runs.append({"path": path, **self._of(place / _RESULT, _run)})
            elif FILE_NAME in names:
                runs.append({"path": path, **_unfinished(place)})
        runs.sort(key=lambda run: -run["at"])
        suites.sort(key=lambda suite: -suite["at"])
        return {
            "folder": str(self._folder),
            "runs": runs[:MOST_RUNS],
            "left_out": max(0, len(runs) - MOST_RUNS),
            "suites": suites,
        }

    def _of(self, file: Path, read: Any) -> dict[str, Any]:
        try:
            status = file.stat()
            state = status.st_mtime_ns, status.st_size
            known = self._known.get(file)
            if known is None or known.state != state:
                if status.st_size > _MOST_BYTES:
                    raise ValueError("it is larger than any that Lockstep writes")
                known = self._known[file] = _Known(state, read(file))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return {"at": 0.0, "verdict": "unreadable", "sentence": cut(str(error)), "cases": []}
        return known.data | {"at": status.st_mtime}

    def _suite(self, file: Path) -> dict[str, Any]:
        """The cases of a run of a suite, the last line of each."""
        cases = {}
        for line in file.read_text("utf-8").splitlines():
            try:
                case = json.loads(line)
            except ValueError:
                continue  # it is being written, or was cut off
            cases[str(case["case"])] = {
                "case": str(case["case"]),
                "node": str(case["group"]),
                "implementation": str(case["implementation"]),
                "bag": str(case.get("bag") or ""),
                "verdict": "expected"
                if case.get("expected") and case["verdict"] != "match"
                else str(case["verdict"]),
                "sentence": cut(str(case.get("sentence", ""))),
                "folder": self._inside(file.parent, str(case.get("folder") or "")),
            }
        return {"cases": list(cases.values()), "finished": (file.parent / "finished").exists()}

    def _inside(self, suite: Path, folder: str) -> str:
        """A folder of a case as the page calls it; empty if it lies elsewhere."""
        path = suite / folder  # which is the folder itself if that is absolute
        return (
            path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else ""
        )


def cut(text: str) -> str:
    """A sentence of bounded length."""
    return text if len(text) <= _SENTENCE else f"{text[: _SENTENCE - 1]}…"


def _places(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    """Folders of runs and their files; nothing is looked for in what a run holds but cases."""
    for place, folders, files in os.walk(folder):
        names = set(files)
        folders[:] = [one for one in sorted(folders) if not one.startswith(".")]
        if names & {_RESULT, FILE_NAME}:
            folders.clear()
        if names & {_RESULT, FILE_NAME, _LINES}:
            yield Path(place), names


def _run(file: Path) -> dict[str, Any]:
    """A verdict, of result.json."""
    result = json.loads(file.read_text("utf-8"))
    reference, runs = str(result["reference"]), result["runs"]
    return {
        "verdict": str(result["verdict"]),
        "reference": reference,
        "component": _component(file.parent),
        "sentence": cut(
            "; ".join(f"{k}: {'; '.join(v)}" for k, v in result["contract_mismatches"].items())
        ),
        "report": (file.parent / "report.html").is_file(),
        "implementations": [
            {
                "name": str(name),
                "verdict": str(found["verdict"]),
                "grade": str(found["grade"]),
                "samples": found["samples"],
                "wrong": sum(
                    key["differing"] + key["missing"] + key["extra"]
                    for key in found["keys"].values()
                ),
                **_taken(runs.get(reference, {}), runs.get(name, {})),
            }
            for name, found in result["comparisons"].items()
        ],
    }


def _taken(reference: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """Times and memory of the reference and of an implementation."""
    return {
        name: [side.get(name) for side in (reference, run)] for name in ("median_ns", "cpu_ns")
    } | {
        "peak_bytes": [(side.get("resources") or {}).get("peak_bytes") for side in (reference, run)]
    }


def _component(folder: Path) -> str:
    try:
        return cut(str(json.loads((folder / "contract.json").read_text("utf-8"))["component"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _unfinished(place: Path) -> dict[str, Any]:
    """A run that goes on, has failed, or was killed."""
    told = how_far(place)
    return {
        "at": told.at,
        "verdict": told.state,
        "sentence": cut(told.sentence),
        "component": _component(place),
        "done": told.done,
        "total": told.total,
    }
