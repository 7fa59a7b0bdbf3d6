"""A node's process: start, signals, errors, end — the same for every node of the suite."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import rclpy
import rclpy.exceptions
from rclpy.context import Context
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown

from ..bag import BagError
from ..compare import CompareError
from ..run.errors import FAILED, USAGE, RunError, UsageError


class Stop:
    """Set by SIGINT or SIGTERM; loops ask it, so that a node always ends between two messages."""

    def __init__(self) -> None:
        self.requested = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


@contextmanager
def ros_node(name: str, ros_arguments: Sequence[str], **options: Any) -> Iterator[Node]:
    """An rclpy node in its own context; `ros_arguments` are those from `--ros-args` on."""
    context = Context()
    try:
        rclpy.init(
            args=list(ros_arguments),
            context=context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        node = Node(name, context=context, **options)
    except (
        rclpy_implementation.RCLInvalidROSArgsError,
        rclpy_implementation.UnknownROSArgsError,
        rclpy.exceptions.InvalidNodeNameException,
        rclpy.exceptions.InvalidNamespaceException,
    ) as error:
        try_shutdown(context=context)
        raise UsageError(" ".join(str(error).split())) from error
    try:
        yield node
    finally:
        node.destroy_node()
        try_shutdown(context=context)


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The node's own arguments and the ROS ones (`--ros-args … --`)."""
    own: list[str] = []
    ros: list[str] = []
    target = own
    for argument in arguments:
        if argument == "--ros-args":
            target = ros
            ros.append(argument)
        elif argument == "--" and target is ros:
            ros.append(argument)
            target = own
        else:
            target.append(argument)
    return own, ros


def exit_with(main: Callable[[], int]) -> None:
    """Run `main` and end the process with its exit code; errors become one sentence on stderr."""
    try:
        code = main()
    except (UsageError, BagError, CompareError) as error:
        print(f"error: {error}", file=sys.stderr)
        code = USAGE
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        code = FAILED
    sys.exit(code)
