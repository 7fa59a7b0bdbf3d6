"""A verification in a closed loop: the same world once with each implementation in control, and how
far their trajectories come apart."""

from __future__ import annotations

from pathlib import Path

from launch import Action, LaunchContext
from launch.actions import LogInfo
from launch.events.process import ProcessExited
from lockstep.compare import Tolerances
from lockstep.errors import DIFFERENT, RunError, UsageError
from lockstep.run.folder import create_folder

from . import nodes
from .arguments import Executable, value_of, words_of
from .ending import Job, require_success, unless_shut_down
from .gazebo import Simulation
from .simulating import Recorded, simulate
from .system import program_of

_REFERENCE, _AGAIN, _IMPLEMENTATION = "reference", "reference_again", "implementation"


def verify_in_closed_loop(context: LaunchContext, job: Job) -> list[Action]:
    """Simulate with the reference, with the reference again, and with the implementation; compare
    and tell the verdict, as the arguments say.

    The reference must be the same both times in steps, and within the tolerance otherwise: else
    there is no verdict.
    """
    executables = {name: Executable.of(context, name) for name in (_REFERENCE, _IMPLEMENTATION)}
    for name, executable in executables.items():
        program_of(name, executable)
    simulation = Simulation.of(context, is_controlled=True)
    topics = words_of(context, "compare")
    if not topics:
        raise UsageError("give the topics to compare with compare:=")
    unrecorded = [topic for topic in topics if topic not in simulation.topics]
    if unrecorded:
        raise UsageError(
            f"{unrecorded[0]} is to be compared but not recorded; it has "
            f"{', '.join(simulation.topics)}"
        )
    tolerances = words_of(context, "tolerance")
    Tolerances.parse(tolerances)  # before anything runs
    folder = Path(value_of(context, "output")).absolute()
    create_folder(folder)
    recorded: dict[str, Recorded] = {}
    diffs, diffs_of_itself = folder / "diffs", folder / "diffs_of_reference"

    def run(name: str) -> list[Action]:
        executable = executables[_IMPLEMENTATION if name == _IMPLEMENTATION else _REFERENCE]

        def done(bag: Recorded) -> list[Action]:
            recorded[name] = bag
            return following[name]()

        return simulate(name, simulation, executable, folder, then=done)

    def compare_with_itself() -> list[Action]:
        return compare(_AGAIN, diffs_of_itself, [] if simulation.steps else tolerances)

    def compare(name: str, output: Path, rules: list[str]) -> list[Action]:
        after = after_itself if name == _AGAIN else after_comparator
        return [
            nodes.comparator(
                recorded[_REFERENCE].bag,
                recorded[name].bag,
                output,
                rules,
                *("--align", value_of(context, "align")),
                *(word for topic in topics for word in ("--topic", topic)),
                on_exit=unless_shut_down(after),
            )
        ]

    def after_itself(event: ProcessExited) -> list[Action]:
        if event.returncode == DIFFERENT:
            raise RunError(
                f"no verdict: the reference does not do the same twice, see {diffs_of_itself}; "
                + (
                    "what it does depends on more than its inputs, or answers:= is not what it "
                    "gives in each step"
                    if simulation.steps
                    else "give a larger tolerance:=, or step the world with steps:="
                )
            )
        require_success(event, "the comparator")
        told = "exactly" if simulation.steps else "within the tolerance"
        return [LogInfo(msg=f"the reference does the same twice, {told}"), *run(_IMPLEMENTATION)]

    def after_comparator(event: ProcessExited) -> list[Action]:
        return job.compared(event, context, "the trajectories", diffs, folder)

    following = {
        _REFERENCE: lambda: run(_AGAIN),
        _AGAIN: compare_with_itself,
        _IMPLEMENTATION: lambda: compare(_IMPLEMENTATION, diffs, tolerances),
    }
    return [*simulation.remarks(), *run(_REFERENCE)]
