"""The noise floor: by how much runs of the reference differ from each other, field by field.

What moves within it by chance is judged by equivalence with a margin; what jumps judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..compare import Comparison
from ..compare.fields import FieldComparison
from ..compare.key_comparison import KeyComparison
from ..compare.tolerance import Tolerance, Tolerances
from ..compare.transforms import source_of
from ..component import Contract
from ..host.protocol import resolved

LEAST_RUNS = 3
"""Of the reference: of two nobody can tell how much their difference differs."""
_LEAST_ELEMENTS = 100
_CONFIDENCE = 0.95
_JUMP = 8.0
"""In units of the root mean square: what is farther is no noise but a jump."""


@dataclass(frozen=True)
class FieldNoise:
    """By how much a field of a topic differs between the first run of the reference and others.

    All are in the unit of the field, over all aligned messages.
    """

    topic: str
    field: str
    rms: float
    """Root mean square of the difference, of all runs together."""
    spread: float
    """Standard deviation of that between runs."""
    largest: float
    runs: int
    """Runs of the reference, the first included."""
    messages: int
    """That were compared with those of the first run, of all runs together."""
    margin: float
    """The share by which another may differ more than the reference does from itself."""

    @property
    def limit(self) -> float:
        """The largest rmse with which another is equivalent: were it really beyond the margin, it
        would come out so small by chance in 5 % of all verifications."""
        from scipy import stats

        others = self.runs - 1
        chance = float(stats.t.ppf(_CONFIDENCE, others - 1)) * math.sqrt(1.0 + 1.0 / others)
        return (1.0 + self.margin) * self.rms - chance * self.spread

    @property
    def tolerance(self) -> Tolerance:
        """What another is held to."""
        return Tolerance(abs=self.limit, by="rmse")

    def sentence(self) -> str:
        """The floor and how it was found."""
        return (
            f"{self.topic} {self.field}: rms {self.rms:.3g} ± {self.spread:.2g}, at most "
            f"{self.largest:.3g}, between {self.runs} runs ({self.messages} messages)"
        )


def noise_floor(comparisons: Sequence[Comparison], margin: float) -> list[FieldNoise]:
    """The noise of each field that is beyond its tolerance between runs of the reference.

    `comparisons` are of its first run with each other one. Empty if they all match.
    """
    return [
        _noise_of(topic, path, comparisons, margin)
        for topic, path in sorted({wrong for one in comparisons for wrong in _wrong(one)})
    ]


def no_noise(comparisons: Sequence[Comparison], floor: Sequence[FieldNoise]) -> str | None:
    """Why the differences between runs are nothing to judge by, as a clause; None if they are."""
    if len(comparisons) + 1 < LEAST_RUNS:
        return f"run: {{repeat: {LEAST_RUNS}}}, or more, finds whether that is noise"
    for comparison in comparisons:
        for topic, key in comparison.keys.items():
            if key.problem or key.aligned.alone or key.aligned.by == "none" or key.unlike:
                return f"{topic} has other messages in each run, which is no noise"
            for path, field in key.judged.fields.items():
                if not field.matches and (why := _jumps(key, field)):
                    return f"{path} of {topic} {why}"
    for noise in floor:
        if not noise.limit > noise.rms:
            return (
                f"the noise of {noise.field} of {noise.topic} differs too much between "
                f"{noise.runs} runs to judge by it; make more by run: {{repeat: …}}"
            )
    return None


def with_noise(tolerances: Tolerances, floor: Sequence[FieldNoise]) -> Tolerances:
    """The same, but for the fields of topics that have noise."""
    noisy = {f"{noise.topic}:{noise.field}": noise.tolerance for noise in floor}
    return Tolerances({**tolerances.by_pattern, **noisy})


def suggested(floor: Sequence[FieldNoise], contract: Contract) -> str:
    """Tolerances for a verify.yaml that allow for the noise, with how they were found."""
    outputs = {resolved(port.topic): port.name for port in contract.outputs}
    limits: dict[str, list[FieldNoise]] = {}
    for noise in floor:
        pattern = f"{outputs[source_of(noise.topic)]}:{noise.field}"
        limits.setdefault(pattern, []).append(noise)  # of several pairs of frames
    lines = ["compare:", "  tolerance:"]
    for pattern, found in limits.items():
        lines += [f"    # {noise.sentence()}" for noise in found]
        most = max(noise.limit for noise in found)
        lines.append(f'    "{pattern}": {{by: rmse, abs: {most:.3g}}}')
    return "\n".join(lines) + "\n"


def _wrong(comparison: Comparison) -> Iterator[tuple[str, str]]:
    for topic, key in comparison.keys.items():
        for path, field in key.judged.fields.items():
            if not field.matches:
                yield topic, path


def _jumps(key: KeyComparison, field: FieldComparison) -> str:
    """Why a field that differs between runs is not noise; nothing if it is."""
    if field.kind != "number" or field.tolerance.by != "element" or field.other_lengths:
        return "is no number that could be noisy"
    if field.compared < _LEAST_ELEMENTS:
        return f"differs in {field.compared} values, too few to tell noise from a jump"
    rms = _rms(key, field)
    if not field.max_error <= _JUMP * rms:
        return (
            f"jumps: by {field.max_error:.3g} at tick {field.max_tick}, where it differs by "
            f"{rms:.3g} (rms) else"
        )
    return ""


def _rms(key: KeyComparison, field: FieldComparison) -> float:
    """Over all aligned messages; fields are compared in those only whose bytes differ."""
    aligned = max(1, key.aligned.count)
    return field.rmse * math.sqrt((aligned - key.judged.equal_bytes) / aligned)


def _noise_of(
    topic: str, path: str, comparisons: Sequence[Comparison], margin: float
) -> FieldNoise:
    keys = [comparison.keys[topic] for comparison in comparisons]
    fields = [(key, key.judged.fields[path]) for key in keys if path in key.judged.fields]
    sizes = np.zeros(len(comparisons))
    sizes[: len(fields)] = [_rms(key, field) for key, field in fields]
    return FieldNoise(
        topic,
        path,
        rms=float(np.sqrt(np.mean(np.square(sizes)))),
        spread=float(np.std(sizes, ddof=1)) if len(sizes) > 1 else 0.0,
        largest=max((field.max_error for _, field in fields), default=0.0),
        runs=len(comparisons) + 1,
        messages=sum(key.aligned.count for key in keys),
        margin=margin,
    )
