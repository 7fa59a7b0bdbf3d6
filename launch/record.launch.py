"""Record what an implementation makes of a bag: ros2 launch lockstep_launch record.launch.py"""

from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import LogInfo, OpaqueFunction
from lockstep.run.folder import create_folder
from lockstep.run.result import RunResult

from lockstep_launch.arguments import (
    Executable,
    Replay,
    declare,
    fresh_folder,
    value_of,
    words_of,
)
from lockstep_launch.ending import Job
from lockstep_launch.isolation import isolate
from lockstep_launch.recording import checked_outputs, record


def record_implementation(context: LaunchContext, job: Job) -> list[Action]:
    replay = Replay.of(context)
    implementation = Executable.of(context, "implementation")
    outputs = checked_outputs(
        replay, words_of(context, "outputs"), {"implementation": implementation}
    )
    folder = Path(value_of(context, "output")).absolute()
    create_folder(folder)

    def told(run: RunResult) -> list[Action]:
        return [
            LogInfo(msg=f"recorded {sum(run.recorded.values())} messages into {run.bag}"),
            *job.completed(context, output=folder),
        ]

    return record("implementation", implementation, replay, outputs, folder, told)


def generate_launch_description() -> LaunchDescription:
    job = Job("record")
    return LaunchDescription(
        [
            job.fail_if_interrupted(),
            *declare("implementation", "bag", "topics", "outputs", "rtf", "window", "clock"),
            *declare(
                "params_file",
                "launch_arguments",
                "output",
                "shutdown",
                "domain_id",
                output=fresh_folder("record"),
            ),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=record_implementation, args=[job]),
        ]
    )
