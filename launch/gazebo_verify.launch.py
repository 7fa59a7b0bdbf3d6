"""Verify an implementation with Gazebo: ros2 launch lockstep_launch gazebo_verify.launch.py

`loop:=open` plays recorded topics of a simulation into both implementations, on its /clock.
`loop:=closed` simulates the same world with each in control of the robot, and compares how far the
trajectories come apart. `ros2 launch` ends with 0 only if they match.
"""

from typing import Any

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from lockstep.compare.align import parse_align

from lockstep_launch.arguments import declare, declared_simulation, fresh_folder, value_of
from lockstep_launch.closed_loop import verify_in_closed_loop
from lockstep_launch.ending import Job
from lockstep_launch.gazebo import confine
from lockstep_launch.isolation import isolate
from lockstep_launch.verifying import verify

DEFAULTS = {
    "open": {"rtf": "inf", "align": "time", "tolerance": "*=1e-9"},
    "closed": {
        "rtf": "none",
        "align": "stamp",
        "tolerance": "pose.pose.position=distance:0.1 pose.pose.orientation=quaternion:0.1 "
        "twist=ignore",
    },
}


def by_loop(name: str, description: str) -> dict[str, Any]:
    """An argument whose default depends on `loop`."""
    each = ", ".join(f"{loop}: {values[name]}" for loop, values in DEFAULTS.items())
    return {
        "default_value": "",
        "description": f"{description}; without it {each}",
        "choices": None,
    }


def verify_with_gazebo(context: LaunchContext, job: Job) -> list[Action]:
    for name, value in DEFAULTS[value_of(context, "loop")].items():
        if not value_of(context, name):
            context.launch_configurations[name] = value
    parse_align([value_of(context, "align")])
    if value_of(context, "loop") == "closed":
        return verify_in_closed_loop(context, job)
    return verify(context, job)


def generate_launch_description() -> LaunchDescription:
    job = Job("gazebo_verify")
    return LaunchDescription(
        [
            job.fail_if_interrupted(),
            *declare("loop", "reference", "implementation", "params_file", "launch_arguments"),
            *declare("bag", "topics", bag="bags/gazebo_diff_drive", topics="/imu"),
            *declare("outputs", "window", "clock", clock="bag"),
            *declare(
                *("compare", "align", "tolerance"),
                align=by_loop("align", "what makes two messages belong together"),
                tolerance=by_loop("tolerance", "each FIELD=ABS and the like, with spaces between"),
            ),
            *declared_simulation(rtf=by_loop("rtf", "real-time factor of replay or simulator")),
            *declare("output", output=fresh_folder("gazebo_verify")),
            *declare("shutdown", "domain_id"),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=confine),
            OpaqueFunction(function=verify_with_gazebo, args=[job]),
        ]
    )
