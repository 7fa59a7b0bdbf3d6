"""Parameters: values that ROS sets from outside (`--ros-args -p`, params files, `ros2 param
set`)."""

from __future__ import annotations

import json
import math
from typing import Any, Generic, TypeVar, overload

from .host_interface import Owner

ValueT = TypeVar("ValueT", bool, int, float, str, list[bool], list[int], list[float], list[str])

_SCALARS: dict[type, str] = {bool: "bool", int: "integer", float: "double", str: "string"}

IN_EVERY_ELEMENT = "in every element"
"""How the range of an array is told."""


def ros_type(value: object) -> str:
    """The ROS type of a parameter value: `bool`, `integer`, `double`, `string` or one of them +
    `_array`.

    Raises TypeError for any other value, and for an empty list, which has no type.
    """
    if isinstance(value, list):
        kinds = {_SCALARS.get(type(item)) for item in value}
        if len(kinds) == 1 and None not in kinds:
            return f"{kinds.pop()}_array"
    elif type(value) in _SCALARS:
        return _SCALARS[type(value)]
    raise TypeError(
        f"{value!r} is no parameter value; use a bool, int, float, str or a non-empty list of one "
        "of them"
    )


def range_text(minimum: float | None, maximum: float | None) -> str:
    """A range in words, such as `from 0.0 to 1.0` or `at least 1`; empty if there is none."""
    if minimum is None and maximum is None:
        return ""
    if maximum is None:
        return f"at least {json.dumps(minimum)}"
    if minimum is None:
        return f"at most {json.dumps(maximum)}"
    return f"from {json.dumps(minimum)} to {json.dumps(maximum)}"


def range_objection(value: Any, minimum: float | None, maximum: float | None) -> str:
    """Why a number, or a list of numbers, is out of a range; empty if it is not.

    NaN is in no range.

    A predicate such as `must be from 0.0 to 1.0, not 2.0`, the same in every language.
    """
    if minimum is None and maximum is None:
        return ""
    is_list = isinstance(value, list)
    for number in value if is_list else [value]:
        above = minimum is None or number >= minimum
        below = maximum is None or number <= maximum
        if not (above and below):
            where = f" {IN_EVERY_ELEMENT}" if is_list else ""
            return f"must be {range_text(minimum, maximum)}{where}, not {json.dumps(number)}"
    return ""


def objection(value: object, kind: str, minimum: float | None, maximum: float | None) -> str:
    """Why `value` cannot be that of a parameter of a type and range, as a predicate; empty if it
    can."""
    if value == [] and kind.endswith("_array"):
        return ""
    try:
        found = ros_type(value)
    except TypeError:
        return f"must be of type {kind}, not {value!r}"
    if found != kind:
        return f"must be of type {kind}, not {found}"
    return range_objection(value, minimum, maximum)


class Parameter(Generic[ValueT]):
    """A named value with a default; reading it on a component gives the current value.

    `minimum` and `maximum` bound a number, or every element of a list of numbers; both belong to
    the range. A `read_only` parameter gets its value at start and keeps it. `name` is the ROS name
    where that is no Python identifier, such as `limits.speed`. Raises TypeError for what is no
    parameter value or can have no range, and ValueError for a default out of its range.
    """

    def __init__(
        self,
        default: ValueT,
        description: str = "",
        *,
        name: str = "",
        minimum: float | None = None,
        maximum: float | None = None,
        read_only: bool = False,
    ) -> None:
        self.type = ros_type(default)
        self.default: ValueT = default
        self.description = description
        self.name = name
        self.minimum = self._bound("minimum", minimum)
        self.maximum = self._bound("maximum", maximum)
        self.read_only = read_only
        if objection := range_objection(default, self.minimum, self.maximum):
            raise ValueError(f"the default of a parameter {objection}")

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.name = self.name or attribute

    def objection(self, value: object) -> str:
        """Why `value` cannot be the parameter's, as a predicate; empty if it can."""
        return objection(value, self.type, self.minimum, self.maximum)

    def _bound(self, noun: str, bound: float | None) -> float | None:
        if bound is None:
            return None
        element = self.type.removesuffix("_array")
        if element == "double" and type(bound) in (int, float) and not math.isnan(bound):
            return float(bound)
        if element == "integer" and type(bound) is int:
            return bound
        if element in ("integer", "double"):
            raise TypeError(f"the {noun} of a parameter of type {self.type} cannot be {bound!r}")
        raise TypeError(f"a parameter of type {self.type} has no {noun}; only numbers have")

    @overload
    def __get__(self, component: None, owner: type) -> Parameter[ValueT]: ...

    @overload
    def __get__(self, component: Owner, owner: type) -> ValueT: ...

    def __get__(self, component: Owner | None, owner: type) -> Parameter[ValueT] | ValueT:
        if component is None:
            return self
        value: ValueT = component.parameter_values[self.name]
        return value

    def __set__(self, component: Owner, value: ValueT) -> None:
        raise AttributeError(
            f"parameter '{self.name}' is set from outside (ros2 param set); a component only reads "
            "it"
        )
