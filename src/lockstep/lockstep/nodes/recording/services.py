"""The services that drive a recorder: with the names and types of rosbag2_interfaces where they are
installed, so that what drives `ros2 bag record` drives this one; else with types of the same fields
or std_srvs/srv/Trigger."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from rclpy.node import Node

from ...errors import BagError
from ..driving import fill, service_type


class Driven(Protocol):
    """What the services act on."""

    paused: bool

    def stop(self) -> None: ...
    def split(self) -> None: ...
    def take_snapshot(self) -> None: ...


def offer_services(node: Node, driven: Driven, *, snapshot: bool) -> None:
    """Offer all of them in the namespace of the node."""

    def offer(name: str, act: Callable[[], Any]) -> None:
        node.create_service(service_type(name), f"~/{name}", lambda _, answer: _answer(answer, act))

    def pause(paused: bool) -> None:
        driven.paused = paused

    offer("pause", lambda: pause(True))
    offer("resume", lambda: pause(False))
    offer("toggle_paused", lambda: pause(not driven.paused))
    offer("is_paused", lambda: driven.paused)
    offer("split_bagfile", driven.split)
    offer("stop", driven.stop)
    if snapshot:
        offer("snapshot", driven.take_snapshot)


def split_teller(node: Node) -> Callable[[Path, Path], None] | None:
    """Publishes each split as rosbag2 does; None where its types are not installed."""
    try:
        event_type = importlib.import_module("rosbag2_interfaces.msg").WriteSplitEvent
    except (ImportError, AttributeError):
        return None
    publisher = node.create_publisher(event_type, "events/write_split", 1)

    def tell(closed: Path, opened: Path) -> None:
        event = event_type(closed_file=str(closed), opened_file=str(opened))
        if hasattr(event, "node_name"):  # since Jazzy
            event.node_name = node.get_fully_qualified_name()
        publisher.publish(event)

    return tell


def _answer(answer: Any, act: Callable[[], Any]) -> Any:
    """Those fields that this kind of answer has; IsPaused has `paused`, a Trigger a `message`."""
    try:
        result, message, success = act(), "", True
    except BagError as error:
        result, message, success = None, str(error), False
    if isinstance(result, bool):
        message = "paused" if result else "recording"
    values = {"success": success, "message": message, "paused": result}
    return fill(answer, values)
