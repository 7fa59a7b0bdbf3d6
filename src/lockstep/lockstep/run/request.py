"""What one run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..component import Contract
from .inputs import RunInputs
from .model import Implementation, ParameterValue, Run


@dataclass(frozen=True)
class RunRequest:
    """Who runs, on which inputs, how, and into which folder, which is there.

    `silent` are the topics of ports that need not carry a message. Outputs are recorded
    `with_cause` if it shall be told which step of the run each of them answers. `is_own_contract`:
    the contract is what the node has registered at its start, so that it may lack something.
    """

    name: str
    implementation: Implementation
    contract: Contract
    inputs: RunInputs
    parameters: Mapping[str, ParameterValue]
    options: Run
    folder: Path
    silent: frozenset[str] = frozenset()
    with_cause: bool = False
    is_own_contract: bool = False
