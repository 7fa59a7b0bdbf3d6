"""Keeps a launch to itself: a domain that nobody uses, and discovery that stays on this machine."""

from __future__ import annotations

import os
from contextlib import ExitStack

from launch import Action, LaunchContext
from launch.actions import LogInfo, SetEnvironmentVariable, UnsetEnvironmentVariable
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
    ]


def _domain_id(text: str) -> str:
    if not text.isdecimal() or int(text) not in _DOMAIN_IDS:
        raise UsageError(f"domain_id:={text} is neither auto nor as_is nor between 0 and 232")
    return text
