"""What a component asks of the program that hosts it."""

from __future__ import annotations

from typing import Any, Protocol


class Logger(Protocol):
    """What a component may log with; live it is the node's ROS logger."""

    def debug(self, message: str) -> Any: ...
    def info(self, message: str) -> Any: ...
    def warning(self, message: str) -> Any: ...
    def error(self, message: str) -> Any: ...


class Host(Protocol):
    """The program that gives a component its ports and its time."""

    @property
    def logger(self) -> Logger: ...
    def now(self) -> int: ...
    def publish(self, output: str, msg: Any) -> None: ...


class Owner(Protocol):
    """A component, as its ports and parameters see it."""

    host: Host
    parameter_values: dict[str, Any]
