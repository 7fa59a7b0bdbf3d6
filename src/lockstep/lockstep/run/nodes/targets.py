"""What somebody means who names a component or an ordinary node, and what it promises."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import redirect_stdout
from functools import lru_cache
from pathlib import Path

from ...component import Component, Contract, component_of
from ...errors import RunError, UsageError
from ...host.python_component import is_node_class, named_here
from ...temporary_folder import TemporaryFolder
from ..implementation import asked_command, command_of, contract_of_command, find_executable
from ..model import Implementation
from ..processes import Processes
from .registered import NOTHING, registered_contract
from .started import Start, begun
from .world import has_middleware

_LIBRARY_OF_COMPONENTS = b"liblockstep_cpp"


def implementation_of(target: str) -> Implementation:
    """A component or an ordinary node: MODULE:CLASS, PACKAGE/EXECUTABLE or a command of several
    words.

    Raises UsageError if it is nothing of these.
    """
    words = shlex.split(target)
    if len(words) > 1:
        return Implementation(command=words)
    if ":" in target:
        with redirect_stdout(sys.stderr):  # what the module prints is no result
            found = named_here(target)
        if is_node_class(found):
            return Implementation(node=target)
        if component_of(found) is None and not isinstance(found, Component):
            raise UsageError(
                f"'{target}' is neither a component nor a class of rclpy nodes; give MODULE:CLASS"
            )
        return Implementation(component=target)
    if target.count("/") != 1:
        raise UsageError(
            f"'{target}' is neither MODULE:CLASS nor PACKAGE/EXECUTABLE; a command is given in "
            "quotes, with its arguments"
        )
    return known(target, Implementation(executable=target))


def contract_of_target(target: str, implementation: Implementation) -> Contract:
    """What it promises; raises UsageError or RunError if it does not tell."""
    if implementation.is_node:
        return registered_contract(target, implementation)
    if implementation.component is not None:
        return contract_of_command(target, asked_command(implementation.component))
    return contract_of_command(target, command_of(target, implementation))


def known(name: str, implementation: Implementation) -> Implementation:
    """The same; an executable that is no component is known as a node.

    A component is what prints its contract. It is asked on the middleware for nodes, so that a node
    which does not know that question reaches nobody; where that is not installed, every executable
    is taken for a component.
    """
    if implementation.executable is None or implementation.is_node:
        return implementation
    path = find_executable(name, implementation.executable).resolve()
    if _is_component(path, path.stat().st_mtime_ns):
        return implementation
    return implementation.as_node()


@lru_cache
def _is_component(path: Path, mtime_ns: int) -> bool:
    """Asked once of a program that stays as it is."""
    program = path.read_bytes()
    if _LIBRARY_OF_COMPONENTS in program or not has_middleware():
        return True
    asked = Implementation(command=[str(path), "--contract"])
    with TemporaryFolder("lockstep-asked-") as folder, Processes(os.environ) as processes:
        start = Start(path.name, asked, NOTHING, {}, folder.path, 1.0)
        with begun(start, processes, 0, keeps_log=False) as connected:
            try:
                connected()
            except (RunError, UsageError):
                printed = (folder.path / "node.log").read_text("utf-8", "replace")
                return _is_contract(printed[printed.find("{") :])
            return False


def _is_contract(text: str) -> bool:
    try:
        Contract.from_json(text)
    except ValueError:
        return False
    return True
