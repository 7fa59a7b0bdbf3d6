"""Consensus recording: of the inputs of a verification those on which its implementations disagree
most, with their context, as a dataset to learn or to test with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..bag import Bag
from ..compare.disagreement import Disagreement, disagreements
from ..dataset import Dataset
from ..errors import RunError
from ..message.arrays import Int64s
from ..run.timeline import Timeline, offered
from ..verify.inputs import inputs_left
from ..verify.model import Verification
from ..verify.plan import with_nodes
from ..verify.runs import Watch
from ..verify.verdict import Verdict, outcome
from ..verify.verify import verify
from .hard_inputs import MOST, Hardest, Times, hardest, record


@dataclass(frozen=True)
class Consensus:
    """What came out: the verdict, the inputs that were chosen, and where they are (None if there
    are none) with how many values."""

    verdict: Verdict
    hard: Hardest
    place: Path | None
    values: int


def consensus(
    verification: Verification,
    output: Path,
    folder: Path,
    watch: Watch | None = None,
    *,
    context_s: float = 1.0,
    most: int = MOST,
) -> Consensus:
    """Verify into `folder`, and record the inputs on which implementations disagree most to
    `output`, a bag.

    Inputs come from wherever the verification has them: a bag, distributions, or live from an
    external player, in whose shadow the implementations run. Each of at most `most` inputs has all
    inputs of the `context_s` before it. Raises as `verify` does, and RunError where there is no
    verdict or contracts differ.
    """
    verification = with_nodes(verification)
    verdict = verify(verification, folder, watch)
    if verdict.mismatched_contracts:
        raise RunError(
            f"nothing is recorded, as contracts differ: {', '.join(verdict.mismatched_contracts)}"
        )
    for name in verdict.comparisons:
        if outcome(verdict, name) == "no verdict":
            raise RunError(f"nothing is recorded, as there is no verdict on {name}; see {folder}")
    with ExitStack() as stack:
        found = _disagreements(verdict, stack)
        place, topics = inputs_left(verification, verdict)
        bag = stack.enter_context(Bag(place))
        everything = stack.enter_context(Dataset.load(place))
        start_ns, end_ns = _span(verification, bag)
        inputs = everything.select(topics, end_ns=end_ns)
        in_inputs = _times(verification, verdict, bag, topics)
        within = inputs.select(start_ns=start_ns)
        hard = hardest(within, found, context_s=context_s, most=most, in_inputs=in_inputs)
        if not hard.chosen:
            return Consensus(verdict, hard, None, 0)
        outputs = {
            name: stack.enter_context(Dataset.load(run.bag)) for name, run in verdict.runs.items()
        }
        latched = [
            name for name in topics if offered(bag.topic(name)).durability == "transient_local"
        ]
        with Dataset.create("mcap", output) as target:
            count = record(target, inputs, outputs, hard, latched=latched, in_inputs=in_inputs)
    return Consensus(verdict, hard, output, count)


def _disagreements(verdict: Verdict, stack: ExitStack) -> Mapping[str, Mapping[str, Disagreement]]:
    reference = stack.enter_context(verdict.runs[verdict.reference].outputs())
    return {
        name: disagreements(
            comparison, (reference, stack.enter_context(verdict.runs[name].outputs()))
        )
        for name, comparison in verdict.comparisons.items()
    }


def _span(verification: Verification, bag: Bag) -> tuple[int, int | None]:
    """From which log time to which the inputs are played."""
    declared = verification.inputs
    start_ns = bag.start_ns + round(declared.start * 1e9)
    duration_s = math.inf if declared.duration is None else declared.duration
    return start_ns, None if math.isinf(duration_s) else start_ns + round(duration_s * 1e9) + 1


def _times(verification: Verification, verdict: Verdict, bag: Bag, topics: list[str]) -> Times:
    """At which log times of the inputs outputs were published."""
    declared = verification.inputs
    run = verdict.runs[verdict.reference]
    if verification.run.mode == "live" and verification.implementations[run.name].is_node:
        start_ns, _ = _span(verification, bag)
        rtf = verification.run.rtf
        return lambda times: start_ns + ((times - run.first_input_ns) * rtf).astype(np.int64)
    duration_s = math.inf if declared.duration is None else declared.duration
    timeline = Timeline(bag, topics, declared.clock, declared.start, duration_s)
    if timeline.clock_topic is None:
        return lambda times: times
    steps = [(one.time_ns, one.messages.log_time_ns) for one in timeline.steps()]
    run_ns, log_ns = (np.concatenate(side) for side in zip(*steps, strict=True))

    def in_log(times: Int64s) -> Int64s:
        index = np.maximum(np.searchsorted(run_ns, times, "right") - 1, 0)
        moved: Int64s = log_ns[index] + np.maximum(times - run_ns[index], 0)
        return moved

    return in_log
