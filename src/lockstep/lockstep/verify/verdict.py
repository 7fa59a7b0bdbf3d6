"""What comes out of a verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..compare import Comparison
from ..component import Contract
from ..errors import DIFFERENT, MATCH
from ..run.result import RunResult, in_and_out


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
    repeats: Mapping[str, tuple[Comparison, ...]] = field(default_factory=dict)
    """Each other implementation against itself, if it ran again."""

    @property
    def exit_code(self) -> int:
        """0 if every implementation does what the reference does, else 1."""
        matches = all(matched(self, name) for name in self.comparisons)
        return MATCH if matches and not self.mismatched_contracts else DIFFERENT


def matched(verdict: Verdict, name: str) -> bool:
    """Whether an implementation does what the reference does, and does it again."""
    return verdict.comparisons[name].all_match and not unsteady(verdict, name)


def unsteady(verdict: Verdict, name: str) -> str | None:
    """That an implementation does not do the same again on the same inputs, as a sentence."""
    for comparison in verdict.repeats.get(name, ()):
        if not comparison.all_match:
            return f"{not_again(name, comparison)}; see {verdict.folder / f'{name}_vs_itself'}"
    return None


def not_again(name: str, comparison: Comparison) -> str:
    """What is wrong with a comparison of an implementation with itself, as a clause."""
    wrong = next(key for key in comparison.keys.values() if not key.matches)
    return (
        f"{name} does not do the same again on the same inputs ({wrong.wrong} messages of "
        f"{wrong.topic}: {wrong.grade})"
    )


def black_boxes(verdict: Verdict) -> list[str]:
    """What went into each black box, which tells nobody what it has dropped, and what came out."""
    return [in_and_out(run) for run in verdict.runs.values() if run.black_box]


def rests_on(verdict: Verdict, name: str) -> tuple[int, int] | None:
    """On how many steps of how many the verdict rests, if both runs ended by a declared failure."""
    if name not in verdict.runs:  # as where contracts differ
        return None
    a, b = (verdict.runs[of].failure for of in (verdict.reference, name))
    return None if a is None or b is None else (a.step, a.of_steps)


def same_failure(verdict: Verdict, name: str) -> list[str]:
    """That an implementation and the reference ended by a failure in one step, if they did."""
    a, b = (verdict.runs[of].failure for of in (verdict.reference, name))
    if a is None or b is None:
        return []
    return [
        f"rests on {a.step} of {a.of_steps} steps: both failed in step {a.step}, as is declared,",
        "and nothing after it is known:",
        f"  {verdict.reference}: {a.sentence}",
        f"  {name}: {b.sentence}",
    ]
