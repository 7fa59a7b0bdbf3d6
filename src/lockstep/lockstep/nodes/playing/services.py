"""The services that drive a player: with the names and types of rosbag2_interfaces where they are
installed, so that what drives `ros2 bag play` drives this one; else with types of our own, which
have the same fields and tell the reason of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.task import Future

from ...component import stamp_ns
from ...errors import UsageError
from ..driving import fill, service_type
from .controls import Controls

Answer = dict[str, Any]


def offer_services(node: Node, controls: Controls) -> None:
    """Offer all of them in the namespace of the node."""

    def offer(name: str, act: Callable[[Any], Answer]) -> None:
        node.create_service(service_type(name), f"~/{name}", partial(_answer, act))

    async def burst(count: int) -> int:
        future: Future = Future()
        controls.burst(count, future.set_result)
        played: int = await future
        return played

    async def play_next(request: Any, response: Any) -> Any:
        try:
            played = await burst(1)
            message = "" if played else "no message is left"
        except UsageError as error:
            played, message = 0, str(error)
        return fill(response, {"success": bool(played), "message": message})

    async def play_burst(request: Any, response: Any) -> Any:
        try:
            played = await burst(request.num_messages)
        except UsageError:
            played = 0
        return fill(response, {"actually_burst": played})

    offer("pause", lambda _: _done(controls.pause))
    offer("resume", lambda _: _done(controls.resume))
    offer("toggle_paused", lambda _: _done(controls.toggle))
    offer("stop", lambda _: _done(controls.stop))
    offer("is_paused", lambda _: {"paused": controls.paused})
    offer("get_rate", lambda _: {"rate": controls.rtf})
    offer("set_rate", lambda request: _done(partial(controls.set_rtf, request.rate)))
    offer("seek", lambda request: _done(partial(controls.seek, stamp_ns(request.time))))
    node.create_service(service_type("play_next"), "~/play_next", play_next)
    node.create_service(service_type("burst"), "~/burst", play_burst)


def _done(act: Callable[[], None]) -> Answer:
    try:
        act()
    except UsageError as error:
        return {"success": False, "message": str(error)}
    return {"success": True, "message": ""}


def _answer(act: Callable[[Any], Answer], request: Any, response: Any) -> Any:
    return fill(response, act(request))
