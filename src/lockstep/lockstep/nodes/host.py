"""The Python host: runs a component as an ordinary ROS 2 node, or in lockstep with the player.

In lockstep mode (`--lockstep`) steps of the player give the order of inputs and the run's time; every step is
acknowledged. docs/lockstep-protocol.md describes it; lockstep_cpp's host is its twin.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    NameValidationException,
    ParameterAlreadyDeclaredException,
)
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from lockstep_interfaces.msg import Step

from ..component import Component, Schedule, contract_of, stamp_ns
from ..component.parameter import IN_EVERY_ELEMENT, range_objection, range_text
from ..component.parameter import Parameter as ComponentParameter
from ..errors import FAILED, RunError, UsageError
from ..host.direct_run import LOG_LEVELS, serve, take_stdout
from ..host.python_component import call, load, make, node_name
from ..message.time import NS_PER_S, seconds
from .inbox import SERVE_PERIOD_S, Inbox
from .lockstep_run import Flow
from .process import Stop, Stopped, exit_with, own_arguments, ros_node, sentence
from .qos import lossless, profile

_USAGE = """usage: {program} [--help] [--contract] [--lockstep | --direct] [--ros-args …]

Run the component {component} as a ROS 2 node.

  --contract       print the component's contract as JSON and exit
  --lockstep       consume messages in the order of the steps on /lockstep/step
  --direct         read inputs and write outputs as frames on stdin and stdout (docs/direct-protocol.md)
  --ros-args …     remappings (-r), parameters (-p, --params-file), --log-level, …

example: {program} --ros-args -p use_sim_time:=true -r __ns:=/robot"""


class Host:
    """Gives a component its node: ports, parameters, timers, time and logging."""

    def __init__(self, component: Component, node: Node, stop: Stop, *, in_lockstep: bool) -> None:
        self._component = component
        self._node = node
        self._stop = stop
        self._inbox = Inbox(node)
        self._timers = list(component.timers)
        self._schedule = Schedule([timer.period_ns for timer in component.timers.values()])
        self._started = False
        self.logger = node.get_logger()

        self._declare_parameters()
        self._inputs: dict[Subscription, str] = {
            # Volatile in lockstep: it goes with any publisher, and all that counts is sent after the first step.
            self._inbox.subscribe(
                port.message_type, port.topic, lossless() if in_lockstep else profile(port.qos)
            ): name
            for name, port in component.inputs.items()
        }
        self._outputs: dict[str, Publisher] = {
            name: node.create_publisher(
                port.message_type,
                port.topic,
                lossless(port.qos.durability) if in_lockstep else profile(port.qos),
            )
            for name, port in component.outputs.items()
        }
        self._flow = Flow(node, self._inbox, self._outputs, self.now, stop) if in_lockstep else None
        component.host = self

    def now(self) -> int:
        """The run's time in ns."""
        return self._schedule.now_ns

    def publish(self, output: str, msg: Any) -> None:
        """Send a message of one output; in lockstep it is never dropped."""
        if self._flow is None:
            self._outputs[output].publish(msg)
        else:
            self._flow.publish(output, msg)

    def spin(self) -> None:
        """Run until stopped; raises RunError when a callback fails or a rule of lockstep is broken."""
        with suppress(Stopped):
            if self._flow is None:
                self._spin_free()
            else:
                self._spin_in_lockstep(self._flow)

    def _spin_free(self) -> None:
        clock = self._node.get_clock()
        self._start()
        while True:
            self._stop.check()
            self._advance(clock.now().nanoseconds)
            for subscription in self._inbox.wait(self._patience(clock)):
                taken = self._inbox.take(subscription)
                if taken is not None:
                    self._advance(clock.now().nanoseconds)
                    self._call(self._inputs[subscription], taken[0])
            self._inbox.serve()

    def _patience(self, clock: Any) -> float:
        due_ns = self._schedule.next_due_ns
        if due_ns is None or clock.ros_time_is_active:
            return SERVE_PERIOD_S
        left_ns: int = max(0, due_ns - clock.now().nanoseconds)
        return min(SERVE_PERIOD_S, left_ns / NS_PER_S)

    def _spin_in_lockstep(self, flow: Flow) -> None:
        step = flow.first_step(self._is_connected)
        # Not before the first step: only now does the recorder hear what on_start publishes.
        self._start()
        while True:
            self._consume(step, flow)
            step = flow.next_step()

    def _consume(self, step: Step, flow: Flow) -> None:
        if step.index != flow.steps:
            raise RunError(
                f"lockstep failed at {seconds(self.now())} s: "
                f"step {flow.steps} should have come, but step {step.index} came"
            )
        self._advance(stamp_ns(step.stamp))
        for subscription, name in self._inputs.items():
            if subscription.topic_name == step.topic:
                msg = flow.next(subscription)
                start = time.perf_counter_ns()
                self._call(name, msg)
                flow.count_duration(time.perf_counter_ns() - start)
        flow.steps += 1
        self._inbox.serve()

    def _is_connected(self) -> bool:
        return all(s.get_publisher_count() > 0 for s in self._inputs) and all(
            p.get_subscription_count() > 0 for p in self._outputs.values()
        )

    def _advance(self, now_ns: int) -> None:
        self._schedule.advance(now_ns, self._fire)

    def _fire(self, index: int) -> None:
        self._stop.check()
        self._call(self._timers[index])

    def _start(self) -> None:
        self._call("start")
        self._started = True

    def _call(self, name: str, *args: Any) -> None:
        call(self._component, name, self.now(), *args)

    def _declare_parameters(self) -> None:
        for name, parameter in self._component.parameters.items():
            value = self._declare(name, parameter)
            if objection := range_objection(value, parameter.minimum, parameter.maximum):
                raise UsageError(f"parameter '{name}' {objection}")
            # Only now: rclpy would refuse a value out of range with a sentence of its own.
            self._node.set_descriptor(name, _descriptor(parameter))
            self._component.parameter_values[name] = value
        self._sim_time: bool = self._node.get_parameter("use_sim_time").value
        self._node.add_post_set_parameters_callback(self._on_parameters)

    def _declare(self, name: str, parameter: ComponentParameter[Any]) -> Any:
        try:
            value = self._node.declare_parameter(name, parameter.default).value
        except InvalidParameterTypeException as error:
            raise UsageError(sentence(error)) from error
        except ParameterAlreadyDeclaredException as error:
            raise RunError(f"parameter '{name}' is one that every node has already") from error
        if value is None:  # `-p name:=[]`: a list without elements has no type
            raise UsageError(f"parameter '{name}' must be of type {parameter.type}, not no value")
        return _plain(value)

    def _on_parameters(self, changed: list[Parameter]) -> None:
        for parameter in changed:
            if parameter.name in self._component.parameters:
                self._component.parameter_values[parameter.name] = _plain(parameter.value)
            elif parameter.name == "use_sim_time" and parameter.value != self._sim_time:
                self._sim_time = parameter.value
                if self._flow is None:  # in lockstep, time is that of the steps
                    self._schedule.restart()
        # Services are answered between two callbacks of the component, never within one.
        if self._started and any(p.name in self._component.parameters for p in changed):
            self._call("parameters_changed")


class HostNode(Node):
    """A node that refuses parameters with the same sentences as the C++ host."""

    def __init__(
        self, name: str, *, parameters: Mapping[str, ComponentParameter[Any]], **options: Any
    ) -> None:
        self._of_component = parameters
        super().__init__(name, **options)

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set all of them or none; the parameter services call this."""
        for parameter in parameter_list:
            if objection := self._objection(parameter):
                reason = f"parameter '{parameter.name}' {objection}"
                return SetParametersResult(successful=False, reason=reason)
        return super().set_parameters_atomically(parameter_list)

    def _objection(self, parameter: Parameter) -> str:
        if not self.has_parameter(parameter.name):
            return "is not declared"
        declared = self.describe_parameter(parameter.name)
        if declared.read_only:
            return "is read-only"
        if declared.type != parameter.type_.value:
            wanted = Parameter.Type(declared.type)
            return f"must be of type {_type_name(wanted)}, not {_type_name(parameter.type_)}"
        if parameter.name in self._of_component:
            limits = self._of_component[parameter.name]
            return range_objection(_plain(parameter.value), limits.minimum, limits.maximum)
        return ""


def run(component_class: type[Component], arguments: Sequence[str], program: str) -> int:
    """Run a component with the command line of a host; returns the exit code."""
    own = own_arguments(arguments)
    unknown = [a for a in own if a not in ("--help", "-h", "--contract", "--lockstep", "--direct")]
    if unknown:
        raise UsageError(f"unknown argument '{unknown[0]}'; see --help")
    if "--help" in own or "-h" in own:
        print(_USAGE.format(program=program, component=component_class.__name__))
        return 0
    if "--contract" in own:
        print(contract_of(component_class).to_json())
        return 0
    if "--direct" in own:
        _check_direct(own, arguments)
        return serve(component_class, take_stdout(), _log_level(component_class, arguments))
    stop = Stop(twice_kills=True)
    component = make(component_class)
    with ros_node(
        node_name(component_class.__name__),
        arguments,
        HostNode,
        parameters=component.parameters,
    ) as node:
        try:
            Host(component, node, stop, in_lockstep="--lockstep" in own).spin()
        except RunError as error:
            node.get_logger().fatal(f"{node.get_name()}: {error}")
            return FAILED
        except (rclpy_implementation.RCLError, NameValidationException) as error:
            node.get_logger().fatal(f"{node.get_name()}: {sentence(error)}")
            return FAILED
    return 0


def _check_direct(own: Sequence[str], arguments: Sequence[str]) -> None:
    if "--lockstep" in own:
        raise UsageError("--direct and --lockstep exclude each other; leave out one of them")
    if any(word in ("-p", "--param", "--params-file") for word in arguments if word not in own):
        raise UsageError("with --direct parameters come as frames; leave out -p and --params-file")


def _log_level(component_class: type[Component], arguments: Sequence[str]) -> str:
    """What `--log-level LEVEL` or `--log-level NODE:=LEVEL` says; "info" without them."""
    level = "info"
    for word, value in itertools.pairwise(arguments):
        name, _, of_node = value.rpartition(":=")
        if word == "--log-level" and name in ("", node_name(component_class.__name__)):
            level = of_node.lower()
    if level not in LOG_LEVELS:
        raise UsageError(f"'{level}' is no level of a log; give one of {', '.join(LOG_LEVELS)}")
    return level


def host(component_class: type[Component]) -> None:
    """The main of a component's executable."""
    _host(component_class, sys.argv[1:], Path(sys.argv[0]).name)


def _host(component_class: type[Component], arguments: Sequence[str], program: str) -> NoReturn:
    exit_with(
        lambda: run(component_class, arguments, program),
        name=node_name(component_class.__name__),
    )


def main() -> None:
    """`ros2 run lockstep host MODULE:CLASS …`: host any Python component."""
    exit_with(lambda: _host_target(sys.argv[1:]), name="host")


def _host_target(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        raise UsageError(
            "give the component as MODULE:CLASS, such as lockstep_examples:PdController"
        )
    _host(load(arguments[0]), arguments[1:], f"host {arguments[0]}")


def _type_name(kind: Parameter.Type) -> str:
    return "no value" if kind == Parameter.Type.NOT_SET else kind.name.lower()


def _descriptor(parameter: ComponentParameter[Any]) -> ParameterDescriptor:
    kind = Parameter.Type.from_parameter_value(parameter.default)
    descriptor = ParameterDescriptor(
        type=kind.value, description=parameter.description, read_only=parameter.read_only
    )
    low, high = parameter.minimum, parameter.maximum
    if low is None and high is None:
        return descriptor
    if kind == Parameter.Type.INTEGER:
        descriptor.integer_range = [
            IntegerRange(
                from_value=-(2**63) if low is None else low,
                to_value=2**63 - 1 if high is None else high,
            )
        ]
    elif kind == Parameter.Type.DOUBLE:
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=-math.inf if low is None else low,
                to_value=math.inf if high is None else high,
            )
        ]
    else:  # the ranges of ROS are for numbers alone
        descriptor.additional_constraints = f"{range_text(low, high)} {IN_EVERY_ELEMENT}"
    return descriptor


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else list(value)


if __name__ == "__main__":
    main()
