"""How to start an implementation, and what it promises."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..component import Contract
from ..component.contract import ContractVersionError
from ..errors import USAGE, Crash, UsageError
from .model import Implementation, SystemNode
from .processes import Answer, ask

CONTRACT_PATIENCE_S = 30


def command_of(name: str, implementation: Implementation) -> list[str]:
    """The command line that starts it, without arguments; raises UsageError if there is no such
    program."""
    if implementation.component is not None:
        return host_command(implementation.component)
    if implementation.executable is not None:
        return [str(find_executable(name, implementation.executable))]
    if implementation.launch is not None:
        return [str(find_executable(name, "lockstep_launch/system")), *implementation.launch]
    if implementation.node is not None:
        return [sys.executable, "-m", "lockstep.nodes.spin", implementation.node]
    assert implementation.command is not None
    return implementation.command


def commands_of(name: str, implementation: Implementation) -> list[list[str]]:
    """The command lines that start it, one for each process of a system; raises as `command_of`
    does."""
    if implementation.nodes is None:
        return [command_of(name, implementation)]
    return [[*command_of(name, alone(one)), *one.arguments] for one in implementation.nodes]


def alone(one: SystemNode) -> Implementation:
    """A node of a system, without the others and its arguments."""
    return Implementation(executable=one.executable, node=one.node, command=one.command)


def direct_command(name: str, implementation: Implementation) -> list[str]:
    """The command line that starts it in direct mode; raises UsageError if there is no such
    program."""
    if implementation.component is not None:
        return [*asked_command(implementation.component), "--direct"]
    return [*command_of(name, implementation), "--direct"]


def many_command(name: str, implementation: Implementation) -> tuple[list[str], bool]:
    """The command line that starts it for many direct runs, and whether it goes on after a callback
    that raised."""
    if implementation.component is not None:
        return [*asked_command(implementation.component), "--many"], True
    return direct_command(name, implementation), False


def asked_command(component: str) -> list[str]:
    """The command line of the Python host that needs no ROS graph: for --direct and --contract of
    `MODULE:CLASS`."""
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
        raise UsageError(
            f"{name}: package '{package}' is installed, but has no executable '{program}' in "
            f"lib/{package}; build it, or correct the name"
            f"{_there_are(prefixes, package)}"
        )
    if not prefixes:
        raise UsageError(
            f"{name}: package '{package}' is not found, since no workspace is sourced "
            "(AMENT_PREFIX_PATH is empty); source its setup script"
        )
    raise UsageError(
        f"{name}: package '{package}' is in none of the {len(prefixes)} folders of "
        "AMENT_PREFIX_PATH; build it and source its workspace"
    )


def _there_are(prefixes: Sequence[Path], package: str) -> str:
    """The names of the executables of a package, as the end of a sentence."""
    files = [file for prefix in prefixes for file in prefix.glob(f"lib/{package}/*")]
    names = sorted({file.name for file in files if file.is_file() and os.access(file, os.X_OK)})
    return f" (it has {', '.join(names)})" if names else ""


def contracts_of(implementations: Mapping[str, Implementation]) -> dict[str, Contract]:
    """Ask implementations that are no black boxes for their contracts, all at once."""
    return contracts_of_commands(
        {
            name: asked_command(one.component)
            if one.component is not None
            else command_of(name, one)
            for name, one in implementations.items()
        }
    )


def contract_of_command(name: str, command: Sequence[str]) -> Contract:
    """Ask a host for its contract; see `contracts_of_commands`."""
    return contracts_of_commands({name: command})[name]


def contracts_of_commands(commands: Mapping[str, Sequence[str]]) -> dict[str, Contract]:
    """Ask hosts, by name, for their contracts.

    Raises UsageError for what cannot be started or is no host, Hang or Crash if one does not
    answer.
    """
    asked = {name: [*command, "--contract"] for name, command in commands.items()}
    answers = ask(asked, CONTRACT_PATIENCE_S)
    return {name: told_contract(name, done) for name, done in answers.items()}


def told_contract(name: str, done: Answer) -> Contract:
    """The contract of what was asked for it; raises as `contracts_of_commands` does."""
    if done.error is not None:
        raise type(done.error)(f"{name} printed no contract: {done.error}")
    if done.code != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.code}"]
        kind = UsageError if done.code == USAGE else Crash
        raise kind(f"{name} printed no contract: {lines[-1]}")
    try:
        return Contract.from_json(done.stdout)
    except ContractVersionError as error:
        raise UsageError(f"{name}: {error}") from error
    except ValueError as error:
        raise UsageError(
            f"{name} printed no contract: {error}; start nodes that are not components with "
            "command:"
        ) from error
