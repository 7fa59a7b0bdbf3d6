"""Drives a simulation of Gazebo by way of ros_gz_bridge: lets it run, or steps it, for so much
simulated time, publishes scripted velocities meanwhile, and tells its real-time factor.

The world is to be paused at first, so that all others are there before its first step.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from geometry_msgs.msg import Twist
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from ..errors import Hang, Loss, UsageError
from .process import Stop, Stopped, exit_with, ros_node, split_arguments
from .simulating.commands import ARRIVED, COMMANDS
from .simulating.real_time import RealTime
from .simulating.velocities import HOW, Velocities, parse_velocities

_NS = 1_000_000_000
_PERIOD_NS = 100_000_000
"""Of the scripted velocities, in simulated time."""
_SETTLING_S = 1.0
"""Gazebo's own subscriptions are found within this time."""
_LAST_MESSAGES_S = 0.5
_QUEUE = 100
_TOLD_S = 1.0


@dataclass(frozen=True)
class Drive:
    """What is to be done with the world.

    With `steps` it is stepped by so many at a time, and before it goes on, so many `answers` are
    awaited from whoever else commands it. `recorded` are topics that a recorder must hear first.
    """

    world: str
    step_ns: int
    duration_ns: int
    steps: int
    answers: int
    velocities: Velocities
    velocity_topic: str
    recorded: tuple[str, ...]
    is_controlled: bool
    patience_s: float

    @property
    def total_steps(self) -> int:
        """How many steps the whole takes."""
        return math.ceil(self.duration_ns / self.step_ns)


class Driver:
    """One drive, from the first look at the graph to the last step."""

    def __init__(self, node: Node, drive: Drive, stop: Stop) -> None:
        self._node, self._drive, self._stop = node, drive, stop
        self.real_time = RealTime()
        self._now_ns: int | None = None
        self._next_ns = 0
        self._is_free = self._is_running = False
        self._sent = self._arrived = 0
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        qos = QoSProfile(depth=_QUEUE)
        self._velocity = node.create_publisher(Twist, drive.velocity_topic, qos)
        node.create_subscription(Clock, "/clock", self._on_clock, qos)
        node.create_subscription(Twist, ARRIVED, self._on_arrived, qos)
        self._service = f"/world/{drive.world}/control"
        self._control_type = _control_type()
        self._client = node.create_client(self._control_type, self._service)

    def run(self) -> None:
        """Drive the world to its end; raises Hang if it does not go on, Stopped if it is to."""
        self._meet()
        self._is_running = True
        self._see()
        if self._drive.steps:
            self._run_stepped()
        else:
            self._run_free()
        self._is_running = False
        self._spin_for(_LAST_MESSAGES_S)

    def _meet(self) -> None:
        self._await(self._client.service_is_ready, f"no bridge offers {self._service}")
        self._control(pause=True)
        self._await(lambda: self._now_ns is not None, "no /clock comes from the simulator")
        owners = self._node.count_publishers("/clock")
        if owners > 1:
            raise UsageError(
                f"{owners} nodes publish /clock; stop those beside the bridge, or let the launch "
                "choose its domain_id:="
            )
        if self._now_ns:
            raise UsageError(
                f"the world {self._drive.world} is at {self._now_ns / _NS:g} s already; "
                "start it paused"
            )
        for topic in self._drive.recorded:
            self._await(partial(self._is_recorded, topic), f"nobody records {topic}")
        if self._drive.is_controlled:
            count = self._node.count_publishers
            self._await(lambda: count(COMMANDS) > 0, f"nobody publishes {COMMANDS}")
        if self._drive.steps:
            count = self._node.count_publishers
            self._await(
                lambda: count(ARRIVED) > 0,
                f"the bridge gives no {ARRIVED} back, which stepping needs",
            )
        self._spin_for(_SETTLING_S)

    def _is_recorded(self, topic: str) -> bool:
        infos = self._node.get_subscriptions_info_by_topic(topic)
        return any(info.node_name == "lockstep_recorder" for info in infos)

    def _run_free(self) -> None:
        self._is_free = True
        self._publish_if_due(0)
        self._control(pause=False)
        end_ns = self._drive.duration_ns
        self._await(partial(self._is_at, end_ns), "the simulation", progress=self._at)
        self._is_free = False
        self._control(pause=True)

    def _run_stepped(self) -> None:
        drive, done, answers = self._drive, 0, 0
        while done < drive.total_steps:
            self._publish_if_due(done * drive.step_ns)
            self._await_commands(answers)
            count = min(drive.steps, drive.total_steps - done)
            self._control(pause=True, multi_step=count)
            done += count
            self._await(partial(self._is_at, done * drive.step_ns), "the simulation")
            answers += drive.answers
            self._await_commands(answers)

    def _await_commands(self, answers: int) -> None:
        """Until Gazebo has the driver's own commands and so many answers, and not one more."""
        own = self._sent if self._drive.velocity_topic == COMMANDS else 0
        count = own + answers
        self._await(
            lambda: self._arrived >= count,
            f"command {count} has not reached Gazebo at {self._at() / _NS:g} s "
            f"({self._drive.answers} answers of each step are awaited)",
        )
        if self._arrived > count:
            raise Loss(
                f"{self._arrived} instead of {count} commands have reached Gazebo at "
                f"{self._at() / _NS:g} s, so that this run would not be the same again; "
                f"each step awaits {self._drive.answers} answers"
            )

    def _is_at(self, time_ns: int) -> bool:
        return self._at() >= time_ns

    def _at(self) -> int:
        return self._now_ns or 0

    def _on_clock(self, message: Clock) -> None:
        before_ns, self._now_ns = self._at(), message.clock.sec * _NS + message.clock.nanosec
        if self._is_running and self._now_ns < before_ns:
            raise Loss(
                f"/clock went back from {before_ns / _NS:g} to {self._now_ns / _NS:g} s: somebody "
                f"has reset the world {self._drive.world}, or publishes /clock as well"
            )
        if self._is_running:
            self._see()
        if self._is_free:
            self._publish_if_due(self._now_ns)

    def _on_arrived(self, _: Twist) -> None:
        self._arrived += 1

    def _see(self) -> None:
        self.real_time.see(self._at() / _NS, time.monotonic())

    def _publish_if_due(self, now_ns: int) -> None:
        if now_ns < self._next_ns:
            return
        self._next_ns = (now_ns // _PERIOD_NS + 1) * _PERIOD_NS
        velocity = self._drive.velocities.at(now_ns / _NS)
        if velocity is None:
            return
        message = Twist()
        message.linear.x, message.angular.z = velocity
        self._velocity.publish(message)
        self._sent += 1

    def _control(self, **wanted: Any) -> None:
        request = self._control_type.Request()
        for name, value in wanted.items():
            setattr(request.world_control, name, value)
        answer = self._client.call_async(request)
        self._await(answer.done, f"no answer of {self._service}")
        if not answer.result().success:
            raise Hang(f"{self._service} refused {wanted}")

    def _await(
        self,
        is_so: Callable[[], bool],
        what: str,
        *,
        progress: Callable[[], int] = lambda: 0,
    ) -> None:
        """Spin until it is so; raises Hang when there is no progress for too long."""
        heard, since_s, is_told = progress(), time.monotonic(), False
        while not is_so():
            self._spin_once()
            if progress() != heard:
                heard, since_s = progress(), time.monotonic()
            waited_s = time.monotonic() - since_s
            if waited_s > self._drive.patience_s:
                raise Hang(f"{what}: nothing for {self._drive.patience_s:g} s")
            if waited_s > _TOLD_S and not is_told:
                is_told = True
                self._node.get_logger().info(f"waiting: {what}")

    def _spin_for(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._spin_once(left_s)

    def _spin_once(self, timeout_s: float = 0.05) -> None:
        self._executor.spin_once(min(timeout_s, 0.05))
        self._stop.check()


def _control_type() -> Any:
    try:
        from ros_gz_interfaces.srv import ControlWorld
    except ImportError as error:
        raise UsageError(
            "ros_gz_interfaces is not installed; it comes with ros_gz (ros-jazzy-ros-gz)"
        ) from error
    return ControlWorld


def _parsed(own: list[str]) -> tuple[Drive, Path | None]:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("world", help="name of the world")
    parser.add_argument("--step", type=float, required=True, metavar="S", help="of its physics")
    parser.add_argument("--duration", type=float, required=True, metavar="S", help="simulated")
    parser.add_argument(
        "--steps", type=int, default=0, metavar="N", help="at a time; 0: run freely"
    )
    parser.add_argument(
        "--answers", type=int, default=0, metavar="N", help=f"on {COMMANDS} to await after each"
    )
    parser.add_argument("--velocities", default="", help=f"words {HOW}")
    parser.add_argument("--velocity-topic", default=COMMANDS)
    parser.add_argument("--recorded", nargs="*", default=[], metavar="TOPIC")
    parser.add_argument("--controlled", action="store_true", help=f"others publish {COMMANDS}")
    parser.add_argument("--patience", type=float, default=60.0, metavar="S")
    parser.add_argument("--report", type=Path, metavar="FILE", help="JSON")
    args = parser.parse_args(own)
    for name in ("step", "duration", "patience"):
        if not 0 < getattr(args, name) < math.inf:
            raise UsageError(f"--{name} {getattr(args, name)} is not greater than 0 and finite")
    if args.controlled and args.steps and not args.answers:
        raise UsageError("--steps of a world that others control needs --answers")
    for name in ("steps", "answers"):
        if getattr(args, name) < 0:
            raise UsageError(f"--{name} {getattr(args, name)} is less than 0")
    drive = Drive(
        world=args.world,
        step_ns=round(args.step * _NS),
        duration_ns=round(args.duration * _NS),
        steps=args.steps,
        answers=args.answers,
        velocities=parse_velocities(args.velocities),
        velocity_topic=args.velocity_topic,
        recorded=tuple(args.recorded),
        is_controlled=args.controlled,
        patience_s=args.patience,
    )
    return drive, args.report


def _run(arguments: list[str]) -> int:
    own, ros = split_arguments(arguments)
    drive, report = _parsed(own)
    stop = Stop(twice_kills=True)
    with ros_node("lockstep_simulation", ros) as node:
        driver = Driver(node, drive, stop)
        try:
            driver.run()
        except Stopped:
            raise Hang("interrupted before the end of the simulation") from None
        real_time = driver.real_time
        node.get_logger().info(str(real_time))
        if report is not None:
            told = {
                "world": drive.world,
                "step_s": drive.step_ns / _NS,
                "steps": drive.steps,
                "simulated_s": real_time.simulated_s,
                "wall_s": real_time.wall_s,
                "rtf": real_time.factor,
                "rtf_by_second": real_time.by_second,
            }
            report.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    return 0


def main() -> None:
    """`ros2 run lockstep simulation WORLD --step S --duration S …`"""
    exit_with(lambda: _run(sys.argv[1:]))


if __name__ == "__main__":
    main()
