"""Verification: the same inputs through every implementation, outputs compared with those of the reference."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..bag import Bag, BagError, Topic
from ..bag.codec import codec_of
from ..bag.definitions import definition
from ..compare import Comparison, compare, tolerance_ns, write_text_diffs
from ..compare.columns import ColumnJudge
from ..compare.result import comparison_as_data
from ..compare.text_diff import summary
from ..component import Contract
from ..component.parameter import range_objection, ros_type
from ..report.errors import ReportError
from ..report.files import write_plots
from ..report.html import write_html
from .direct_run import run_direct
from .drawn_inputs import FOLDER, check_sample, with_bag
from .errors import DIFFERENT, MATCH, RunError, UsageError
from .implementation import (
    asked_command,
    command_of,
    contract_of_command,
    contract_of_implementation,
)
from .inputs_before import FILE_NAME, inputs_before
from .live import run_live
from .ports import bag_topics, resolved
from .run_result import Progress, RunResult
from .verification import Compare, Implementation, Verification

Watch = Callable[[str], Progress]


@dataclass(frozen=True)
class Verdict:
    """What came out; `comparisons` has one entry for each implementation but the reference."""

    folder: Path
    reference: str
    contract: Contract
    mismatched_contracts: dict[str, list[str]]
    runs: dict[str, RunResult]
    comparisons: dict[str, Comparison]
    noise: tuple[Comparison, ...] = ()
    """The reference against itself, run again on the same inputs."""

    @property
    def exit_code(self) -> int:
        """0 if every implementation does what the reference does, else 1."""
        matches = all(comparison.all_match for comparison in self.comparisons.values())
        return MATCH if matches and not self.mismatched_contracts else DIFFERENT


def verify(verification: Verification, folder: Path, watch: Watch | None = None) -> Verdict:
    """Run every implementation on the inputs, compare each with the reference, write everything to `folder`.

    Raises UsageError or BagError before anything runs, RunError when a run fails.
    """
    if len(verification.implementations) < 2:
        raise UsageError(f"'{verification.reference}' needs another implementation to compare with")
    contract, mismatched = check(verification)
    create_folder(folder)
    verification = with_bag(verification, folder / FOLDER, contract)
    (folder / "contract.json").write_text(contract.to_json() + "\n", "utf-8")
    runs: dict[str, RunResult] = {}
    comparisons: dict[str, Comparison] = {}
    noise: tuple[Comparison, ...] = ()
    if not mismatched:
        reference = verification.reference

        def run(name: str, what: str, into: Path) -> RunResult:
            progress = watch(f"running {what}") if watch else None
            create_folder(into)
            return run_implementation(name, verification, contract, into, progress)

        runs[reference] = run(reference, reference, folder / reference)
        noise = tuple(
            _noise(
                verification,
                contract,
                runs[reference],
                run(reference, f"{reference} again", folder / f"{reference}.{number}"),
                folder,
            )
            for number in range(2, verification.run.repeat + 1)
        )
        for name in verification.implementations:
            if name != reference:
                runs[name] = run(name, name, folder / name)
                comparisons[name] = _compare(verification, contract, runs[reference], runs[name])
    verdict = Verdict(
        folder, verification.reference, contract, mismatched, runs, comparisons, noise
    )
    _write(verification, verdict)
    return verdict


def run_implementation(
    name: str,
    verification: Verification,
    contract: Contract,
    folder: Path,
    progress: Progress | None = None,
) -> RunResult:
    """Run one implementation in the mode that verify.yaml says; see run_live and run_direct."""
    run = run_direct if verification.run.mode == "direct" else run_live
    return run(name, verification, contract, folder, progress)


def _noise(
    verification: Verification, contract: Contract, first: RunResult, again: RunResult, folder: Path
) -> Comparison:
    """The reference against itself; raises RunError if it does not do the same again: then nothing can be judged by it."""
    comparison = _compare(verification, contract, first, again, f"{first.name} again")
    if not comparison.all_match:
        report = folder / f"{first.name}_vs_itself"
        write_text_diffs(comparison, report)
        wrong = next(key for key in comparison.keys.values() if not key.matches)
        count = wrong.differing + len(wrong.only_a) + len(wrong.only_b) + len(wrong.reordered)
        raise RunError(
            f"{first.name} does not do the same again on the same inputs ({count} messages of {wrong.topic}: "
            f"{wrong.grade}), so nothing can be judged by it; see {report}"
        )
    return comparison


def check(
    verification: Verification,
    ask: Callable[[str, Implementation], Contract] = contract_of_implementation,
) -> tuple[Contract, dict[str, list[str]]]:
    """Everything that can be known before a run: the contract, and where other implementations break it.

    `ask` tells the contract of an implementation that is no black box, by its name.
    """
    for name, implementation in verification.implementations.items():
        command_of(name, implementation)
    if verification.inputs.sample is None:
        bag = Bag(verification.inputs.bag)
        if bag.problem:
            raise BagError(bag.problem)
    contracts = {
        name: ask(name, implementation)
        for name, implementation in verification.implementations.items()
        if implementation.command is None
    }
    if verification.contract is not None:
        contract = contract_of_command("contract", asked_command(verification.contract))
    else:
        contract = contracts[verification.reference]
    if not contract.outputs:
        raise UsageError(f"{contract.component} has no outputs to compare")
    check_sample(verification, contract)
    if verification.inputs.sample is None:
        bag_topics(verification.inputs, contract)
    _check_parameters(verification, contract)
    _check_compare(verification.compare, contract)
    _check_remaps(verification, contract)
    differences = {name: contract.differences(other) for name, other in contracts.items()}
    return contract, {name: found for name, found in differences.items() if found}


def create_folder(folder: Path) -> None:
    """Create the output folder; an existing one is never written into."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise UsageError(f"{folder} exists already; choose another folder or delete it") from error
    except OSError as error:
        raise UsageError(f"cannot create {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{folder} is not writable")


def default_folder(stem: str) -> Path:
    """A folder for results below the current one that no other run chooses: runs/STEM-DATE-TIME-PID."""
    return Path("runs", f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")


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


def _compare(
    verification: Verification,
    contract: Contract,
    reference: RunResult,
    other: RunResult,
    other_name: str | None = None,
) -> Comparison:
    options = verification.compare
    tolerance_s = options.time_tolerance
    runs = reference, other
    names = (reference.name, other_name or other.name)
    _check_failures(runs, names)
    if tolerance_s is None and not any(
        verification.implementations[run.name].command for run in runs
    ):
        tolerance_s = 0.0  # in lockstep the time of every message is exact
    try:
        comparison = compare(
            Bag(reference.bag),
            Bag(other.bag),
            topics=[resolved(port.topic) for port in contract.outputs],
            align=options.align,
            origin_ns=reference.first_input_ns,
            time_tolerance_ns=tolerance_ns(tolerance_s),
            tolerance=options.tolerances(),
            names=names,
            common_fields=options.common_fields,
        )
    except BagError as error:
        raise RunError(f"the outputs cannot be compared: {error}") from error
    for port in contract.outputs:
        key = comparison.keys[resolved(port.topic)]
        if not (key.count_a or key.count_b or port.name in options.silent):
            raise RunError(
                f"nothing is known of output '{port.name}': neither {names[0]} nor {names[1]} published on it; "
                f"choose other inputs, or allow it with compare: {{silent: [{port.name}]}}"
            )
    return comparison


def _check_failures(runs: tuple[RunResult, RunResult], names: tuple[str, str]) -> None:
    """Raises RunError if a callback failed, unless those of both failed in the same step: then they do the same."""
    a, b = (run.failure for run in runs)
    if (a and a.step) == (b and b.step):
        return
    told = [
        f"{name} failed in step {failure.step}: {failure.sentence}"
        for name, failure in zip(names, (a, b), strict=True)
        if failure is not None
    ]
    if len(told) == 1:
        told.append(f"{names[0] if a is None else names[1]} did not fail")
    raise RunError("; ".join(told))


def _check_parameters(verification: Verification, contract: Contract) -> None:
    known = {p.name: p for p in contract.parameters}
    for name, implementation in verification.implementations.items():
        for parameter, value in (verification.parameters | implementation.parameters).items():
            if parameter not in known:
                raise UsageError(
                    f"{name}: the contract has no parameter '{parameter}'; "
                    f"it has {', '.join(sorted(known)) or 'none'}"
                )
            try:
                kind = ros_type(value)
            except TypeError as error:
                raise UsageError(f"{name}: parameter '{parameter}': {error}") from error
            promised = known[parameter]
            if kind != promised.type:
                raise UsageError(
                    f"{name}: parameter '{parameter}' must be of type {promised.type}, not {kind}"
                )
            if objection := range_objection(value, promised.minimum, promised.maximum):
                raise UsageError(f"{name}: parameter '{parameter}' {objection}")


def _check_compare(options: Compare, contract: Contract) -> None:
    fields: set[str] = set()
    for port in contract.outputs:
        topic = Topic(port.name, port.type, definition(port.type), encoding="ros2msg")
        codec = codec_of(topic)
        ColumnJudge(port.name, (codec, codec), options.tolerances())  # refuses what fits no field
        found = codec.fields()
        if options.align == "stamp" and "header.stamp" not in found:
            raise UsageError(
                f"output '{port.name}' has no header to align by; align by time or tick"
            )
        fields |= found.keys()
    for pattern in options.tolerances().unused(fields):
        raise UsageError(
            f"tolerance '{pattern}' matches no field of the outputs; they have {', '.join(sorted(fields))}"
        )
    unknown = set(options.silent) - {port.name for port in contract.outputs}
    if unknown:
        raise UsageError(f"compare.silent: the contract has no output '{min(unknown)}'")


def _check_remaps(verification: Verification, contract: Contract) -> None:
    known = {port.name for port in (*contract.inputs, *contract.outputs)}
    for name, implementation in verification.implementations.items():
        if implementation.remap.keys() - known:
            raise UsageError(
                f"{name}: remap names '{min(implementation.remap.keys() - known)}', which is no port "
                f"of the contract; it has {', '.join(sorted(known))}"
            )


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
