"""Whether one run does what another did."""

from __future__ import annotations

from pathlib import Path

from ..bag import Bag, BagError
from ..compare import Comparison, compare, tolerance_ns, write_text_diffs
from ..component import Contract
from ..errors import RunError
from ..host.protocol import resolved
from ..run.result import RunResult
from .model import Verification


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
