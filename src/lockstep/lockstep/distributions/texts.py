"""Strings."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DistError
from ..message.drawn_columns import Drawn, starts
from .fields import TEXTS, Field
from .numbers import Choice, Integers, Scipy, as_rule
from .random import Random
from .rule import (
    Rule,
    Scalar,
    Setting,
    Source,
    check_single,
    misfit,
    required,
)
from .ticks import Ticks

_LENGTH = Integers(0, 20)
_FRAME = re.compile(r"[A-Za-z_][A-Za-z0-9_/.-]*")


@dataclass(frozen=True)
class Text(Rule):
    """Strings of characters from `alphabet`; `length` is a number of characters or draws it."""

    length: Any = _LENGTH
    alphabet: str = string.ascii_letters + string.digits + " _-./"

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", as_length(self.length, "Text"))
        required(bool(self.alphabet), "alphabet of Text is empty; give some characters")

    def check(self, wanted: Field) -> None:
        check_single(self, wanted)
        if wanted.kind not in TEXTS:
            raise misfit(self, wanted, "draws strings")
        if 0 < wanted.string_bound < self.length.limits[1]:
            raise misfit(
                self, wanted, f"draws strings longer than {wanted.string_bound} characters"
            )

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        lengths = length_source(self.length, wanted, random, setting)
        characters = np.array(list(self.alphabet))

        def draw(ticks: Ticks) -> Drawn:
            counts = lengths(ticks).values
            total = len(ticks) * int(np.prod(wanted.shape))
            if wanted.shape:
                counts = np.repeat(counts, wanted.size)
            chosen = random.integers(0, len(characters) - 1, int(counts.sum()))
            text = "".join(characters[chosen].tolist())
            values = np.empty(total, object)
            begins = starts(counts)
            values[:] = [
                text[start:end]
                for start, end in zip(begins.tolist(), (begins + counts).tolist(), strict=True)
            ]
            return Drawn(values.reshape(len(ticks), *wanted.shape))

        return draw


@dataclass(frozen=True, init=False)
class FrameId(Rule):
    """One of some names of coordinate frames, each as likely; they must be valid for tf2."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)
        required(bool(names), "FrameId() names no frame; give some, as FrameId('base_link')")
        for name in names:
            if not isinstance(name, str) or not _FRAME.fullmatch(name):
                raise DistError(
                    f"{name!r} is no name of a frame; give letters, digits and _, with no / in "
                    "front"
                )

    def __repr__(self) -> str:
        return f"FrameId({', '.join(map(repr, self.names))})"

    def check(self, wanted: Field) -> None:
        Choice(*self.names).check(wanted)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        return Choice(*self.names).source(wanted, random, setting)


def as_length(length: Any, owner: str) -> Any:
    """A rule that draws lengths, for a number or such a rule; raises DistError if it is neither."""
    rule = as_rule(length)
    if isinstance(rule, (int, np.integer)) and not isinstance(rule, bool):
        rule = Integers(int(rule), int(rule)) if rule >= 0 else rule
    if not isinstance(rule, (Scalar, Scipy)) or not rule.whole:
        raise DistError(
            f"length of {owner} is {length!r}; give a whole number from 0 on, or Integers(low, "
            "high)"
        )
    required(
        rule.limits[0] >= 0,
        f"length of {owner} is {length!r}, which can be below 0; give 0 or more",
    )
    return rule


def length_source(rule: Any, wanted: Field, random: Random, setting: Setting) -> Source:
    """What draws the lengths for a field."""
    path = f"{wanted.path}:length"
    length = Field(path, "length", message=wanted.message)
    found: Source = rule.source(length, random.named("length"), setting)
    return found
