"""Pure functions as components: one message in, one message out, and no state."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar, overload

from .component import Component
from .parameter import Parameter
from .port import Input, Output

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def component(function: Function) -> Function: ...


@overload
def component(*, output: str = "output", dist: Any = None) -> Callable[[Function], Function]: ...


def component(function: Any = None, *, output: str = "output", dist: Any = None) -> Any:
    """Make a component of a function such as `def scale(vector: Vector3Stamped, *, factor: float =
    2.0) -> Vector3Stamped`.

    The input has the name of the argument, the output is named `output`, keyword-only arguments are
    parameters. What the function returns is published, None is not. `dist` is the distribution of
    the input. The function stays what it is; `component_of` gives its component class. Raises
    TypeError for a function that makes no component.
    """
    if function is None:
        return lambda wrapped: component_with(wrapped, output, dist)
    return component_with(function, output, dist)


def component_with(function: Any, output: str, dist: Any) -> Any:
    """The function, with its component class as attribute `component`."""
    if not inspect.isfunction(function):
        raise TypeError(f"{function!r} is no function; make it a class derived from Component")
    name = function.__name__
    try:
        hints = typing.get_type_hints(function)
    except NameError as error:
        raise TypeError(
            f"an annotation of {name} is not known ({error}); import its message at the top of the "
            "module"
        ) from error
    inputs, parameters = [], {}
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.KEYWORD_ONLY:
            if argument.default is argument.empty:
                raise TypeError(
                    f"parameter '{argument.name}' of {name} has no default; give it one"
                )
            parameters[argument.name] = Parameter(argument.default)
        elif argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            raise TypeError(f"{name} takes *{argument.name}; name each argument")
        else:
            inputs.append(argument.name)
    if len(inputs) != 1:
        raise TypeError(
            f"{name} takes {len(inputs)} messages; a function takes one, what combines several is "
            "a Component"
        )
    (port,) = inputs
    if port == output:
        raise TypeError(
            f"{name} has '{output}' for its input and its output; give @component(output=…)"
        )
    takes, gives = _message(hints.get(port)), _message(hints.get("return"))
    if takes is None or gives is None:
        raise TypeError(
            f"{name} does not say which messages it takes and gives; "
            f"annotate it, as def {name}({port}: Imu) -> Vector3Stamped"
        )

    def on_message(self: Component, msg: Any) -> None:
        result = function(msg, **self.parameter_values)
        if result is not None:
            getattr(self, output).publish(result)

    made = type(
        "".join(word.capitalize() for word in name.split("_")),
        (Component,),
        {
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            port: Input(takes, dist=dist),
            output: Output(gives),
            f"on_{port}": on_message,
            **parameters,
        },
    )
    function.component = made  # type: ignore[attr-defined]
    return function


def component_of(found: Any) -> type[Component] | None:
    """The component class that an object is, or that `component` made of a function; None for
    anything else."""
    found = getattr(found, "component", None) if inspect.isfunction(found) else found
    return found if isinstance(found, type) and issubclass(found, Component) else None


def _message(hint: Any) -> type[Any] | None:
    """The class that an annotation names, also as `X | None`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        hint = rest[0] if len(rest) == 1 else None
    return hint if isinstance(hint, type) and hint is not type(None) else None
