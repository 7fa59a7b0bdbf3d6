"""Whether one run does what another did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..bag import Bag, BagError
from ..compare import Comparison, compare, tolerance_ns, write_text_diffs
from ..compare.result import comparison_as_data
from ..compare.transforms import source_of
from ..errors import Loss, ReportError, RunError
from ..host.protocol import resolved
from ..report.html import write_html
from ..run.inputs import RunInputs
from ..run.result import HOW_TO_DECLARE, RunResult, failed_as_declared
from .input_numbers import inputs_of
from .noise import FieldNoise, no_noise, noise_floor, suggested, with_noise
from .plan import Plan
from .verdict import not_again


@dataclass(frozen=True)
class Recorded:
    """What a run has put out; `label` is what it is called, `outputs` an open bag."""

    label: str
    result: RunResult
    outputs: Bag


def floor_of(
    planned: Plan,
    original: Recorded,
    reruns: Sequence[Recorded],
    noise: Sequence[Comparison],
    folder: Path,
) -> list[FieldNoise]:
    """The noise of the reference by field, of comparisons of its original run with its reruns,
    which are told in `folder`; empty if it does the same again.

    Raises RunError if it does not, and that is no noise: then nothing can be judged by it; Loss if
    that may be because it lost inputs.
    """
    floor = noise_floor(noise, planned.verification.compare.noise_margin)
    differing = [comparison for comparison in noise if not comparison.all_match]
    if not differing:
        return []
    if lost := untaken(original, *reruns):
        raise Loss(lost)
    if why := no_noise(noise, floor):
        again = not_again(original.label, differing[0])
        raise RunError(f"{again}, so nothing can be judged by it; see {folder}; {why}")
    (folder / "tolerance.yaml").write_text(suggested(floor, planned.contract), "utf-8")
    return floor


def untaken(*runs: Recorded) -> str | None:
    """What an implementation did not take of its inputs in one of its runs, a sentence."""
    return next((run.result.untaken for run in runs if run.result.untaken), None)


def judge_again(
    planned: Plan,
    first: Recorded,
    again: Recorded,
    folder: Path,
    floor: Sequence[FieldNoise] = (),
) -> Comparison:
    """An implementation against itself; how its runs differ, if they do, is told in `folder`."""
    comparison = judge(planned, first, again, floor=floor)
    if not comparison.all_match:
        _write_noise(comparison, (first.outputs, again.outputs), folder)
    return comparison


def _write_noise(comparison: Comparison, bags: tuple[Bag, Bag], folder: Path) -> None:
    write_text_diffs(comparison, folder)
    told = json.dumps(comparison_as_data(comparison), indent=2)
    (folder / "result.json").write_text(told + "\n", "utf-8")
    name = comparison.name_b
    with suppress(ReportError):  # without the libraries for it, there still are the differences
        write_html(
            folder / "report.html",
            {name: comparison},
            {name: bags},
            title=f"{name} against {comparison.name_a}",
        )


def judge(
    planned: Plan,
    reference: Recorded,
    other: Recorded,
    inputs: RunInputs | None = None,
    floor: Sequence[FieldNoise] = (),
) -> Comparison:
    """Align what two runs have put out, compare and explain it, by what they were given as well if
    `inputs` tells that. The fields of `floor` may differ as noise does, all others by their
    tolerance.

    Raises RunError if only one of them failed, or both in different steps, and if nothing is known
    of an output.
    """
    options, contract = planned.verification.compare, planned.contract
    check_failures(options.failures, reference, other)
    in_lockstep = _in_lockstep(planned, reference, other)
    by_topic = {
        resolved(port.topic): options.align_of(port.name, in_lockstep=in_lockstep)
        for port in contract.outputs
    }
    try:
        comparison = compare(
            reference.outputs,
            other.outputs,
            topics=planned.outputs,
            align=by_topic if len(set(by_topic.values())) > 1 else next(iter(by_topic.values())),
            origin_ns=reference.result.first_input_ns,
            time_tolerance_ns=tolerance_ns(_time_tolerance_s(planned, reference, other)),
            tolerance=with_noise(planned.tolerances, floor),
            names=(reference.label, other.label),
            common_fields=options.common_fields,
            inputs_of=inputs_of(inputs, reference.outputs) if inputs else None,
        )
    except BagError as error:
        raise RunError(f"the outputs cannot be compared: {error}") from error
    keys = comparison.keys
    in_order = {
        name: keys[name] for topic in planned.outputs for name in keys if source_of(name) == topic
    }
    comparison = replace(comparison, keys=in_order)
    for port in contract.outputs:
        topic = resolved(port.topic)
        found = [k.aligned for name, k in comparison.keys.items() if source_of(name) == topic]
        is_known = any(one.count_a or one.count_b for one in found)
        if not (is_known or port.name in options.silent):
            raise RunError(
                f"nothing is known of output '{port.name}': neither {reference.label} nor "
                f"{other.label} published on it; choose other inputs, "
                f"or allow it with compare: {{silent: [{port.name}]}}"
            )
    return comparison


def _time_tolerance_s(planned: Plan, *runs: Recorded) -> float | None:
    declared = planned.verification
    if declared.compare.time_tolerance is not None:
        return declared.compare.time_tolerance
    # In lockstep the time of every message is exact.
    return 0.0 if _in_lockstep(planned, *runs) else None


def _in_lockstep(planned: Plan, *runs: Recorded) -> bool:
    declared = planned.verification
    if declared.run.mode == "direct":
        return True
    return not any(declared.implementations[run.result.name].is_node for run in runs)


def check_failures(declared: Sequence[str], reference: Recorded, other: Recorded) -> None:
    """Raises RunError if a callback failed, unless both runs failed in one step as was declared."""
    a, b = reference.result.failure, other.result.failure
    if (a is None and b is None) or failed_as_declared(declared, a, b):
        return
    told = [
        f"{run.label} failed in step {failure.step}: {failure.sentence}"
        for run, failure in ((reference, a), (other, b))
        if failure is not None
    ]
    if a is None or b is None:
        told.append(f"{(reference if a is None else other).label} did not fail")
    elif a.step == b.step:
        told.append(HOW_TO_DECLARE)
    raise RunError("; ".join(told))
