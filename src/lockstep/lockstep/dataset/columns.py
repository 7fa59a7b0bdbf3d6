"""Fields of values as numpy arrays, by the paths that bags use: `a.b`, `ranges[]` (= `ranges`),
`ranges[3]`, `poses[].x`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DatasetError
from ..message.time import NS_PER_S

_STEP = re.compile(r"(\w+)((?:\[\d*\])*)")


def column(values: Iterable[Any], path: str, key: str) -> npt.NDArray[Any]:
    """One field of n values: (n,) of numbers, (n, …) of equal arrays, else objects (n,).

    The empty path is the value itself.

    Times and durations become int64 ns.
    """
    steps = _steps(path, key)
    fields = []
    for tick, value in enumerate(values):
        try:
            fields.append(_number(_walk(value, steps)))
        except (LookupError, AttributeError, TypeError) as error:
            raise DatasetError(
                f"value {tick} of {key} has no field '{path}'; it is {type(value).__name__}"
            ) from error
    return stacked(fields)


def stacked(fields: Sequence[Any]) -> npt.NDArray[Any]:
    """Values along a new first axis: numbers (n,), arrays of one shape and dtype (n, …), anything
    else as objects (n,)."""
    if not fields:
        return np.empty(0)
    if all(isinstance(field, (bool, int, float, complex, np.generic)) for field in fields):
        numbers = np.asarray(fields)
        if numbers.dtype != object:
            return numbers
    arrays = [np.asarray(field) for field in fields if isinstance(field, (np.ndarray, list))]
    first = arrays[0] if arrays else None
    if (
        first is not None
        and len(arrays) == len(fields)
        and first.dtype.kind not in "OUS"
        and all(a.shape == first.shape and a.dtype == first.dtype for a in arrays)
    ):
        return np.stack(arrays)
    result = np.empty(len(fields), object)
    for index, field in enumerate(fields):
        result[index] = field
    return result


def joined(columns: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Columns end to end; if their shapes or dtypes differ, as if all values had been stacked at
    once."""
    filled = [column for column in columns if len(column)] or list(columns[:1])
    if len({(column.shape[1:], column.dtype) for column in filled}) == 1:
        return np.concatenate(filled)
    return stacked([item for column in filled for item in column])


def time_ns(value: Any) -> int | None:
    """Nanoseconds of a ROS time or duration, as an object or a dict; None for anything else."""
    if isinstance(value, Mapping):
        if value.keys() == {"sec", "nanosec"}:
            return int(value["sec"]) * NS_PER_S + int(value["nanosec"])
    elif hasattr(value, "nanosec") and hasattr(value, "sec"):
        return int(value.sec) * NS_PER_S + int(value.nanosec)
    return None


def _steps(path: str, key: str) -> list[str | int | None]:
    """Names, indexes, and None for `[]`."""
    steps: list[str | int | None] = []
    for part in path.split(".") if path else []:
        match = _STEP.fullmatch(part)
        if match is None:
            raise DatasetError(
                f"'{path}' is no path to a field of {key}; write for example 'pose.position.x' or "
                "'ranges[3]'"
            )
        steps.append(match[1])
        for index in re.findall(r"\[(\d*)\]", match[2]):
            steps.append(int(index) if index else None)
    while steps and steps[-1] is None:
        steps.pop()
    return steps


def _walk(value: Any, steps: Sequence[str | int | None]) -> Any:
    for at, step in enumerate(steps):
        if step is None:
            return stacked([_number(_walk(item, steps[at + 1 :])) for item in value])
        if isinstance(step, int) or isinstance(value, Mapping):
            value = value[step]
        elif isinstance(value, np.ndarray):
            value = value[step] if value.dtype.names else getattr(value, step)
        else:
            value = getattr(value, step)
    return value


def _number(value: Any) -> Any:
    """Times as ns, typed arrays as numpy arrays."""
    if isinstance(value, (int, float, str, np.ndarray)):
        return value
    if hasattr(value, "typecode"):
        return np.asarray(value)
    ns = time_ns(value)
    return value if ns is None else ns
