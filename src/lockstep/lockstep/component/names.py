"""Which names the parts of a component, and the topics of its ports, may have.

lockstep_cpp's component/names.cpp is the twin.
"""

from __future__ import annotations

import re

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_TOPIC = re.compile(rf"(~?/)?{_IDENTIFIER}(/{_IDENTIFIER})*")

TAKEN = frozenset(
    {
        "host",
        "inputs",
        "listeners",
        "logger",
        "now",
        "on_parameters_changed",
        "on_start",
        "outputs",
        "parameter_values",
        "parameters",
        "services",
        "timers",
    }
)
"""Attributes of every component in Python."""

HOOKS = frozenset({"parameters_changed", "start"})
"""What `on_<name>` is called for that is no port and no timer."""


def name_objection(kind: str, name: str) -> str:
    """Why an `input`, `output`, `service`, `timer` or
    `parameter` cannot be an attribute of that name.

    Empty if it can; else a sentence that is the same in every language.
    """
    part = f"{kind} '{name}' "
    if name in TAKEN:
        return (
            f"{part}has the name of an attribute that every component has; choose another name, "
            "and give a port its topic, or a parameter its ROS name, by itself"
        )
    if name in HOOKS and kind in ("input", "service", "timer"):
        return (
            f"{part}cannot have this name, because on_{name} is called for another reason; choose "
            "another name"
        )
    if kind != "parameter" and not re.fullmatch(_IDENTIFIER, name):
        return (
            f"{part}has a name that is no identifier; use letters, digits and underscores, and no "
            "digit at the beginning"
        )
    return ""


def topic_objection(kind: str, name: str, topic: str) -> str:
    """Why the port `name` cannot have a topic; empty if it can.

    A topic is relative, absolute (`/tf`) or of the node's own (`~/state`).
    """
    if _TOPIC.fullmatch(topic):
        return ""
    return (
        f"{kind} '{name}' has the topic '{topic}', which is no name of a ROS topic; use letters, "
        "digits, underscores and single slashes, no digit at the beginning of a part, and ~/ in "
        "front alone"
    )
