"""A verdict on disk: result.json, text diffs, plots, the report."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..bag import Bag
from ..compare import write_text_diffs
from ..compare.result import comparison_as_data
from ..compare.text_diff import summary
from ..errors import MATCH, ReportError
from ..report.files import write_plots
from ..report.html import write_html
from .inputs_before import FILE_NAME, inputs_before
from .model import Verification
from .verdict import Verdict


def draw(verdict: Verdict) -> list[Path]:
    """Draw each field that differs, into the folder of its text diffs; returns the files."""
    files: list[Path] = []
    for name, comparison in verdict.comparisons.items():
        runs = verdict.runs[verdict.reference], verdict.runs[name]
        with Bag(runs[0].bag) as a, Bag(runs[1].bag) as b:
            files += write_plots(comparison, (a, b), _diffs(verdict, name))
    return files


def write_report(verdict: Verdict, file: Path) -> None:
    """Write the HTML report; raises ReportError if the file cannot be written or a library is missing."""
    bags = {
        name: (verdict.runs[verdict.reference].bag, verdict.runs[name].bag)
        for name in verdict.comparisons
    }
    write_html(
        file, verdict.comparisons, bags, title=verdict.contract.component, result=as_data(verdict)
    )


def same_failure(verdict: Verdict, name: str) -> list[str]:
    """That the runs of an implementation and of the reference ended by a failure in the same step, if they did."""
    a, b = (verdict.runs[of].failure for of in (verdict.reference, name))
    if a is None or b is None:
        return []
    return [
        f"both failed in step {a.step}, which counts as the same, and nothing after it is known:",
        f"  {verdict.reference}: {a.sentence}",
        f"  {name}: {b.sentence}",
    ]


def _diffs(verdict: Verdict, name: str) -> Path:
    return verdict.folder / f"{name}_vs_{verdict.reference}"


def as_data(verdict: Verdict) -> dict[str, Any]:
    """The verdict as result.json holds it (docs/verify.md)."""
    return {
        "version": 1,
        "match": verdict.exit_code == MATCH,
        "reference": verdict.reference,
        "contract_mismatches": verdict.mismatched_contracts,
        "noise_floor": [comparison_as_data(comparison) for comparison in verdict.noise],
        "runs": {name: {**asdict(run), "bag": str(run.bag)} for name, run in verdict.runs.items()},
        "comparisons": {
            name: comparison_as_data(comparison) for name, comparison in verdict.comparisons.items()
        },
    }


def _write(verification: Verification, verdict: Verdict) -> None:
    lines = [
        f"CONTRACT DIFFERS: {name}: {difference}"
        for name, differences in verdict.mismatched_contracts.items()
        for difference in differences
    ]
    for name, comparison in verdict.comparisons.items():
        write_text_diffs(comparison, _diffs(verdict, name))
        before = list(
            inputs_before(verification.inputs, verdict.runs[verdict.reference], comparison)
        )
        if before:
            (_diffs(verdict, name) / FILE_NAME).write_text("\n".join(before) + "\n", "utf-8")
        lines += [*summary(comparison), *same_failure(verdict, name), ""]
    (verdict.folder / "summary.txt").write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    (verdict.folder / "result.json").write_text(
        json.dumps(as_data(verdict), indent=2) + "\n", "utf-8"
    )
    with suppress(ReportError):  # without the libraries for it, there still is a verdict
        write_report(verdict, verdict.folder / "report.html")
