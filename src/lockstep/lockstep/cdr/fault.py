"""Why a message cannot be encoded: which of its fields is not of the type, in words."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..message.primitives import CODES, SIZES, STRINGS
from ..message.schema import Field, MessageType, Schema
from .encodable import REFUSALS, flag, listed, numbers, octet, wide_text


def fault(schema: Schema, message: Any) -> str:
    """The first field that keeps a message from being encoded and what is wrong with it;
    "" if there is none.
    """
    return _fault(schema.types, schema.root, message, "")


def _fault(
    types: Mapping[str, MessageType], described: MessageType, message: Any, path: str
) -> str:
    names = [field.name for field in described.fields]
    if isinstance(message, dict):
        unknown = next((key for key in message if key not in names), None)
        if unknown is not None:
            return f"{described.name} has no field '{unknown}'"
        message = SimpleNamespace(**message)
    for field in described.fields:
        name = f"{path}.{field.name}" if path else field.name
        if not hasattr(message, field.name):
            return f"'{name}' ({field.described}) is missing"
        value = getattr(message, field.name)
        if field.array:
            found = _array_fault(types, field, value, name)
        else:
            found = _single_fault(types, field, value, name)
        if found:
            return found
    return ""


def _array_fault(types: Mapping[str, MessageType], field: Field, items: Any, path: str) -> str:
    wanted = f"'{path}' must be {field.described}"
    try:
        count = len(items)
        if field.type not in SIZES:
            items = listed(items)
        elif count:
            numbers(items, np.dtype("<" + CODES[field.type]))
    except REFUSALS:
        return f"{wanted}, not {_shown(items)}"
    if count > field.size > 0 or (field.array == "fixed" and count < field.size):
        return f"{wanted}, and has {count} elements"
    if field.type in SIZES:
        return ""
    faults = (
        _single_fault(types, field, item, f"{path}[{index}]") for index, item in enumerate(items)
    )
    return next(filter(None, faults), "")


def _single_fault(types: Mapping[str, MessageType], field: Field, value: Any, path: str) -> str:
    kind, bound = field.type, field.string_bound
    if kind in types:
        return _fault(types, types[kind], value, path)
    try:
        if kind == "wstring":
            wide_text(value)
        elif kind == "string":
            value.encode("utf-8", "surrogateescape")
        else:
            checked = {"bool": flag, "byte": octet}.get(kind, lambda same: same)(value)
            struct.pack("<" + CODES[kind], checked)
    except REFUSALS:
        return f"'{path}' must be {kind}, not {_shown(value)}"
    if kind in STRINGS and len(value) > bound > 0:
        return f"'{path}' must be {kind}<={bound}, and has {len(value)} characters"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
