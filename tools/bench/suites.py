"""Contestants that run many small verifications: a suite, or one command after the other.

Each case is a direct run of VectorNormalizer in Python and in C++ on a quarter of a second of
accelerations. Each contestant returns a Contest as those in `contestants` do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .bags import scratch
from .contestants import Contest, Task

_ROOT = Path(__file__).resolve().parent.parent.parent
_LOCKSTEP = [sys.executable, str(_ROOT / "src/lockstep/bin/lockstep")]
_PYTHON = {"component": "lockstep_examples:VectorNormalizer"}
_CPP = {"executable": "lockstep_examples_cpp/vector_normalizer"}
_CASES = int(os.environ.get("BENCH_CASES", "200"))
_CANDIDATES = 10


def suite(task: Task) -> Contest:
    """Many cases, none of which has the reference of another."""
    folder = _many(task)
    return _contest(folder, lambda: _suite(folder))


def one_after_the_other(task: Task) -> Contest:
    """The same by a command each."""
    folder = _many(task)

    def work() -> int:
        files = sorted(folder.glob("case_*.yaml"))
        for file in files:
            _run([*_LOCKSTEP, "verify", file.name, "--no-record"], folder)
        return len(files)

    return _contest(folder, work)


def shared(task: Task) -> Contest:
    """Ten candidates of one reference, which runs once."""
    folder = _candidates(task)
    return _contest(folder, lambda: _suite(folder))


def not_shared(task: Task) -> Contest:
    """The same, and the reference runs for each."""
    folder = _candidates(task)
    return _contest(folder, lambda: _suite(folder, "--no-share"))


def _many(task: Task) -> Path:
    folder = _folder()
    for number in range(_CASES):
        implementations = {"python": _PYTHON, "cpp": _CPP}
        _write(folder / f"case_{number:03}.yaml", task, implementations, 0.001 * (number + 1))
    return folder


def _candidates(task: Task) -> Path:
    folder = _folder()
    candidates = {f"cpp_{number}": _CPP for number in range(_CANDIDATES)}
    _write(folder / "case_0.yaml", task, {"python": _PYTHON, **candidates}, 0.001)
    return folder


def _folder() -> Path:
    folder = scratch(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text('verify: ["case_*.yaml"]\n')
    return folder


def _write(file: Path, task: Task, implementations: dict[str, Any], epsilon: float) -> None:
    data = {
        "implementations": implementations,
        "reference": "python",
        "inputs": {"bag": str(task.path), "topics": {"vector": task.topic}, "duration": 0.25},
        "parameters": {"epsilon": epsilon},
        "run": {"mode": "direct"},
        "compare": {"tolerance": {"vector.*": {"abs": 1e-9}}},
    }
    file.write_text(json.dumps(data))  # which YAML is, too


def _suite(folder: Path, *options: str) -> int:
    told = _run([*_LOCKSTEP, "suite", "suite.yaml", "--json", *options], folder)
    count: int = json.loads(told.splitlines()[-1])["match"]
    return count


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[2]} failed: {done.stderr.strip()[-200:]}")
    return done.stdout


def _contest(folder: Path, work: Callable[[], int]) -> Contest:
    def check(count: int) -> tuple[int, float]:
        shutil.rmtree(folder)
        return count, 0.0

    return Contest(work, check)
