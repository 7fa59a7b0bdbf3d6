"""What comes out of a verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    mismatched_contracts: Mapping[str, list[str]]
    runs: Mapping[str, RunResult] = field(default_factory=dict)
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    noise: tuple[Comparison, ...] = ()
    """The reference against itself, run again on the same inputs."""

    @property
    def exit_code(self) -> int:
        """0 if every implementation does what the reference does, else 1."""
        matches = all(comparison.all_match for comparison in self.comparisons.values())
        return MATCH if matches and not self.mismatched_contracts else DIFFERENT


def same_failure(verdict: Verdict, name: str) -> list[str]:
    """That an implementation and the reference ended by a failure in the same step, if they did."""
    a, b = (verdict.runs[of].failure for of in (verdict.reference, name))
    if a is None or b is None:
        return []
    return [
        f"both failed in step {a.step}, which counts as the same, and nothing after it is known:",
        f"  {verdict.reference}: {a.sentence}",
        f"  {name}: {b.sentence}",
    ]
