"""Drawn columns as instances of a plain dataclass."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import numpy as np

from ..message.drawn_columns import Columns


def instance(cls: type[Any], columns: Columns, row: int, prefix: str = "") -> Any:
    """The message of one row; `prefix` is the path of the part that `cls` is."""
    hints = typing.get_type_hints(cls)
    return cls(
        **{
            field.name: _value(hints[field.name], columns, row, f"{prefix}{field.name}")
            for field in dataclasses.fields(cls)
        }
    )


def _value(hint: Any, columns: Columns, row: int, path: str) -> Any:
    if path not in columns:
        return instance(hint, columns, row, f"{path}.")
    drawn = columns[path]
    is_list = typing.get_origin(hint) is list
    if drawn.counts is not None:
        begin = int(drawn.counts[:row].sum())
        values = drawn.values[begin : begin + int(drawn.counts[row])]
        return values.tolist() if is_list else values
    if is_list:
        (item,) = typing.get_args(hint)
        begin = int(drawn.values[:row].sum())
        return [
            instance(item, columns, begin + at, f"{path}[].")
            for at in range(int(drawn.values[row]))
        ]
    value = drawn.values[row]
    return value.item() if isinstance(value, np.generic) else value
