"""Verification: the same inputs through every implementation, outputs compared with those of the
reference."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from ..compare import Comparison
from ..errors import UsageError
from .fingerprints import fingerprint
from .inputs import inputs_of
from .judge import Recorded, floor_of, judge, judge_again, untaken
from .kept import RunsKept, contracts_beside
from .ledger import on_disk, stale
from .model import Verification, alone
from .noise import FieldNoise
from .plan import plan, with_nodes
from .progress_file import told
from .report import write
from .runs import Runs, Watch, a_run_has_begun
from .verdict import Verdict


def verify(
    verification: Verification,
    folder: Path,
    watch: Watch | None = None,
    *,
    plots: bool = False,
    runs_kept: RunsKept | None = None,
) -> Verdict:
    """Run every implementation on the inputs, compare each with the reference, write all to
    `folder`.

    What ran gets no verdict where it is not what is on disk. With `plots`, each field that differs
    is drawn. With `runs_kept`, the run of the reference is taken from there, or kept there. Raises
    UsageError, BagError or DistError before anything runs, RunError when a run fails.
    """
    verification = with_nodes(verification)
    reference, others = _in_order(verification)
    before = on_disk(verification)
    with ExitStack() as stack:
        watch = stack.enter_context(told(folder, watch))
        runs = stack.enter_context(Runs(verification, watch))
        with runs.planning(folder, {name: folder / name for name in (reference, *others)}):
            kept = None
            if runs_kept is not None:
                kept = runs_kept.find(verification, before, folder / reference)
            ask = contracts_beside(kept, reference, runs.contracts) if kept else runs.contracts
            planned = stack.enter_context(plan(verification, ask))
        if planned.mismatched:
            after = on_disk(verification)
            verdict = Verdict(
                folder,
                reference,
                planned.contract,
                planned.mismatched,
                fingerprints=after,
                stale=stale(before, after),
            )
            write(planned, verdict)
            return verdict
        inputs = stack.enter_context(inputs_of(planned, folder, watch))
        first = (reference, planned.request(reference, inputs, folder / reference))
        repeat = verification.run.repeat
        again = {
            name: [
                (f"{name} again", planned.request(name, inputs, folder / f"{name}.{n}"))
                for n in range(2, times + 1)
            ]
            for name, times in ((reference, repeat or 2), *((name, repeat or 1) for name in others))
        }
        rest = [
            each
            for name in others
            for each in ((name, planned.request(name, inputs, folder / name)), *again[name])
        ]
        stack.enter_context(a_run_has_begun())
        itself = folder / f"{reference}_vs_itself"
        noise: list[Comparison] = []
        floor: list[FieldNoise] = []
        if kept:
            outputs_kept = stack.enter_context(kept.result.outputs())
            original = Recorded(reference, kept.result, outputs_kept)
            recorded = runs.each(rest)
        else:
            recorded = runs.each([first, *again[reference], *rest])
            original = next(recorded)
            reruns: list[Recorded] = []
            for run in islice(recorded, len(again[reference])):
                reruns.append(run)
                noise.append(judge_again(planned, original, run, itself))
            floor = floor_of(planned, original, reruns, noise, itself)
            if runs_kept is not None and reference in before and not floor:
                now = {**before, reference: fingerprint(reference, verification)}
                runs_kept.keep(verification, now, planned.contract, original.result)
        outputs, comparisons, repeats, repeated = {reference: original}, {}, {}, {}
        for run in recorded:
            outputs[run.label] = run
            comparisons[run.label] = judge(planned, original, run, inputs, floor)
            repeated[run.label] = list(islice(recorded, len(again[run.label])))
            repeats[run.label] = tuple(
                judge_again(planned, run, other, folder / f"{run.label}_vs_itself", floor)
                for other in repeated[run.label]
            )
        after = on_disk(verification)
        verdict = Verdict(
            folder,
            reference,
            planned.contract,
            {},
            {name: run.result for name, run in outputs.items()},
            comparisons,
            tuple(noise),
            repeats,
            after,
            stale(before, after),
            {
                name: lost
                for name, run in outputs.items()
                if (lost := untaken(run, *repeated.get(name, ())))
            },
            inputs.arrived,
            kept,
            tuple(floor),
        )
        write(planned, verdict, inputs, outputs, repeated, plots=plots)
    return verdict


def _in_order(verification: Verification) -> tuple[str, list[str]]:
    """The reference, and the implementations to compare with it."""
    reference = verification.reference
    others = [name for name in verification.implementations if name != reference]
    if not others:
        raise UsageError(alone(reference))
    return reference, others
