"""Keeps a launch to itself: a domain that nobody uses, discovery that stays on this machine, and a
guard that sees who joins nevertheless."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

from launch import Action, Event, EventHandler, LaunchContext
from launch.actions import (
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    UnsetEnvironmentVariable,
)
from launch.event_handlers import OnProcessStart
from launch.events.process import ProcessStarted
from launch.logging import get_logger
from lockstep.errors import UsageError
from lockstep.run.domain import RUN, isolated_domain
from lockstep.run.guard import DomainGuard
from lockstep.run.participants import descendants

from .arguments import value_of
from .ending import Completed, OnCompleted

_DOMAIN_IDS = range(233)
_held = ExitStack()  # holds the domain until this process ends


def isolate(context: LaunchContext) -> list[Action]:
    """Confine all processes that are started from now on, unless the argument `domain_id` is
    `as_is`."""
    wish = value_of(context, "domain_id")
    if wish == "as_is":
        return [LogInfo(msg="not isolated: this launch reaches whatever this shell's ROS reaches")]
    environment = _held.enter_context(isolated_domain())
    if wish != "auto":
        environment["ROS_DOMAIN_ID"] = _domain_id(wish)
    domain_id = environment["ROS_DOMAIN_ID"]
    variables = ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", RUN)
    look_on = " ".join(f"{name}={environment[name]}" for name in variables)
    return [
        *(UnsetEnvironmentVariable(name) for name in os.environ.keys() - environment.keys()),
        *(
            SetEnvironmentVariable(name, value)
            for name, value in environment.items()
            if os.environ.get(name) != value
        ),
        LogInfo(msg=f"isolated; to look on: {look_on} ros2 topic list --no-daemon"),
        _told_of_others(domain_id),
        *_guarded(context, environment),
    ]


class _Intruded(Event):
    """Somebody has joined the domain."""

    name = "lockstep_launch.intruded"


def _guarded(context: LaunchContext, environment: dict[str, str]) -> list[Action]:
    """Until its job is done, end the launch as soon as anybody else joins its domain; the players
    are killed at once, so that nothing of the replay reaches others."""

    def silence() -> None:
        _kill_players()
        with suppress(RuntimeError):  # the launch has ended
            context.asyncio_loop.call_soon_threadsafe(context.emit_event_sync, _Intruded())

    def fail(context: LaunchContext) -> None:
        if not context.is_shutdown:
            guard.check()

    def stop_looking(event: Completed, context: LaunchContext) -> None:
        guard.close()

    allowed_by = "give domain_id:=as_is, with which the replay may reach all of this shell's graph"
    guard = _held.enter_context(DomainGuard(environment, silence, allowed_by=allowed_by))
    intruded = EventHandler(
        matcher=lambda event: isinstance(event, _Intruded), entities=OpaqueFunction(function=fail)
    )
    return [RegisterEventHandler(intruded), RegisterEventHandler(OnCompleted(stop_looking))]


def _kill_players() -> None:
    for pid in descendants(os.getpid()):
        with suppress(OSError):  # it has ended
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"/lib/lockstep/player" in command:
                os.kill(pid, signal.SIGKILL)


def _told_of_others(domain_id: str) -> Action:
    """Warn of processes of the same launch that cannot see the isolated ones: an environment holds
    for what is listed after it."""

    def on_start(event: ProcessStarted, context: LaunchContext) -> None:
        theirs = (event.env or os.environ).get("ROS_DOMAIN_ID") or "0"
        if theirs != domain_id:
            get_logger("lockstep_launch").warning(
                f"{event.process_name} is on ROS_DOMAIN_ID={theirs} and sees nothing of what is "
                f"isolated on {domain_id}: list it after this launch file, or give domain_id:=as_is"
            )

    return RegisterEventHandler(OnProcessStart(on_start=on_start))


def _domain_id(text: str) -> str:
    if not text.isdecimal() or int(text) not in _DOMAIN_IDS:
        raise UsageError(f"domain_id:={text} is neither auto nor as_is nor between 0 and 232")
    return text
