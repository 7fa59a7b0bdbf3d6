"""Verify an implementation against its reference: ros2 launch lockstep_launch verify.launch.py

Both are run on the same inputs, one after the other; then their outputs are compared. The verdict
is in the log, and `ros2 launch` ends with 0 only if they match.
"""

from functools import partial
from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from launch.events.process import ProcessExited
from lockstep.compare import Tolerances
from lockstep.errors import DIFFERENT
from lockstep.run.folder import create_folder
from lockstep.run.result import RunResult

from lockstep_launch import nodes
from lockstep_launch.arguments import (
    Executable,
    Replay,
    declare,
    fresh_folder,
    value_of,
    words_of,
)
from lockstep_launch.ending import Job, require_success, unless_shut_down
from lockstep_launch.isolation import isolate
from lockstep_launch.recording import checked_outputs, record


def verify(context: LaunchContext, job: Job) -> list[Action]:
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
                on_exit=unless_shut_down(after_comparator),
            )
        ]

    def after_comparator(event: ProcessExited) -> list[Action]:
        difference = ""
        if event.returncode == DIFFERENT:
            difference = f"the outputs differ; see {folder / 'diffs'}"
        else:
            require_success(event, "the comparator")
        return job.completed(context, matches=not difference, output=folder, difference=difference)

    return record("reference", reference, replay, outputs, folder, then=run_implementation)


def generate_launch_description() -> LaunchDescription:
    job = Job("verify")
    return LaunchDescription(
        [
            job.fail_if_interrupted(),
            *declare("reference", "implementation", "bag", "topics", "outputs", "rtf", "window"),
            *declare("clock", "align", "tolerance", "params_file", "launch_arguments"),
            *declare("output", "shutdown", "domain_id", output=fresh_folder("verify")),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=verify, args=[job]),
        ]
    )
