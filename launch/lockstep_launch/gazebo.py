"""Gazebo beside the graph: which simulator there is, its process, and its bridge to ROS."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from launch import Action, LaunchContext
from launch.actions import ExecuteProcess, LogInfo, SetEnvironmentVariable
from launch_ros.actions import Node
from lockstep.errors import UsageError
from lockstep.nodes.simulating.commands import ARRIVED, COMMANDS
from lockstep.nodes.simulating.velocities import parse_velocities
from lockstep.run.implementation import find_executable

from . import nodes
from .arguments import (
    Executable,
    number_of,
    params_file,
    seconds_of,
    value_of,
    words_of,
)
from .gazebo_world import Bridge, World, read_bridge, read_world

_BRIDGE = Executable("ros_gz_bridge", "parameter_bridge")
_DRIVER = Executable("lockstep", "simulation")
_COMMANDS = {"gz": "sim", "ign": "gazebo"}
_PATIENCE_S = 30


@dataclass(frozen=True)
class Simulator:
    """The command line of Gazebo: `gz sim` (Harmonic) or `ign gazebo` (Fortress)."""

    command: tuple[str, str]

    @property
    def is_fortress(self) -> bool:
        """Whether it is Gazebo Fortress, which has other names and fewer options."""
        return self.command[0] == "ign"


@dataclass(frozen=True)
class Simulation:
    """What to simulate and how, as the arguments of a launch say it."""

    simulator: Simulator
    world: World
    bridge: Bridge
    topics: tuple[str, ...]
    arrivals: dict[str, Any] | None
    """What a second bridge carries back, for steps: see `Bridge.back`."""
    seed: int
    duration_s: float
    rtf: float | None
    rendering: str
    render_engine: str
    velocities: str
    velocity_topic: str
    steps: int
    answers: int
    is_controlled: bool
    log_time: str
    params_file: Path | None
    launch_arguments: tuple[str, ...]

    @classmethod
    def of(cls, context: LaunchContext, *, is_controlled: bool) -> Simulation:
        """The simulation that the arguments describe, with a node in control or without; raises
        UsageError."""
        world = read_world(Path(value_of(context, "world")).expanduser())
        bridge = read_bridge(Path(value_of(context, "bridge")).expanduser())
        velocities = " ".join(words_of(context, "velocities"))
        parse_velocities(velocities)
        steps, answers = (number_of(context, name, int) for name in ("steps", "answers"))
        if min(steps, answers) < 0 or (steps and is_controlled and not answers):
            raise UsageError(
                f"steps:={steps} and answers:={answers} are to be 0 or more; what is stepped with "
                "a node in control awaits at least 1 answer"
            )
        duration_s = seconds_of(context, "duration")
        if math.isinf(duration_s):
            raise UsageError("duration:= of a simulation is to be finite")
        simulation = cls(
            world=world,
            bridge=bridge,
            arrivals=bridge.back(COMMANDS, ARRIVED) if steps else None,
            topics=tuple(words_of(context, "record")) or bridge.topics,
            seed=number_of(context, "seed", int),
            duration_s=duration_s,
            rtf=seconds_of(context, "rtf") if words_of(context, "rtf") else None,
            rendering=value_of(context, "rendering"),
            render_engine=value_of(context, "render_engine"),
            velocities=velocities,
            velocity_topic=value_of(context, "velocity_topic"),
            steps=steps,
            answers=answers if steps and is_controlled else 0,
            is_controlled=is_controlled,
            log_time=value_of(context, "log_time"),
            params_file=params_file(context),
            launch_arguments=tuple(words_of(context, "launch_arguments")),
            simulator=_simulator(value_of(context, "simulator")),
        )
        find_executable("bridge", str(_BRIDGE))
        return simulation

    def server(self, folder: Path, **options: Any) -> ExecuteProcess:
        """The simulator without a window, paused; its world is written into `folder`."""
        world = folder / "world.sdf"
        self.world.write(
            world,
            fortress=self.simulator.is_fortress,
            rendering=self.rendering != "none",
            rtf=self.rtf,
        )
        seed = [] if self.simulator.is_fortress else ["--seed", str(self.seed)]
        headless = ["--headless-rendering"] if self.rendering == "headless" else []
        engine = ["--render-engine", self.render_engine]
        return ExecuteProcess(
            cmd=[
                *("setpriv", "--pdeathsig", "TERM", *self.simulator.command, "-s"),
                *(*seed, *headless, *engine, str(world)),
            ],
            name="gazebo",
            output="both",
            additional_env=self._resources(),
            **options,
        )

    def _resources(self) -> dict[str, str]:
        """What the world names beside its file is found there."""
        prefix = "IGN_GAZEBO" if self.simulator.is_fortress else "GZ_SIM"
        name = f"{prefix}_RESOURCE_PATH"
        folders = [str(self.world.path.absolute().parent), *filter(None, [os.environ.get(name)])]
        return {name: os.pathsep.join(folders)}

    def bridges(self, folder: Path, **options: Any) -> list[Node]:
        """ros_gz_bridge with the topics of the configuration and the control of the world; beside
        it, for steps, one that gives commands back which have come to Gazebo."""
        control = f"/world/{self.world.name}/control@ros_gz_interfaces/srv/ControlWorld"
        configurations = {"gazebo_bridge": (self.bridge.path.absolute(), [control])}
        if self.arrivals is not None:
            arrivals = folder / "arrivals.yaml"
            arrivals.write_text(yaml.safe_dump([self.arrivals]), "utf-8")
            configurations["gazebo_arrivals"] = arrivals, []
        return [
            nodes.node(
                _BRIDGE,
                *words,
                name=name,
                exec_name=name,
                parameters=[{"config_file": str(path)}],
                **options,
            )
            for name, (path, words) in configurations.items()
        ]

    def remarks(self) -> list[Action]:
        """What the simulator cannot do of what is asked, for the log."""
        if not self.simulator.is_fortress:
            return []
        return [
            LogInfo(
                msg=f"Gazebo Fortress takes no seed, so seed:={self.seed} has no effect: the noise "
                "of its sensors is another in each run"
            )
        ]

    def driver(self, report: Path, **options: Any) -> Node:
        """The node that lets the world run, or steps it, and then ends."""
        return nodes.node(
            _DRIVER,
            self.world.name,
            *("--step", str(self.world.step_s), "--duration", str(self.duration_s)),
            *("--steps", str(self.steps), "--answers", str(self.answers)),
            *("--velocities", self.velocities, "--velocity-topic", self.velocity_topic),
            *("--report", str(report)),
            *(["--controlled"] if self.is_controlled else []),
            *("--recorded", *self.topics),
            **options,
        )


def _simulator(wish: str) -> Simulator:
    """The simulator that is wished for, or that there is; raises UsageError."""
    wanted = list(_COMMANDS) if wish == "auto" else [wish]
    for name in wanted:
        path = shutil.which(name)
        if path and _simulates(path, _COMMANDS[name]):
            return Simulator((name, _COMMANDS[name]))
    commands = " or ".join(f"`{name} {_COMMANDS[name]}`" for name in wanted)
    raise UsageError(
        f"there is no {commands}: install Gazebo, with Jazzy by ros-jazzy-ros-gz, and source it"
    )


def _simulates(path: str, command: str) -> bool:
    """Whether a `gz` or `ign` that is there has this command: that of Gazebo classic has not."""
    try:
        asked = subprocess.run(
            [path, command, "--versions"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and bool(asked.stdout.strip())


def confine(context: LaunchContext) -> list[Action]:
    """Keep Gazebo's own transport to this launch and this machine, as the graph is, unless the
    argument `domain_id` is `as_is`."""
    if value_of(context, "domain_id") == "as_is":
        return []
    own = f"lockstep_{os.getpid()}"
    return [
        action
        for prefix in ("GZ", "IGN")
        for action in (
            SetEnvironmentVariable(f"{prefix}_PARTITION", own),
            SetEnvironmentVariable(f"{prefix}_IP", "127.0.0.1"),
        )
    ] + [LogInfo(msg=f"Gazebo's partition is {own}")]
