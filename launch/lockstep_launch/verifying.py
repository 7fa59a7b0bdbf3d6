"""A verification: the reference and the implementation on the same inputs, then their outputs
compared."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from launch import Action, LaunchContext
from launch.events.process import ProcessExited
from lockstep.compare import Tolerances
from lockstep.errors import DIFFERENT, RunError
from lockstep.run.folder import create_folder
from lockstep.run.result import RunResult

from . import nodes
from .arguments import Executable, Replay, value_of, words_of
from .ending import Job, unless_shut_down
from .recording import checked_outputs, record


def verify(context: LaunchContext, job: Job) -> list[Action]:
    """Play a bag into both, one after the other, compare and tell the verdict, as the arguments
    say."""
    replay = Replay.of(context)
    reference = Executable.of(context, "reference")
    implementation = Executable.of(context, "implementation")
    pair = {"reference": reference, "implementation": implementation}
    outputs = checked_outputs(replay, words_of(context, "outputs"), pair)
    tolerances = words_of(context, "tolerance")
    Tolerances.parse(tolerances)  # before anything runs
    folder = Path(value_of(context, "output")).absolute()
    create_folder(folder)

    def run_implementation(run_of_reference: RunResult) -> list[Action]:
        then = partial(compare, run_of_reference)
        return record("implementation", implementation, replay, outputs, folder, then)

    def compare(a: RunResult, b: RunResult) -> list[Action]:
        return [
            nodes.comparator(
                a.bag,
                b.bag,
                folder / "diffs",
                tolerances,
                *("--align", value_of(context, "align"), "--origin", str(a.first_input_ns)),
                on_exit=unless_shut_down(partial(after_comparator, a.untaken or b.untaken)),
            )
        ]

    def after_comparator(lost: str | None, event: ProcessExited) -> list[Action]:
        if lost and event.returncode == DIFFERENT:
            raise RunError(f"no verdict: {lost}")
        return job.compared(event, context, "the outputs", folder / "diffs", folder)

    return record("reference", reference, replay, outputs, folder, then=run_implementation)
