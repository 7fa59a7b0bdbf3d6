"""The fields that single values have, as messages of any library hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def fields_of(value: Any) -> Mapping[str, Any] | None:
    """The fields of a message, dataclass or dict by name; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(type(value), "get_fields_and_field_types"):
        return {name: getattr(value, name) for name in value.get_fields_and_field_types()}
    return None
