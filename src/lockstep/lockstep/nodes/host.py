"""The Python host: runs a component as an ordinary ROS 2 node, or in lockstep with the player.

In lockstep mode (`--lockstep`) steps of the player give the order of inputs and the run's time; every step is
acknowledged. docs/lockstep-protocol.md describes it; lockstep_cpp's host is its twin.
"""

from __future__ import annotations

import importlib
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import rclpy.exceptions
import rclpy.parameter
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Acknowledgement, Step

from ..component import Component, Schedule, contract_of, stamp_ns, to_stamp
from ..run.errors import FAILED, RunError, UsageError
from .inbox import Inbox
from .process import Stop, exit_with, ros_node, split_arguments
from .qos import lossless, profile

STEP_TOPIC = "/lockstep/step"
ACKNOWLEDGEMENT_TOPIC = "/lockstep/acknowledgement"
HELLO_PERIOD_S = 0.05
PENDING_STEPS = 64
PUBLISH_PATIENCE_S = 10.0

_USAGE = """usage: {program} [--help] [--contract] [--lockstep] [--ros-args …]

Run {component} as a ROS 2 node.

  --contract   print the contract as JSON and exit
  --lockstep   consume inputs in the order of the player's steps and acknowledge them

example: {program} --ros-args -p use_sim_time:=true -r __ns:=/robot"""


class Host:
    """Gives a component its node: ports, parameters, timers, time and logging."""

    def __init__(self, component: Component, node: Node, *, in_lockstep: bool) -> None:
        self._component = component
        self._node = node
        self._inbox = Inbox(node)
        self._timers = list(component.timers)
        self._schedule = Schedule([timer.period_ns for timer in component.timers.values()])
        self.logger = node.get_logger()

        self._declare_parameters()
        self._inputs: dict[Subscription, str] = {
            self._inbox.subscribe(
                port.message_type,
                port.topic,
                lossless(port.qos.durability) if in_lockstep else profile(port.qos),
            ): name
            for name, port in component.inputs.items()
        }
        self._outputs = {
            name: node.create_publisher(
                port.message_type,
                port.topic,
                lossless(port.qos.durability) if in_lockstep else profile(port.qos),
            )
            for name, port in component.outputs.items()
        }
        self._flow = _Flow(node, self._inbox, self._outputs) if in_lockstep else None
        component.host = self

    def now(self) -> int:
        """The run's time in ns."""
        return self._schedule.now_ns

    def publish(self, output: str, msg: Any) -> None:
        """Send a message of one output; in lockstep it is never dropped."""
        if self._flow is None:
            self._outputs[output].publish(msg)
        else:
            self._flow.publish(output, msg, self.now())

    def spin(self, stop: Stop) -> None:
        """Run until stopped; raises RunError when a callback fails or a rule of lockstep is broken."""
        if self._flow is None:
            self._call("on_start", self._component.on_start)
            self._spin_free(stop)
        else:
            self._spin_in_lockstep(self._flow, stop)

    def _spin_free(self, stop: Stop) -> None:
        clock = self._node.get_clock()
        while not stop.requested:
            for subscription in self._inbox.wait(self._patience(clock.now().nanoseconds)):
                taken = self._inbox.take(subscription)
                if taken is None:
                    continue
                if self._inbox.is_clock(subscription):
                    subscription.callback(taken[0])
                self._advance(clock.now().nanoseconds)
                if subscription in self._inputs:
                    self._deliver(self._inputs[subscription], taken[0])
            self._inbox.serve()
            self._advance(clock.now().nanoseconds)

    def _patience(self, now_ns: int) -> float:
        due_ns = self._schedule.next_due_ns
        return 0.02 if due_ns is None else min(0.02, max(0, due_ns - now_ns) * 1e-9)

    def _spin_in_lockstep(self, flow: _Flow, stop: Stop) -> None:
        subscriptions = {s.topic_name: s for s in self._inputs}
        while not stop.requested:
            step = flow.next_step()
            if step is None:
                flow.acknowledge(ready=self._is_connected())
                self._inbox.wait(HELLO_PERIOD_S)
                self._inbox.serve()
                continue
            if step.index == 0:  # not earlier: now every peer listens
                self._call("on_start", self._component.on_start)
            self._advance(stamp_ns(step.stamp))
            subscription = subscriptions.get(step.topic)
            if subscription is not None:
                msg = self._await(subscription, stop)
                if stop.requested:
                    return
                start = time.perf_counter_ns()
                self._deliver(self._inputs[subscription], msg)
                flow.count_duration(time.perf_counter_ns() - start)
            flow.finish_step()
            self._inbox.serve()

    def _await(self, subscription: Subscription, stop: Stop) -> Any:
        while not stop.requested:
            taken = self._inbox.take(subscription)
            if taken is not None:
                return taken[0]
            self._inbox.wait(HELLO_PERIOD_S)
            self._inbox.serve()
        return None

    def _is_connected(self) -> bool:
        return all(s.get_publisher_count() > 0 for s in self._inputs) and all(
            p.get_subscription_count() > 0 for p in self._outputs.values()
        )

    def _advance(self, now_ns: int) -> None:
        self._schedule.advance(now_ns, self._fire)

    def _fire(self, index: int) -> None:
        method = f"on_{self._timers[index]}"
        self._call(method, getattr(self._component, method))

    def _deliver(self, name: str, msg: Any) -> None:
        method = f"on_{name}"
        self._call(method, getattr(self._component, method), msg)

    def _call(self, name: str, method: Callable[..., None], *args: Any) -> None:
        try:
            method(*args)
        except RunError:
            raise
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise RunError(
                f"{self._node.get_name()}: {name} failed at {self.now() * 1e-9:.9f} s: "
                f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            ) from error

    def _declare_parameters(self) -> None:
        for name, parameter in self._component.parameters.items():
            try:
                value = self._node.declare_parameter(
                    name, parameter.default, ParameterDescriptor(description=parameter.description)
                ).value
            except rclpy.exceptions.InvalidParameterTypeException as error:
                raise UsageError(f"parameter '{name}' must be of type {parameter.type}") from error
            self._component.parameter_values[name] = _plain(value)
        self._node.add_post_set_parameters_callback(self._on_parameters)

    def _on_parameters(self, changed: list[rclpy.parameter.Parameter]) -> None:
        for parameter in changed:
            if parameter.name in self._component.parameters:
                self._component.parameter_values[parameter.name] = _plain(parameter.value)


class _Flow:
    """The host's side of lockstep: steps in, acknowledgements out."""

    def __init__(self, node: Node, inbox: Inbox, outputs: dict[str, Any]) -> None:
        self._node = node
        self._inbox = inbox
        self._outputs = outputs
        self._steps = inbox.subscribe(Step, STEP_TOPIC, lossless())
        self._acknowledgements = node.create_publisher(
            Acknowledgement, ACKNOWLEDGEMENT_TOPIC, lossless()
        )
        self._index = {name: index for index, name in enumerate(outputs)}
        self._count = 0
        self._pending_steps = 0
        self._last_hello = 0.0
        self._pending = self._fresh()

    def next_step(self) -> Step | None:
        """The next step if it is there; raises RunError if one was lost."""
        taken = self._inbox.take(self._steps)
        if taken is None:
            return None
        step: Step = taken[0]
        if step.index != self._count:
            raise RunError(
                f"{self._node.get_name()}: step {self._count} was lost; got {step.index}"
            )
        return step

    def publish(self, output: str, msg: Any, now_ns: int) -> None:
        """Publish, waiting while the queue is full, and note it for the acknowledgement."""
        self._insist(self._outputs[output], msg)
        self._pending.published_topic.append(self._index[output])
        self._pending.published_stamp.append(to_stamp(now_ns))

    def count_duration(self, duration_ns: int) -> None:
        """Note how long the callback of an input took."""
        self._pending.duration_ns.append(duration_ns)

    def finish_step(self) -> None:
        """Count a step as consumed; acknowledges when many are pending."""
        self._count += 1
        self._pending_steps += 1
        if self._pending_steps >= PENDING_STEPS:
            self.acknowledge(ready=True)

    def acknowledge(self, *, ready: bool) -> None:
        """Publish what is pending; before the first step, say hello now and then."""
        if self._pending_steps == 0:
            now = time.monotonic()
            if self._count or now - self._last_hello < HELLO_PERIOD_S:
                return
            self._last_hello = now
        message, self._pending = self._pending, self._fresh()
        message.steps = self._count
        message.ready = (
            ready
            and self._steps.get_publisher_count() > 0
            and self._acknowledgements.get_subscription_count() >= 2
        )
        self._pending_steps = 0
        self._insist(self._acknowledgements, message)

    def _fresh(self) -> Acknowledgement:
        return Acknowledgement(
            node=self._node.get_fully_qualified_name(),
            topics=[publisher.topic_name for publisher in self._outputs.values()],
        )

    def _insist(self, publisher: Any, msg: Any) -> None:
        deadline = time.monotonic() + PUBLISH_PATIENCE_S
        while True:
            try:
                publisher.publish(msg)
                return
            except rclpy_implementation.RCLError as error:
                if time.monotonic() > deadline:
                    raise RunError(
                        f"{self._node.get_name()}: nobody takes {publisher.topic_name} any more"
                    ) from error


def node_name(component_name: str) -> str:
    """The default node name: the class name in snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", component_name).lower()


def run(component_class: type[Component], arguments: Sequence[str], program: str) -> int:
    """Run a component with the command line of a host; returns the exit code."""
    own, ros = split_arguments(arguments)
    unknown = [a for a in own if a not in ("--help", "-h", "--contract", "--lockstep")]
    if unknown:
        raise UsageError(f"unknown argument '{unknown[0]}'; try {program} --help")
    if "--help" in own or "-h" in own:
        print(_USAGE.format(program=program, component=component_class.__name__))
        return 0
    if "--contract" in own:
        print(contract_of(component_class).to_json())
        return 0
    stop = Stop()
    with ros_node(node_name(component_class.__name__), ros) as node:
        try:
            Host(component_class(), node, in_lockstep="--lockstep" in own).spin(stop)
        except RunError as error:
            node.get_logger().fatal(str(error))
            return FAILED
    return 0


def host(component_class: type[Component]) -> None:
    """The main of a component's executable."""
    program = sys.argv[0].rsplit("/", maxsplit=1)[-1]
    exit_with(lambda: run(component_class, sys.argv[1:], program))


def load(target: str) -> type[Component]:
    """The component class named `MODULE:CLASS`."""
    module_name, _, class_name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:  # the module is the user's and may raise anything
        raise UsageError(f"cannot load '{target}': {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise UsageError(f"'{target}' is not a component class; give MODULE:CLASS")
    return found


def main() -> None:
    """`ros2 run lockstep host MODULE:CLASS …`: host any Python component."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        exit_with(lambda: _missing_target())
    exit_with(lambda: run(load(sys.argv[1]), sys.argv[2:], f"host {sys.argv[1]}"))


def _missing_target() -> int:
    raise UsageError("give the component as MODULE:CLASS, such as lockstep_examples:PdController")


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else list(value)


if __name__ == "__main__":
    main()
