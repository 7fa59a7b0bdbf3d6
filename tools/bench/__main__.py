"""Run the benchmark: every row with all its contestants in turn, several times over."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from .bags import free_bytes
from .measure import NoMeasurement, measure
from .results import Outcome, RowResult, print_table, surroundings, write_json
from .rows import ROWS, Row

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "bench/results.json"
_DISK_BYTES = 1.5e10  # more than any bag takes


def run(row: Row, quick: bool, console: Console, keep: bool = False) -> RowResult:
    """Measure all contestants of a row in turn, so that whatever disturbs them disturbs all.

    The bag of an optional row is deleted unless it is to be kept, for the next row.
    """
    outcomes = [Outcome(name) for name in row.contestants]
    if row.optional and free_bytes() < _DISK_BYTES:
        for outcome in outcomes:
            outcome.problem = f"is left out: this row needs {_DISK_BYTES / 1e9:.0f} GB of disk"
        return RowResult(row, 0, outcomes)
    path = row.task(quick).path
    with console.status(f"{row.name}: making the bag"):
        row.prepare(quick)
        for one in filter(None, (path, row.task(quick).other)):
            _read(one)
    try:
        for number in range(row.rounds):
            for outcome in outcomes:
                if outcome.problem is not None:
                    continue
                progress = f"{row.name}: {outcome.contestant}, {number + 1} of {row.rounds}"
                with console.status(progress):
                    try:
                        outcome.measurements.append(
                            measure(row.name, outcome.contestant, quick, row.in_workspace)
                        )
                    except NoMeasurement as reason:
                        outcome.measurements.clear()
                        outcome.problem = f"is not available: {reason}"
                    os.sync()  # what one has written is not to slow the next one down
        amount = path.stat().st_size if row.rate == "MB/s" else row.count(quick)
    finally:
        if row.optional and not keep:
            path.unlink()
    return RowResult(row, amount, outcomes, row.count(quick))


def _read(path: Path) -> None:
    """Have the file in the disk cache, where it fits."""
    buffer = bytearray(8 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _chosen(names: str, quick: bool) -> Sequence[Row]:
    """The rows that are named, separated by commas; raises SystemExit for names that there are
    not."""
    if not names:
        return [row for row in ROWS if not (quick and row.optional)]
    wanted = names.split(",")
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        known = ", ".join(row.name for row in ROWS)
        raise SystemExit(f"bench: there is no row {', '.join(sorted(unknown))}; there are {known}")
    return [row for row in ROWS if row.name in wanted]


def main() -> int:
    """0 if all ran and agree, even if targets are missed; 1 otherwise; 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    rows, quick = os.environ.get("ROWS", ""), os.environ.get("QUICK", "") not in ("", "0")
    parser.add_argument("--rows", default=rows, help="names of rows, separated by commas ($ROWS)")
    parser.add_argument(
        "--quick", action="store_true", default=quick, help="a tenth of the messages ($QUICK)"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(width=None if sys.stdout.isatty() else 160)
    chosen = _chosen(options.rows, options.quick)
    results: list[RowResult] = []
    try:
        for row, following in zip(chosen, [*chosen[1:], None], strict=True):
            keep = following is not None and following.bag == row.bag
            results.append(run(row, options.quick, console, keep))
    except KeyboardInterrupt:
        print_table(console, results)
        console.print("bench: interrupted")
        return 130
    print_table(console, results)
    write_json(RESULTS, results, options.quick)
    if options.quick:
        console.print("QUICK: a tenth of the messages, so that starting up weighs more")
    here = surroundings()
    console.print(
        f"{here['cpu']}, {here['cores']} cores, Python {here['python']}; "
        f"every measurement is in {RESULTS.relative_to(ROOT)}"
    )
    ours_failed = any(result.outcomes[0].problem for result in results)
    return 1 if ours_failed or any(result.disagreement for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
