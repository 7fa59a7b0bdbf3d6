"""Rules: how the values of a field, or of a message within a message, are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..errors import DistError
from ..message.arrays import Column, Floats
from ..message.drawn_columns import Columns, Drawn
from ..message.time import NS_PER_S
from .fields import TEXTS, TIMES, Field, Structure
from .random import Random
from .ticks import Ticks

Source: TypeAlias = Callable[[Ticks], Drawn]
"""Draws the field of the messages that come next; called for one block of messages after another.
"""
PartSource: TypeAlias = Callable[[Ticks], Columns]
"""The same for the fields of a message, by their paths in it."""


class Recordings(Protocol):
    """Where rules find recorded messages."""

    def columns(self, bag: str, topic: str, structure: Structure) -> Columns:
        """All fields of all messages of a topic, which must be of this structure."""

    def column(self, bag: str, topic: str, path: str) -> Column:
        """One field of all messages of a topic, (m, …), or m objects where sizes differ; times in
        ns."""


@dataclass(frozen=True)
class Setting:
    """What rules draw in.

    `at` draws when messages come, `recordings` are recorded ones, and `correlated` streams that
    fields share, by the paths of the fields.
    """

    at: Rule
    recordings: Recordings | None = None
    correlated: Mapping[str, Callable[[int], Floats]] = field(default_factory=dict)

    def uniform(self, path: str, random: Random) -> Callable[[int], Floats]:
        """What draws numbers between 0 and 1 for a field."""
        return self.correlated.get(path, random.uniform)


class Rule(ABC):
    """Draws the values of a field."""

    of_lengths = False
    """Whether it says how many messages are in an array of them."""
    of_fields = True
    """Whether it does so, and not only those of a whole message."""

    def offers(self, wanted: Field) -> bool:
        """Whether the rule is meant for a field that its pattern covers."""
        return True

    @abstractmethod
    def check(self, wanted: Field) -> None:
        """Raise DistError if the field cannot have such values."""

    @abstractmethod
    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        """What draws the field's values."""


class PartRule(ABC):
    """Draws several fields of a message together, wherever a message of a fitting type is."""

    @abstractmethod
    def paths(self, structure: Structure) -> list[str]:
        """The paths, in the message, of the fields that it draws; none if the message is of no
        fitting type."""

    @abstractmethod
    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        """What draws the fields."""


class Scalar(Rule):
    """Draws each number, independently of all others, by the inverse of its distribution
    function."""

    whole = False
    """Whether all values are whole numbers."""

    @property
    @abstractmethod
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value; infinite where there is none."""

    @abstractmethod
    def quantile(self, p: Floats) -> Column:
        """The value below which a share `p` (n,) of all values lies, 0 < p < 1."""

    def check(self, wanted: Field) -> None:
        check_number(self, wanted, self.whole, self.limits)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        uniform = setting.uniform(wanted.path, random)

        def draw(ticks: Ticks) -> Drawn:
            shape = (len(ticks), *wanted.shape)
            values = self.quantile(uniform(int(np.prod(shape))))
            return Drawn(fitted(values, wanted).reshape(shape))

        return draw


def check_number(rule: object, wanted: Field, whole: bool, limits: tuple[float, float]) -> None:
    """Raise DistError if numbers, whole or not, within limits cannot be the values of a field."""
    check_single(rule, wanted)
    if wanted.kind in TEXTS or wanted.kind == "bool":
        example = (
            "Choice(False, True)" if wanted.kind == "bool" else "Text() or FrameId('base_link')"
        )
        raise misfit(rule, wanted, f"draws numbers; give {example}")
    if wanted.dtype.kind in "iu" and wanted.kind not in TIMES and not whole:
        raise misfit(rule, wanted, "draws fractions; give Integers(low, high) or Choice(…)")
    low, high = _range(wanted)
    limits = tuple(max(low, 0) if np.isinf(limit) else limit for limit in limits)  # type: ignore[assignment]
    if not (low <= limits[0] and limits[1] <= high):
        raise misfit(
            rule, wanted, f"draws {limits[0]:g} to {limits[1]:g}; it can hold {low:g} to {high:g}"
        )


def _range(wanted: Field) -> tuple[float, float]:
    """The least and the greatest finite number that a field can hold; of a time in s."""
    if wanted.kind in TIMES:
        return -(2.0**31), 2.0**31 - 1
    if wanted.kind.startswith("float"):
        most = float(np.finfo(wanted.dtype).max)
        return -most, most
    info = np.iinfo(wanted.dtype)
    if wanted.kind == "length":
        return 0, wanted.size or info.max
    return info.min, info.max


def check_single(rule: object, wanted: Field) -> None:
    """Raise DistError for a sequence, whose length a rule does not tell."""
    if wanted.array == "sequence" and wanted.kind != "length":
        raise misfit(
            rule, wanted, f"tells no length; give Array({rule!r}, length=…) or Constant([…])"
        )


def misfit(rule: object, wanted: Field, reason: str) -> DistError:
    """The error for a rule that does not fit a field."""
    return DistError(
        f"'{wanted.path}' of {wanted.message} is {wanted.described}, but {rule!r} {reason}"
    )


def fitted(values: Column, wanted: Field) -> Column:
    """Drawn numbers as the field holds them: seconds as ns, floats in its precision, and within its
    range."""
    if wanted.kind in TIMES:
        found: Column = np.rint(np.clip(values, *_range(wanted)) * float(NS_PER_S)).astype(np.int64)
        return found
    if wanted.dtype.kind in "iu" and values.dtype.kind == "f":
        values = np.clip(values, *_range(wanted))
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(wanted.dtype, copy=False)


def finite(rule: str, **numbers: Any) -> None:
    """Raise DistError for a parameter of a rule that is no finite number."""
    for name, number in numbers.items():
        if (
            isinstance(number, (bool, np.bool_))
            or not isinstance(number, (int, float, np.number))
            or not np.isfinite(number)
        ):
            raise DistError(f"{name} of {rule} is {number!r}; give a finite number")


def required(holds: bool, sentence: str) -> None:
    """Raise DistError unless a condition holds."""
    if not holds:
        raise DistError(sentence)
