"""The implementations of verify.yaml files that can be unit-tested, each with its harness and its
contract."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..component import Contract, contract_of
from ..errors import UsageError
from ..host.python_component import load
from ..run.implementation import command_of, contract_of_command, direct_command
from ..verify.model import Verification
from .direct import DirectHarness
from .harness import Harness
from .in_process import InProcessHarness


def testable(verification: Verification) -> list[str]:
    """The names of the implementations that are components; black boxes are left out."""
    return [name for name, i in verification.implementations.items() if not i.is_node]


class Implementations:
    """Harnesses and contracts by verify.yaml and name, each made when it is first asked for."""

    def __init__(self, folder: Path, *, live: bool) -> None:
        """Logs go to `folder`, an empty one."""
        self._folder = folder
        self._live = live
        self._stack = ExitStack()
        self._harnesses: dict[tuple[Path, str], Harness] = {}
        self._references: dict[Path, Contract] = {}
        self._differences: dict[tuple[Path, str], list[str]] = {}

    def close(self) -> None:
        """End every process; raises RunError if one does not end well."""
        self._stack.close()

    def harness(self, file: Path, verification: Verification, name: str) -> Harness:
        """The harness of one implementation. Raises UsageError if there is no such program,
        RunError if it fails, or breaks the contract."""
        key = file, name
        if key not in self._harnesses:
            folder = self._folder / str(len(self._harnesses))
            folder.mkdir(exist_ok=True)
            harness = self._make(verification, name, folder)
            self._stack.callback(harness.close)
            self._harnesses[key] = harness
        harness = self._harnesses[key]
        if key not in self._differences:
            reference = self._reference(file, verification)
            self._differences[key] = reference.differences(harness.contract)
        if differences := self._differences[key]:
            raise UsageError(
                f"'{name}' does not keep the contract of {file.name}: {'; '.join(differences)}"
            )
        return harness

    def _make(self, verification: Verification, name: str, folder: Path) -> Harness:
        implementation = verification.implementations[name]
        timeout_s = verification.run.timeout
        if self._live:
            from .live import LiveHarness  # needs rclpy, which direct runs do not

            command = command_of(name, implementation)
            contract = contract_of_command(name, command)
            return LiveHarness(name, command, contract, folder, timeout_s)
        if implementation.component is not None:
            return InProcessHarness(load(implementation.component))
        return DirectHarness(name, direct_command(name, implementation), folder, timeout_s)

    def _reference(self, file: Path, verification: Verification) -> Contract:
        if file not in self._references:
            target = verification.contract
            name = verification.reference
            implementation = verification.implementations[name]
            if target is None:
                target = implementation.component
            self._references[file] = (
                contract_of(load(target))
                if target is not None
                else contract_of_command(name, command_of(name, implementation))
            )
        return self._references[file]


def parameters_of(verification: Verification, name: str) -> Mapping[str, Any]:
    """The parameters with which the verification runs an implementation."""
    return verification.parameters | verification.implementations[name].parameters
