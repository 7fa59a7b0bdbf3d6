"""Numbers in other units than those that ROS uses (REP-103)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..errors import DistError
from ..message.drawn_columns import Drawn
from ..message.units import unit_of
from .fields import TIMES, Field
from .numbers import as_rule
from .random import Random
from .rule import Rule, Setting, Source, fitted, misfit
from .ticks import Ticks

_DEGREE = 0.017453292519943295
_UNITS: dict[str, tuple[str, float]] = {
    "rad": ("rad", 1.0),
    "deg": ("rad", _DEGREE),
    "rad/s": ("rad/s", 1.0),
    "deg/s": ("rad/s", _DEGREE),
    "rpm": ("rad/s", 0.10471975511965977),
    "rad/s²": ("rad/s²", 1.0),
    "deg/s²": ("rad/s²", _DEGREE),
    "m": ("m", 1.0),
    "km": ("m", 1e3),
    "cm": ("m", 1e-2),
    "mm": ("m", 1e-3),
    "m/s": ("m/s", 1.0),
    "km/h": ("m/s", 1 / 3.6),
    "m/s²": ("m/s²", 1.0),
    "g": ("m/s²", 9.80665),
    "s": ("s", 1.0),
    "ms": ("s", 1e-3),
    "N": ("N", 1.0),
    "N·m": ("N·m", 1.0),
    "T": ("T", 1.0),
    "mT": ("T", 1e-3),
    "Pa": ("Pa", 1.0),
    "hPa": ("Pa", 1e2),
    "V": ("V", 1.0),
    "A": ("A", 1.0),
    "°C": ("°C", 1.0),
}
"""What a unit is in the one that ROS uses."""


@dataclass(frozen=True)
class Unit(Rule):
    """Numbers of another rule in a unit, such as "deg" or "mm"; the field gets them in the unit
    that ROS uses.

    Raises DistError if the field is known to be another quantity.
    """

    unit: str
    of: Any

    def __post_init__(self) -> None:
        unit = self.unit.replace("^2", "²") if isinstance(self.unit, str) else self.unit
        if unit not in _UNITS:
            raise DistError(
                f"{self.unit!r} is no unit that is known; use one of {', '.join(_UNITS)}"
            )
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "of", as_rule(self.of))
        if not hasattr(self.of, "limits"):
            raise DistError(
                f"Unit({self.unit!r}, {self.of!r}) has no numbers; give a distribution of numbers"
            )

    def check(self, wanted: Field) -> None:
        quantity = _UNITS[self.unit][0]
        known = "s" if wanted.kind in TIMES else unit_of(wanted.path, wanted.message)
        if known and known != quantity:
            raise misfit(self, wanted, f"is in {self.unit}; the field is in {known}")
        if wanted.kind not in TIMES and not wanted.kind.startswith("float"):
            raise misfit(self, wanted, "draws fractions")
        self.of.check(wanted)

    def source(self, wanted: Field, random: Random, setting: Setting) -> Source:
        factor = _UNITS[self.unit][1]
        precise = self.of.source(replace(wanted, kind="float64"), random, setting)

        def draw(ticks: Ticks) -> Drawn:
            return Drawn(fitted(precise(ticks).values * factor, wanted))

        return draw
