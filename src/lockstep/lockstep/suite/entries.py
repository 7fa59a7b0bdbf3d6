"""What is kept of the run of a reference beside its bag: `entry.json` with the contract, the result
of the run, and the digest of every file and of itself."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..component import Contract
from ..errors import BagError, UsageError
from ..run.result import RunResult
from ..verify.fingerprints import digest
from ..verify.kept import KeptRun

ENTRY = "entry.json"
DAY_S = 86_400
_VERSION = 1
_RUN_RESULT = TypeAdapter(RunResult)


class Damaged(Exception):
    """An entry is not as it was written."""


def entry_of(key: str, contract: Contract, result: RunResult) -> dict[str, Any]:
    """The entry of a run whose bag is a folder; its `files` are named from the folder above."""
    assert isinstance(result.bag, Path)
    source = result.bag.parent
    paths = [path for path in sorted(result.bag.rglob("*")) if path.is_file()]
    run = replace(result, bag=result.bag.relative_to(source))
    entry = {
        "version": _VERSION,
        "key": key,
        "made_s": time.time(),
        "bytes": sum(path.stat().st_size for path in paths),
        "files": {str(path.relative_to(source)): digest(path) for path in paths},
        "run": _RUN_RESULT.dump_python(run, mode="json"),
        "contract": contract.to_json(),
    }
    return {**entry, "digest": _digest_of(entry)}


def run_of(
    read: Callable[[], bytes], key: str, folder: Path, bring: Callable[[str, Path], None]
) -> KeptRun:
    """The run of an entry, each of whose files is brought to `folder`; raises Damaged if something
    is not as it was written, and leaves nothing there then."""
    try:
        return _run_of(json.loads(read()), key, folder, bring)
    except (ValueError, KeyError, TypeError, UsageError, OSError, BagError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Damaged from error


def _run_of(
    entry: dict[str, Any], key: str, folder: Path, bring: Callable[[str, Path], None]
) -> KeptRun:
    known = {name: value for name, value in entry.items() if name != "digest"}
    if (entry["digest"], entry["key"], entry["version"]) != (_digest_of(known), key, _VERSION):
        raise ValueError
    for name, expected in entry["files"].items():
        bring(name, folder / name)
        if digest(folder / name) != expected:
            raise ValueError
    run = _RUN_RESULT.validate_python(entry["run"])
    run = replace(run, bag=folder / run.bag)
    return KeptRun(Contract.from_json(entry["contract"]), run, made_s=float(entry["made_s"]))


def _digest_of(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
