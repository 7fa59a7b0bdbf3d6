"""What comes out of comparing two datasets: the outcome for each key, and the verdict in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from ..printable import html_table, one_line
from .align import Align
from .index import STAMP
from .key_comparison import GRADES, Aligned, Grade, KeyComparison, TickDifference
from .summary import summary_of_key
from .tolerance import Tolerances


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing bag B with the reference A."""

    name_a: str
    name_b: str
    align: Align
    tolerances: Tolerances
    common_fields: bool = False
    """Whether topics of other types or definitions are compared in the fields that both have."""
    keys: Mapping[str, KeyComparison] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, str]:
        """What A and B are called."""
        return self.name_a, self.name_b

    @property
    def all_match(self) -> bool:
        """Whether every key matches."""
        return all(key.matches for key in self.keys.values())

    @property
    def grade(self) -> Grade:
        """That of the worst key."""
        return max((key.grade for key in self.keys.values()), key=GRADES.index, default=GRADES[0])

    @property
    def samples(self) -> int:
        """Messages that were compared."""
        return sum(key.samples for key in self.keys.values())

    def summary(self) -> str:
        """The verdict and what is to be known of each key, some lines."""
        return "\n".join(summary(self))

    def _repr_html_(self) -> str:
        headline, *rest = summary(self)
        table = html_table(
            headline,
            ("topic", "type", "aligned", "differ", "verdict"),
            (
                (name, key.type, key.aligned.count, key.wrong, key.grade)
                for name, key in self.keys.items()
            ),
        )
        return f"{table}<pre>{escape(chr(10).join(rest))}</pre>"

    def differences(self) -> Iterator[tuple[str, TickDifference]]:
        """The ticks that differ with their keys, at most KEPT_TICKS of each key."""
        for name, key in self.keys.items():
            for difference in key.judged.kept:
                yield name, difference


def summary(comparison: Comparison, no_verdict: str = "") -> Iterator[str]:
    """The verdict (or why there is none), then what is to be known of each key; a printable line
    each."""
    return map(one_line, _lines(comparison, no_verdict))


def _lines(comparison: Comparison, no_verdict: str) -> Iterator[str]:
    if no_verdict:
        yield f"NO VERDICT: {no_verdict}"
    elif comparison.all_match:
        yield f"MATCH: {comparison.name_b} does what {comparison.name_a} does"
    else:
        yield f"DIFFERENT: {comparison.name_b} does not do what {comparison.name_a} does"
    for key in comparison.keys.values():
        yield from summary_of_key(key, comparison.names)
    if comparison.all_match and not no_verdict:
        yield _confidence(comparison)
    patterns = comparison.tolerances.by_pattern
    rules = ", ".join(f"{pattern}: {tolerance}" for pattern, tolerance in patterns.items())
    used = sorted({_how(key.aligned) for key in comparison.keys.values() if not key.problem})
    yield (
        f"aligned by {' and '.join(used) or comparison.align}; "
        f"tolerances: {rules or 'none, values must be equal'}"
    )


def _how(aligned: Aligned) -> str:
    is_inside = aligned.stamp not in ("", STAMP)
    return f"{aligned.by} ({aligned.stamp})" if is_inside else aligned.by


def _confidence(comparison: Comparison) -> str:
    """What it means that none of n messages differ: the rule of three, 3 / n at 95 %."""
    if all(key.aligned.by == "none" for key in comparison.keys.values()):
        return f"distributions alike in {comparison.samples} messages"
    rate = 3 / max(1, comparison.samples)
    share = f"{rate * 100:.2g} %" if rate < 1 else "100 %"
    return (
        f"{comparison.grade} in {comparison.samples} messages: "
        f"with 95 % confidence fewer than {share} differ"
    )
