"""Tolerances by field pattern; the most specific pattern wins, and without one a field must be equal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import CompareError


@dataclass(frozen=True)
class Tolerance:
    """A value passes if |b - a| <= abs + rel * |a|, where a is the reference (as numpy.isclose)."""

    abs: float = 0.0
    rel: float = 0.0
    ignore: bool = False

    def __str__(self) -> str:
        if self.ignore:
            return "ignored"
        parts = [
            f"{name} {value:g}" for name, value in (("abs", self.abs), ("rel", self.rel)) if value
        ]
        return " + ".join(parts) or "exact"


EXACT = Tolerance()


class Tolerances:
    """Which tolerance applies to which field.

    A pattern is a field path (`quaternion.x`) in which `*` stands for any text; it also covers everything
    below the field it names, and every element of an array.
    """

    def __init__(self, by_pattern: Mapping[str, Tolerance] | None = None) -> None:
        self.by_pattern = dict(by_pattern or {})
        specific_first = sorted(
            self.by_pattern, key=lambda p: len(p.replace("*", "")), reverse=True
        )
        self._compiled = [
            (_compile(pattern), self.by_pattern[pattern]) for pattern in specific_first
        ]
        self._cache: dict[str, Tolerance] = {}

    @classmethod
    def parse(cls, rules: Iterable[str]) -> Tolerances:
        """Rules as a command line gives them: PATTERN=ABS, PATTERN=ABS,REL or PATTERN=ignore."""
        return cls(dict(_rule(text) for text in rules))

    def of(self, field: str) -> Tolerance:
        """The tolerance of a field; array indices in the path do not matter."""
        found = self._cache.get(field)
        if found is None:
            plain = re.sub(r"\[\d*\]", "", field)
            found = next((t for pattern, t in self._compiled if pattern.fullmatch(plain)), EXACT)
            self._cache[field] = found
        return found

    def unused(self, fields: Iterable[str]) -> list[str]:
        """The patterns that match none of `fields`: spelling mistakes, most likely."""
        known = [re.sub(r"\[\d*\]", "", field) for field in fields]
        return [
            pattern
            for pattern in self.by_pattern
            if not any(_compile(pattern).fullmatch(field) for field in known)
        ]


def _rule(text: str) -> tuple[str, Tolerance]:
    pattern, _, value = text.partition("=")
    if value == "ignore":
        return pattern, Tolerance(ignore=True)
    try:
        numbers = [float(number) for number in value.split(",")]
    except ValueError:
        numbers = []
    if not pattern or not 1 <= len(numbers) <= 2 or any(not 0 <= n < math.inf for n in numbers):
        raise CompareError(
            f"tolerance '{text}' is not PATTERN=ABS, PATTERN=ABS,REL or PATTERN=ignore"
        )
    return pattern, Tolerance(abs=numbers[0], rel=sum(numbers[1:]))


def _compile(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern.replace("[]", "")).replace(r"\*", ".*")
    return re.compile(f"{text}(\\..*)?")
