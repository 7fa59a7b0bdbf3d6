"""How processes and launches end.

`ros2 launch` ends with 1 if an event handler raises, else with 0, whatever the exit codes of its
processes. So what must not pass for success raises: RunError with the sentence that ends up last in
the log.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from launch import Action, LaunchContext
from launch.actions import EmitEvent, RegisterEventHandler
from launch.event_handlers import OnShutdown
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited, ShutdownProcess
from launch_ros.actions import Node
from lockstep.errors import RunError

OnExit = Callable[[ProcessExited, LaunchContext], "list[Action] | None"]


def unless_shut_down(on_exit: Callable[[ProcessExited], list[Action]]) -> OnExit:
    """An exit handler that is silent once the launch is ending: then every process has to go."""

    def handler(event: ProcessExited, context: LaunchContext) -> list[Action] | None:
        return None if context.is_shutdown else on_exit(event)

    return handler


def require_success(event: ProcessExited, name: str) -> None:
    """Raise RunError if the process ended with anything but 0."""
    if event.returncode != 0:
        raise RunError(f"{name} failed ({how_it_ended(event)}); its log is above")


def how_it_ended(event: ProcessExited) -> str:
    """`exit code 3` or `SIGSEGV`."""
    code = event.returncode
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def stop(node: Node) -> Action:
    """End a node the ordinary way, with SIGINT."""
    return EmitEvent(event=ShutdownProcess(process_matcher=matches_action(node)))


def fail_if_interrupted() -> Action:
    """Make Ctrl-C end the launch with 1. Must come first: what raises keeps older handlers from
    their turn."""

    def on_shutdown(event: Shutdown, context: LaunchContext) -> None:
        if event.due_to_sigint:
            raise RunError("interrupted before the end")

    return RegisterEventHandler(OnShutdown(on_shutdown=on_shutdown))
