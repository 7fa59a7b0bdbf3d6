"""Compare several implementations with a reference on the same live inputs: ros2 launch
lockstep_launch ab.launch.py implementations:="my_nodes_cpp/filter my_nodes_nn/filter" topics:=odom

Each node puts out what it makes of the live inputs in a namespace of its own: the reference in
/reference, the others in /PACKAGE/EXECUTABLE. The verdicts are in the log, and `ros2 launch` ends
with 0 only if all match.
"""

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from lockstep.errors import UsageError

from lockstep_launch.arguments import Executable, declare, fresh_folder, value_of, words_of
from lockstep_launch.ending import Job
from lockstep_launch.isolation import isolate
from lockstep_launch.shadows import compare_shadows, declared


def ab(context: LaunchContext, job: Job) -> list[Action]:
    names = words_of(context, "implementations")
    if not names:
        raise UsageError("give the nodes to compare with the reference with implementations:=")
    if len(set(names)) < len(names):
        raise UsageError("implementations:= names a node twice, and its outputs would be mixed")
    others = [
        (Executable.parse("implementations", name), f"/{name.partition('.')[0]}") for name in names
    ]
    reference = (Executable.of(context, "reference"), value_of(context, "a_prefix"))
    return compare_shadows(context, job, reference, others)


def generate_launch_description() -> LaunchDescription:
    job = Job("ab")
    return LaunchDescription(
        [
            *declare("reference", "implementations", "a_prefix"),
            *declared(),
            *declare(
                *("output", "shutdown", "domain_id"), output=fresh_folder("ab"), domain_id="as_is"
            ),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=ab, args=[job]),
        ]
    )
