"""Distributions of messages: which rule draws which field.

A rule is given to a pattern: the path of a field in which `*` stands for any text. It covers the
field and everything below it; the most specific pattern wins. What no rule covers is drawn as the
message type of that part says (`data_dist`), and it is an error if that does not either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from ..errors import DistError
from .arrays import Array
from .correlation import correlations
from .fields import Structure, structure
from .numbers import as_rule
from .rule import (
    PartRule,
    Rule,
)
from .times import Timestamps

_INDEX = re.compile(r"\[\d*\]")
BY_TYPE: dict[type[Any], Distribution] = {}
"""What `data_dist` has declared."""


class Distribution:
    """How the messages of an input are drawn: rules by pattern, or by the names of fields.

    `at` says when the messages come; without it they come at the stamps that Timestamps in
    `header.stamp` draws, or else 100 times a second. `correlation` is that of pairs of fields:
    {("x", "y"): 0.8}.
    """

    def __init__(
        self,
        rules: Mapping[str, Any] | Any = None,
        /,
        *,
        at: Timestamps | None = None,
        correlation: Mapping[tuple[str, str], float] | None = None,
        **fields: Any,
    ) -> None:
        given = {} if rules is None else rules if isinstance(rules, Mapping) else {"*": rules}
        twice = given.keys() & fields.keys()
        if twice:
            raise DistError(f"'{min(twice)}' is given two distributions; give one of them")
        self.rules = {
            pattern: _rule(pattern, rule) for pattern, rule in {**given, **fields}.items()
        }
        if at is not None and not isinstance(at, Timestamps):
            raise DistError(f"at= is {at!r}; give Timestamps(rate_hz=…)")
        self.at = at
        self.correlations = correlations(correlation or {})

    def __repr__(self) -> str:
        words = [repr(self.rules)]
        if self.at is not None:
            words.append(f"at={self.at!r}")
        if self.correlations.pairs:
            words.append(f"correlation={self.correlations.pairs!r}")
        return f"Distribution({', '.join(words)})"


def data_dist(
    message_type: type[Any],
    rules: Mapping[str, Any] | Any = None,
    /,
    *,
    at: Timestamps | None = None,
    correlation: Mapping[tuple[str, str], float] | None = None,
    **fields: Any,
) -> Distribution:
    """Declare the distribution of a message type, wherever it is: `data_dist(Vector3, x=Uniform(-1,
    1), …)`.

    Raises DistError for a field that the type does not have. Fields may be left to the types of
    messages within.
    """
    made = Distribution(rules, at=at, correlation=correlation, **fields)
    check_names(made, message_type)
    BY_TYPE[message_type] = made
    return made


class NotDeclaredError(DistError, AttributeError):
    """A message type was asked for a distribution that nobody has declared."""

    def __init__(self, message_type: type[Any]) -> None:
        name = message_type.__name__
        super().__init__(
            f"{name} has no distribution; declare one, as data_dist({name}, …), "
            "or as class attribute data_dist of a dataclass"
        )


class _Undeclared:
    """Stands where a distribution would."""

    def __get__(self, message: Any, message_type: type[Any]) -> NoReturn:
        raise NotDeclaredError(message_type)


class DataDistMixin:
    """A message that is a plain dataclass, with its distribution as class attribute `data_dist`.

    That is a Distribution or a rule; asking a class for it that has none raises NotDeclaredError.
    """

    data_dist: ClassVar[Any] = _Undeclared()


def data_dist_of(message_type: type[Any]) -> Distribution:
    """The distribution that a message type has, by `data_dist` or as class attribute.

    Raises NotDeclaredError if it has none.
    """
    declared = declared_dist(message_type)
    if declared is None:
        raise NotDeclaredError(message_type)
    return declared


def declared_dist(message_type: type[Any]) -> Distribution | None:
    """The same, or None."""
    if message_type in BY_TYPE:
        return BY_TYPE[message_type]
    own = getattr(message_type, "data_dist", None)
    return None if own is None else as_distribution(own)


def as_distribution(given: Any) -> Distribution:
    """A distribution for what a declaration may give instead: rules by pattern, or one rule for
    all."""
    return given if isinstance(given, Distribution) else Distribution(given)


def _rule(pattern: Any, rule: Any) -> Any:
    if not isinstance(pattern, str) or not pattern:
        raise DistError(f"{pattern!r} is no field; name one, or several with *")
    rule = as_rule(rule)
    if isinstance(rule, Mapping):
        rule = Distribution(rule)
    if not isinstance(rule, (Rule, PartRule, Distribution)):
        raise DistError(
            f"'{pattern}' is given {rule!r}, which is no distribution; write Constant({rule!r}) "
            "for what never changes"
        )
    return rule


@dataclass(frozen=True)
class Given:
    """A rule for a pattern; `rank` is greater the more specific it is."""

    pattern: str
    rule: Any
    rank: tuple[int, int, int]
    owner: str

    def covers(self, path: str) -> bool:
        """The field that the pattern names, and what is below."""
        return self.pattern == "*" or bool(
            _compiled(self.pattern, below=True).fullmatch(_plain(path))
        )

    def names(self, path: str) -> bool:
        """Exactly what the pattern names; `*` is the whole message and nothing else."""
        if self.pattern in ("*", ""):
            return path == ""
        return bool(_compiled(self.pattern, below=False).fullmatch(_plain(path)))


def _plain(path: str) -> str:
    return _INDEX.sub("", path)


def _compiled(pattern: str, *, below: bool) -> re.Pattern[str]:
    text = re.escape(_plain(pattern)).replace(r"\*", ".*")
    return re.compile(f"{text}(\\..*)?" if below else text)


def all_rules(
    distribution: Distribution, owner: str, level: int, prefix: str = ""
) -> Iterator[Given]:
    """The rules of a distribution, also those of the distributions in it."""
    for number, (pattern, rule) in enumerate(distribution.rules.items()):
        whole = pattern if not prefix else prefix if pattern == "*" else f"{prefix}.{pattern}"
        rank = (level, len(whole.replace("*", "")), number)
        inner = rule.of if isinstance(rule, Array) else rule
        if isinstance(inner, Mapping):
            inner = Distribution(inner)
        if isinstance(rule, Array):
            yield Given(whole, rule, rank, owner)
        if isinstance(inner, Distribution):
            if inner.at or inner.correlations.pairs:
                raise DistError(
                    f"the distribution of '{whole}' has at= or correlation=, which only that of a "
                    "whole input can have"
                )
            yield from all_rules(inner, owner, level, whole)
        elif not isinstance(rule, Array):
            yield Given(whole, rule, rank, owner)


def check_names(distribution: Distribution, message_type: type[Any]) -> None:
    """Raise DistError if a pattern or a correlation is of no field of the type."""
    found = structure(message_type)
    for given in all_rules(distribution, found.name, 0):
        if not (any(map(given.covers, found.fields)) or any(map(given.names, found.parts))):
            raise DistError(
                f"{found.name} has no field '{given.pattern}'; it has {', '.join(_told(found))}"
            )
    for path in distribution.correlations.members:
        if path not in found.fields:
            raise DistError(
                f"{found.name} has no field '{path}' to correlate; it has {', '.join(_told(found))}"
            )


def _told(found: Structure) -> list[str]:
    return [path for path, field in found.fields.items() if field.kind != "length"]
