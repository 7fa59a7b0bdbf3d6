"""A verdict on disk: the contract, result.json, text diffs, plots, the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..compare import write_text_diffs
from ..compare.result import comparison_as_data
from ..errors import DIFFERENT, MATCH, ReportError
from ..report.html import write_html
from ..run.inputs import RunInputs
from .inputs_before import FILE_NAME, inputs_before
from .judge import Recorded
from .plan import Plan
from .verdict import Outcome, Verdict, findings, objections, outcome, remarks, rests_on


def write(
    planned: Plan,
    verdict: Verdict,
    inputs: RunInputs | None = None,
    recorded: Mapping[str, Recorded] | None = None,
    again: Mapping[str, Sequence[Recorded]] | None = None,
    *,
    plots: bool = False,
) -> None:
    """Write a verdict to its folder; without inputs and runs, that contracts differ is all there is
    to tell.

    `again` are further runs of implementations, as many as the verdict has `repeats` of them.
    """
    folder, recorded = verdict.folder, recorded or {}
    (folder / "contract.json").write_text(planned.contract.to_json() + "\n", "utf-8")
    for name, comparison in verdict.comparisons.items():
        differences = folder / f"{name}_vs_{verdict.reference}"
        original = recorded[verdict.reference]
        write_text_diffs(comparison, differences)
        if inputs is not None and (before := list(inputs_before(inputs, original, comparison))):
            (differences / FILE_NAME).write_text("\n".join(before) + "\n", "utf-8")
        if plots:
            from ..report.files import write_plots

            outputs = original.outputs, recorded[name].outputs
            drawn = write_plots(comparison, outputs, differences)
            if drawn.left_out:
                lines = "\n".join(drawn.left_out)
                (differences / "not_drawn.txt").write_text(f"{lines}\n", "utf-8")
    (folder / "summary.txt").write_text("\n".join(_summary(verdict)).rstrip() + "\n", "utf-8")
    (folder / "result.json").write_text(json.dumps(as_data(verdict), indent=2) + "\n", "utf-8")
    with suppress(ReportError):  # without the libraries for it, there still is a verdict
        _write_html(verdict, recorded, again or {}, folder / "report.html")


def as_data(verdict: Verdict) -> dict[str, Any]:
    """The verdict as result.json holds it (docs/verify.md)."""
    return {
        "version": 1,
        "match": verdict.exit_code == MATCH,
        "verdict": _of_all(verdict),
        "reference": verdict.reference,
        "contract_mismatches": dict(verdict.mismatched_contracts),
        "arrived": None
        if verdict.arrived is None
        else {**asdict(verdict.arrived), "bag": str(verdict.arrived.bag)},
        "noise_floor": [comparison_as_data(comparison) for comparison in verdict.noise],
        "noise": [{**asdict(noise), "limit": noise.limit} for noise in verdict.floor],
        "runs": {
            name: {**asdict(run), "bag": str(run.bag), "cpu_ns": run.cpu_ns}
            for name, run in verdict.runs.items()
        },
        "comparisons": {
            name: {
                **comparison_as_data(comparison),
                "match": outcome(verdict, name) == "match",
                "verdict": outcome(verdict, name),
                "objections": objections(verdict, name),
                "rests_on": rests_on(verdict, name),
                "against_itself": [
                    comparison_as_data(again) for again in verdict.repeats.get(name, ())
                ],
            }
            for name, comparison in verdict.comparisons.items()
        },
    }


def _of_all(verdict: Verdict) -> Outcome:
    if verdict.exit_code == MATCH:
        return "match"
    return "differs" if verdict.exit_code == DIFFERENT else "no verdict"


def copy_report(verdict: Verdict, file: Path) -> None:
    """Copy the HTML report to `file`; raises ReportError if that cannot be written, or there is
    none."""
    report = verdict.folder / "report.html"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(report, file)
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror or error}") from error


def _summary(verdict: Verdict) -> list[str]:
    found_lines = [
        line
        for found in findings(verdict)
        for line in (f"{found.word}: {found.sentence}", *found.lines, "")
    ]
    return [*found_lines, *remarks(verdict)]


def _write_html(
    verdict: Verdict,
    recorded: Mapping[str, Recorded],
    again: Mapping[str, Sequence[Recorded]],
    file: Path,
) -> None:
    comparisons = dict(verdict.comparisons)
    bags = {
        name: (recorded[verdict.reference].outputs, recorded[name].outputs)
        for name in verdict.comparisons
    }
    for name, repeats in verdict.repeats.items():
        for run, comparison in zip(again[name], repeats, strict=True):
            title = f"{name} against itself"
            if not comparison.all_match and title not in comparisons:
                comparisons[title] = comparison
                bags[title] = recorded[name].outputs, run.outputs
    write_html(file, comparisons, bags, title=verdict.contract.component, result=as_data(verdict))
