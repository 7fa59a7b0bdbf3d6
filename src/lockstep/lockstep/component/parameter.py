"""Parameters: values that ROS sets from outside (`--ros-args -p`, params files, `ros2 param set`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, overload

if TYPE_CHECKING:
    from .component import Component

ValueT = TypeVar("ValueT", bool, int, float, str, list[bool], list[int], list[float], list[str])

_SCALARS: dict[type, str] = {bool: "bool", int: "integer", float: "double", str: "string"}


def ros_type(value: object) -> str:
    """The ROS type of a parameter value: `bool`, `integer`, `double`, `string` or one of them + `_array`.

    Raises TypeError for any other value, and for an empty list, which has no type.
    """
    if isinstance(value, list):
        kinds = {_SCALARS.get(type(item)) for item in value}
        if len(kinds) == 1 and None not in kinds:
            return f"{kinds.pop()}_array"
    elif type(value) in _SCALARS:
        return _SCALARS[type(value)]
    raise TypeError(
        f"{value!r} is no parameter value; use a bool, int, float, str or a non-empty list of one of them"
    )


class Parameter(Generic[ValueT]):
    """A named value with a default; reading it on a component gives the current value.

    `name` is the ROS name where that is no Python identifier, such as `limits.speed`.
    """

    def __init__(self, default: ValueT, description: str = "", *, name: str = "") -> None:
        self.type = ros_type(default)
        self.default: ValueT = default
        self.description = description
        self.name = name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.name = self.name or attribute

    @overload
    def __get__(self, component: None, owner: type) -> Parameter[ValueT]: ...

    @overload
    def __get__(self, component: Component, owner: type) -> ValueT: ...

    def __get__(self, component: Component | None, owner: type) -> Parameter[ValueT] | ValueT:
        if component is None:
            return self
        value: ValueT = component.parameter_values[self.name]
        return value

    def __set__(self, component: Component, value: ValueT) -> None:
        raise AttributeError(
            f"parameter '{self.name}' is set from outside (ros2 param set); a component only reads it"
        )
