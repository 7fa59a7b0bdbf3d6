"""A recorded simulation: Gazebo → bridge → recorder, if you like with a node that controls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch import Action
from launch.actions import LogInfo
from launch.events.process import ProcessExited
from lockstep.bag import Bag
from lockstep.bag.clock import clock_times
from lockstep.errors import RunError

from . import nodes
from .arguments import Executable
from .ending import OnExit, how_it_ended, require_success, stop, unless_shut_down
from .gazebo import Simulation

Then = Callable[["Recorded"], list[Action]]


@dataclass(frozen=True)
class Recorded:
    """A simulation that is over: its bag, and what the driver has told of it."""

    bag: Path
    topics: tuple[str, ...]
    """What was to be recorded."""
    told: dict[str, Any]

    def __str__(self) -> str:
        """How fast it ran, what of its /clock is not in the bag, and what was silent."""
        with Bag(self.bag) as bag:
            clock = clock_times(bag)
            heard = {name for name, topic in bag.topics.items() if topic.count}
        return (
            f"simulated {self.told['simulated_s']:.6g} s in {self.told['wall_s']:.4g} s of wall "
            f"time, real-time factor {self.told['rtf']:.3g}"
            + _spread(self.told["rtf_by_second"])
            + _lost(clock.missing(round(self.told["step_s"] * 1e9)) if clock else 0)
            + _silent([name for name in self.topics if name not in heard])
        )


def _spread(by_second: list[float]) -> str:
    return f" ({min(by_second):.3g} to {max(by_second):.3g} by second)" if by_second else ""


def _lost(steps: int) -> str:
    """The bridge publishes what it can: nobody is told what it drops of a simulation that is too
    fast."""
    return f"; {steps} steps have no /clock in the bag, so others may be missing" if steps else ""


def _silent(topics: list[str]) -> str:
    """A sensor is silent, and so is a plugin that was not loaded, while all else goes on."""
    return f"; nothing came on {', '.join(topics)}" if topics else ""


def simulate(
    name: str,
    simulation: Simulation,
    controller: Executable | None,
    output: Path,
    then: Then,
) -> list[Action]:
    """Simulate and record into OUTPUT/NAME/bag, with a controller in the loop if there is one; then
    do `then`, when all processes have ended.

    Whatever else happens raises RunError and so ends the launch.
    """
    folder = output / name
    folder.mkdir(parents=True)

    def after_driver(event: ProcessExited) -> list[Action]:
        require_success(event, f"the driver of {name}")
        return [stop(process) for process in beside]

    def after_other(event: ProcessExited, what: str) -> list[Action]:
        if driver.return_code is None:
            raise RunError(
                f"{what} ended during the simulation ({how_it_ended(event)}); its log is above"
            )
        # Last, because a world that stands still goes on to tell its time.
        return [stop(recorder)] if all(one.return_code is not None for one in beside) else []

    def after_recorder(event: ProcessExited) -> list[Action]:
        require_success(event, f"the recorder of {name}")
        if driver.return_code is None:
            raise RunError(f"the recorder of {name} ended during the simulation")
        told = json.loads((folder / "simulation.json").read_text("utf-8"))
        recorded = Recorded(folder / "bag", simulation.topics, told)
        return [LogInfo(msg=f"{name}: {recorded}"), *then(recorded)]

    def ended(what: str) -> OnExit:
        return unless_shut_down(lambda event: after_other(event, what))

    on_simulated_time = simulation.log_time == "simulation"
    recorder = nodes.recorder(
        folder / "bag",
        list(simulation.topics),
        *("--report", str(folder / "recorder.json")),
        *(["--use-sim-time"] if on_simulated_time else []),
        use_sim_time=on_simulated_time,
        on_exit=unless_shut_down(after_recorder),
    )
    driver = simulation.driver(
        folder / "simulation.json",
        on_exit=unless_shut_down(after_driver),
    )
    beside = [
        simulation.server(folder, on_exit=ended("Gazebo")),
        *simulation.bridges(folder, on_exit=ended("the bridge")),
    ]
    if controller is not None:
        beside.append(
            nodes.controller(
                name,
                controller,
                params_file=simulation.params_file,
                launch_arguments=simulation.launch_arguments,
                on_exit=ended(name),
            )
        )
    return [*beside, recorder, driver]
