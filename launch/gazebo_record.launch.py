"""Record a simulation of Gazebo: ros2 launch lockstep_launch gazebo_record.launch.py

A robot with IMU, lidar, camera and odometry drives by a script through a small world without a
window. The world and the bridge's topics are files, which may be yours; so may the node be that
controls the robot.
"""

from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from lockstep.run.folder import create_folder

from lockstep_launch.arguments import (
    Executable,
    declare,
    declared_simulation,
    fresh_folder,
    value_of,
)
from lockstep_launch.ending import Job
from lockstep_launch.gazebo import Simulation, confine
from lockstep_launch.isolation import isolate
from lockstep_launch.simulating import Recorded, simulate
from lockstep_launch.system import program_of


def record(context: LaunchContext, job: Job) -> list[Action]:
    controller = Executable.of_optional(context, "controller")
    if controller is not None:
        program_of("controller", controller)
    simulation = Simulation.of(context, is_controlled=controller is not None)
    folder = Path(value_of(context, "output")).absolute()
    create_folder(folder)

    def done(_: Recorded) -> list[Action]:
        return job.completed(context, output=folder)

    recording = simulate("simulation", simulation, controller, folder, then=done)
    return [*simulation.remarks(), *recording]


def generate_launch_description() -> LaunchDescription:
    job = Job("gazebo_record")
    return LaunchDescription(
        [
            job.fail_if_interrupted(),
            *declared_simulation(),
            *declare("controller", "params_file", "launch_arguments"),
            *declare("output", "shutdown", "domain_id", output=fresh_folder("gazebo_record")),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=confine),
            OpaqueFunction(function=record, args=[job]),
        ]
    )
