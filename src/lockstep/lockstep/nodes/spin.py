"""`python3 -m lockstep.nodes.spin MODULE:CLASS`: an ordinary rclpy node, constructed and spun."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from ..errors import RunError, UsageError
from ..host.events import Declared, tell_declared, tell_error
from ..printable import tell


def main() -> None:
    """Spin a node until it is interrupted; exits with 2 if there is no such node or it refuses its
    parameters, with 3 if it cannot be constructed."""
    target = sys.argv[1]
    sys.path.insert(0, "")
    try:
        node_class = loaded(target)
        rclpy.init(args=sys.argv)
        with suppress(KeyboardInterrupt, ExternalShutdownException):
            node = _made(target, node_class)
            ends: tuple[Any, ...] = (*node.publishers, *node.subscriptions)
            topics = {end.topic_name: end.topic for end in ends}
            tell_declared(Declared(dict(_timers(node)), topics))
            rclpy.spin(node)
    except (RunError, UsageError) as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        tell_error(error, str(error))
        tell(str(error))
        sys.exit(error.exit_code)


def loaded(target: str) -> type[Node]:
    """The class of nodes named `MODULE:CLASS`, which is constructed without arguments; raises
    UsageError if there is none."""
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # the module is the user's and may raise anything
        raise UsageError(f"cannot load '{target}': {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Node)):
        raise UsageError(
            f"'{target}' is no class of rclpy nodes; give MODULE:CLASS, or start the program with "
            "command:"
        )
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise UsageError(
            f"'{target}' cannot be constructed without arguments ({error}), and nobody knows them; "
            "start its program with command:"
        ) from error
    return found


def _made(target: str, node_class: Any) -> Node:
    """A new node; raises UsageError for parameters that it refuses, RunError for whatever else its
    constructor raises."""
    try:
        made: Node = node_class()
    except (KeyboardInterrupt, ExternalShutdownException):
        raise
    except Exception as error:  # it is the user's and may raise anything
        kind = UsageError if isinstance(error, ParameterException) else RunError
        what = " ".join(str(error).split())
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise kind(
            f"the constructor of '{target}' failed: {type(error).__name__}: {what} "
            f"({place.filename}:{place.lineno})"
        ) from error
    return made


def _timers(node: Node) -> Iterator[tuple[str, int]]:
    """The timers of a node, called as what they call, and their periods in ns."""
    names: Counter[str] = Counter()
    for timer in node.timers:
        called = getattr(timer.callback, "__name__", "")
        plain = re.sub(r"^_*(on_)?|_*(callback|cb)?$", "", called) if called.isidentifier() else ""
        name = plain or "timer"
        names[name] += 1
        yield name if names[name] == 1 else f"{name}_{names[name]}", timer.timer_period_ns


if __name__ == "__main__":
    main()
