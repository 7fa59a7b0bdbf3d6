"""A node's process: start, signals, errors, end — the same for every node of the suite."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import rclpy
from rclpy.context import Context
from rclpy.exceptions import (
    InvalidParameterTypeException,
    NameValidationException,
    ParameterException,
    ParameterUninitializedException,
)
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown

from ..errors import FAILED, USAGE, RunError, UsageError, unforeseen
from ..host.events import tell_error
from ..printable import tell

_ONE_INTERRUPTION_S = 1.0
_ENDED_BY_SIGNAL = 128  # plus its number: what a shell makes of it


def of_a_run() -> dict[str, Any]:
    """The options of a `ros_node` that offers nothing: none but its own run, if any, asks it.

    Each service takes every participant of the graph two endpoints to discover.
    """
    spared = Parameter("start_type_description_service", value=False)
    return {
        "start_parameter_services": False,
        "enable_rosout": False,
        "parameter_overrides": [spared],
    }


class Stopped(BaseException):
    """The process was asked to stop. Not an Exception: nothing went wrong, and no component shall
    catch it."""


class Stop:
    """Set by SIGINT or SIGTERM; loops ask it, so that a node always ends between two messages.

    With `twice_kills`, another one ends the process at once, whatever it does, with 128 plus its
    number; not within a second, as Ctrl-C comes twice, from the terminal and from `ros2 launch`.
    """

    def __init__(self, *, twice_kills: bool = False) -> None:
        self.requested = False
        self._twice_kills = twice_kills
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request)

    def check(self) -> None:
        """Raise Stopped once a stop was requested."""
        if self.requested:
            raise Stopped

    def _request(self, number: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if not self.requested:
            self.requested, self._first_s = True, now_s
        elif self._twice_kills and now_s - self._first_s > _ONE_INTERRUPTION_S:
            os._exit(_ENDED_BY_SIGNAL + number)


@contextmanager
def ros_node(
    name: str, arguments: Sequence[str], kind: type[Node] = Node, **options: Any
) -> Iterator[Node]:
    """An rclpy node in its own context; of the `arguments` it takes those for ROS."""
    own_arguments(arguments)  # rclpy.init would complain too, but in several lines
    context = Context()
    try:
        rclpy.init(
            args=list(arguments),
            context=context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
    except rclpy_implementation.RCLError as error:
        raise UsageError(sentence(error)) from error
    try:
        node = kind(name, context=context, **options)
    except (NameValidationException, ParameterException) as error:
        try_shutdown(context=context)
        raise UsageError(sentence(error)) from error
    try:
        yield node
    finally:
        node.destroy_node()
        try_shutdown(context=context)


def sentence(error: BaseException) -> str:
    """What an error of rclpy or rcl says, on one line and without the places in their sources."""
    text = " ".join(str(error).split())
    if isinstance(error, rclpy_implementation.UnknownROSArgsError):
        return f"unknown ROS argument {text.strip('[]').partition(', ')[0]} after --ros-args"
    if isinstance(error, InvalidParameterTypeException):
        pattern = r"Trying to set (parameter '.*?') to .* of type '(\w+)', expecting type '(\w+)'"
        if match := re.match(pattern, text):
            return f"{match[1]} must be of type {match[3].lower()}, not {match[2].lower()}"
    if isinstance(error, ParameterUninitializedException):  # `-p use_sim_time:=[]`
        return re.sub(
            r"^The (parameter '.*') is .*", r"\1 must be of type bool, not no value", text
        )
    return re.sub(
        r"^[Ff]ailed to (initialize rcl|initialize logging|parse ROS arguments): |, at \S+:\d+",
        "",
        text,
    )


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The node's own arguments and the ROS ones (`--ros-args … --`).

    For nodes with arguments like NAME:=TARGET, which rcl would take for a remap rule of ROS 1.
    """
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


def own_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments that rcl leaves; raises UsageError if it cannot read those that are for ROS."""
    try:
        own: list[str] = rclpy_implementation.rclpy_remove_ros_args(list(arguments))
    except (rclpy_implementation.RCLError, rclpy_implementation.UnknownROSArgsError) as error:
        raise UsageError(sentence(error)) from error
    return own


def exit_with(
    main: Callable[[], int], *wrong_input: type[Exception], name: str = "error"
) -> NoReturn:
    """Run `main` and end the process with its exit code; errors become one sentence on stderr.

    `wrong_input` are the errors beside UsageError for which the caller is to blame.
    """
    usage_errors: tuple[type[Exception], ...] = (UsageError, *wrong_input)
    try:
        code = main()
        # An interpreter that ends would die of it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(code)
    except usage_errors as error:
        _fail(name, error, str(error), refused=True)
    except RunError as error:
        _fail(name, error, str(error))
    except rclpy_implementation.RCLError as error:
        _fail(name, error, sentence(error))
    except Exception as error:  # noqa: BLE001 - never a traceback, and never taken for a verdict
        _fail(name, error, unforeseen(error))


def _fail(name: str, error: Exception, message: str, *, refused: bool = False) -> NoReturn:
    tell_error(error, message, refused=refused)
    tell(f"{name}: {message}")
    sys.exit(USAGE if refused else FAILED)
