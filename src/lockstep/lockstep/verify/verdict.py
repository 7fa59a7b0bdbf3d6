"""What comes out of a verification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..compare import Comparison
from ..compare.comparison import summary
from ..component import Contract
from ..errors import DIFFERENT, FAILED, MATCH
from ..run.inputs import Arrived
from ..run.result import RunResult, in_and_out, leak
from .fingerprints import Fingerprint
from .first_node import first_node
from .kept import KeptRun
from .noise import FieldNoise, suggested

Outcome = Literal["match", "differs", "no verdict"]


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

    fingerprints: Mapping[str, Fingerprint] = field(default_factory=dict)
    """What each implementation consists of on disk, of those of which something was found."""
    stale: Mapping[str, str] = field(default_factory=dict)
    """Why what ran as an implementation is not known to be what is on disk, a phrase."""
    untaken: Mapping[str, str] = field(default_factory=dict)
    """What a black box did not take of its inputs in one of its runs, a sentence."""
    arrived: Arrived | None = None
    """What an external player sent, if that was the inputs."""
    kept: KeptRun | None = None
    """The run of the reference, if it was made before."""
    floor: tuple[FieldNoise, ...] = ()
    """The fields in which runs of the reference differ as noise does, which are judged by that."""

    @property
    def exit_code(self) -> int:
        """0 if every implementation does what the reference does, 1 if one does not; 3 if nobody
        knows, as what ran is not what is on disk, or was not given all of the inputs."""
        outcomes = {outcome(self, name) for name in self.comparisons}
        if self.mismatched_contracts or "differs" in outcomes:
            return DIFFERENT
        return FAILED if self.stale or "no verdict" in outcomes else MATCH


def outcome(verdict: Verdict, name: str) -> Outcome:
    """Whether an implementation does what the reference does, and does it again."""
    if losses(verdict, name):
        return "no verdict"
    if not verdict.comparisons[name].all_match or unsteady(verdict, name):
        return "differs"
    return "no verdict" if not_on_disk(verdict, name) else "match"


def known_outcome(verdict: Verdict, name: str) -> Literal["match", "differs"] | None:
    """As `outcome`, also where contracts differ and nothing was run; None where nothing is
    known."""
    if name in verdict.mismatched_contracts:
        return "differs"
    if name not in verdict.comparisons:
        return None
    found = outcome(verdict, name)
    return None if found == "no verdict" else found


def losses(verdict: Verdict, name: str) -> list[str]:
    """What may be why an implementation does not do what the reference does, or not again: inputs
    that one of them lost; sentences."""
    if verdict.comparisons[name].all_match and not unsteady(verdict, name):
        return []
    return [verdict.untaken[side] for side in (verdict.reference, name) if side in verdict.untaken]


def not_on_disk(verdict: Verdict, name: str) -> list[str]:
    """Why a comparison is not one of what is on disk: a sentence for each of its sides."""
    return [
        f"{side}: {verdict.stale[side]}"
        for side in (verdict.reference, name)
        if side in verdict.stale
    ]


def objections(verdict: Verdict, name: str) -> list[str]:
    """Why an implementation does not match, or is not known to, though all messages may be equal:
    sentences."""
    why = unsteady(verdict, name)
    return [*losses(verdict, name), *([why] if why else ()), *not_on_disk(verdict, name)]


@dataclass(frozen=True)
class Finding:
    """What is to be said in words: a headline, and lines below it."""

    word: str
    sentence: str
    is_match: bool = False
    lines: tuple[str, ...] = ()


def findings(verdict: Verdict) -> Iterator[Finding]:
    """The verdict in words; nothing reads as a match that is none."""
    for name, differences in verdict.mismatched_contracts.items():
        yield Finding("CONTRACT DIFFERS", f"{name}: {'; '.join(differences)}")
    for name, comparison in verdict.comparisons.items():
        headline, *lines = summary(comparison)
        word, _, sentence = headline.partition(": ")
        a, b = (verdict.runs[of] for of in (verdict.reference, name))
        lines += [*first_node(comparison, a, b), *same_failure(verdict, name)]
        lost = losses(verdict, name)
        if lost or (comparison.all_match and objections(verdict, name)):
            lines.insert(0, f"of what ran: {sentence}")
        else:
            yield Finding(word, sentence, comparison.all_match, tuple(lines))
            lines = []
        if (why := unsteady(verdict, name)) and not lost:
            yield Finding("NOT THE SAME AGAIN", why, lines=tuple(lines))
            lines = []
        if reasons := objections(verdict, name) if lost else not_on_disk(verdict, name):
            known = outcome(verdict, name) == "differs"
            yield Finding(
                "NOT WHAT IS ON DISK" if known else "NO VERDICT",
                "; ".join(reasons),
                lines=tuple(lines),
            )


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


def remarks(verdict: Verdict) -> list[str]:
    """What is to be known of the runs beside the verdict: what an external player's messages were,
    what went into each black box and came out, what one did not take although it matches, and whose
    memory grows."""
    said = {loss for name in verdict.comparisons for loss in losses(verdict, name)}
    runs = verdict.runs.values()
    return [
        *([verdict.arrived.sentence()] if verdict.arrived is not None else []),
        *([verdict.kept.sentence()] if verdict.kept is not None else []),
        *(in_and_out(run) for run in runs if run.black_box),
        *(loss for loss in verdict.untaken.values() if loss not in said),
        *(remark for run in runs for remark in run.remarks),
        *(found for run in runs if (found := leak(run))),
        *_of_noise(verdict),
    ]


def _of_noise(verdict: Verdict) -> list[str]:
    """Which fields were judged by noise, and the tolerances that would allow for it."""
    if not verdict.floor:
        return []
    told = "these fields were judged by that, all others as declared. As tolerances:"
    return [
        f"{verdict.reference} is noisy; {told}",
        *suggested(verdict.floor, verdict.contract).splitlines(),
    ]


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
