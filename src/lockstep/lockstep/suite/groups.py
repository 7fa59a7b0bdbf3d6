"""The results of a suite by node, as people look at them: how many stand how, and the worst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .result import STANDINGS, Result, Standing

_WORST = 3
_WORDS: Mapping[Standing, str] = {
    "match": "match",
    "expected": "known not to match",
    "no verdict": "without verdict",
    "differs": "differ",
}


@dataclass(frozen=True)
class Group:
    """The results of one verify.yaml."""

    name: str
    results: tuple[Result, ...]

    @property
    def counts(self) -> Mapping[Standing, int]:
        """How many cases stand how."""
        found = Counter(result.standing for result in self.results)
        return {standing: found[standing] for standing in STANDINGS}

    @property
    def is_green(self) -> bool:
        """Whether every case matches, or does not as was expected."""
        return not (self.counts["differs"] or self.counts["no verdict"])


def grouped(results: Iterable[Result]) -> list[Group]:
    """By node, those that are not green first."""
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.group, []).append(result)
    groups = [Group(name, tuple(of_name)) for name, of_name in by_name.items()]
    return sorted(groups, key=lambda group: group.is_green)


def worst(results: Iterable[Result], most: int = _WORST) -> list[Result]:
    """Those that are not green: first what differs, by the share of messages that are wrong, then
    that of which nothing is known."""
    wrong = [result for result in results if result.standing in ("differs", "no verdict")]
    return sorted(wrong, key=lambda result: (result.standing == "no verdict", -result.worst))[:most]


def outlived(results: Iterable[Result], expected: Iterable[str]) -> list[str]:
    """The names of cases that match, though they are among those `expected` not to."""
    names = set(expected)
    return [one.case for one in results if one.case in names and one.verdict == "match"]


def in_words(counts: Mapping[Standing, int]) -> str:
    """`198 match, 2 differ`: how many cases stand how, without those of which there are none."""
    told = [f"{counts[key]} {word}" for key, word in _WORDS.items() if counts[key]]
    return ", ".join(told) or "no cases"
