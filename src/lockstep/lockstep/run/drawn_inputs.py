"""The inputs of a verification that are drawn, as a bag."""

from __future__ import annotations

from pathlib import Path

from ..component import Contract
from ..dataset.sample import Progress
from .implementation import command_of, contract_of_command, host_command
from .sampling import sampled_bag
from .verification import Verification


def with_bag(
    verification: Verification, place: Path, progress: Progress | None = None
) -> Verification:
    """A verification whose inputs are a bag: itself, or the same with its sample drawn to `place`."""
    declared = verification.inputs.sample
    if declared is None:
        return verification
    contract, component = contract_and_component(verification)
    topics = sampled_bag(declared, contract, component, place, progress=progress)
    inputs = verification.inputs.model_copy(update={"bag": place, "topics": topics, "sample": None})
    return verification.model_copy(update={"inputs": inputs})


def contract_and_component(verification: Verification) -> tuple[Contract, str | None]:
    """The contract that counts, and the Python component (MODULE:CLASS) that may declare distributions; None without one."""
    name, reference = verification.reference, verification.implementations[verification.reference]
    if verification.contract is not None:
        return contract_of_command(
            "contract", host_command(verification.contract)
        ), verification.contract
    contract = contract_of_command(name, command_of(name, reference))
    every = [reference, *verification.implementations.values()]
    return contract, next((one.component for one in every if one.component is not None), None)
