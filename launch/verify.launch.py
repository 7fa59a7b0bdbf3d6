"""Verify an implementation against its reference: ros2 launch lockstep_launch verify.launch.py

Both are run on the same inputs, one after the other; then their outputs are compared. The verdict
is in the log, and `ros2 launch` ends with 0 only if they match.
"""

from launch import LaunchDescription
from launch.actions import OpaqueFunction

from lockstep_launch.arguments import declare, fresh_folder
from lockstep_launch.ending import Job
from lockstep_launch.isolation import isolate
from lockstep_launch.verifying import verify


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
