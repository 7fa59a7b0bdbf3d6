"""How to start an implementation, and what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ..component import Contract
from ..component.contract import ContractVersionError
from ..errors import USAGE, RunError, UsageError
from .model import Implementation
from .processes import ask

_CONTRACT_PATIENCE_S = 30


def command_of(name: str, implementation: Implementation) -> list[str]:
    """The command line that starts it, without arguments; raises UsageError if there is no such program."""
    if implementation.component is not None:
        return host_command(implementation.component)
    if implementation.executable is not None:
        return [str(find_executable(name, implementation.executable))]
    assert implementation.command is not None
    return implementation.command


def direct_command(name: str, implementation: Implementation) -> list[str]:
    """The command line that starts it in direct mode; raises UsageError if there is no such program."""
    if implementation.component is not None:
        return [*asked_command(implementation.component), "--direct"]
    return [*command_of(name, implementation), "--direct"]


def many_command(name: str, implementation: Implementation) -> tuple[list[str], bool]:
    """The command line that starts it for many direct runs, and whether it goes on after a callback that raised."""
    if implementation.component is not None:
        return [*asked_command(implementation.component), "--many"], True
    return direct_command(name, implementation), False


def asked_command(component: str) -> list[str]:
    """The command line of the Python host that needs no ROS graph: for --direct and --contract of `MODULE:CLASS`."""
    return [sys.executable, "-m", "lockstep.host.direct_run", component]


def host_command(component: str) -> list[str]:
    """The command line of the Python host for `MODULE:CLASS`."""
    return [sys.executable, "-m", "lockstep.nodes.host", component]


def find_executable(name: str, executable: str) -> Path:
    """The path of PACKAGE/EXECUTABLE on AMENT_PREFIX_PATH."""
    package, _, program = executable.partition("/")
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    for prefix in prefixes:
        path = prefix / "lib" / package / program
        if path.is_file() and os.access(path, os.X_OK):
            return path
    if any((prefix / "share" / package).is_dir() for prefix in prefixes):
        raise UsageError(f"{name}: package '{package}' has no executable '{program}'; build it")
    raise UsageError(f"{name}: package '{package}' is not found; build it and source the workspace")


def contract_of_implementation(name: str, implementation: Implementation) -> Contract:
    """Ask an implementation that is no black box for its contract; see `contract_of_command`."""
    if implementation.component is not None:
        return contract_of_command(name, asked_command(implementation.component))
    return contract_of_command(name, command_of(name, implementation))


def contract_of_command(name: str, command: list[str]) -> Contract:
    """Ask a host for its contract."""
    try:
        done = ask(name, [*command, "--contract"], _CONTRACT_PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{name} printed no contract within {_CONTRACT_PATIENCE_S} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        if done.returncode == USAGE:
            reason = re.sub(r"^\w+: ", "", lines[-1])  # a host begins its sentence with its name
            raise UsageError(f"{name} printed no contract: {reason}")
        raise RunError(f"{name} printed no contract: {lines[-1]}")
    try:
        return Contract.from_json(done.stdout)
    except ContractVersionError as error:
        raise UsageError(f"{name}: {error}") from error
    except ValueError as error:
        raise UsageError(
            f"{name} printed no contract: {error}; start nodes that are not components with command:"
        ) from error
