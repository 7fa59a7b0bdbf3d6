"""One measurement: a contestant does its work once in a process of its own.

Called with a row, a contestant and "quick" or "full", this module is that process: it imports and
prepares, does the work, and prints a Measurement as JSON.
"""

from __future__ import annotations

import gc
import json
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .bags import scratch


@dataclass(frozen=True)
class Measurement:
    """Wall and processor time of the work, memory of the process at its peak, and what the
    contestant found."""

    seconds: float
    cpu_s: float
    peak_mb: float
    found: int
    total: float
    others_cpu_s: float = 0.0
    """Processor time of the processes that the contestant started and that count."""


class NoMeasurement(Exception):
    """Why a contestant cannot be measured, in one sentence."""


_IN_WORKSPACE = """
for name in AMENT_PREFIX_PATH LD_LIBRARY_PATH PYTHONPATH; do
  had=BENCH_$name
  export "$name=${!had-}"
done
. ./env.sh && PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}tools:src/lockstep/test" exec python3 "$@"
"""


def measure(row: str, contestant: str, quick: bool, in_workspace: bool = False) -> Measurement:
    """Run a contestant once, with the packages of this tree if it is to be in the workspace; raises
    NoMeasurement."""
    python = ["bash", "-c", _IN_WORKSPACE, "bench"] if in_workspace else [sys.executable]
    command = [*python, "-m", "bench.measure", row, contestant, "quick" if quick else "full"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = process.communicate()
    except BaseException:
        process.kill()
        process.communicate()
        shutil.rmtree(scratch(process.pid), ignore_errors=True)
        raise
    if process.returncode:
        reason = (errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise NoMeasurement(reason)
    return Measurement(**json.loads(output))


def _peak_mb() -> float:
    # Not ru_maxrss, which starts at the size of the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    return int(peak[1]) / 1e3


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Be the process that is measured."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it kills it
    from .rows import ROWS

    name, contestant, size = sys.argv[1:]
    row = next(row for row in ROWS if row.name == name)
    contest = row.contestants[contestant](row.task(size == "quick"))
    gc.collect()
    start, cpu_start = time.perf_counter(), _cpu_s()
    result = contest.work()
    seconds, cpu_s = time.perf_counter() - start, _cpu_s() - cpu_start
    peak_mb = _peak_mb()
    if contest.seconds is not None:
        seconds = contest.seconds(result)
    others_s = 0.0 if contest.others_cpu_s is None else contest.others_cpu_s(result)
    found, total = contest.check(result)
    print(json.dumps(asdict(Measurement(seconds, cpu_s, peak_mb, found, total, others_s))))


if __name__ == "__main__":
    main()
