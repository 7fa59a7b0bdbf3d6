"""Compare a node with its shadow on live topics: ros2 launch lockstep_launch
compare_online.launch.py topics:=odom

Both take the same live inputs, and each puts out what it makes of them in a namespace of its own. A
node that is not given is running already. The verdict is in the log, and `ros2 launch` ends with 0
only if they match; see docs/comparator.md.
"""

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction

from lockstep_launch.arguments import Executable, declare, fresh_folder, value_of
from lockstep_launch.ending import Job
from lockstep_launch.isolation import isolate
from lockstep_launch.shadows import compare_shadows, declared


def compare_online(context: LaunchContext, job: Job) -> list[Action]:
    reference, implementation = (
        (Executable.of_optional(context, name), value_of(context, prefix))
        for name, prefix in (("reference", "a_prefix"), ("implementation", "b_prefix"))
    )
    return compare_shadows(context, job, reference, [implementation])


def generate_launch_description() -> LaunchDescription:
    job = Job("compare_online")
    return LaunchDescription(
        [
            *declare("reference", "implementation", reference="", implementation=""),
            *declare("a_prefix", "b_prefix"),
            *declared(),
            *declare(
                *("output", "shutdown", "domain_id"),
                output=fresh_folder("online"),
                domain_id="as_is",
            ),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=compare_online, args=[job]),
        ]
    )
