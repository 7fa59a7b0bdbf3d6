"""Python components in any host: how they are found, named, and called."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..cdr.codec import installed_codec
from ..component import Component, Service, component_of
from ..errors import BagError, CallbackError, RunError, UsageError
from ..message.rosidl import type_name
from ..message.time import seconds


def load(target: str) -> type[Component]:
    """The component class named `MODULE:CLASS`; raises UsageError if there is none."""
    found = _named(target)
    component_class = component_of(found)
    if component_class is None:
        what = "the class of an ordinary node, which is declared as node:, "
        raise UsageError(
            f"'{target}' is {what if is_node_class(found) else ''}not a component class; give "
            "MODULE:CLASS"
        )
    return component_class


def _named(target: str) -> Any:
    """What is named `MODULE:NAME`."""
    module_name, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), name)
    except Exception as error:  # the module is the user's and may raise anything
        raise UsageError(f"cannot load '{target}': {type(error).__name__}: {error}") from error


def is_node_class(found: Any) -> bool:
    """Whether it is a class of rclpy nodes; whoever has one has imported rclpy."""
    rclpy = sys.modules.get("rclpy.node")
    return rclpy is not None and isinstance(found, type) and issubclass(found, rclpy.Node)


def make(component_class: type[Component]) -> Component:
    """A new component; raises RunError, which says what its constructor raised."""
    try:
        return component_class()
    except Exception as error:  # it is the user's and may raise anything
        raise RunError(_what_and_where(error)) from error


def node_name(component_name: str) -> str:
    """The default node name: the class name in snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", component_name).lower()


def call(
    component: Component, name: str, now_ns: int, *args: Any, service: Service | None = None
) -> None:
    """Call `on_<name>`, and publish what it returns if it is that of a service.

    Raises CallbackError: what it raised, where, and when in the run.
    """
    try:
        result = getattr(component, f"on_{name}")(*args)
        if service is not None:
            service.check(result)
            component.outputs[service.responses.name].publish(result)
    except RunError:
        raise
    except (Exception, SystemExit) as error:  # a component does not end its host
        raise CallbackError(
            f"on_{name} failed at {seconds(now_ns)} s: {_what_and_where(error)}"
        ) from error


def output_encoder(output: str, message_type: type[Any]) -> Callable[[Any], bytes]:
    """What makes CDR of the messages of an output.

    It raises ValueError, which names the output, for what is none of them.
    """
    encode = installed_codec(type_name(message_type)).encode

    def encoded(message: Any) -> bytes:
        try:
            return encode(message)
        except BagError as error:
            raise ValueError(f"output '{output}': {error}") from error

    return encoded


def _what_and_where(error: BaseException) -> str:
    what = " ".join(str(error).splitlines())
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {what} ({where.filename}:{where.lineno})"


def load_here(target: str) -> type[Component]:
    """The component class named `MODULE:NAME`; modules are found in the current folder, too."""
    with _found_here():
        return load(target)


def named_here(target: str) -> Any:
    """What is named `MODULE:NAME`, whatever it is; modules are found in the current folder, too.

    Raises UsageError if there is no such thing.
    """
    with _found_here():
        return _named(target)


@contextmanager
def _found_here() -> Iterator[None]:
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
