"""Components at work: at the wheel of the simulated base, and on recorded inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import Twist
from lockstep.component import Component, to_stamp
from lockstep.dataset import Dataset
from lockstep.dataset.dataset import Progress
from lockstep.testing.component_under_test import component_under_test
from lockstep.testing.in_process import InProcessHarness
from nav_msgs.msg import Odometry
from plant import MobileBase

Floats = npt.NDArray[np.float64]
Pair = tuple[float, float]
Course = Callable[[float], tuple[Pair, Pair]]
"""Time in s → commanded velocities in m/s and rad/s, and what pushes the base in N and Nm."""

START_NS = 1_000_000_000
MS = 1_000_000
TICK_MS = 20
COMMAND_EVERY = 5
"""Ticks: commands come 10 times a second, odometry and the controller's timer 50 times."""
LATENCY_MS = 5
"""Age of the odometry when the controller uses it."""
NOISE = (0.005, 0.01)
"""Standard deviations of the odometry in m/s and rad/s."""


@dataclass(frozen=True)
class Drive:
    """A closed loop as it went: the controller's inputs, and over time the true velocities and the
    wrench, (n, 2) each."""

    inputs: Dataset
    seconds: Floats
    velocity: Floats
    wrench: Floats


def course(seed: int, speed: float, turn: float, hold_s: float, push: float = 0.0) -> Course:
    """New commands up to ± speed (m/s) and ± turn (rad/s) every `hold_s`; pushes up to ± push (N,
    and a tenth in Nm)."""
    random = np.random.default_rng(seed)
    drawn = random.uniform(-1.0, 1.0, (1000, 4)) * (speed, turn, push, push / 10)
    rows = [tuple(row) for row in drawn.tolist()]

    def at(seconds: float) -> tuple[Pair, Pair]:
        linear, angular, force, torque = rows[int(seconds / hold_s) % len(rows)]
        pushed = seconds % hold_s < 0.2
        return (linear, angular), ((force, torque) if pushed else (0.0, 0.0))

    return at


def step(speed: float, turn: float) -> Course:
    """From standstill to one velocity."""
    return lambda seconds: ((speed, turn), (0.0, 0.0))


def drive(
    controller: type[Component],
    where: Course,
    seconds: float,
    noise_seed: int,
    progress: Progress | None = None,
) -> Drive:
    """Let a controller drive the base along a course."""
    noise = np.random.default_rng(noise_seed)
    base, inputs = MobileBase(), Dataset.create()
    now, velocities, wrenches = [], [], []
    with component_under_test(controller.__name__, InProcessHarness(controller), {}) as running:

        def send(name: str, message: Twist | Odometry, time_ns: int) -> None:
            running.inputs[name].send(message, time_ns)
            inputs.append(f"/{name}", message, time_ns)

        wrench = (0.0, 0.0)
        count = round(seconds * 1000 / TICK_MS)
        for tick in range(count):
            at_s, time_ns = tick * TICK_MS / 1000, START_NS + tick * TICK_MS * MS
            target, push = where(at_s)
            if tick % COMMAND_EVERY == 0:
                send("command", commanded(target), time_ns)
            base.advance((TICK_MS - LATENCY_MS) / 1000, wrench, push)
            measured_ns = time_ns + (TICK_MS - LATENCY_MS) * MS
            measured = np.array(base.velocity) + noise.normal(0.0, NOISE)
            send("odometry", odometry(measured, measured_ns), measured_ns)
            base.advance(LATENCY_MS / 1000, wrench, push)
            running.advance(time_ns + TICK_MS * MS)
            answer = running.outputs["wrench"].last.wrench
            wrench = (answer.force.x, answer.torque.z)
            now.append(at_s + TICK_MS / 1000)
            velocities.append(base.velocity)
            wrenches.append(wrench)
            if progress is not None:
                progress(tick + 1, count)
    return Drive(inputs, np.array(now), np.array(velocities), np.array(wrenches))


def commanded(target: Pair) -> Twist:
    """A command."""
    message = Twist()
    message.linear.x, message.angular.z = target
    return message


def odometry(velocity: Floats, time_ns: int) -> Odometry:
    """What the base measures."""
    message = Odometry(child_frame_id="base_link")
    message.header.stamp, message.header.frame_id = to_stamp(time_ns), "odom"
    message.twist.twist.linear.x, message.twist.twist.angular.z = velocity.tolist()
    return message


def answers(component: type[Component], bag: Path) -> Dataset:
    """What a component puts out for the inputs in a bag, by topic."""
    ports = {f"/{port.topic}": index for index, port in enumerate(component.inputs.values())}
    harness, found = InProcessHarness(component), Dataset.create()
    with (
        Dataset.load(bag) as inputs,
        component_under_test(component.__name__, harness, {}) as running,
    ):
        for record in inputs.stored():
            harness.deliver(ports[record.key], record.stamp_ns, record.value.data)
        for name, output in running.outputs.items():
            for time_ns, message in zip(output.times_ns, output.messages, strict=True):
                found.append(f"/{name}", message, time_ns)
    return found


@dataclass(frozen=True)
class StepResponse:
    """How a velocity came to its final value after a step from 0: overshoot in parts of that,
    settling to within 2 % of it."""

    final: float
    overshoot: float
    settling_s: float


def step_response(seconds: Floats, velocity: Floats) -> StepResponse:
    """Measure one velocity over time, (n,) each; final is the mean of its last tenth."""
    final = float(velocity[-len(velocity) // 10 :].mean())
    outside = np.flatnonzero(np.abs(velocity - final) > 0.02 * abs(final))
    settled = outside[-1] + 1 if len(outside) else 0
    settling_s = float(seconds[settled]) if settled < len(seconds) else float("inf")
    return StepResponse(final, max(0.0, float(np.max(velocity / final)) - 1.0), settling_s)
