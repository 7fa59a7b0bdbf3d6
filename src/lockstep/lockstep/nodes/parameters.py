"""A component's parameters on its node; lockstep_cpp's parameters.cpp is the twin."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, ParameterAlreadyDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ..component import Component
from ..component.parameter import IN_EVERY_ELEMENT, range_objection, range_text
from ..component.parameter import Parameter as ComponentParameter
from ..errors import RunError, UsageError
from .process import sentence


class HostNode(Node):
    """A node that refuses parameters with the same sentences as the C++ host."""

    def __init__(
        self, name: str, *, parameters: Mapping[str, ComponentParameter[Any]], **options: Any
    ) -> None:
        self._of_component = parameters
        super().__init__(name, **options)

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set all of them or none; the parameter services call this."""
        for parameter in parameter_list:
            if objection := self._objection(parameter):
                reason = f"parameter '{parameter.name}' {objection}"
                return SetParametersResult(successful=False, reason=reason)
        return super().set_parameters_atomically(parameter_list)

    def _objection(self, parameter: Parameter) -> str:
        if not self.has_parameter(parameter.name):
            return "is not declared"
        declared = self.describe_parameter(parameter.name)
        if declared.read_only:
            return "is read-only"
        if declared.type != parameter.type_.value:
            wanted = Parameter.Type(declared.type)
            return f"must be of type {_type_name(wanted)}, not {_type_name(parameter.type_)}"
        if parameter.name in self._of_component:
            limits = self._of_component[parameter.name]
            return range_objection(_plain(parameter.value), limits.minimum, limits.maximum)
        return ""


class Parameters:
    """Declares a component's parameters and gives it their values, at start and when set."""

    def __init__(
        self,
        node: Node,
        component: Component,
        changed: Callable[[], None],
        sim_time_switched: Callable[[], None],
    ) -> None:
        """`changed` is called when one or several of the component's parameters have been set.

        Raises UsageError if the command line gives one a value of another type or out of range.
        """
        self._node = node
        self._component = component
        self._changed = changed
        self._sim_time_switched = sim_time_switched
        for name, parameter in component.parameters.items():
            value = self._declare(name, parameter)
            if objection := range_objection(value, parameter.minimum, parameter.maximum):
                raise UsageError(f"parameter '{name}' {objection}")
            # Only now: rclpy would refuse a value out of range with a sentence of its own.
            node.set_descriptor(name, _descriptor(parameter))
            component.parameter_values[name] = value
        self._sim_time: bool = node.get_parameter("use_sim_time").value
        node.add_post_set_parameters_callback(self._on_parameters)

    def _declare(self, name: str, parameter: ComponentParameter[Any]) -> Any:
        try:
            value = self._node.declare_parameter(name, parameter.default).value
        except InvalidParameterTypeException as error:
            raise UsageError(sentence(error)) from error
        except ParameterAlreadyDeclaredException as error:
            raise RunError(f"parameter '{name}' is one that every node has already") from error
        if value is None:  # `-p name:=[]`: a list without elements has no type
            raise UsageError(f"parameter '{name}' must be of type {parameter.type}, not no value")
        return _plain(value)

    def _on_parameters(self, parameters: list[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name in self._component.parameters:
                self._component.parameter_values[parameter.name] = _plain(parameter.value)
            elif parameter.name == "use_sim_time" and parameter.value != self._sim_time:
                self._sim_time = parameter.value
                self._sim_time_switched()
        # Services are answered between two callbacks of the component, never within one.
        if any(parameter.name in self._component.parameters for parameter in parameters):
            self._changed()


def _type_name(kind: Parameter.Type) -> str:
    return "no value" if kind == Parameter.Type.NOT_SET else kind.name.lower()


def _descriptor(parameter: ComponentParameter[Any]) -> ParameterDescriptor:
    kind = Parameter.Type.from_parameter_value(parameter.default)
    descriptor = ParameterDescriptor(
        type=kind.value, description=parameter.description, read_only=parameter.read_only
    )
    low, high = parameter.minimum, parameter.maximum
    if low is None and high is None:
        return descriptor
    if kind == Parameter.Type.INTEGER:
        descriptor.integer_range = [
            IntegerRange(
                from_value=-(2**63) if low is None else low,
                to_value=2**63 - 1 if high is None else high,
            )
        ]
    elif kind == Parameter.Type.DOUBLE:
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=-math.inf if low is None else low,
                to_value=math.inf if high is None else high,
            )
        ]
    else:  # the ranges of ROS are for numbers alone
        descriptor.additional_constraints = f"{range_text(low, high)} {IN_EVERY_ELEMENT}"
    return descriptor


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else list(value)
