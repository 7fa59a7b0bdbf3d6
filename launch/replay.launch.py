"""Replay a bag with /clock at a real-time factor, if you like into a node: ros2 launch
lockstep_launch replay.launch.py"""

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from launch.events.process import ProcessExited
from lockstep.errors import RunError

from lockstep_launch import nodes
from lockstep_launch.arguments import Executable, Replay, declare
from lockstep_launch.ending import Job, how_it_ended, require_success, unless_shut_down
from lockstep_launch.isolation import isolate


def replay(context: LaunchContext, job: Job) -> list[Action]:
    def after_player(event: ProcessExited) -> list[Action]:
        require_success(event, "the player")
        return job.completed(context)

    def after_implementation(event: ProcessExited) -> list[Action]:
        raise RunError(f"the implementation ended during the replay ({how_it_ended(event)})")

    played = Replay.of(context, window=0)
    implementation = Executable.of_optional(context, "implementation")
    if not implementation:
        return [nodes.player(played, on_exit=unless_shut_down(after_player))]
    return [
        nodes.implementation(
            "implementation",
            implementation,
            played,
            on_exit=unless_shut_down(after_implementation),
        ),
        nodes.player(
            played,
            *("--wait-for-subscribers", "any"),
            on_exit=unless_shut_down(after_player),
        ),
    ]


def generate_launch_description() -> LaunchDescription:
    job = Job("replay")
    return LaunchDescription(
        [
            *declare("bag", "topics", topics=""),
            *declare("implementation", implementation=""),
            *declare(
                "rtf",
                "clock",
                "params_file",
                "launch_arguments",
                "shutdown",
                "domain_id",
                rtf="1.0",
            ),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=replay, args=[job]),
        ]
    )
