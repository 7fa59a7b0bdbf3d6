"""The program of a component: a live node, alone or in lockstep with the player, or direct runs.

lockstep_cpp's host.cpp is the twin.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # while modules load, which makes no garbage

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from rclpy.exceptions import NameValidationException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

from ..component import Component, contract_of
from ..errors import FAILED, RunError, UsageError
from ..host.direct_run import serve_direct_runs
from ..host.ended import Ended
from ..host.events import tell_error
from ..host.execution import Execution
from ..host.python_component import load, make, node_name
from ..host.standard_streams import take_standard_output
from ..printable import printed_json
from .arguments import log_level, parse_arguments, usage
from .free_run import FreeRun
from .inbox import Inbox
from .lockstep_run import LockstepRun
from .parameters import HostNode, Parameters
from .ports import Ports
from .process import Stop, Stopped, exit_with, ros_node, sentence


def run(component_class: type[Component], arguments: Sequence[str], program: str) -> int:
    """Run a component with the command line of a host; returns the exit code."""
    name = node_name(component_class.__name__)
    parsed = parse_arguments(arguments)
    if parsed.help:
        sys.stdout.write(f"{usage(program, component_class.__name__)}\n")
        return 0
    if parsed.contract:
        sys.stdout.write(f"{printed_json(contract_of(component_class).to_json())}\n")
        return 0
    if parsed.direct:
        level = log_level(arguments, name)
        return serve_direct_runs(component_class, take_standard_output(), level)
    stop = Stop(twice_kills=True)
    component = make(component_class)
    with ros_node(name, arguments, HostNode, parameters=component.parameters) as node:
        try:
            _run_node(node, component, stop, in_lockstep=parsed.lockstep)
        except RunError as error:
            tell_error(error, str(error))
            node.get_logger().fatal(f"{node.get_name()}: {error}")
            return FAILED
        except (rclpy_implementation.RCLError, NameValidationException) as error:
            tell_error(error, sentence(error))
            node.get_logger().fatal(f"{node.get_name()}: {sentence(error)}")
            return FAILED
    return 0


def _run_node(node: Node, component: Component, stop: Stop, *, in_lockstep: bool) -> None:
    """Run the component as a node until a stop is requested; raises RunError if the run fails."""
    inbox = Inbox(node)
    execution = Execution(component, stop.check)

    def restart_time() -> None:
        if not in_lockstep:  # there, time is that of the steps, whatever the ROS clock
            execution.restart()

    Parameters(node, component, execution.parameters_changed, restart_time)
    ports = Ports(node, inbox, component, in_lockstep=in_lockstep)
    kind = LockstepRun if in_lockstep else FreeRun
    component_run = kind(node, inbox, ports, execution, stop)
    component.host = component_run
    ended_well = False
    try:
        with suppress(Stopped):
            component_run.run()
        ended_well = True
    finally:
        Ended(component, refuses=in_lockstep and ended_well)


def host(component_class: type[Component]) -> None:
    """The main of a component's executable."""
    run_named(component_class, sys.argv[1:], Path(sys.argv[0]).name)


def run_named(component_class: type[Component], arguments: Sequence[str], program: str) -> NoReturn:
    """End this process as the host of a component, which errors are called by."""
    exit_with(
        lambda: run(component_class, arguments, program),
        name=node_name(component_class.__name__),
    )


def main() -> None:
    """`ros2 run lockstep host MODULE:CLASS …`: host any Python component."""
    exit_with(lambda: _host_target(sys.argv[1:]), name="host")


def _host_target(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(f"{usage('host MODULE:CLASS', 'MODULE:CLASS')}\n")
        return 0
    if not arguments or arguments[0].startswith("-"):
        raise UsageError(
            "give the component as MODULE:CLASS, such as lockstep_examples:PdController"
        )
    component_class = load(arguments[0])
    gc.freeze()
    gc.enable()
    run_named(component_class, arguments[1:], f"host {arguments[0]}")


if __name__ == "__main__":
    main()
