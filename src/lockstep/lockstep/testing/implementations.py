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
from ..run.nodes.differences import as_promised, contradictions
from ..run.nodes.registered import registered_contract
from ..run.nodes.targets import known
from ..verify.model import Verification
from .direct import DirectHarness
from .harness import Harness
from .in_process import InProcessHarness
from .node import NodeHarness


def testable(verification: Verification, *, live: bool) -> list[str]:
    """The names of the implementations that can be driven: components, and, where nodes run
    directly, ordinary ones; black boxes, and several nodes as one system, are left out."""
    with_nodes = verification.run.mode == "direct" and not live
    every = verification.implementations
    return [
        name for name, one in every.items() if one.nodes is None and (with_nodes or not one.is_node)
    ]


class Implementations:
    """Harnesses and contracts by verify.yaml and name, each made when it is first asked for."""

    def __init__(self, folder: Path, *, live: bool) -> None:
        """Logs go to `folder`, an empty one."""
        self._folder = folder
        self._live = live
        self._stack = ExitStack()
        self._harnesses: dict[tuple[Path, str], Harness] = {}
        self._references: dict[Path, Contract] = {}
        self._own: dict[tuple[Path, str], Contract] = {}
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
            harness = self._make(file, verification, name, folder)
            self._stack.callback(harness.close)
            self._harnesses[key] = harness
        harness = self._harnesses[key]
        if key not in self._differences:
            self._differences[key] = self._differing(file, verification, name, harness)
        if differences := self._differences[key]:
            raise UsageError(
                f"'{name}' does not keep the contract of {file.name}: {'; '.join(differences)}"
            )
        return harness

    def _make(self, file: Path, verification: Verification, name: str, folder: Path) -> Harness:
        implementation = known(name, verification.implementations[name])
        timeout_s = verification.run.timeout
        if implementation.is_node:
            if self._live:
                raise UsageError(
                    f"'{name}' is an ordinary node, which acknowledges nothing; leave --live out"
                )
            return NodeHarness(
                name,
                implementation,
                self._reference(file, verification),
                folder,
                timeout_s,
                allow_uncontrolled=verification.run.allow_uncontrolled,
            )
        if self._live:
            from .live import LiveHarness  # needs rclpy, which direct runs do not

            command = command_of(name, implementation)
            contract = contract_of_command(name, command)
            return LiveHarness(name, command, contract, folder, timeout_s)
        if implementation.component is not None:
            return InProcessHarness(load(implementation.component))
        return DirectHarness(name, direct_command(name, implementation), folder, timeout_s)

    def _differing(
        self, file: Path, verification: Verification, name: str, harness: Harness
    ) -> list[str]:
        """In what an implementation does not keep the contract."""
        reference = self._reference(file, verification)
        if not isinstance(harness, NodeHarness):
            return reference.differences(harness.contract)
        own = self._registered(file, verification, name)
        remap = verification.implementations[name].remap
        given = parameters_of(verification, name)
        return contradictions(reference, as_promised(own, reference, remap), given)

    def _reference(self, file: Path, verification: Verification) -> Contract:
        if file not in self._references:
            self._references[file] = self._promised(file, verification)
        return self._references[file]

    def _promised(self, file: Path, verification: Verification) -> Contract:
        if verification.contract is not None:
            return contract_of(load(verification.contract))
        every, name = verification.implementations, verification.reference
        if known(name, every[name]).is_node:
            others = (other for other, one in every.items() if not known(other, one).is_node)
            name = next(others, name)
        implementation = known(name, every[name])
        if implementation.component is not None:
            return contract_of(load(implementation.component))
        if implementation.is_node:
            return self._registered(file, verification, name)
        return contract_of_command(name, command_of(name, implementation))

    def _registered(self, file: Path, verification: Verification, name: str) -> Contract:
        """What a node registers, with the topics as it calls them; it is asked once."""
        key = file, name
        if key not in self._own:
            parameters = dict(parameters_of(verification, name))
            declared = verification.implementations[name]
            one = declared.model_copy(update={"parameters": parameters})
            self._own[key] = registered_contract(name, one)
        return self._own[key]


def parameters_of(verification: Verification, name: str) -> Mapping[str, Any]:
    """The parameters with which the verification runs an implementation."""
    return verification.parameters | verification.implementations[name].parameters
