"""Keeps a launch to itself: a domain that nobody uses, and discovery that stays on this machine."""

from __future__ import annotations

import os
from contextlib import ExitStack

from launch import Action, LaunchContext
from launch.actions import (
    LogInfo,
    RegisterEventHandler,
    SetEnvironmentVariable,
    UnsetEnvironmentVariable,
)
from launch.event_handlers import OnProcessStart
from launch.events.process import ProcessStarted
from launch.logging import get_logger
from lockstep.errors import UsageError
from lockstep.run.domain import isolated_domain

from .arguments import value_of

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
    look_on = f"ROS_DOMAIN_ID={domain_id} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST"
    return [
        *(UnsetEnvironmentVariable(name) for name in os.environ.keys() - environment.keys()),
        *(
            SetEnvironmentVariable(name, value)
            for name, value in environment.items()
            if os.environ.get(name) != value
        ),
        LogInfo(msg=f"isolated; to look on: {look_on} ros2 topic list --no-daemon"),
        _told_of_others(domain_id),
    ]


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
