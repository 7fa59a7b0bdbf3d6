"""The services that drive a player: with the names and types of rosbag2_interfaces where they are
installed, so that what drives `ros2 bag play` drives this one; else with types of our own, which
have the same fields and tell the reason of a refusal."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

from ...component import stamp_ns
from ...errors import UsageError
from .controls import Controls

_OWN = "lockstep_interfaces.srv"
_OF_ROSBAG2 = "rosbag2_interfaces.srv"

Answer = dict[str, Any]


def offer_services(node: Node, controls: Controls) -> None:
    """Offer all of them in the namespace of the node."""
    modules = [_module(_OF_ROSBAG2), _module(_OWN)]

    def offer(name: str, act: Callable[[Any], Answer]) -> None:
        node.create_service(_type(name, modules), f"~/{name}", partial(_answer, act))

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
        return _fill(response, {"success": bool(played), "message": message})

    async def play_burst(request: Any, response: Any) -> Any:
        try:
            played = await burst(request.num_messages)
        except UsageError:
            played = 0
        return _fill(response, {"actually_burst": played})

    offer("pause", lambda _: _done(controls.pause))
    offer("resume", lambda _: _done(controls.resume))
    offer("toggle_paused", lambda _: _done(controls.toggle))
    offer("stop", lambda _: _done(controls.stop))
    offer("is_paused", lambda _: {"paused": controls.paused})
    offer("get_rate", lambda _: {"rate": controls.rtf})
    offer("set_rate", lambda request: _done(partial(controls.set_rtf, request.rate)))
    offer("seek", lambda request: _done(partial(controls.seek, stamp_ns(request.time))))
    node.create_service(_type("play_next", modules), "~/play_next", play_next)
    node.create_service(_type("burst", modules), "~/burst", play_burst)


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _type(name: str, modules: Sequence[ModuleType | None]) -> Any:
    """The type of `play_next` is PlayNext; of what needs no type of ours, Trigger."""
    kind = name.title().replace("_", "")
    for module in modules:
        if hasattr(module, kind):
            return getattr(module, kind)
    return Trigger


def _done(act: Callable[[], None]) -> Answer:
    try:
        act()
    except UsageError as error:
        return {"success": False, "message": str(error)}
    return {"success": True, "message": ""}


def _answer(act: Callable[[Any], Answer], request: Any, response: Any) -> Any:
    return _fill(response, act(request))


def _fill(response: Any, answer: Answer) -> Any:
    """Those fields of an answer that this kind of response has."""
    for name in response.get_fields_and_field_types():
        if name in answer:
            setattr(response, name, answer[name])
    return response
