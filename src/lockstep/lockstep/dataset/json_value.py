"""Dicts and dataclasses as JSON (RFC 8259) with a jsonschema, as Foxglove reads them from MCAP
channels."""

from __future__ import annotations

import dataclasses
import json
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DatasetError


def encode(value: Any) -> bytes:
    """A dict or dataclass as JSON; arrays and tuples become lists.

    Raises DatasetError for what JSON cannot hold.
    """
    try:
        return json.dumps(
            _jsonable(value), allow_nan=False, ensure_ascii=False, separators=(",", ":")
        ).encode()
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            "JSON holds no NaN, infinity or circle of values; use None, or keep them with the "
            "pickle backend"
        ) from error


def encode_any(value: Any) -> bytes:
    """A value of dicts, dataclasses, lists, messages, arrays and plain values, to be compared.

    NaN and infinities are written as Python's json reads them. Raises DatasetError.
    """
    try:
        return json.dumps(value, default=_parts, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"a {type(value).__name__} cannot be compared ({error}); make it of dicts, lists, "
            "arrays, numbers and strings"
        ) from error


def _parts(value: Any) -> Any:
    """What json.dumps knows no way to write, as what it knows."""
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (np.ndarray, np.generic, array)):
        return value.tolist()
    if isinstance(value, (bytes, bytearray)):
        return list(value)
    if hasattr(value, "get_fields_and_field_types"):
        return {name: getattr(value, name) for name in value.get_fields_and_field_types()}
    raise TypeError(f"it holds a {type(value).__name__}")


def schema(value: Any) -> str:
    """The jsonschema that a dict or dataclass fits, from its own values."""
    title = "dict" if isinstance(value, Mapping) else type(value).__name__
    return json.dumps({"title": title, **_schema(_jsonable(value))})


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise DatasetError(
                    f"JSON names are strings, and {name!r} is none; rename it or use the pickle "
                    "backend"
                )
        return {name: _jsonable(part) for name, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, (list, tuple)):
        return [_jsonable(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufU":
        return value.tolist()
    raise DatasetError(
        f"JSON cannot hold a {type(value).__name__}; give it a key of its own or use the pickle "
        "backend"
    )


def _schema(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {name: _schema(part) for name, part in value.items()},
        }
    if isinstance(value, list):
        return {"type": "array", **({"items": _schema(value[0])} if value else {})}
    if value is None:
        return {}
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    return {"type": next(name for cls, name in kinds if isinstance(value, cls))}
