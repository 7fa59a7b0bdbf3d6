"""What comes out of a verification."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..compare import Comparison
from ..component import Contract
from ..errors import DIFFERENT, MATCH
from ..run.result import RunResult


@dataclass(frozen=True)
class Verdict:
    """What came out; `comparisons` has one entry for each implementation but the reference."""

    folder: Path
    reference: str
    contract: Contract
    mismatched_contracts: dict[str, list[str]]
    runs: dict[str, RunResult]
    comparisons: dict[str, Comparison]
    noise: tuple[Comparison, ...] = ()
    """The reference against itself, run again on the same inputs."""

    @property
    def exit_code(self) -> int:
        """0 if every implementation does what the reference does, else 1."""
        matches = all(comparison.all_match for comparison in self.comparisons.values())
        return MATCH if matches and not self.mismatched_contracts else DIFFERENT
