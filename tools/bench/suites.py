"""Contestants that run many small verifications: a suite, here or on a cluster, or one command
after the other.

Each case is a direct run of VectorNormalizer in Python and in C++ on a quarter of a second of
accelerations. Each contestant returns a Contest as those in `contestants` do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
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
_MANY = 10_000
_WARM, _TIMED, _ALLOWED_S = 3, 20, 0.15
_RAY_PORT = 20001


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


def on_two_cores(task: Task) -> Contest:
    """A suite on this machine."""
    folder = _many(task)
    return _contest(folder, lambda: _suite(folder, "--jobs", "2"))


def on_ray(task: Task) -> Contest:
    """The same on a Ray that is there: a head, and two nodes of one core each."""
    if find_spec("ray") is None:
        raise SystemExit("ray is not installed; run: python3 -m pip install 'ray[client]'")
    head = {"num_cpus": 0, "ray_client_server_port": _RAY_PORT, "include_dashboard": False}
    cluster: Any = import_module("ray.cluster_utils").Cluster(True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    folder = _many(task)

    def check(count: int) -> tuple[int, float]:
        shutil.rmtree(folder)
        cluster.shutdown()
        return count, 0.0

    return Contest(lambda: _suite(folder, "--on", f"ray://127.0.0.1:{_RAY_PORT}"), check)


def overhead(task: Task) -> Contest:
    """Processor time, for each case, of the process that runs cases one after the other: all but
    that of the implementations, which are in C++."""
    from lockstep.suite.case_run import Place, run_case
    from lockstep.suite.expansion import cases_of
    from lockstep.suite.model import load_suite

    folder = _folder()
    for number in range(_WARM + _TIMED):
        _write(folder / f"case_{number:03}.yaml", task, {"python": _CPP, "cpp": _CPP}, 0.001)
    cases = cases_of(load_suite(folder / "suite.yaml"))
    place = Place(folder / "runs", None, None, 0, 0)
    for case in cases[:_WARM]:
        run_case(case, place)

    def work() -> float:
        start_s = time.process_time()
        for case in cases[_WARM:]:
            result = run_case(case, place)
            if result.verdict != "match":
                raise SystemExit(result.sentence)
        return (time.process_time() - start_s) / _TIMED

    def check(seconds: float) -> tuple[int, float]:
        shutil.rmtree(folder)
        return _TIMED, 0.0

    return Contest(work, check, lambda seconds: seconds)


def allowed_overhead(task: Task) -> Contest:
    """What a case may take beyond its runs."""
    return Contest(lambda: None, lambda _: (_TIMED, 0.0), lambda _: _ALLOWED_S)


def coordinator(task: Task) -> Contest:
    """What a suite of ten thousand cases holds: all cases, all results, and their rows as they are
    written. All have matched before, so that none runs."""
    from lockstep.suite.expansion import cases_of
    from lockstep.suite.journal import LINES, new_run
    from lockstep.suite.model import load_suite
    from lockstep.suite.result import Result, as_data
    from lockstep.suite.results import write_rows
    from lockstep.suite.run_suite import Choice, run_suite
    from lockstep.verify.field_results import FieldResult

    folder = _folder()
    _write(folder / "case_0.yaml", task, {"python": _PYTHON, "cpp": _CPP}, 0.001)
    parameters = {f"p{number}": {"epsilon": 0.1 / (number + 1)} for number in range(_MANY)}
    suite = {"verify": ["case_0.yaml"], "matrix": {"parameters": parameters}}
    (folder / "suite.yaml").write_text(json.dumps(suite))
    file, runs = folder / "suite.yaml", folder / "runs"
    fields = (FieldResult("/vector", "vector.x", 3, 0.25, "cpp is 2 times python"),)
    with new_run(runs) as journal, (journal.folder / LINES).open("w") as lines:
        for case in cases_of(load_suite(file)):
            known = Result(case.name, case.group, case.implementation, "match", "identical bytes")
            known = replace(known, fields=fields, definition=case.definition, run="1")
            lines.write(json.dumps(as_data(known)) + "\n")

    def work() -> int:
        cases = cases_of(load_suite(file))
        choice = Choice(only_failed=True)
        done = run_suite(cases, runs, lambda *_: None, root=folder, choice=choice)
        write_rows(folder / "rows", done.results)
        return len(done.results)

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
