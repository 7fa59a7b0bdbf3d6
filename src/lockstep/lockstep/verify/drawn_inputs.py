"""The inputs of a verification that are drawn, as a bag."""

from __future__ import annotations

from pathlib import Path

from ..component import Contract
from ..distributions.model import drawing_of, sampled_bag
from ..run.implementation import command_of, contract_of_command, host_command
from .model import Verification

FOLDER = "inputs.sampled"
"""What the bag is called in the folder of a run, where no implementation can be called so."""


def check_sample(verification: Verification, contract: Contract) -> None:
    """Raise UsageError or DistError if the sample of a verification cannot be drawn for its contract."""
    if verification.inputs.sample is not None:
        drawing_of(verification.inputs.sample, contract, component_of(verification))


def with_bag(
    verification: Verification, place: Path, contract: Contract | None = None
) -> Verification:
    """A verification whose inputs are a bag: itself, or the same with its sample drawn to `place`.

    The reference is asked for its contract if that is not known.
    """
    sample = verification.inputs.sample
    if sample is None:
        return verification
    contract = contract or contract_and_component(verification)[0]
    topics = sampled_bag(sample, contract, component_of(verification), place)
    inputs = verification.inputs.model_copy(update={"bag": place, "topics": topics, "sample": None})
    return verification.model_copy(update={"inputs": inputs})


def contract_and_component(verification: Verification) -> tuple[Contract, str | None]:
    """The contract that counts, and the Python component whose distributions do (`component_of`)."""
    name, component = verification.reference, component_of(verification)
    if verification.contract is not None:
        return contract_of_command("contract", host_command(verification.contract)), component
    implementation = verification.implementations[name]
    return contract_of_command(name, command_of(name, implementation)), component


def component_of(verification: Verification) -> str | None:
    """The Python component (MODULE:CLASS) whose distributions count where the file declares none; None without one."""
    reference = verification.implementations[verification.reference]
    every = [verification.contract, reference.component]
    every += [one.component for one in verification.implementations.values()]
    return next((target for target in every if target is not None), None)
