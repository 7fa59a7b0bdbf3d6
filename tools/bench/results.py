"""What the measurements come to: medians, ratios, targets; as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from .measure import Measurement
from .rows import Row

_FOUND_ALIKE = 1e-9  # sums may be taken in another order


@dataclass
class Outcome:
    """All measurements of one contestant in one row, or the `problem` that kept it from being
    measured."""

    contestant: str
    measurements: list[Measurement] = field(default_factory=list)
    problem: str | None = None

    @property
    def seconds(self) -> float:
        """Median."""
        return median(m.seconds for m in self.measurements)

    def cpu_us(self, steps: int) -> tuple[float, float]:
        """Processor time of ours and of the processes that it started for each of some steps,
        medians."""
        ours = median(m.cpu_s for m in self.measurements)
        return ours / steps * 1e6, median(m.others_cpu_s for m in self.measurements) / steps * 1e6

    @property
    def peak_mb(self) -> float:
        """Median."""
        return median(m.peak_mb for m in self.measurements)

    @property
    def share_right(self) -> float:
        """Of what was found; the same each time."""
        return self.measurements[0].total / self.measurements[0].found


@dataclass
class RowResult:
    """The outcomes of a row; `amount` is what its rate counts: messages, or bytes of the file;
    `messages` is how many there were."""

    row: Row
    amount: int
    outcomes: list[Outcome]
    messages: int = 0

    @property
    def steps(self) -> int:
        """How many deliveries there were."""
        return self.messages * (self.row.deliveries or 1)

    @property
    def disagreement(self) -> str | None:
        """Which contestant did not find what Lockstep found, if any."""
        if not self.outcomes[0].measurements:
            return None
        ours = self.outcomes[0].measurements[0]
        for outcome in self.outcomes[1:]:
            for m in outcome.measurements:
                if not m.found:
                    continue
                off = abs(m.total - ours.total) > _FOUND_ALIKE * max(1, abs(ours.total))
                if off or m.found != ours.found:
                    return (
                        f"{self.row.name}: {outcome.contestant} found {m.found} with {m.total}, "
                        f"lockstep {ours.found} with {ours.total}"
                    )
        return None

    def ratio(self, outcome: Outcome) -> float | None:
        """How many times as fast as the contestant Lockstep is, or how many times less memory it
        takes."""
        ours = self.outcomes[0]
        if not (ours.measurements and outcome.measurements) or outcome is ours:
            return None
        if self.row.limit_mb is not None:
            return outcome.peak_mb / ours.peak_mb
        return outcome.seconds / ours.seconds

    def met(self, outcome: Outcome) -> bool | None:
        """Whether Lockstep keeps what it promises beside this contestant; None if it promises
        nothing."""
        if outcome.contestant in self.row.least and outcome.measurements:
            return (
                self.amount / outcome.seconds >= self.row.least[outcome.contestant]
                and self._faster(outcome) is not False
                and self._thrifty(outcome)
            )
        if self.row.right is not None and outcome.measurements:
            low, high = self.row.right
            return low <= outcome.share_right <= high
        if outcome is self.outcomes[0]:
            if self.row.limit_mb is None or not outcome.measurements:
                return None
            return outcome.peak_mb < self.row.limit_mb
        return self._faster(outcome)

    def _thrifty(self, outcome: Outcome) -> bool:
        most = self.row.most_cpu_us
        return most is None or sum(outcome.cpu_us(self.steps)) <= most

    def _faster(self, outcome: Outcome) -> bool | None:
        ratio, target = self.ratio(outcome), self.row.targets.get(outcome.contestant)
        return None if ratio is None or target is None else ratio >= target


def table(results: Sequence[RowResult]) -> Table:
    """All rows for a terminal."""
    shown = Table(header_style="bold", box=None, pad_edge=False)
    shown.add_column("work and contestant", overflow="fold")
    for name in ("median", "spread", "rate", "lockstep is", "target"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("met")
    for result in results:
        shown.add_row(f"[bold]{result.row.name}[/]: {result.row.work}")
        for outcome in result.outcomes:
            if outcome.problem is not None:
                shown.add_row(f"  {outcome.contestant} {outcome.problem}")
            else:
                shown.add_row(f"  {outcome.contestant}", *_cells(result, outcome))
    return shown


def _cells(result: RowResult, outcome: Outcome) -> list[str]:
    ratio, row = result.ratio(outcome), result.row
    met = {None: "", True: "[green]yes[/]", False: "[bold red]no[/]"}[result.met(outcome)]
    if row.limit_mb is not None:
        values = [m.peak_mb for m in outcome.measurements]
        target = "" if outcome is not result.outcomes[0] else f"< {row.limit_mb:.0f} MB"
        times = "" if ratio is None else f"{ratio:.1f}× smaller"
        return [f"{outcome.peak_mb:.0f} MB", _spread(values, "MB"), "", times, target, met]
    values = [m.seconds for m in outcome.measurements]
    if row.right is not None:
        low, high = row.right
        target = f"≥ {low:.0%}" if high == 1.0 else f"≤ {high:.0%}"
        return [*_times(outcome.seconds, values), f"{outcome.share_right:.1%}", "", target, met]
    targets = []
    if outcome.contestant in row.least:
        targets.append(f"≥ {_rate(row.least[outcome.contestant], row.rate)}")
    if row.most_cpu_us is not None:
        targets.append(f"≤ {row.most_cpu_us:g} µs")
    if outcome.contestant in row.targets:
        targets.append(f"≥ {row.targets[outcome.contestant]:g}×")
    return [
        *_times(outcome.seconds, values),
        _rates(result, outcome),
        "" if ratio is None else f"{ratio:.2f}× as fast",
        ", ".join(targets),
        met,
    ]


def _rates(result: RowResult, outcome: Outcome) -> str:
    """What is done in a second, and what each delivery takes of the processors."""
    row = result.row
    rate = _rate(result.amount / outcome.seconds, row.rate) if row.rate else ""
    if row.deliveries is None:
        return rate
    ours, others = outcome.cpu_us(result.steps)
    return f"{rate}, {ours:.1f} + {others:.1f} µs of CPU"


def _times(seconds: float, values: Sequence[float]) -> tuple[str, str]:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs", _spread([value * 1e6 for value in values], "µs")
    return f"{seconds:.3f} s", _spread(values, "s")


def _spread(values: Sequence[float], unit: str) -> str:
    digits = 3 if unit == "s" else 0
    return "" if len(values) == 1 else f"{min(values):.{digits}f}–{max(values):.{digits}f} {unit}"


def _rate(per_second: float, unit: str) -> str:
    return f"{per_second / 1e6:,.0f} {unit}" if unit == "MB/s" else f"{per_second:,.0f} {unit}"


def print_table(console: Console, results: Sequence[RowResult]) -> None:
    """Print all rows, and what does not agree."""
    console.print(table(results))
    for result in results:
        if result.disagreement:
            console.print(f"[bold red]{result.disagreement}[/]", soft_wrap=True)


def write_json(path: Path, results: Sequence[RowResult], quick: bool) -> None:
    """Write all measurements with the machine and the versions that they were made with."""
    path.parent.mkdir(exist_ok=True)
    rows = [
        {
            "name": result.row.name,
            "work": result.row.work,
            "amount": result.amount,
            "rate": result.row.rate,
            "limit_mb": result.row.limit_mb,
            "contestants": [
                {
                    "name": outcome.contestant,
                    "problem": outcome.problem,
                    "seconds": [m.seconds for m in outcome.measurements],
                    "cpu_s": [m.cpu_s for m in outcome.measurements],
                    "others_cpu_s": [m.others_cpu_s for m in outcome.measurements],
                    "peak_mb": [m.peak_mb for m in outcome.measurements],
                    "lockstep_is_times_as_good": result.ratio(outcome),
                    "target": result.row.targets.get(outcome.contestant),
                    "least_per_second": result.row.least.get(outcome.contestant),
                    "right": (
                        outcome.share_right
                        if result.row.right is not None and outcome.measurements
                        else None
                    ),
                    "met": result.met(outcome),
                }
                for outcome in result.outcomes
            ],
        }
        for result in results
    ]
    path.write_text(json.dumps({**surroundings(), "quick": quick, "rows": rows}, indent=2) + "\n")


def surroundings() -> dict[str, Any]:
    """Machine, versions, date and commit."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "src/lockstep")),
        "cpu": cpu[1] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory[1]) / 1e6) if memory else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {d.metadata["Name"]: d.version for d in distributions()},
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()
